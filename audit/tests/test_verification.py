import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pytest_django import Settings

from accounts.contracts.native.tokens import ACCESS
from accounts.errors import TokenInvalid
from accounts.security import tokens
from accounts.security.keys import ring
from accounts.tests.tools import Api
from audit import seal, sealed_rows
from audit.chain import lane_count
from audit.events import Event, FailureReason
from audit.models import Entry, Lane, LoginAttempt, SecurityEvent, TrailCheck
from audit.origin import Origin
from audit.record import record
from audit.start import create_lanes
from audit.tests.damage import run
from audit.verification import Verification

pytestmark = pytest.mark.django_db
ATTEMPTS, EVENTS = "audit_loginattempt", "audit_securityevent"


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[Entry]:
    """Six rows of one lane, with texts and numbers that databases store each in its own way."""
    monkeypatch.setattr("audit.chain.secrets.randbelow", lambda _: 0)
    origins = [
        Origin("native", "192.0.2.1", "Fire🦊fox"),
        Origin("union", "2001:db8::ffff:0:1"),
        Origin("admin", "::1"),
    ]
    written: list[Entry] = []
    for number, origin in enumerate(origins):
        attempt = LoginAttempt.of(origin, f'王"\\ {number} ', user_id=number + 1, failure_reason=FailureReason.LOCKED)
        attempt.at = attempt.at.replace(microsecond=0)
        event = SecurityEvent.of(
            origin, Event.USER_CHANGED, user_id=number or None, b=[1, None, True], a={"ü": "\u2028\x7f"}
        )
        for entry in (attempt, event):
            record(entry)
            written.append(entry)
    return written


def verified(**options: Any) -> dict[str, str]:
    """Return the first row of each kind of damage."""
    verification = Verification(**options)
    for _ in verification.run():
        pass
    return {kind.value: text for kind, text in verification.findings.first.items()}


def named(entry: Entry) -> str:
    kind = "attempt" if isinstance(entry, LoginAttempt) else "event"
    return f"{kind} {entry.pk} of {seal.moment(entry.at)} (lane 0, number {entry.number})"


def place(number: int) -> str:
    return f"lane 0, numbers {number} to {number}"


def test_an_untouched_trail_is_intact(rows: list[Entry]) -> None:
    assert verified() == {}


ANOTHER = {
    "id": "id + 1",
    "user_id": "77",
    "contract": "'portal'",
    "ip": "'192.0.2.9'",
    "user_agent": "'x'",
    "request_id": "'x'",
    "identifier": "'x'",
    "status": "'success'",
    "failure_reason": "''",
    "repeats": "2",
    "factor": "'totp'",
    "event": "'user:created'",
    "actor_id": "77",
}
NULLS = {"user_id", "ip"}


def columns(model: type[Entry]) -> list[tuple[str, str]]:
    """Return each column of the table with another value for it, as SQL."""
    names = [field.column for field in model._meta.concrete_fields]
    found = [(name, ANOTHER[name]) for name in names if name in ANOTHER]
    found += [(name, "NULL") for name in names if name in NULLS]
    at = {"postgresql": "at + interval '1 microsecond'", "mysql": "at + INTERVAL 1 MICROSECOND"}
    found.append(("at", at.get(connection.vendor, "strftime('%Y-%m-%d %H:%M:%S', at) || '.000001'")))
    prefix = "'\\x" if connection.vendor == "postgresql" else "x'"
    found.append(("mac", f"{prefix}{'00' * 32}'"))
    return found + [("detail", """'{"b": [1, null, false], "a": {"ü": "\u2028\x7f"}}'""")] * (model is SecurityEvent)


@pytest.mark.parametrize("index", [2, 3, 5], ids=["attempt", "event", "last row"])
def test_a_changed_column_is_named(rows: list[Entry], index: int) -> None:
    row = rows[index]
    table = row._meta.db_table
    missed = {}
    for name, value in columns(type(row)):
        with transaction.atomic():
            run(f"UPDATE {table} SET {name} = {value} WHERE number = {row.number}")
            found = verified()
            transaction.set_rollback(True)
        wanted = f"(lane 0, number {row.number})"
        if found.keys() - {"head"} != {"changed"} or not found["changed"].endswith(wanted):
            missed[name, value] = found
    assert missed == {}


