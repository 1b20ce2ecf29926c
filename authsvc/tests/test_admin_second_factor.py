"""The second factor at the login of the admin site: the second step, passkeys, and enrolment."""

import json
import re
from typing import Any

import pyotp
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.errors import KeysUnavailable
from accounts.models import Session, User
from accounts.security import mfa_tokens
from accounts.services import second_factors
from accounts.tests.authenticator import Authenticator
from accounts.tests.factors import TotpApp, enrol_app, enrol_key
from accounts.tests.tools import HERE, PASSWORD, later
from audit.models import LoginAttempt

pytestmark = pytest.mark.django_db

STEP, ENROLLMENT, HOME = "/admin/login/second-factor/", "/admin/login/enrollment/", "/admin/accounts/user/"


@pytest.fixture
def browser() -> Client:
    return Client(REMOTE_ADDR=HERE, headers={"Accept-Language": "en"})


@pytest.fixture
def head_app(head: User) -> TotpApp:
    return enrol_app(head)


def enter_password(client: Client, username: str = "head") -> Any:
    return client.post(f"/admin/login/?next={HOME}", {"username": username, "password": PASSWORD})


def location(response: Any) -> str:
    return str(response.headers.get("Location"))


def is_logged_in(client: Client) -> bool:
    return client.get("/admin/jsi18n/").status_code == 200


def options_of(response: Any) -> dict[str, Any]:
    found: dict[str, Any] = response.context["options"]
    return found


