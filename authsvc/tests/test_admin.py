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

from accounts.errors import Overloaded
from accounts.models import AttemptBudget, Session, User
from accounts.security import hashing
from accounts.tests.tools import ELSEWHERE, HERE, PASSWORD, Api
from audit.models import LoginAttempt, SecurityEvent

pytestmark = pytest.mark.django_db

SCREENS = {
    "accounts/user": "alice",
    "accounts/session": "alice",
    "audit/loginattempt": "alice",
    "audit/securityevent": "session renewed",
}


@pytest.fixture
def site() -> Client:
    return Client(REMOTE_ADDR=HERE, headers={"Accept-Language": "en"})


def log_in(site: Client, username: str = "head", password: str = PASSWORD, **extra: Any) -> Any:
    return site.post("/admin/login/?next=/admin/", {"username": username, "password": password}, **extra)


@pytest.fixture
def in_office(site: Client, head: User) -> Client:
    log_in(site)
    return site


def password_fields(page: Any) -> list[tuple[str, str]]:
    """Return the masked fields of a page, each with what it tells a password manager."""
    inputs = [
        dict(re.findall(r'([a-z]+)="([^"]*)"', tag)) for tag in re.findall(r"<input[^>]*>", page.content.decode())
    ]
    return [(tag["name"], tag["autocomplete"]) for tag in inputs if tag["type"] == "password"]


