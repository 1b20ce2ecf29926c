"""The admin site: its login, its lists, and what it shows of users."""

import io
import math
import re
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.models import Session as DjangoSession
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import Session, User
from accounts.tests.admin.conftest import run_action
from accounts.tests.tools import ELSEWHERE, HERE, PASSWORD, Api
from audit.models import LoginAttempt, SecurityEvent
from authsvc.tests.admin_login import log_in, password_fields

pytestmark = pytest.mark.django_db

LISTS = {
    "accounts/user": "alice",
    "accounts/session": "alice",
    "audit/loginattempt": "alice",
    "audit/securityevent": "session refreshed",
}


class TestLogin:
    @pytest.mark.parametrize("username", ["head", "HEAD", "head@hospital.example"])
    def test_an_administrator_can_log_in(self, site: Client, head: User, username: str) -> None:
        assert log_in(site, username).headers["Location"] == "/admin/"

    @pytest.mark.parametrize(
        "address", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example", ""]
    )
    def test_a_login_does_not_redirect_to_another_site(self, site: Client, head: User, address: str) -> None:
        response = site.post("/admin/login/", {"username": "head", "password": PASSWORD, "next": address})
        assert (response.status_code, response["Location"]) == (302, "/admin/")

    def test_a_login_is_recorded_under_the_sites_name(self, site: Client, head: User) -> None:
        log_in(site)
        attempt = LoginAttempt.objects.get()
        assert (attempt.contract, attempt.status, attempt.user_id, attempt.ip) == ("admin", "success", head.pk, HERE)

    def test_another_role_gets_the_error_of_a_wrong_password(self, site: Client, head: User, alice: User) -> None:
        responses = [log_in(site, name, password) for name, password in [("alice", PASSWORD), ("head", "wrong")]]
        errors = [response.context["form"].errors.as_text() for response in responses]
        assert errors[0] == errors[1]
        assert LoginAttempt.objects.get(user_id=alice.pk).failure_reason == "wrong_role"

    @pytest.mark.parametrize(
        ("columns", "said"),
        [
            ({"is_active": False}, "This account is disabled, or today is not within its dates."),
            ({"valid_until": date(2020, 1, 1)}, "This account is disabled, or today is not within its dates."),
            ({"awaits_approval": True}, "This account awaits approval."),
        ],
    )
    def test_only_a_right_password_is_told_that_the_account_may_not_log_in(
        self, site: Client, head: User, columns: dict[str, Any], said: str
    ) -> None:
        User.objects.filter(pk=head.pk).update(**columns)
        pages = [log_in(site, password=password).content.decode() for password in (PASSWORD, "wrong")]
        assert [said in page for page in pages] == [True, False]

    def test_the_site_and_the_api_share_one_budget(self, site: Client, head: User) -> None:
        for _ in range(3):
            log_in(site, password="wrong")
        for _ in range(2):
            Api().login("head", "wrong")
        assert Api().login("head").status_code == 429
        assert "Too many attempts. Try again in 15 min." in log_in(site).content.decode()

    def test_a_form_without_its_csrf_token_is_refused(self, staff_client: Client, head: User) -> None:
        staff_client.handler.enforce_csrf_checks = True
        pages = ["login/", "logout/", "password_change/", f"accounts/user/{head.pk}/change/"]
        assert [staff_client.post(f"/admin/{page}").status_code for page in pages] == [403] * 4

    def test_a_very_long_password_is_refused(self, site: Client, head: User) -> None:
        assert log_in(site, password="x" * 5000).status_code == 200

    def test_a_changed_password_ends_the_login(self, staff_client: Client, head: User) -> None:
        head.set_password("Another-horse-8")
        head.save()
        assert staff_client.get("/admin/").status_code == 302

    def test_a_changed_role_ends_the_login(self, staff_client: Client, head: User) -> None:
        User.objects.filter(pk=head.pk).update(role="doctor")
        assert staff_client.get("/admin/").status_code == 302

    def test_half_an_hour_without_a_request_ends_the_login(self, staff_client: Client) -> None:
        now = timezone.now()
        for minutes, status in [(29, 200), (58, 200), (89, 302)]:
            with time_machine.travel(now + timedelta(minutes=minutes)):
                assert staff_client.get("/admin/").status_code == status

    def test_an_account_that_awaits_approval_again_is_logged_out(self, staff_client: Client, head: User) -> None:
        User.objects.filter(pk=head.pk).update(awaits_approval=True)
        assert staff_client.get("/admin/").status_code == 302

    def test_end_sessions_ends_the_login(self, staff_client: Client, head: User) -> None:
        call_command("end_sessions", "--user", "head", stdout=io.StringIO())
        assert staff_client.get("/admin/").status_code == 302

    def test_a_new_login_has_a_new_cookie_and_ends_the_previous_login(self, staff_client: Client) -> None:
        former = staff_client.cookies["sessionid"].value
        log_in(staff_client)
        assert staff_client.cookies["sessionid"].value != former
        assert Client(headers={"Cookie": f"sessionid={former}"}).get("/admin/").status_code == 302

    def test_a_cookie_has_more_than_128_bits_of_entropy(self, staff_client: Client) -> None:
        cookie = staff_client.cookies["sessionid"].value
        assert re.fullmatch("[a-z0-9]{32}", cookie)
        assert 32 * math.log2(len(VALID_KEY_CHARS)) > 128

    def test_a_logout_ends_the_login(self, staff_client: Client) -> None:
        cookie = staff_client.cookies["sessionid"].value
        staff_client.post("/admin/logout/")
        assert Client(headers={"Cookie": f"sessionid={cookie}"}).get("/admin/").status_code == 302

    def test_a_password_is_masked_as_it_is_typed(self, site: Client) -> None:
        assert password_fields(site.get("/admin/login/")) == [("password", "current-password")]

    @pytest.mark.parametrize("path", ["/healthz", "/api/auth/me", "/nothing", "/admin/login/", "/admin/nothing"])
    @pytest.mark.parametrize("cookie", ["abcdefghijk", "x" * 32, '"a\\000b"', "A" * 32])
    def test_a_forged_cookie_writes_nothing(self, site: Client, path: str, cookie: str) -> None:
        site.get(path, headers={"Cookie": f"sessionid={cookie}"})
        assert not DjangoSession.objects.exists()

    def test_the_api_reads_no_cookie(self, staff_client: Client, statements: Any) -> None:
        with statements() as captured:
            staff_client.get("/api/auth/nothing")
        assert captured.sql == []

    @pytest.mark.parametrize("charset", ["unicode_escape", "zlib", "rot13", "utf-7", "undefined"])
    def test_a_form_in_another_charset_is_refused(self, site: Client, charset: str) -> None:
        response = site.generic(
            "POST", "/admin/login/", b"x", content_type=f"multipart/form-data; boundary=x; charset={charset}"
        )
        assert response.status_code == 400

    def test_the_path_without_a_slash_redirects(self, site: Client) -> None:
        assert site.get("/admin").headers["Location"] == "/admin/"