def test_every_column_but_those_of_the_place_is_among_the_changed(rows: list[Entry]) -> None:
    for row in rows[:2]:
        names = {field.column for field in type(row)._meta.concrete_fields}
        assert names - {name for name, _ in columns(type(row))} == {"lane", "number", "key_name"}


def test_a_changed_name_of_the_key_is_named(rows: list[Entry]) -> None:
    run(f"UPDATE {ATTEMPTS} SET key_name = 'another' WHERE number = 3")
    assert verified() == {"unknown key": f"'another' of {named(rows[2])}"}


@pytest.mark.parametrize("number", [1, 3])
def test_a_removed_row_is_named(rows: list[Entry], number: int) -> None:
    run(f"DELETE FROM {ATTEMPTS} WHERE number = {number}")
    assert verified() == {"removed": place(number)}


def test_a_removed_end_of_a_lane_is_named(rows: list[Entry]) -> None:
    run(f"DELETE FROM {EVENTS} WHERE number = 6")
    assert verified() == {"removed": place(6)}


def test_rows_without_their_lane_are_named(rows: list[Entry]) -> None:
    Lane.objects.filter(lane=0).delete()
    assert verified() == {"head": "lane 0 has no head"}


def copy(number: int, lane: int, to: str) -> None:
    """Insert a copy of an attempt at another place."""
    same = ", ".join([*seal.COLUMNS["attempt"][1:], "key_name", "mac"])
    sql = f"INSERT INTO {ATTEMPTS} (id, lane, number, {same}) SELECT 7, {lane}, {to}, {same}"
    run(f"{sql} FROM {ATTEMPTS} WHERE number = {number}")


@pytest.mark.parametrize(("lane", "to"), [(0, "7"), (0, "0"), (0, "4"), (99, "1")])
def test_an_inserted_row_is_named(rows: list[Entry], lane: int, to: str) -> None:
    copy(3, lane, to)
    found = verified()
    assert f"lane {lane}, number {to}" in found["inserted"] or found["inserted"].startswith("attempt 7 ")


def test_a_row_without_a_seal_is_named(rows: list[Entry]) -> None:
    attempt = LoginAttempt.of(Origin("native"), "mallory", user_id=None)
    attempt.save()
    assert verified() == {"unsealed": f"attempt {attempt.pk} has no seal"}


@pytest.fixture
def sealed_later() -> None:
    """Two rows from before the seal."""
    Lane.objects.all().delete()
    for name in ("alice", "bob"):
        LoginAttempt.of(Origin("native"), name, user_id=None).save()
    create_lanes()


def test_rows_from_before_the_seal_are_counted(sealed_later: None) -> None:
    verification = Verification()
    assert [*verification.run()][-1] == 1
    assert (verification.before_seal, verification.findings.listed()) == (2, [])
    assert SecurityEvent.objects.values_list("event", "detail").get() == ("trail:sealed", {"attempts": 2, "events": 0})


def test_a_row_that_was_added_to_those_from_before_the_seal_is_named(sealed_later: None) -> None:
    long_ago = SecurityEvent.objects.get().at - timedelta(days=1)
    for row in (LoginAttempt.of(Origin("native"), "mallory", user_id=None), SecurityEvent(event="user:approved")):
        row.at = long_ago
        row.save()
    verification = Verification()
    assert [*verification.run()][-1] == 1
    first = "of kind attempt 3 rows without a seal are older than it, and there were 2 when it began"
    assert verification.findings.listed() == [{"kind": "unsealed", "count": 2, "first": first}]


def test_rows_that_swapped_their_places_are_named(rows: list[Entry]) -> None:
    for number, to in ((1, 100), (5, 1), (100, 5)):
        run(f"UPDATE {ATTEMPTS} SET number = {to} WHERE number = {number}")
    found = verified()
    assert found == {"moved": f"{named(rows[4]).replace('number 5', 'number 1')} belongs in lane 0, number 5"}


def test_a_row_that_moved_to_another_lane_is_named(rows: list[Entry]) -> None:
    if lane_count() == 1:
        pytest.skip("SQLite has one lane")
    run(f"UPDATE {ATTEMPTS} SET lane = 1, number = 1 WHERE number = 3")
    assert verified() == {
        "removed": place(3),
        "inserted": f"attempt {rows[2].pk} in lane 1, outside its numbers",
    }