class TestDoor:
    @pytest.mark.parametrize("username", ["head", "HEAD", "head@hospital.example"])
    def test_an_administrator_comes_in(self, site: Client, head: User, username: str) -> None:
        assert log_in(site, username).headers["Location"] == "/admin/"

    def test_a_login_is_recorded_under_the_sites_name(self, site: Client, head: User) -> None:
        log_in(site)
        attempt = LoginAttempt.objects.get()
        assert (attempt.contract, attempt.status, attempt.user_id, attempt.ip) == ("admin", "success", head.pk, HERE)

    def test_somebody_who_is_no_administrator_is_told_what_a_wrong_password_is_told(
        self, site: Client, head: User, alice: User
    ) -> None:
        told = [log_in(site, name, password) for name, password in [("alice", PASSWORD), ("head", "wrong")]]
        errors = [response.context["form"].errors.as_text() for response in told]
        assert errors[0] == errors[1]
        assert LoginAttempt.objects.get(user_id=alice.pk).failure_reason == "wrong_role"

    def test_the_site_and_the_api_share_one_budget(self, site: Client, head: User) -> None:
        for _ in range(3):
            log_in(site, password="wrong")
        for _ in range(2):
            Api().login("head", "wrong")
        assert Api().login("head").status_code == 429
        assert "Too many failed attempts" in log_in(site).content.decode()

    def test_a_form_without_its_csrf_token_is_refused(self, in_office: Client, head: User) -> None:
        in_office.handler.enforce_csrf_checks = True
        pages = ["login/", "logout/", "password_change/", f"accounts/user/{head.pk}/change/"]
        assert [in_office.post(f"/admin/{page}").status_code for page in pages] == [403] * 4

    def test_a_very_long_password_is_wrong(self, site: Client, head: User) -> None:
        assert log_in(site, password="x" * 5000).status_code == 200

    def test_a_changed_password_ends_the_login(self, in_office: Client, head: User) -> None:
        head.set_password("Another-horse-8")
        head.save()
        assert in_office.get("/admin/").status_code == 302

    def test_a_changed_role_ends_the_login(self, in_office: Client, head: User) -> None:
        User.objects.filter(pk=head.pk).update(role="doctor")
        assert in_office.get("/admin/").status_code == 302

    def test_half_an_hour_without_a_click_ends_the_login(self, in_office: Client) -> None:
        now = timezone.now()
        for minutes, status in [(29, 200), (58, 200), (89, 302)]:
            with time_machine.travel(now + timedelta(minutes=minutes)):
                assert in_office.get("/admin/").status_code == status

    def test_an_account_that_waits_for_approval_again_is_out(self, in_office: Client, head: User) -> None:
        User.objects.filter(pk=head.pk).update(awaits_approval=True)
        assert in_office.get("/admin/").status_code == 302

    def test_end_sessions_ends_the_login(self, in_office: Client, head: User) -> None:
        call_command("end_sessions", "--user", "head", stdout=io.StringIO())
        assert in_office.get("/admin/").status_code == 302

    def test_a_login_has_a_cookie_of_its_own_and_ends_the_former_one(self, in_office: Client) -> None:
        former = in_office.cookies["sessionid"].value
        log_in(in_office)
        assert in_office.cookies["sessionid"].value != former
        assert Client(headers={"Cookie": f"sessionid={former}"}).get("/admin/").status_code == 302

    def test_a_cookie_is_drawn_from_more_than_128_bits(self, in_office: Client) -> None:
        cookie = in_office.cookies["sessionid"].value
        assert re.fullmatch("[a-z0-9]{32}", cookie)
        assert 32 * math.log2(len(VALID_KEY_CHARS)) > 128

    def test_a_logout_ends_the_login(self, in_office: Client) -> None:
        cookie = in_office.cookies["sessionid"].value
        in_office.post("/admin/logout/")
        assert Client(headers={"Cookie": f"sessionid={cookie}"}).get("/admin/").status_code == 302

    def test_a_password_is_masked_as_it_is_typed(self, site: Client) -> None:
        assert password_fields(site.get("/admin/login/")) == [("password", "current-password")]

    @pytest.mark.parametrize("path", ["/healthz", "/api/auth/me", "/nothing", "/admin/login/", "/admin/nothing"])
    @pytest.mark.parametrize("cookie", ["abcdefghijk", "x" * 32, '"a\\000b"', "A" * 32])
    def test_a_made_up_cookie_writes_nothing(self, site: Client, path: str, cookie: str) -> None:
        site.get(path, headers={"Cookie": f"sessionid={cookie}"})
        assert not DjangoSession.objects.exists()

    def test_the_api_reads_no_cookie(self, in_office: Client, statements: Any) -> None:
        with statements() as captured:
            in_office.get("/api/auth/nothing")
        assert captured.sql == []

    @pytest.mark.parametrize("charset", ["unicode_escape", "zlib", "rot13", "utf-7", "undefined"])
    def test_a_form_in_another_charset_is_refused(self, site: Client, charset: str) -> None:
        response = site.generic(
            "POST", "/admin/login/", b"x", content_type=f"multipart/form-data; boundary=x; charset={charset}"
        )
        assert response.status_code == 400

    def test_the_address_without_its_slash_leads_there_too(self, site: Client) -> None:
        assert site.get("/admin").headers["Location"] == "/admin/"


