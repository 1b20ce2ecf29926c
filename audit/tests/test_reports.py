"""The assessor's report, as a page, as a file and as CSV."""

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError
from django.core.management.base import OutputWrapper
from django.test import Client
from django.utils import timezone, translation
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.services import account_state, second_factors, second_step
from accounts.services.second_step import SubmittedCode
from accounts.tests.admin.conftest import auditor, logged_in
from accounts.tests.authenticator import Authenticator
from accounts.tests.factors import ORIGIN, SESSIONS, challenge, enrol_app, enrol_key
from accounts.tests.tools import ELSEWHERE, PASSWORD, Api, later
from audit import reports, trail_checks
from audit.models import TrailCheck
from audit.origin import Origin
from audit.trail_commands import report as command

__all__ = ["auditor"]

pytestmark = pytest.mark.django_db

PAGE = "/admin/audit/loginattempt/report/"


def section(title: str, first: date | None = None, last: date | None = None) -> list[list[str]]:
    """Return the rows of one section in English, of a report of today."""
    today = timezone.localdate()
    with translation.override("en"):
        made = reports.report(first or today, last or today)
        return [[str(cell) for cell in row] for each in made.sections if str(each.title) == title for row in each.rows]


def test_accounts_are_counted_by_role_and_state(alice: User, bob: User, head: User) -> None:
    User.objects.create_user("carol", role="doctor", is_active=False)
    User.objects.create_user("david", role="doctor", awaits_approval=True)
    User.objects.create_user("erika", role="doctor", valid_until=timezone.localdate() - timedelta(days=1))
    User.objects.create_user("frank", role="doctor", valid_from=timezone.localdate() + timedelta(days=2))
    assert [row for row in section("Accounts by role") if row[1] != "0"] == [
        ["administrator", "1", "1", "0", "0", "0"],
        ["doctor", "5", "1", "1", "1", "2"],
        ["pharmacy", "1", "1", "0", "0", "0"],
    ]


def test_superusers_administrators_and_officers_are_listed(root: User, head: User, auditor: User) -> None:
    User.objects.filter(pk=auditor.pk).update(full_name="王医生", department="信息科", is_active=False)
    assert section("Separation of duties") == [
        ["superusers", "root", "active"],
        ["role administrator", "head", "active"],
        ["auditors", "audrey · 王医生 · 信息科", "disabled"],
    ]


@pytest.mark.parametrize(
    ("columns", "state"),
    [
        ({"valid_until": date(2020, 1, 1)}, "no longer valid"),
        ({"valid_from": date(2999, 1, 1)}, "not yet valid"),
        ({"awaits_approval": True}, "awaits approval"),
        ({"awaits_approval": True, "is_active": False}, "disabled, not approved"),
    ],
)
def test_an_officer_who_may_not_log_in_is_listed_with_the_reason(
    auditor: User, columns: dict[str, Any], state: str
) -> None:
    User.objects.filter(pk=auditor.pk).update(**columns)
    assert section("Separation of duties") == [["auditors", "audrey", state]]


def test_logins_are_counted_by_result_and_locks_by_event(alice: User) -> None:
    Api().login()
    for _ in range(6):
        Api(ELSEWHERE).login(password="wrong")
    Api().login("nobody")
    assert [row for row in section("Logins") if row[1] != "0"] == [
        ["successful", "1"],
        ["unknown user", "1"],
        ["wrong password", "5"],
        ["locked", "1"],
    ]
    assert section("Lock-outs")[0] == ["account locked", "1"]


def test_second_factors_are_counted_by_role(alice: User, bob: User, head: User, settings: Settings) -> None:
    settings.MFA_REQUIRED_ROLES = frozenset({"admin"})
    enrol_app(alice)
    enrol_key(alice, Authenticator())
    User.objects.create_user("carol", role="doctor", is_active=False)
    second_factors.begin_app(user=head, password=PASSWORD, origin=ORIGIN)
    assert [row for row in section("Second factors") if row[1] != "0"] == [
        ["administrator", "1", "0", "yes"],
        ["doctor", "1", "0", "no"],
        ["pharmacy", "1", "1", "no"],
    ]


def test_right_passwords_that_went_no_further_are_counted(alice: User) -> None:
    app = enrol_app(alice)

    def complete() -> None:
        answer, token = SubmittedCode(app.code()), challenge(alice).token
        second_step.complete(token=token, answer=answer, issuer=SESSIONS, origin=ORIGIN)

    challenge(alice, Origin("native", ELSEWHERE))
    complete()
    Api(mount="/hospital/api/auth").login()
    assert section("Right passwords without a second factor") == [
        ["right password, second factor requested", "2"],
        ["of these without a login afterwards", "1"],
        ["right password without a code, by a client without a field for it", "1"],
    ]
    # One is that of the enrolment.
    assert section("Logins")[0] == ["successful", "2"]
    with later(minutes=7):
        complete()
    assert section("Right passwords without a second factor")[1] == ["of these without a login afterwards", "1"]