def test_a_row_that_moved_to_the_other_table_is_named(rows: list[Entry]) -> None:
    names = "id, at, user_id, contract, ip, user_agent, request_id, lane, number, key_name, mac"
    run(
        f"INSERT INTO {EVENTS} ({names}, event, actor_id, detail) "
        f"SELECT {names}, 'user:created', NULL, '{{}}' FROM {ATTEMPTS} WHERE number = 3"
    )
    run(f"DELETE FROM {ATTEMPTS} WHERE number = 3")
    assert verified()["changed"].startswith(f"event {rows[2].pk} ")


@pytest.mark.parametrize("column", ["number = number - 1", "last_id = last_id + 1", "key_name = 'x'", "mac = seal"])
def test_a_changed_head_is_named(rows: list[Entry], column: str) -> None:
    run(f"UPDATE audit_lane SET {column} WHERE lane = 0")
    assert "its seal is false" in verified()["head"]


def test_a_head_far_away_ends_the_verification_all_the_same(rows: list[Entry]) -> None:
    run("UPDATE audit_lane SET number = 9000000000000000000 WHERE lane = 0")
    assert verified()["removed"] == "lane 0, numbers 7 to 9000000000000000000"


def test_new_rows_do_not_repair_a_false_head(rows: list[Entry], caplog: pytest.LogCaptureFixture) -> None:
    run(f"DELETE FROM {EVENTS} WHERE number = 6")
    sql = f"UPDATE audit_lane SET number = 5, mac = (SELECT mac FROM {ATTEMPTS} WHERE number = 5) WHERE lane = 0"
    run(sql)
    record(LoginAttempt.of(Origin("native"), "alice", user_id=None))
    assert verified() == {"removed": place(6)}
    assert "The head of lane 0 of the trail has a false seal" in caplog.text


def test_another_key_is_told_from_damage(rows: list[Entry], settings: Settings) -> None:
    settings.SECRET_KEY = "another" * 8
    assert verified().keys() == {"unknown key", "head"}


def test_a_new_key_seals_and_the_former_ones_verify(rows: list[Entry], settings: Settings) -> None:
    for keys in (["one" * 20], ["two" * 20, "one" * 20]):
        settings.AUDIT_KEYS = keys
        record(LoginAttempt.of(Origin("native"), "alice", user_id=None))
    assert verified() == {}
    assert len(set(LoginAttempt.objects.values_list("key_name", flat=True))) == 3


def test_since_begins_with_the_first_row_of_a_day(rows: list[Entry]) -> None:
    run(f"UPDATE {ATTEMPTS} SET repeats = 2 WHERE number = 1")
    assert verified(since=rows[2].at + timedelta(microseconds=1)) == {}
    run(f"UPDATE {EVENTS} SET contract = 'x' WHERE number = 6")
    assert verified(since=rows[5].at)["changed"].endswith("(lane 0, number 6)")