class TestLists:
    @pytest.fixture(autouse=True)
    def _entries(self, alice: User) -> None:
        tokens = Api().tokens()
        Api(ELSEWHERE).post("refresh", {"refresh_token": tokens["refresh_token"]})

    @pytest.mark.parametrize(("page_path", "shown"), LISTS.items())
    def test_an_administrator_sees_the_list(self, staff_client: Client, page_path: str, shown: str) -> None:
        assert shown in staff_client.get(f"/admin/{page_path}/").content.decode()

    @pytest.mark.parametrize(
        ("page_path", "model"),
        [
            ("accounts/user", User),
            ("accounts/session", Session),
            ("audit/loginattempt", LoginAttempt),
            ("audit/securityevent", SecurityEvent),
        ],
    )
    def test_an_administrator_sees_the_detail(self, staff_client: Client, page_path: str, model: Any) -> None:
        number = model.objects.values_list("pk", flat=True)[0]
        assert staff_client.get(f"/admin/{page_path}/{number}/change/").status_code == 200

    @pytest.mark.parametrize("page_path", ["", *(f"{page_path}/" for page_path in LISTS)])
    def test_every_page_has_a_logout_button(self, staff_client: Client, page_path: str) -> None:
        assert 'action="/admin/logout/"' in staff_client.get(f"/admin/{page_path}").content.decode()

    @pytest.mark.parametrize("page_path", LISTS)
    def test_a_search_finds(self, staff_client: Client, page_path: str) -> None:
        assert staff_client.get(f"/admin/{page_path}/?q=192.0.2").status_code == 200

    @pytest.mark.parametrize("page_path", sorted(LISTS.keys() - {"accounts/user"}))
    @pytest.mark.parametrize("who", ["head", "root"])
    def test_only_users_can_be_added(self, site: Client, head: User, root: User, page_path: str, who: str) -> None:
        log_in(site, who)
        assert site.get(f"/admin/{page_path}/add/").status_code == 403

    @pytest.mark.parametrize("page_path", ["audit/loginattempt", "audit/securityevent"])
    @pytest.mark.parametrize("operation", ["change", "delete"])
    @pytest.mark.parametrize("who", ["head", "root"])
    def test_the_trail_cannot_be_changed(
        self, site: Client, head: User, root: User, page_path: str, operation: str, who: str
    ) -> None:
        log_in(site, who)
        model = LoginAttempt if page_path.endswith("attempt") else SecurityEvent
        number = model.objects.values_list("pk", flat=True)[0]
        assert site.post(f"/admin/{page_path}/{number}/{operation}/", {"post": "yes"}).status_code == 403
        assert model.objects.filter(pk=number).exists()

    @pytest.mark.parametrize("page_path", ["audit/loginattempt", "audit/securityevent"])
    def test_the_trail_shows_deleted_users_by_id(self, staff_client: Client, alice: User, page_path: str) -> None:
        number = alice.pk
        alice.delete()
        assert f"#{number}" in staff_client.get(f"/admin/{page_path}/").content.decode()

    @pytest.mark.parametrize(
        ("page_path", "lookup"),
        [
            ("accounts/user", "password__startswith"),
            ("accounts/user", "stamp__startswith"),
            ("accounts/session", "stamp__startswith"),
            ("accounts/session", "user__password__startswith"),
        ],
    )
    def test_no_list_is_filtered_by_a_secret(self, staff_client: Client, page_path: str, lookup: str) -> None:
        assert staff_client.get(f"/admin/{page_path}/?{lookup}=argon2").status_code == 400

    @pytest.mark.parametrize("typed", ["ALICE", "ａｌｉｃｅ", "Alice@Hospital"])
    def test_a_search_uses_the_canonical_form(self, staff_client: Client, typed: str) -> None:
        assert "/change/" in staff_client.get("/admin/accounts/user/", {"q": typed}).content.decode()

    def test_a_users_page_shows_no_hash(self, staff_client: Client, alice: User) -> None:
        page = staff_client.get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()
        assert "argon2" not in page
        assert alice.stamp not in page


