"""The trail's lists: indexed searches, one order, a capped length, and exports."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.tests.admin.conftest import logged_in, message_texts
from accounts.tests.tools import BROWSER, ELSEWHERE, HERE, Statements, captured_statements, later
from audit.admin import changelist, search_terms, spreadsheet, trail
from audit.events import Event, FailureReason, Status
from audit.models import LoginAttempt, SecurityEvent
from audit.origin import Origin, current_request_id
from audit.record import record

pytestmark = pytest.mark.django_db

ATTEMPTS = "/admin/audit/loginattempt/"
EVENTS = "/admin/audit/securityevent/"
ZONE = ZoneInfo(settings.TIME_ZONE)


@pytest.fixture
def staff_client(head: User) -> Client:
    return logged_in(head)


def attempt(identifier: str, *, at: datetime | None = None, ip: str = ELSEWHERE, **columns: Any) -> LoginAttempt:
    """Write an attempt, at the given time, and return it."""
    entry = LoginAttempt.of(Origin("native", ip, BROWSER), identifier, **{"user_id": None, **columns})
    entry.at = at or timezone.now()
    with transaction.atomic():
        record(entry)
    return entry


def shown(client: Client, query: str = "", path: str = ATTEMPTS) -> list[str]:
    """Return the identifiers in the list, in its order, without those of its reader."""
    entries = client.get(f"{path}?{query}").context["cl"].result_list
    return [entry.identifier for entry in entries if entry.identifier != "head"]


def test_challenged_logins_are_found_by_their_status_and_name_the_factor(staff_client: Client) -> None:
    attempt("asked", status=Status.CHALLENGED, failure_reason=FailureReason.SECOND_FACTOR_MISSING)
    attempt("wrong", failure_reason=FailureReason.SECOND_FACTOR_WRONG, factor="recovery_code")
    assert shown(staff_client, "status__exact=challenged") == ["asked"]
    page = staff_client.get(f"{ATTEMPTS}?status__exact=failed").content.decode()
    assert '<td class="field-factor_used">recovery code</td>' in page


class TestSearch:
    @pytest.mark.parametrize("typed", ["王医生", "王医", "13800138000", "138-0013-8000"])
    @pytest.mark.parametrize("path", [ATTEMPTS, EVENTS])
    def test_it_finds_the_rows_of_a_person_by_full_name_and_phone(
        self, staff_client: Client, alice: User, bob: User, typed: str, path: str
    ) -> None:
        User.objects.filter(pk=alice.pk).update(full_name="王医生")
        for user in (alice, bob):
            attempt(f"080{user.pk}", user_id=user.pk)
            with transaction.atomic():
                record(SecurityEvent.of(Origin("native"), Event.SESSION_MOVED, user_id=user.pk))
        found = staff_client.get(f"{path}?q={typed}").context["cl"].result_list
        assert [entry.user_id for entry in found] == [alice.pk]

    def test_a_name_of_many_people_says_that_not_all_are_found(
        self, staff_client: Client, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        User.objects.update(full_name="王医生")
        for module in (search_terms, trail):
            monkeypatch.setattr(module, "MAX_PEOPLE", 1)
        page = staff_client.get(f"{ATTEMPTS}?q=王医生").content.decode()
        assert "More than 1 people have such a name" in page

    def test_the_list_shows_the_name_and_department_as_they_are_now(self, alice: User, staff_client: Client) -> None:
        attempt("alice", user_id=alice.pk)
        User.objects.filter(pk=alice.pk).update(full_name="王医生", department="药房")
        page = staff_client.get(f"{ATTEMPTS}?q=alice").content.decode()
        assert 'alice</a> <span class="person">王医生 · 药房</span>' in page

    @pytest.mark.parametrize(
        ("typed", "found"),
        [
            ("carol", ["carol2", "carol"]),
            ("CAROL", ["carol2", "carol"]),
            ("arol", []),
            ("caro_", []),
            (ELSEWHERE, ["carol2"]),
            ("192.0.2", []),
            ("request-1", ["carol"]),
            ("request", []),
        ],
    )
    def test_it_finds_by_prefix_ip_address_or_request_id(
        self, staff_client: Client, typed: str, found: list[str]
    ) -> None:
        current = current_request_id.set("request-1")
        attempt("carol", ip="203.0.113.9")
        current_request_id.reset(current)
        attempt("carol2")
        assert shown(staff_client, f"q={typed}") == found

    @pytest.mark.parametrize("typed", ["alice", "ALICE", "%23{pk}"])
    def test_it_finds_a_user_by_name_or_id(self, staff_client: Client, alice: User, typed: str) -> None:
        attempt("13800138000", user_id=alice.pk)
        assert shown(staff_client, f"q={typed.format(pk=alice.pk)}") == ["13800138000"]

    def test_an_event_is_found_by_its_user_or_actor(
        self, staff_client: Client, alice: User, head: User, origin: Origin
    ) -> None:
        with transaction.atomic():
            record(SecurityEvent.of(origin, Event.USER_APPROVED, user_id=alice.pk, actor_id=head.pk))
        for name in ("alice", "head"):
            assert staff_client.get(f"{EVENTS}?q={name}").context["cl"].result_count == 1


class TestPeriod:
    @pytest.mark.parametrize(
        ("moment", "period", "found"),
        [
            (datetime(2026, 3, 31, 23, 59, 59, tzinfo=ZONE), "2026-03", True),
            (datetime(2026, 4, 1, tzinfo=ZONE), "2026-03", False),
            (datetime(2026, 3, 1, tzinfo=ZONE), "2026-03", True),
            (datetime(2026, 2, 28, 23, 59, 59, tzinfo=ZONE), "2026-03", False),
            (datetime(2026, 3, 5, tzinfo=ZONE), "2026-03-05", True),
            (datetime(2026, 3, 6, tzinfo=ZONE), "2026-03-05", False),
            (datetime(2025, 12, 31, 23, tzinfo=ZONE), "2025-12", True),
        ],
    )
    def test_days_and_months_are_those_of_the_services_time_zone(
        self, staff_client: Client, moment: datetime, period: str, found: bool
    ) -> None:
        attempt("carol", at=moment)
        assert shown(staff_client, f"when={period}") == (["carol"] if found else [])

    @pytest.mark.parametrize(("days", "found"), [(0, True), (6, True), (8, False)])
    def test_the_last_7_days_include_today(self, staff_client: Client, days: int, found: bool) -> None:
        attempt("carol", at=timezone.now() - timedelta(days=days))
        assert shown(staff_client, "when=7d") == (["carol"] if found else [])

    def test_a_period_is_ordered_by_time(self, staff_client: Client) -> None:
        noon = timezone.localtime().replace(hour=0, minute=30)
        for name, minutes in [("second", 2), ("third", 3), ("first", 1)]:
            attempt(name, at=noon + timedelta(minutes=minutes))
        assert shown(staff_client, "when=today") == ["third", "second", "first"]

    def test_a_chosen_month_offers_its_days(self, staff_client: Client) -> None:
        attempt("carol", at=timezone.now())
        month = f"{timezone.localtime():%Y-%m}"
        assert f"?when={month}-01" in staff_client.get(f"{ATTEMPTS}?when={month}").content.decode()

    @pytest.mark.parametrize("period", ["2026-13", "2026-02-30", "0000-01", "9999-12", "nonsense", "٢٠٢٦-٠١"])
    def test_an_invalid_period_is_refused(self, staff_client: Client, period: str) -> None:
        response = staff_client.get(ATTEMPTS, {"when": period})
        assert response.headers["Location"] == ATTEMPTS
        said = f"The filter “time” has no choice “{period}”. The list is shown without filters."
        assert message_texts(staff_client.get(ATTEMPTS)) == [said]


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("status__exact=failed", ["mallory"]),
            ("failure_reason__exact=wrong_password", ["mallory"]),
            ("contract=native", ["carol", "mallory"]),
            ("contract=portal", []),
        ],
    )
    def test_it_shows(self, staff_client: Client, query: str, found: list[str]) -> None:
        attempt("mallory", failure_reason=FailureReason.WRONG_PASSWORD)
        attempt("carol")
        assert shown(staff_client, query) == found

    @pytest.mark.parametrize("query", [f"q=%23{'9' * 30}", f"user__id__exact={'9' * 30}", "p=99999", "p=x"])
    def test_an_id_out_of_range_finds_nothing(self, staff_client: Client, query: str) -> None:
        assert staff_client.get(f"{ATTEMPTS}?{query}").status_code in {200, 302}

    @pytest.mark.parametrize("lookup", ["user__password__startswith", "user_agent__contains", "identifier__contains"])
    def test_a_lookup_without_an_index_or_of_a_secret_is_refused(self, staff_client: Client, lookup: str) -> None:
        assert staff_client.get(f"{ATTEMPTS}?{lookup}=a").status_code == 400


class TestLength:
    @pytest.fixture(autouse=True)
    def _short(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(changelist, "MAX_LISTED", 5)

    def test_a_longer_list_is_capped_and_says_so(self, staff_client: Client) -> None:
        for number in range(8):
            attempt(f"carol{number}")
        page = staff_client.get(ATTEMPTS)
        assert page.context["cl"].result_count == 5
        assert "Only the newest 5 entries are listed." in page.content.decode()

    def test_a_shorter_list_has_no_notice(self, staff_client: Client) -> None:
        assert "Only the newest" not in staff_client.get(ATTEMPTS).content.decode()


def statements_of(client: Client, path: str) -> Statements:
    with captured_statements() as captured:
        client.get(path)
    return captured


def test_no_list_counts_all_rows(staff_client: Client) -> None:
    counts = [sql for sql in statements_of(staff_client, ATTEMPTS).sql if "COUNT(" in sql]
    assert len(counts) == 1
    assert "LIMIT 10001" in counts[0]


def test_a_query_string_does_not_change_the_order(staff_client: Client) -> None:
    page = staff_client.get(f"{ATTEMPTS}?o=2").context["cl"]
    assert page.queryset.query.order_by == ("-id",)


def test_the_number_of_statements_does_not_depend_on_the_rows(staff_client: Client, alice: User) -> None:
    few = len(statements_of(staff_client, ATTEMPTS).sql)
    for number in range(30):
        attempt(f"carol{number}", user_id=alice.pk)
    assert len(statements_of(staff_client, ATTEMPTS).sql) == few


def test_the_detail_is_readable(staff_client: Client, alice: User, head: User, origin: Origin) -> None:
    with transaction.atomic():
        record(SecurityEvent.of(origin, Event.USER_REJECTED, user_id=alice.pk, actor_id=head.pk, reason="不在名单上"))
    event = SecurityEvent.objects.get()
    page = staff_client.get(f"{EVENTS}{event.pk}/change/").content.decode()
    wanted = ["account rejected", "user:rejected", "不在名单上", f"/admin/accounts/user/{alice.pk}/change/", HERE]
    assert [text for text in wanted if text not in page] == []


def test_a_detail_is_escaped(staff_client: Client, origin: Origin) -> None:
    with transaction.atomic():
        record(SecurityEvent.of(origin, Event.USER_REJECTED, user_id=None, reason="<script>"))
    page = staff_client.get(f"{EVENTS}{SecurityEvent.objects.get().pk}/change/").content.decode()
    assert "&lt;script&gt;" in page


class TestExport:
    @staticmethod
    def rows(response: Any) -> list[list[str]]:
        text = b"".join(response).decode()
        assert text.startswith("\ufeff")
        return list(csv.reader(io.StringIO(text[1:], newline="")))

    def test_it_has_the_filtered_rows_the_newest_first(self, staff_client: Client) -> None:
        for name in ("carol1", "mallory", "carol2"):
            attempt(name)
        header, *rows = self.rows(staff_client.post(f"{ATTEMPTS}export/?q=carol"))
        assert header[:3] == ["id", "at (Asia/Shanghai)", "identifier"]
        assert [row[2] for row in rows] == ["carol2", "carol1"]

    def test_it_has_words_for_the_names_that_are_stored(self, staff_client: Client) -> None:
        attempt("carol", failure_reason=FailureReason.SECOND_FACTOR_WRONG, status=Status.FAILED, factor="totp")
        chinese = {"accept-language": "zh-hans"}
        header, row = self.rows(staff_client.post(f"{ATTEMPTS}export/?q=carol", headers=chinese))
        assert dict(zip(header, row, strict=True)) == {
            "id": row[0],
            "时间 (Asia/Shanghai)": row[1],
            "登录名": "carol",
            "用户": "",
            "结果": "失败",
            "失败原因": "双因素认证错误",
            "双因素认证": "身份验证器（动态码）",
            "次数": "1",
            "接入方": "统一认证接口",
            "IP 地址": ELSEWHERE,
            "客户端": row[10],
            "请求编号": row[11],
        }

    def test_that_of_events_has_the_code_and_the_detail_as_stored_too(
        self, staff_client: Client, alice: User, origin: Origin
    ) -> None:
        with transaction.atomic():
            record(SecurityEvent.of(origin, Event.USER_DEACTIVATED, user_id=alice.pk, cause="dormant"))
        query = "event__exact=user:deactivated"
        header, row = self.rows(staff_client.post(f"{EVENTS}export/?{query}", headers={"accept-language": "zh-hans"}))
        assert dict(zip(header[2:9], row[2:9], strict=True)) == {
            "事件": "账号已停用",
            "事件代码": "user:deactivated",
            "用户": "alice",
            "操作人": "",
            "详情": "起因：长期未登录",
            "原始数据": '{"cause": "dormant"}',
            "接入方": "统一认证接口",
        }

    @pytest.mark.parametrize("query", ["", "when=today", "when=30d"])
    def test_it_has_every_row_once_however_many_chunks(
        self, staff_client: Client, monkeypatch: pytest.MonkeyPatch, query: str
    ) -> None:
        monkeypatch.setattr(spreadsheet, "CHUNK", 3)
        with later(seconds=1):
            # Rows of the same time are ordered by id.
            written = [attempt(f"carol{number}").pk for number in range(10)]
            _header, *rows = self.rows(staff_client.post(f"{ATTEMPTS}export/?{query}"))
        assert [int(row[0]) for row in rows if row[2] != "head"] == sorted(written, reverse=True)

    def test_a_formula_is_escaped(self, staff_client: Client) -> None:
        attempt("=cmd|' /C calc'!A0")
        _header, first, *_rows = self.rows(staff_client.post(f"{ATTEMPTS}export/"))
        assert first[2] == "'=cmd|' /C calc'!A0"

    def details(self) -> list[dict[str, Any]]:
        events = SecurityEvent.objects.filter(event="trail:exported").order_by("id")
        return list(events.values_list("detail", flat=True))

    def test_its_start_and_its_end_are_recorded(self, staff_client: Client, head: User) -> None:
        attempt("carol")
        self.rows(staff_client.post(f"{ATTEMPTS}export/?q=carol&contract=native"))
        begun, ended = self.details()
        filters = {"q": ["carol"], "contract": ["native"]}
        assert begun == {"export": begun["export"], "phase": "started", "filters": filters}
        assert ended == {"export": begun["export"], "phase": "complete", "filters": filters, "rows": 1}
        events = SecurityEvent.objects.filter(event="trail:exported")
        assert set(events.values_list("actor", "contract", "ip")) == {(head.pk, "admin", HERE)}
        assert len(set(events.values_list("request_id", flat=True))) == 1

    def test_an_aborted_download_records_the_number_of_rows_sent(
        self, staff_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(spreadsheet, "CHUNK", 3)
        for number in range(10):
            attempt(f"carol{number}")
        response = staff_client.post(f"{ATTEMPTS}export/?q=carol")
        stream = iter(response)
        # The first part is the header; the client disconnects before the last one.
        for _part in range(3):
            next(stream)
        for close in response._resource_closers:  # type: ignore[attr-defined]
            close()
        assert [(detail["phase"], detail.get("rows")) for detail in self.details()] == [
            ("started", None),
            ("broken_off", 3),
        ]

    def test_the_export_requires_the_view_permission(self, staff_client: Client, settings: Settings) -> None:
        settings.SEPARATE_DUTIES = True
        assert staff_client.post(f"{ATTEMPTS}export/").status_code == 403

    def test_the_export_requires_post(self, staff_client: Client) -> None:
        answer = staff_client.get(f"{ATTEMPTS}export/")
        assert (answer.status_code, answer["Location"]) == (302, ATTEMPTS)

    def test_an_invalid_filter_exports_nothing(self, staff_client: Client) -> None:
        assert staff_client.post(f"{ATTEMPTS}export/?when=nonsense").headers["Location"] == ATTEMPTS
        assert self.details() == []

    @pytest.mark.parametrize("typed", ["a%00b", "%e2%80%ae", "%ed%a0%80"])
    def test_any_search_can_be_recorded(self, staff_client: Client, typed: str) -> None:
        staff_client.post(f"{ATTEMPTS}export/?q={typed}&x={typed}")


def test_a_list_says_what_it_is_filtered_by_and_each_filter_can_be_removed(staff_client: Client, head: User) -> None:
    period = "at__gte=2026-11-20T00:00:00Z&at__lt=2026-11-20T16:00:00Z"
    query = f"q=al&status__exact=failed&user__id__exact={head.pk}&{period}"
    filters = staff_client.get(f"{ATTEMPTS}?{query}").context["filters"]
    assert [(each.label, each.value) for each in filters] == [
        ("Search", "al"),
        ("Status", "failed"),
        ("User", "head"),
        ("At since", "2026-11-20 08:00"),
        ("At before", "2026-11-21 00:00"),
    ]
    rest = [each.remove_query.count("=") for each in filters]
    assert rest == [4] * 5