def test_acts_of_administrators_are_counted_and_those_of_others_are_not(
    alice: User, bob: User, head: User, origin: Origin
) -> None:
    for user in (alice, bob):
        account_state.deactivate(user=user, actor=head, origin=origin)
    Api().post("logout", token=Api().tokens("head")["access_token"])
    assert section("Acts of administrators") == [["head", "account deactivated", "2"]]


def test_a_period_has_its_last_day_and_none_after(alice: User) -> None:
    today = timezone.localdate()
    noon = timezone.make_aware(datetime(today.year, today.month, today.day, 12))
    for days in (0, 1, 2):
        with later(seconds=(noon - timezone.now()).total_seconds() - days * 86400):
            Api().login()
    first, last = today - timedelta(days=2), today - timedelta(days=1)
    assert section("Logins", first, last)[0] == ["successful", "2"]


def test_retention_and_seal_are_stated(settings: Settings) -> None:
    settings.TRAIL_RETENTION_DAYS = 200
    at = timezone.make_aware(datetime(2026, 11, 20, 8, 30))
    trail_checks.store(TrailCheck.Kind.VERIFIED, at=at, intact=False, result={})
    assert section("Retention")[0] == ["days that the trail is kept", "200"]
    assert section("Seal of the trail") == [["verified", "2026-11-20 08:30", "damaged"], ["anchored", "never", "-"]]


def test_a_result_that_no_check_has_written_is_not_credible() -> None:
    trail_checks.store(TrailCheck.Kind.VERIFIED, at=timezone.now(), intact=False, result={"rows": 7})
    TrailCheck.objects.update(intact=True)
    assert section("Seal of the trail")[0][2] == "not credible: this row was not written by a check"


@pytest.mark.parametrize("days", [-1, 366])
def test_a_period_has_1_to_366_days(days: int) -> None:
    with pytest.raises(reports.InvalidPeriod):
        reports.report(date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=days))


class TestPage:
    def test_an_auditor_reads_it(self, auditor: User) -> None:
        page = logged_in(auditor).get(PAGE, {"from": "2026-01-01", "to": "2026-01-31"}).content.decode()
        assert "From 2026-01-01 to 2026-01-31, both days included." in page
        assert "Acts of administrators" in page

    def test_it_requires_an_auditors_permissions(self, head: User, settings: Settings) -> None:
        settings.SEPARATE_DUTIES = True
        assert logged_in(head).get(PAGE).status_code == 403

    @pytest.mark.parametrize("query", ["from=x", "from=2026-02-01&to=2026-01-01", "from=0001-01-01&to=9999-12-31"])
    def test_an_invalid_period_is_reported(self, auditor: User, query: str) -> None:
        page = logged_in(auditor).get(f"{PAGE}?{query}")
        assert (page.status_code, page.context["invalid"]) == (200, True)

    def test_the_lists_of_the_trail_link_to_it(self, auditor: User) -> None:
        site: Client = logged_in(auditor)
        for name in ("loginattempt", "securityevent"):
            assert f'href="{PAGE}"' in site.get(f"/admin/audit/{name}/").content.decode()


class TestCommand:
    def run(self, **options: Any) -> str:
        out = OutputWrapper(io.StringIO())
        command.run({"first": date(2026, 1, 1), "last": date(2026, 1, 31), "format": "html", **options}, out, out)
        return str(out.getvalue())

    def test_html_is_a_page_by_itself(self, alice: User) -> None:
        with translation.override("zh-hans"):
            page = self.run()
        assert page.startswith('<!DOCTYPE html>\n<html lang="zh-hans">')
        assert "2026-01-01" in page

    def test_csv_has_the_section_in_each_row(self, alice: User) -> None:
        with translation.override("en"):
            rows = list(csv.reader(io.StringIO(self.run(format="csv"))))
        columns = ["role", "accounts", "active", "awaiting approval", "disabled", "outside their dates"]
        assert rows[0] == ["Accounts by role", *columns]
        assert ["Accounts by role", "pharmacy", "1", "1", "0", "0", "0"] in rows

    def test_an_invalid_period_is_an_error(self) -> None:
        with pytest.raises(CommandError, match="must not be after --to"):
            self.run(last=date(2025, 1, 1))