def command(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("trail", *arguments, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


class TestCommand:
    def test_an_intact_trail_has_exit_status_0(self, rows: list[Entry]) -> None:
        status, text = command("verify")
        assert (status, text[:39]) == (0, "The trail is intact: 6 rows verified in")

    def test_damage_has_exit_status_1_and_is_named(self, rows: list[Entry]) -> None:
        run(f"DELETE FROM {ATTEMPTS} WHERE number = 3")
        status, text = command("verify", "--json")
        found = json.loads(text)
        assert (status, found["intact"], found["rows"]) == (1, False, 5)
        assert found["findings"] == [{"kind": "removed", "count": 1, "first": place(3)}]

    def test_the_result_is_kept(self, rows: list[Entry]) -> None:
        command("verify", "--since", "2020-01-01")
        check = TrailCheck.objects.get()
        assert (check.kind, check.intact, check.result["rows"]) == ("verified", True, 6)

    def test_tables_that_cannot_be_read_have_exit_status_1(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sealed_rows.TABLES, "attempt", "audit_gone")
        with pytest.raises(CommandError, match="were its tables changed"), transaction.atomic():
            call_command("trail", "verify")

    def test_rows_of_the_previous_release_are_accepted_by_an_event(self, rows: list[Entry]) -> None:
        LoginAttempt.of(Origin("native"), "alice", user_id=None).save()
        assert command("verify")[0] == 1
        assert command("accept", "--noinput") == (0, "1 rows without a seal were accepted, by an event of the trail.\n")
        assert command("verify")[0] == 0
        LoginAttempt.of(Origin("native"), "mallory", user_id=None).save()
        assert command("verify")[0] == 1

    def test_they_are_not_accepted_without_confirmation(
        self, rows: list[Entry], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("builtins.input", lambda _: "no")
        with pytest.raises(CommandError, match="Nothing was accepted"):
            call_command("trail", "accept")
        assert not SecurityEvent.objects.filter(event="trail:sealed").exists()

    def test_a_date_that_is_none_is_refused(self) -> None:
        with pytest.raises(CommandError, match="yesterday is no date such as 2026-11-21"):
            call_command("trail", "verify", "--since=yesterday")


class TestAnchor:
    @pytest.fixture
    def anchor(self, rows: list[Entry], tmp_path: Path) -> Path:
        path = tmp_path / "anchor"
        call_command("trail", "anchor", file=path)
        return path

    def test_a_trail_that_went_on_is_intact(self, anchor: Path) -> None:
        record(LoginAttempt.of(Origin("native"), "alice", user_id=None))
        assert command("verify", f"--anchor={anchor}")[0] == 0
        kinds = list(TrailCheck.objects.order_by("id").values_list("kind", flat=True))
        assert kinds == ["anchored", "verified"]

    def test_a_cut_end_is_named_though_the_head_is_a_genuine_former_one(
        self, rows: list[Entry], tmp_path: Path
    ) -> None:
        former = Lane.objects.get(lane=0)
        later = LoginAttempt.of(Origin("native"), "mallory", user_id=None)
        record(later)
        call_command("trail", "anchor", file=tmp_path / "anchor")
        run(f"DELETE FROM {ATTEMPTS} WHERE number = 7")
        former.save()
        assert command("verify")[0] == 0
        status, text = command("verify", f"--anchor={tmp_path / 'anchor'}")
        assert (status, "lane 0 ends at 6, and had 7 rows at" in text) == (1, True)

    def test_an_end_that_was_written_anew_is_named(self, rows: list[Entry], tmp_path: Path) -> None:
        former = Lane.objects.get(lane=0)
        record(LoginAttempt.of(Origin("native"), "mallory", user_id=None))
        call_command("trail", "anchor", file=tmp_path / "anchor")
        run(f"DELETE FROM {ATTEMPTS} WHERE number = 7")
        former.save()
        record(LoginAttempt.of(Origin("native"), "alice", user_id=None))
        status, text = command("verify", f"--anchor={tmp_path / 'anchor'}")
        assert (status, "lane 0, number 7: it was another row at" in text) == (1, True)

    def test_it_is_signed_with_the_published_key_and_is_no_access_token(self, anchor: Path, api: Api) -> None:
        text = anchor.read_text().strip()
        key = ring.signer(ACCESS)
        assert jwt.decode(text, key.verifying, algorithms=["ES256"])["heads"]["0"][0] == 6
        assert jwt.get_unverified_header(text) == {"alg": "ES256", "kid": key.kid, "typ": "trail-anchor+jwt"}
        assert api.get("me", text).status_code == 401
        with pytest.raises(TokenInvalid):
            tokens.read(ACCESS, text)

    def test_an_anchor_with_other_numbers_is_refused(self, anchor: Path) -> None:
        payload = jwt.decode(anchor.read_text().strip(), options={"verify_signature": False})
        payload["heads"]["0"] = [1, "00" * 32]
        anchor.write_text(jwt.encode(payload, "x" * 32))
        with pytest.raises(CommandError, match="is false, of another trail"):
            call_command("trail", "verify", anchor=anchor)

    @pytest.mark.parametrize("text", ["", "a.b.c", "..", "a.W10.c", "a.e30.c", "\xff"])
    def test_a_file_that_is_no_anchor_is_refused(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "file"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(CommandError, match="is no readable anchor"):
            call_command("trail", "verify", anchor=path)

    def test_an_anchor_is_not_overwritten(self, anchor: Path) -> None:
        with pytest.raises(CommandError, match="Name a new file"):
            call_command("trail", "anchor", file=anchor)
