import io
import math
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.models import Session as DjangoSession
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.errors import Overloaded
from accounts.models import AttemptBudget, Session, User
from accounts.security import hashing
from accounts.tests.admin.conftest import run_action
from accounts.tests.tools import ELSEWHERE, HERE, PASSWORD, Api
from audit.models import LoginAttempt, SecurityEvent

pytestmark = pytest.mark.django_db

LISTS = {
    "accounts/user": "alice",
    "accounts/session": "alice",
    "audit/loginattempt": "alice",
    "audit/securityevent": "session refreshed",
}


@pytest.fixture
def site() -> Client:
    return Client(REMOTE_ADDR=HERE, headers={"Accept-Language": "en"})


def log_in(site: Client, username: str = "head", password: str = PASSWORD, **extra: Any) -> Any:
    return site.post("/admin/login/?next=/admin/", {"username": username, "password": password}, **extra)


@pytest.fixture
def staff_client(site: Client, head: User) -> Client:
    log_in(site)
    return site


def password_fields(page: Any) -> list[tuple[str, str]]:
    """Return the password fields of a page, each with its autocomplete attribute."""
    inputs = [
        dict(re.findall(r'([a-z]+)="([^"]*)"', tag)) for tag in re.findall(r"<input[^>]*>", page.content.decode())
    ]
    return [(tag["name"], tag["autocomplete"]) for tag in inputs if tag["type"] == "password"]


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


class TestOwnPassword:
    def change(self, site: Client, old: str = PASSWORD, new: str = "Another-horse-8") -> Any:
        return site.post("/admin/password_change/", {"old_password": old, "new_password1": new, "new_password2": new})

    def test_a_change_is_recorded_and_ends_the_sessions(self, staff_client: Client, head: User) -> None:
        token = Api(ELSEWHERE).tokens("head")["access_token"]
        assert self.change(staff_client).status_code == 302
        assert Api().get("me", token).status_code == 401
        assert SecurityEvent.objects.filter(event="password:changed", user=head).count() == 1

    def test_the_login_that_made_the_change_ends_too(self, staff_client: Client) -> None:
        assert self.change(staff_client)["Location"] == "/admin/login/"
        page = staff_client.get("/admin/login/").content.decode()
        assert "The password was changed. Log in with the new one." in page

    def test_a_wrong_old_password_counts_as_a_failure(self, staff_client: Client, head: User) -> None:
        response = self.change(staff_client, old="wrong")
        assert response.context["form"].errors == {"old_password": ["The current password is wrong."]}
        assert AttemptBudget.objects.get(account_id=head.pk, address=HERE).count == 1

    def test_the_current_password_is_no_new_one(self, staff_client: Client) -> None:
        errors = self.change(staff_client, new=PASSWORD).context["form"].errors
        assert errors == {"new_password1": ["The new password must differ from the current one."]}

    def test_a_former_password_does_not_return(self, site: Client, head: User, settings: Settings) -> None:
        settings.PASSWORD_HISTORY = 1
        for old, new in ((PASSWORD, "Another-horse-8"), ("Another-horse-8", PASSWORD)):
            site.post("/admin/login/", {"username": "head", "password": old})
            response = self.change(site, old=old, new=new)
        errors = response.context["form"].errors
        assert errors == {"new_password1": ["The new password must differ from the former ones."]}

    def test_a_change_based_on_an_outdated_password_is_refused(
        self, staff_client: Client, head: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = hashing.make

        def change_concurrently(password: str) -> str:
            User.objects.filter(pk=head.pk).update(password=real("Third-horse-9"))
            return real(password)

        monkeypatch.setattr(hashing, "make", change_concurrently)
        assert list(self.change(staff_client).context["form"].errors) == ["old_password"]
        assert User.objects.get(pk=head.pk).check_password("Third-horse-9")

    def test_a_change_under_load_is_refused(
        self, staff_client: Client, head: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def busy(password: str) -> str:
            raise Overloaded(timedelta(seconds=2))

        monkeypatch.setattr(hashing, "make", busy)
        assert self.change(staff_client).context["form"].non_field_errors() == [
            "The service is busy. Try again in a moment."
        ]

    def test_a_lock_is_reported_with_its_minutes(self, staff_client: Client) -> None:
        for _ in range(5):
            self.change(staff_client, old="wrong")
        errors = self.change(staff_client).context["form"].errors
        assert errors == {"old_password": ["Too many attempts. Try again in 15 min."]}

    def test_all_three_passwords_are_masked_as_they_are_typed(self, staff_client: Client) -> None:
        assert password_fields(staff_client.get("/admin/password_change/")) == [
            ("old_password", "current-password"),
            ("new_password1", "new-password"),
            ("new_password2", "new-password"),
        ]

    def test_a_new_password_follows_the_rule(self, staff_client: Client, head: User) -> None:
        response = self.change(staff_client, new="short")
        assert response.context["form"].errors["new_password1"] == [
            "A password must have at least 6 characters.",
        ]


class TestExpiredPassword:
    PATH = "/admin/login/password/"

    @pytest.fixture(autouse=True)
    def _expired(self, head: User, site: Client, settings: Settings) -> None:
        settings.PASSWORD_MAX_AGE = timedelta(days=90)
        User.objects.filter(pk=head.pk).update(password_changed_at=timezone.now() - timedelta(days=91))
        assert self.log_in(site) == self.PATH

    def log_in(self, site: Client, password: str = PASSWORD) -> str:
        return str(site.post("/admin/login/", {"username": "head", "password": password})["Location"])

    def choose(self, site: Client, new: str, again: str = "") -> Any:
        return site.post(self.PATH, {"new_password1": new, "new_password2": again or new})

    def test_the_login_leads_to_the_change_and_then_to_a_login(self, site: Client) -> None:
        assert [name for name, _ in password_fields(site.get(self.PATH))] == ["new_password1", "new_password2"]
        assert site.get("/admin/")["Location"].startswith("/admin/login/")
        assert self.choose(site, "Another-horse-8")["Location"] == "/admin/login/"
        assert "The password was changed. Log in with the new one." in site.get("/admin/login/").content.decode()
        assert self.log_in(site, "Another-horse-8") == "/admin/"

    @pytest.mark.parametrize(
        ("new", "again", "errors"),
        [
            ("short", "", {"new_password1": ["A password must have at least 6 characters."]}),
            (PASSWORD, "", {"new_password1": ["The new password must differ from the current one."]}),
            ("Another-horse-8", "Another-horse-9", {"new_password2": ["The two password fields didn’t match."]}),
        ],
    )
    def test_what_is_wrong_with_the_new_password_is_said(
        self, site: Client, new: str, again: str, errors: dict[str, list[str]]
    ) -> None:
        assert self.choose(site, new, again).context["form"].errors == errors

    def test_the_page_is_for_those_who_have_logged_in_with_an_expired_password(self, site: Client) -> None:
        site.cookies.clear()
        assert [site.get(self.PATH)["Location"], self.choose(site, "Another-horse-8")["Location"]] == [
            "/admin/login/"
        ] * 2


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