class TestSecondStep:
    def test_a_right_password_alone_logs_nobody_in(self, browser: Client, head_app: TotpApp) -> None:
        assert location(enter_password(browser)) == STEP
        assert not is_logged_in(browser)
        assert (Session.objects.count(), "_auth_user_id" in browser.session) == (0, False)
        assert LoginAttempt.objects.latest("id").status == "challenged"

    def test_a_code_logs_in_and_leads_on(self, browser: Client, head_app: TotpApp) -> None:
        enter_password(browser)
        former = browser.cookies["sessionid"].value
        assert location(browser.post(STEP, {"code": head_app.code()})) == HOME
        assert (is_logged_in(browser), Session.objects.get().methods) == (True, "pwd otp mfa")
        assert browser.cookies["sessionid"].value != former

    def test_a_recovery_code_logs_in(self, browser: Client, head_app: TotpApp) -> None:
        enter_password(browser)
        browser.post(STEP, {"code": head_app.recovery_codes[0]})
        assert is_logged_in(browser)

    def test_a_wrong_code_is_named_and_counts_as_a_failure(self, browser: Client, head_app: TotpApp) -> None:
        enter_password(browser)
        pages = [browser.post(STEP, {"code": "000000"}).content.decode() for _ in range(6)]
        assert [("This code is wrong" in page, "Too many attempts" in page) for page in pages] == [
            *[(True, False)] * 5,
            (False, True),
        ]
        assert not is_logged_in(browser)

    @pytest.mark.parametrize(
        "body", [{}, {"credential": "["}, {"credential": "[" * 9000}, {"credential": "1"}], ids=str
    )
    def test_an_empty_or_malformed_answer_is_refused(
        self, browser: Client, head_app: TotpApp, body: dict[str, str]
    ) -> None:
        enter_password(browser)
        assert browser.post(STEP, body).status_code == 200
        assert not is_logged_in(browser)

    def test_after_five_minutes_the_password_is_asked_for_again(self, browser: Client, head_app: TotpApp) -> None:
        enter_password(browser)
        with later(minutes=5, seconds=1):
            assert location(browser.post(STEP, {"code": head_app.code()})) == "/admin/login/"

    @pytest.mark.parametrize("path", [STEP, ENROLLMENT])
    def test_without_a_password_before_it_leads_to_the_login(self, browser: Client, path: str) -> None:
        assert location(browser.get(path)) == "/admin/login/"

    def test_a_security_key_logs_in(self, browser: Client, head: User) -> None:
        key = Authenticator(verifies_user=False)
        enrol_key(head, key)
        enter_password(browser)
        credential = json.dumps(key.get(options_of(browser.get(STEP))))
        assert location(browser.post(STEP, {"credential": credential})) == HOME
        assert Session.objects.get().methods == "pwd hwk mfa"

    def test_while_the_keys_cannot_be_read_the_service_is_busy(
        self, browser: Client, head: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        enrol_key(head, Authenticator())
        enter_password(browser)

        def unreadable(*args: object) -> None:
            raise KeysUnavailable

        monkeypatch.setattr(mfa_tokens, "read", unreadable)
        page = browser.get(STEP, follow=True).content.decode()
        assert "The service is busy. Try again in a moment." in page

    def test_another_role_is_not_asked_for_its_second_factor(self, browser: Client, alice: User) -> None:
        enrol_app(alice)
        page = enter_password(browser, "alice")
        assert (page.status_code, LoginAttempt.objects.latest("id").failure_reason) == (200, "wrong_role")


class TestPasskey:
    def answer(self, browser: Client, key: Authenticator) -> Any:
        options = browser.get("/admin/login/passkey/options").json()
        return browser.post("/admin/login/passkey/", {"credential": json.dumps(key.get(options)), "next": HOME})

    def test_it_logs_in_alone(self, browser: Client, head: User) -> None:
        key = Authenticator()
        enrol_key(head, key)
        assert location(self.answer(browser, key)) == HOME
        assert (is_logged_in(browser), Session.objects.get().methods) == (True, "hwk user mfa")

    def test_without_verification_of_its_user_it_does_not(self, browser: Client, head: User) -> None:
        key = Authenticator()
        enrol_key(head, key)
        key.verifies_user = False
        assert location(self.answer(browser, key)) == "/admin/login/"
        assert not is_logged_in(browser)

    def test_that_of_another_role_does_not(self, browser: Client, alice: User) -> None:
        key = Authenticator()
        enrol_key(alice, key)
        assert location(self.answer(browser, key)) == "/admin/login/"
        assert LoginAttempt.objects.latest("id").failure_reason == "wrong_role"

    @pytest.mark.parametrize("body", [{}, {"credential": "{}"}, {"credential": '{"id": 1}'}], ids=str)
    def test_a_malformed_answer_is_refused(self, browser: Client, body: dict[str, str]) -> None:
        page = browser.post("/admin/login/passkey/", body, follow=True)
        assert "The passkey or security key was not accepted. Try again." in page.content.decode()


class TestEnrollment:
    @pytest.fixture(autouse=True)
    def _required(self, settings: Settings) -> None:
        settings.MFA_REQUIRED_ROLES = frozenset({"admin"})

    def begin(self, browser: Client) -> Any:
        enter_password(browser)
        return browser.post(f"{ENROLLMENT}app/")

    def fields(self, page: Any, *, wrong: bool = False) -> dict[str, Any]:
        form = page.context["form"]
        secret, factor_id = form["secret"].value(), form["factor_id"].value()
        code = pyotp.TOTP(secret).at(timezone.now())
        return {"secret": secret, "factor_id": factor_id, "code": "x" if wrong else code}

    def test_it_comes_before_anything_else(self, browser: Client, head: User) -> None:
        assert location(enter_password(browser)) == ENROLLMENT
        assert (is_logged_in(browser), Session.objects.count()) == (False, 0)

    def test_an_app_is_shown_as_picture_and_text(self, browser: Client, head: User) -> None:
        page = self.begin(browser)
        secret = self.fields(page)["secret"]
        text = page.content.decode()
        assert "<svg" in text
        assert " ".join(re.findall(".{4}", secret)) in text
        assert not is_logged_in(browser)

    def test_the_first_code_shows_the_recovery_codes_and_logs_in(self, browser: Client, head: User) -> None:
        page = browser.post(f"{ENROLLMENT}app/", self.fields(self.begin(browser)))
        assert len(page.context["codes"]) == second_factors.recovery_codes_left(head) == 10
        assert (is_logged_in(browser), Session.objects.get().methods) == (True, "pwd otp mfa")
        last = LoginAttempt.objects.latest("id")
        assert (last.status, last.factor, last.contract) == ("success", "totp", "admin")

    def test_a_wrong_first_code_shows_the_same_app_again(self, browser: Client, head: User) -> None:
        page = self.begin(browser)
        again = browser.post(f"{ENROLLMENT}app/", self.fields(page, wrong=True))
        assert again.context["form"].errors == {"code": ["This code is wrong or has been used."]}
        assert again.context["qr_svg"] == page.context["qr_svg"]

    def test_an_app_is_shown_to_nobody_who_does_not_have_its_secret(self, browser: Client, head: User) -> None:
        fields = self.fields(self.begin(browser), wrong=True) | {"secret": "A" * 32}
        assert location(browser.post(f"{ENROLLMENT}app/", fields)) == ENROLLMENT

    @pytest.mark.parametrize("path", ["app/", "passkey/"])
    def test_a_page_that_answers_a_form_leads_back_where_it_is_read_without_one(
        self, browser: Client, head: User, path: str
    ) -> None:
        assert location(enter_password(browser)) == ENROLLMENT
        assert location(browser.get(f"{ENROLLMENT}{path}")) == ENROLLMENT

    def test_a_security_key_is_enrolled_and_logs_in(self, browser: Client, head: User) -> None:
        enter_password(browser)
        credential = Authenticator().create(options_of(browser.get(ENROLLMENT)))
        page = browser.post(f"{ENROLLMENT}passkey/", {"credential": json.dumps(credential), "name": "办公室"})
        assert len(page.context["codes"]) == 10
        assert (is_logged_in(browser), second_factors.in_force(head)[0].name) == (True, "办公室")

    def test_it_is_over_once_a_factor_is_in_force(self, browser: Client, head: User) -> None:
        fields = self.fields(self.begin(browser))
        enrol_key(head, Authenticator())
        assert location(browser.post(f"{ENROLLMENT}app/", fields)) == "/admin/login/"
        assert (is_logged_in(browser), len(second_factors.in_force(head))) == (False, 1)

    def test_an_account_that_changes_meanwhile_starts_again(self, browser: Client, head: User) -> None:
        fields = self.fields(self.begin(browser))
        User.objects.filter(pk=head.pk).update(is_active=False)
        assert location(browser.post(f"{ENROLLMENT}app/", fields)) == "/admin/login/"

    def test_the_recovery_codes_are_shown_although_a_lock_refuses_the_login(self, browser: Client, head: User) -> None:
        fields = self.fields(self.begin(browser))
        for _ in range(5):
            Client(REMOTE_ADDR=HERE).post("/admin/login/", {"username": "head", "password": "wrong"})
        page = browser.post(f"{ENROLLMENT}app/", fields)
        assert (len(page.context["codes"]), is_logged_in(browser)) == (10, False)

    def test_who_has_a_factor_is_not_asked_to_enrol(self, browser: Client, head_app: TotpApp) -> None:
        assert location(enter_password(browser)) == STEP