class TestUsers:
    def save(self, site: Client, user: User, **changes: Any) -> Any:
        fields = {
            "username": user.username,
            "full_name": user.full_name,
            "email": user.email or "",
            "phone": user.phone or "",
            "role": user.role,
            "department": user.department,
            "is_active": "on" if user.is_active else "",
            "awaits_approval": "on" if user.awaits_approval else "",
            "read_at": User.objects.get(pk=user.pk).updated_at.isoformat(),
        }
        body = {name: value for name, value in {**fields, **changes}.items() if value != ""}
        return site.post(f"/admin/accounts/user/{user.pk}/change/", body)

    def events(self) -> list[tuple[Any, ...]]:
        return list(SecurityEvent.objects.filter(contract="admin").values_list("event", "user", "actor", "detail"))

    def test_a_changed_role_ends_the_sessions_and_is_recorded(
        self, staff_client: Client, head: User, alice: User
    ) -> None:
        token = Api().tokens()["access_token"]
        run_action(staff_client, "change-role", alice, choice="viewer")
        assert Api().get("me", token).status_code == 401
        assert self.events() == [("user:role:changed", alice.pk, head.pk, {"old": "pharmacy", "new": "viewer"})]
        assert Session.objects.get(user=alice).end_reason == "credential_changed"

    @pytest.mark.parametrize("changes", [{"is_active": ""}, {"awaits_approval": "on"}, {"role": "admin"}], ids=str)
    def test_the_form_changes_no_account_state(
        self, staff_client: Client, head: User, alice: User, changes: dict[str, str]
    ) -> None:
        self.save(staff_client, alice, **changes)
        assert (self.events(), Api().login().status_code) == ([], 200)

    def test_other_changes_are_recorded_as_one_event_with_the_fields(
        self, staff_client: Client, head: User, alice: User
    ) -> None:
        self.save(staff_client, alice, full_name="Alice Li", department="药房", new_names="药房")
        detail = {
            "fields": ["department", "full_name"],
            "old": {"department": "", "full_name": "Alice Zhang"},
            "new": {"department": "药房", "full_name": "Alice Li"},
        }
        assert self.events() == [("user:changed", alice.pk, head.pk, detail)]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("username", "BOB"),
            ("username", "two words"),
            ("email", "HEAD@hospital.example"),
            ("email", "nonsense"),
            ("phone", "12345"),
        ],
    )
    def test_an_invalid_value_is_reported_at_its_field(
        self, staff_client: Client, alice: User, bob: User, field: str, value: str
    ) -> None:
        response = self.save(staff_client, alice, **{field: value})
        assert (response.status_code, list(response.context["adminform"].form.errors)) == (200, [field])

    def test_an_administrator_changes_no_superuser(self, staff_client: Client, root: User) -> None:
        assert self.save(staff_client, root, role="doctor").status_code == 403

    def test_an_administrator_grants_no_group(self, staff_client: Client, alice: User) -> None:
        from django.contrib.auth.models import Group

        self.save(staff_client, alice, groups=[Group.objects.get(name="auditors").pk])
        assert not alice.groups.exists()

    def test_users_cannot_be_deleted(self, site: Client, root: User, alice: User) -> None:
        log_in(site, "root")
        assert site.post(f"/admin/accounts/user/{alice.pk}/delete/", {"post": "yes"}).status_code == 403

    def test_sessions_are_ended_from_their_list(self, staff_client: Client, head: User, alice: User) -> None:
        token = Api().tokens()["access_token"]
        session = Session.objects.get(contract="native")
        staff_client.post("/admin/accounts/session/do/end/", {"ids": str(session.pk), "confirmed": "yes"})
        assert Api().get("me", token).status_code == 401
        assert self.events() == [
            (
                "session:ended",
                alice.pk,
                head.pk,
                {"session": str(session.pk), "reason": "ended_by_administrator"},
            )
        ]
