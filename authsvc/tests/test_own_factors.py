"""The page of an administrator's own second factors."""

import json
from typing import Any
from unittest import mock

import pyotp
import pytest
from django.test import Client
from django.utils import timezone

from accounts.errors import AccountDisabled, NotFound
from accounts.models import RecoveryCode, SecondFactor, User
from accounts.services import second_factors
from accounts.tests.admin_client import logged_in
from accounts.tests.authenticator import Authenticator
from accounts.tests.factors import TotpApp, enrol_app, enrol_key
from accounts.tests.tools import HERE, PASSWORD

pytestmark = pytest.mark.django_db

PAGE = "/admin/second-factors/"


@pytest.fixture
def browser(head: User) -> Client:
    return logged_in(head, REMOTE_ADDR=HERE, headers={"Accept-Language": "en"})


@pytest.fixture
def app(head: User) -> TotpApp:
    return enrol_app(head)


def errors_of(response: Any) -> dict[str, list[str]]:
    return {name: list(found) for name, found in response.context["form"].errors.items()}


def add(browser: Client, kind: str, password: str = PASSWORD) -> Any:
    return browser.post(f"{PAGE}add/", {"password": password, "kind": kind})


def fields(page: Any) -> dict[str, Any]:
    form = page.context["form"]
    secret = form["secret"].value()
    return {"factor_id": form["factor_id"].value(), "secret": secret, "code": pyotp.TOTP(secret).at(timezone.now())}


@pytest.mark.parametrize("path", ["", "password_change/", "accounts/user/"])
def test_every_page_links_to_it(browser: Client, path: str) -> None:
    assert f'href="{PAGE}"' in browser.get(f"/admin/{path}").content.decode()


@pytest.mark.parametrize("path", ["add/", "app/", "passkey/"])
def test_a_page_that_answers_a_form_leads_back_where_it_is_read_without_one(browser: Client, path: str) -> None:
    # The choice of a language and a new login redirect to the page that was shown.
    answer = browser.get(f"{PAGE}{path}")
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)


def test_an_app_is_added_by_password_and_first_code(browser: Client, head: User) -> None:
    page = browser.post(f"{PAGE}app/", fields(add(browser, "app")))
    assert len(page.context["codes"]) == 10
    assert [factor.type for factor in second_factors.in_force(head)] == ["totp"]
    assert "10 recovery codes are left." in browser.get(PAGE).content.decode()


def test_a_passkey_is_added_by_password_and_the_browsers_answer(browser: Client, head: User, app: TotpApp) -> None:
    credential = Authenticator().create(add(browser, "passkey").context["options"])
    body = {"credential": json.dumps(credential), "name": "desk"}
    assert browser.post(f"{PAGE}passkey/", body)["Location"] == PAGE
    page = browser.get(PAGE).content.decode()
    assert ("The second factor was added." in page, "desk" in page) == (True, True)


@pytest.mark.parametrize("kind", ["app", "passkey"])
def test_without_the_password_nothing_is_added(browser: Client, kind: str) -> None:
    assert errors_of(add(browser, kind, "wrong")) == {"password": ["The current password is wrong."]}
    assert not SecondFactor.objects.exists()


def test_the_secret_of_an_app_that_waits_for_its_first_code_is_not_shown_again(browser: Client) -> None:
    body = fields(add(browser, "app")) | {"secret": "A" * 32, "code": "000000"}
    assert browser.post(f"{PAGE}app/", body)["Location"] == PAGE


@pytest.mark.parametrize("body", [{}, {"credential": "{}"}], ids=str)
def test_a_malformed_answer_adds_nothing(browser: Client, body: dict[str, str]) -> None:
    page = browser.post(f"{PAGE}passkey/", body, follow=True)
    assert "The passkey or security key was not accepted. Try again." in page.content.decode()


def test_a_factor_is_removed_by_password_and_code(browser: Client, head: User, app: TotpApp) -> None:
    path = f"{PAGE}{app.factor_id}/remove/"
    wrong = browser.post(path, {"password": PASSWORD, "code": "000000"})
    assert errors_of(wrong) == {"code": ["This code is wrong or has been used."]}
    assert browser.post(path, {"password": PASSWORD, "code": app.recovery_codes[0]})["Location"] == PAGE
    assert not SecondFactor.objects.exists()
    assert not RecoveryCode.objects.exists()


def test_a_factor_of_somebody_else_is_not_found(browser: Client, alice: User) -> None:
    page = browser.get(f"{PAGE}{enrol_app(alice).factor_id}/remove/", follow=True)
    assert "This second factor does not exist any more." in page.content.decode()


def test_new_recovery_codes_are_made_by_password_and_code(browser: Client, app: TotpApp) -> None:
    page = browser.post(f"{PAGE}recovery-codes/", {"password": PASSWORD, "code": app.code()})
    assert len(page.context["codes"]) == 10
    assert not set(page.context["codes"]) & set(app.recovery_codes)


def test_whoever_has_a_passkey_and_no_code_left_is_told_to_add_an_app(browser: Client, head: User) -> None:
    key = enrol_key(head, Authenticator())
    RecoveryCode.objects.filter(user=head).delete()
    for path in ("recovery-codes/", f"{key.pk}/remove/"):
        page = browser.get(f"{PAGE}{path}", follow=True)
        text = page.content.decode()
        assert page.redirect_chain == [(PAGE, 302)]
        assert "Add an authenticator app first." in text
        assert f'href="{PAGE}{path}"' not in text
    enrol_app(head)
    assert f'href="{PAGE}recovery-codes/"' in browser.get(PAGE).content.decode()


def test_without_a_factor_there_are_no_recovery_codes(browser: Client) -> None:
    page = browser.post(f"{PAGE}recovery-codes/", {"password": PASSWORD, "code": "000000"})
    assert errors_of(page) == {"code": ["This account has no second factor."]}


def test_pages_with_secrets_are_not_stored(browser: Client) -> None:
    assert "no-store" in add(browser, "app")["Cache-Control"]


@pytest.mark.parametrize("error", [NotFound(), AccountDisabled()], ids=repr)
@pytest.mark.parametrize(
    ("verb", "path", "body"),
    [
        ("begin_app", "add/", {"password": PASSWORD}),
        ("confirm_app", "app/", {"factor_id": "1", "secret": "A", "code": "1"}),
        ("add_credential", "passkey/", {"credential": "{}"}),
        ("replace_recovery_codes", "recovery-codes/", {"password": PASSWORD, "code": "1"}),
    ],
)
def test_an_account_that_changes_meanwhile_is_no_crash(
    browser: Client, monkeypatch: pytest.MonkeyPatch, verb: str, path: str, body: dict[str, str], error: Exception
) -> None:
    monkeypatch.setattr(second_factors, verb, mock.Mock(side_effect=error))
    assert browser.post(f"{PAGE}{path}", body)["Location"] == PAGE
