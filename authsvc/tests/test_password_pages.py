"""The pages on which a user chooses a password: by a code, and by the link of a message."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import AttemptBudget, Code, User
from accounts.policies import OWN_CHANGES
from accounts.security import quota
from accounts.services import recovery
from accounts.tests.messages import last, queued
from accounts.tests.tools import ELSEWHERE, HERE, PASSWORD, Api, later
from audit.models import SecurityEvent
from audit.origin import CONSOLE

pytestmark = pytest.mark.django_db

NEW = "Another-horse-8"
MAIL = "alice@hospital.example"
EXPIRED = "This link has expired. A link to activate an account is valid for 48 hours"
VOID = "This link is not valid any more"


def visitor(address: str = HERE, language: str = "en") -> Client:
    return Client(REMOTE_ADDR=address, headers={"Accept-Language": language}, enforce_csrf_checks=True)


def page_text(response: Any) -> str:
    """Return the text of a page's content, without tags."""
    content = response.content.decode().partition('<div class="password-page">')[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]*>", " ", content).split())


def ask(contact: str = MAIL, **extra: Any) -> Any:
    return visitor(**extra).post("/password", {"identifier": contact})


def enter_code(code: str, new: str = NEW, contact: str = MAIL) -> Any:
    body = {"identifier": contact, "code": code, "new_password": new, "repeated": new}
    return visitor().post("/password/code", body)


def open_link(token: str, new: str = NEW, address: str = HERE) -> Any:
    return visitor(address).post("/password/link", {"token": token, "new_password": new, "repeated": new})


def send(user: User, actor: User) -> str:
    """Have an administrator send a user what sets a password; return the token of the link."""
    recovery.send_code(user=User.objects.get(pk=user.pk), actor=actor, origin=CONSOLE)
    return str(last()["link"])


@pytest.fixture
def nurse(db: None) -> User:
    """A new user, whose account an administrator has created."""
    user = User(username="nurse", email="nurse@hospital.example", role="viewer", full_name="Nora Li")
    user.set_unusable_password()
    user.vouch()
    user.save()
    return user


class TestByCode:
    def test_a_code_that_the_page_sends_sets_a_password(self, alice: User) -> None:
        assert ask().status_code == 200
        assert queued() == [("email", MAIL, "reset_code")]
        response = enter_code(last()["code"])
        assert "Now log in with the user name alice and the new password" in page_text(response)
        assert Api().login(password=NEW).status_code == 200

    def test_an_unknown_contact_is_answered_alike(self, alice: User) -> None:
        known, unknown = ask(), ask("nobody@hospital.example")
        text = page_text(unknown).replace("nobody@", "alice@")
        assert (unknown.status_code, text) == (known.status_code, page_text(known))
        assert len(queued()) == 1

    def test_asking_counts_as_request_reset_code_does(self, alice: User) -> None:
        ask()
        body = {"identifier": "alice", "channel": "email", "contact": MAIL}
        assert Api().post("request-reset-code", body).status_code == 429
        refused = ask()
        assert (refused.status_code, refused["Retry-After"].isdecimal()) == (429, True)
        assert "Too many codes. Use the last one that you received, or try again in 1 min." in page_text(refused)

    @pytest.mark.parametrize(
        ("new", "said"),
        [
            ("short", "A password must have at least 8 characters."),
            ("lower-case-9", "A password must contain upper and lower case letters and a digit."),
        ],
    )
    def test_the_page_says_what_is_wrong_with_a_password_and_the_code_stays_valid(
        self, alice: User, new: str, said: str
    ) -> None:
        ask()
        code = last()["code"]
        response = enter_code(code, new)
        assert (response.status_code, said in page_text(response)) == (400, True)
        assert enter_code(code).status_code == 200

    def test_a_user_name_is_no_contact(self, alice: User) -> None:
        assert "a user name does not say where to send the code" in page_text(ask("alice"))

    def test_a_wrong_code_is_said_to_be_wrong(self, alice: User) -> None:
        ask()
        assert "This code is wrong, expired or already used." in page_text(enter_code("000000x"))