class TestOwnPassword:
    def change(self, site: Client, old: str = PASSWORD, new: str = "Another-horse-8") -> Any:
        return site.post("/admin/password_change/", {"old_password": old, "new_password1": new, "new_password2": new})

    def test_a_change_is_an_event_and_ends_the_sessions(self, in_office: Client, head: User) -> None:
        token = Api(ELSEWHERE).tokens("head")["access_token"]
        assert self.change(in_office).status_code == 302
        assert Api().get("me", token).status_code == 401
        assert SecurityEvent.objects.filter(event="password:changed", user=head).count() == 1

    def test_the_login_that_made_the_change_goes_on(self, in_office: Client) -> None:
        self.change(in_office)
        assert in_office.get("/admin/").status_code == 200

    def test_a_wrong_old_password_counts_like_any_other(self, in_office: Client, head: User) -> None:
        self.change(in_office, old="wrong")
        assert AttemptBudget.objects.get(account_id=head.pk, address=HERE).count == 1

    def test_a_change_that_came_too_late_changes_nothing(
        self, in_office: Client, head: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = hashing.make

        def meanwhile(password: str) -> str:
            User.objects.filter(pk=head.pk).update(password=real("Third-horse-9"))
            return real(password)

        monkeypatch.setattr(hashing, "make", meanwhile)
        assert list(self.change(in_office).context["form"].errors) == ["old_password"]
        assert User.objects.get(pk=head.pk).check_password("Third-horse-9")

    def test_a_change_under_load_is_told_to_wait(
        self, in_office: Client, head: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def busy(password: str) -> str:
            raise Overloaded(timedelta(seconds=2))

        monkeypatch.setattr(hashing, "make", busy)
        assert self.change(in_office).context["form"].non_field_errors() == [
            "Too many failed attempts, or the service is busy. Wait, then try again."
        ]

    def test_all_three_passwords_are_masked_as_they_are_typed(self, in_office: Client) -> None:
        assert password_fields(in_office.get("/admin/password_change/")) == [
            ("old_password", "current-password"),
            ("new_password1", "new-password"),
            ("new_password2", "new-password"),
        ]

    def test_a_new_password_follows_the_rule(self, in_office: Client, head: User) -> None:
        response = self.change(in_office, new="short")
        assert response.context["form"].errors["new_password1"] == [
            "A password has at least 6 characters.",
        ]


class TestScreens:
    @pytest.fixture(autouse=True)
    def _something_to_see(self, alice: User) -> None:
        tokens = Api().tokens()
        Api().post("refresh", {"refresh_token": tokens["refresh_token"]})

    @pytest.mark.parametrize(("screen", "shown"), SCREENS.items())
    def test_an_administrator_sees_the_list(self, in_office: Client, screen: str, shown: str) -> None:
        assert shown in in_office.get(f"/admin/{screen}/").content.decode()

    @pytest.mark.parametrize(
        ("screen", "model"),
        [
            ("accounts/user", User),
            ("accounts/session", Session),
            ("audit/loginattempt", LoginAttempt),
            ("audit/securityevent", SecurityEvent),
        ],
    )
    def test_an_administrator_sees_the_detail(self, in_office: Client, screen: str, model: Any) -> None:
        number = model.objects.values_list("pk", flat=True)[0]
        assert in_office.get(f"/admin/{screen}/{number}/change/").status_code == 200

    @pytest.mark.parametrize("screen", ["", *(f"{screen}/" for screen in SCREENS)])
    def test_every_screen_has_a_button_to_log_out(self, in_office: Client, screen: str) -> None:
        assert 'action="/admin/logout/"' in in_office.get(f"/admin/{screen}").content.decode()

    @pytest.mark.parametrize("screen", SCREENS)
    def test_a_search_finds(self, in_office: Client, screen: str) -> None:
        assert in_office.get(f"/admin/{screen}/?q=192.0.2").status_code == 200

    @pytest.mark.parametrize("screen", sorted(SCREENS.keys() - {"accounts/user"}))
    @pytest.mark.parametrize("who", ["head", "root"])
    def test_nothing_but_users_is_added_on_any_screen(
        self, site: Client, head: User, root: User, screen: str, who: str
    ) -> None:
        log_in(site, who)
        assert site.get(f"/admin/{screen}/add/").status_code == 403

    @pytest.mark.parametrize("screen", ["audit/loginattempt", "audit/securityevent"])
    @pytest.mark.parametrize("verb", ["change", "delete"])
    @pytest.mark.parametrize("who", ["head", "root"])
    def test_nobody_changes_the_trail(
        self, site: Client, head: User, root: User, screen: str, verb: str, who: str
    ) -> None:
        log_in(site, who)
        model = LoginAttempt if screen.endswith("attempt") else SecurityEvent
        number = model.objects.values_list("pk", flat=True)[0]
        assert site.post(f"/admin/{screen}/{number}/{verb}/", {"post": "yes"}).status_code == 403
        assert model.objects.filter(pk=number).exists()

    @pytest.mark.parametrize("screen", ["audit/loginattempt", "audit/securityevent"])
    def test_the_trail_shows_who_is_gone_by_number(self, in_office: Client, alice: User, screen: str) -> None:
        number = alice.pk
        alice.delete()
        assert f"#{number}" in in_office.get(f"/admin/{screen}/").content.decode()

    @pytest.mark.parametrize(
        ("screen", "lookup"),
        [
            ("accounts/user", "password__startswith"),
            ("accounts/user", "stamp__startswith"),
            ("accounts/session", "stamp__startswith"),
            ("accounts/session", "user__password__startswith"),
        ],
    )
    def test_no_list_is_filtered_by_a_secret(self, in_office: Client, screen: str, lookup: str) -> None:
        assert in_office.get(f"/admin/{screen}/?{lookup}=argon2").status_code == 400

    @pytest.mark.parametrize("typed", ["ALICE", "ａｌｉｃｅ", "Alice@Hospital"])
    def test_a_search_finds_in_any_spelling(self, in_office: Client, typed: str) -> None:
        assert "/change/" in in_office.get("/admin/accounts/user/", {"q": typed}).content.decode()

    def test_no_screen_shows_a_hash(self, in_office: Client, alice: User) -> None:
        page = in_office.get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()
        assert "argon2" not in page
        assert alice.stamp not in page


class TestPeople:
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

    def test_a_changed_role_ends_the_sessions_and_is_an_event(self, in_office: Client, head: User, alice: User) -> None:
        token = Api().tokens()["access_token"]
        assert self.save(in_office, alice, role="viewer").status_code == 302
        assert Api().get("me", token).status_code == 401
        assert self.events() == [("user:role:changed", alice.pk, head.pk, {"old": "pharmacy", "new": "viewer"})]
        assert Session.objects.get().end_reason == "credential_changed"

    @pytest.mark.parametrize("changes", [{"is_active": ""}, {"awaits_approval": "on"}], ids=str)
    def test_the_form_shuts_nobody_out(
        self, in_office: Client, head: User, alice: User, changes: dict[str, str]
    ) -> None:
        self.save(in_office, alice, **changes)
        assert (self.events(), Api().login().status_code) == ([], 200)

    def test_nobody_changes_their_own_role(self, in_office: Client, head: User) -> None:
        self.save(in_office, head, role="viewer", full_name="Head Nurse")
        row = User.objects.values_list("role", "full_name").get(pk=head.pk)
        assert row == ("admin", "Head Nurse")

    def test_other_changes_are_one_event_that_names_the_fields(
        self, in_office: Client, head: User, alice: User
    ) -> None:
        self.save(in_office, alice, full_name="Alice Li", department="药房")
        assert self.events() == [("user:changed", alice.pk, head.pk, {"fields": ["department", "full_name"]})]

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
    def test_what_cannot_be_saved_is_said_at_its_field(
        self, in_office: Client, alice: User, bob: User, field: str, value: str
    ) -> None:
        response = self.save(in_office, alice, **{field: value})
        assert (response.status_code, list(response.context["adminform"].form.errors)) == (200, [field])

    def test_an_administrator_changes_no_superuser(self, in_office: Client, root: User) -> None:
        assert self.save(in_office, root, role="doctor").status_code == 403

    def test_an_administrator_grants_no_group(self, in_office: Client, alice: User) -> None:
        from django.contrib.auth.models import Group

        self.save(in_office, alice, groups=[Group.objects.get(name="auditors").pk])
        assert not alice.groups.exists()

    def test_nobody_is_deleted_here(self, site: Client, root: User, alice: User) -> None:
        log_in(site, "root")
        assert site.post(f"/admin/accounts/user/{alice.pk}/delete/", {"post": "yes"}).status_code == 403

    def test_sessions_are_ended_from_their_list(self, in_office: Client, head: User, alice: User) -> None:
        token = Api().tokens()["access_token"]
        session = Session.objects.get()
        in_office.post("/admin/accounts/session/do/end/", {"ids": str(session.pk), "confirmed": "yes"})
        assert Api().get("me", token).status_code == 401
        assert self.events() == [
            (
                "session:ended",
                alice.pk,
                head.pk,
                {"session": str(session.pk), "reason": "ended_by_administrator"},
            )
        ]