class TestByLink:
    def test_a_new_user_sets_the_first_password(self, nurse: User, root: User) -> None:
        response = open_link(send(nurse, root))
        assert (response.status_code, "user name nurse" in page_text(response)) == (200, True)
        assert Api().login("nurse", NEW).status_code == 200
        events = SecurityEvent.objects.filter(user=nurse.pk).order_by("id").values_list("event", "contract")
        assert list(events) == [
            ("code:requested", "console"),
            ("email:verified", "password"),
            ("password:created", "password"),
        ]

    @pytest.mark.parametrize(("hours", "status"), [(47.9, 200), (48.1, 400)])
    def test_an_activation_is_valid_for_48_hours(self, nurse: User, root: User, hours: float, status: int) -> None:
        token = send(nurse, root)
        with later(hours=hours):
            response = open_link(token)
        assert (response.status_code, EXPIRED in page_text(response)) == (status, status == 400)

    @pytest.mark.parametrize(("minutes", "status"), [(9.9, 200), (10.1, 400)])
    def test_the_link_of_a_reset_is_valid_for_ten_minutes(self, alice: User, minutes: float, status: int) -> None:
        ask()
        token = last()["link"]
        with later(minutes=minutes):
            assert open_link(token).status_code == status

    def test_it_serves_once(self, nurse: User, root: User) -> None:
        token = send(nurse, root)
        assert [open_link(token).status_code, open_link(token, "Third-horse-9").status_code] == [200, 400]

    def test_a_code_and_its_link_serve_once_together(self, alice: User) -> None:
        ask()
        sent = last()
        assert [enter_code(sent["code"]).status_code, open_link(sent["link"], "Third-horse-9").status_code] == [
            200,
            400,
        ]

    def test_a_new_link_voids_the_former_one(self, nurse: User, root: User) -> None:
        former = send(nurse, root)
        with later(minutes=2):
            newer = send(nurse, root)
            assert [open_link(former).status_code, open_link(newer).status_code] == [400, 200]

    @pytest.mark.parametrize(
        "change",
        [
            {"is_active": False},
            {"email": "other@hospital.example"},
            {"password": "!changed"},
            {"vouched_email": "", "phone": "13800138001", "vouched_phone": "+8613800138001"},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_a_change_to_the_account_voids_it(self, nurse: User, root: User, change: dict[str, Any]) -> None:
        token = send(nurse, root)
        person = User.objects.get(pk=nurse.pk)
        for name, value in change.items():
            setattr(person, name, value)
        person.save()
        response = open_link(token)
        assert (response.status_code, VOID in page_text(response)) == (400, True)

    def test_a_refused_password_keeps_the_link_in_the_form_and_a_void_link_leaves_it(
        self, nurse: User, root: User
    ) -> None:
        token = send(nurse, root)
        pages = [open_link(token, "short"), open_link(token), open_link(token)]
        assert [f'name="token" value="{token}"' in page.content.decode() for page in pages] == [True, False, False]

    def test_refused_passwords_have_a_limit_which_changes_with_the_current_password_do_not_use_up(
        self, alice: User
    ) -> None:
        for _change in range(OWN_CHANGES):
            quota.spend_own_change(alice.pk, timezone.now(), proved=True)
        ask()
        sent = last()
        for _attempt in range(OWN_CHANGES // 2):
            assert [enter_code(sent["code"], PASSWORD).status_code, open_link(sent["link"], PASSWORD).status_code] == [
                400,
                400,
            ]
        assert [enter_code(sent["code"]).status_code, open_link(sent["link"]).status_code] == [429, 429]

    def test_looking_at_the_page_spends_nothing(self, nurse: User, root: User) -> None:
        token = send(nurse, root)
        assert [visitor().get(f"/password/link?{token}").status_code, visitor().head("/password/link").status_code] == [
            200,
            200,
        ]
        assert open_link(token).status_code == 200

    def test_no_table_holds_the_secret(self, nurse: User, root: User) -> None:
        token = send(nurse, root)
        rows = [*Code.objects.values_list(), *SecurityEvent.objects.values_list()]
        assert token.rpartition(".")[2] not in repr(rows)

    def test_wrong_tokens_count_against_the_address(self, nurse: User, root: User) -> None:
        token = send(nurse, root)
        wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
        assert open_link(wrong).status_code == 400
        assert AttemptBudget.objects.get(purpose="address").count == 1
        AttemptBudget.objects.filter(purpose="address").update(count=99)
        assert [open_link("rubbish").status_code, open_link(token).status_code] == [400, 429]
        assert open_link(token, address=ELSEWHERE).status_code == 200

    def test_an_administrator_goes_on_to_the_enrolment_of_a_second_factor(
        self, nurse: User, root: User, settings: Settings
    ) -> None:
        settings.MFA_REQUIRED_ROLES = frozenset({"admin"})
        User.objects.filter(pk=nurse.pk).update(role="admin")
        open_link(send(nurse, root))
        assert Api().login("nurse", NEW).json()["code"] == "second_factor_enrollment_required"


class TestPages:
    @pytest.mark.parametrize("path", ["/password", "/password/code", "/password/link"])
    def test_nothing_leaves_the_pages(self, path: str) -> None:
        response = visitor().get(path)
        assert response["Referrer-Policy"] == "no-referrer"
        assert response["Content-Security-Policy"] == visitor().get("/admin/login/")["Content-Security-Policy"]
        assert "no-store" in response["Cache-Control"]
        assert response.cookies == {}

    def test_the_language_is_that_of_the_browser(self) -> None:
        assert "新开通账号或忘记密码时" in page_text(visitor(language="zh-CN").get("/password"))

    def test_the_rule_is_said_before(self) -> None:
        for path in ("/password/code", "/password/link"):
            assert "At least 8 characters. Upper and lower case letters, and a digit." in page_text(visitor().get(path))

    def test_the_login_of_the_admin_site_links_them(self) -> None:
        assert '<a href="/password">忘记密码？</a>' in visitor(language="zh-CN").get("/admin/login/").content.decode()

    def test_a_form_of_another_site_is_refused(self, alice: User) -> None:
        response = visitor().post("/password", {"identifier": MAIL}, headers={"Sec-Fetch-Site": "cross-site"})
        assert (response.status_code, queued()) == (403, [])

    def test_a_password_that_the_user_forgot_is_not_needed(self, alice: User) -> None:
        ask()
        enter_code(last()["code"])
        assert Api().login(password=PASSWORD).status_code == 401
