"""The admin site in the reader's language."""

import re
from collections.abc import Iterable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.utils import translation

from accounts.models import User
from accounts.tests.tools import HERE, PASSWORD, Api
from audit.events import Event, FailureReason, Status
from audit.labels import EVENTS, REASONS, STATUSES
from audit.models import LoginAttempt
from audit.origin import ADMIN_SITE, CONSOLE, contract_choices
from authsvc.configuration.mounts import DEFAULT_MOUNTS

pytestmark = pytest.mark.any_database

# The values of `contract` in the trail: the contracts, the admin site and commands.
CONTRACT_NAMES = (*DEFAULT_MOUNTS, ADMIN_SITE, CONSOLE.contract)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def browser(language: str) -> Client:
    return Client(REMOTE_ADDR=HERE, headers={"Accept-Language": language})


def login_button(page: Any) -> str:
    """Return the label of the login button."""
    found = re.search(r'<input type="submit" value="([^"]*)"', page.content.decode())
    assert found
    return found[1]


def switch(client: Client, language: str, page: str = "/admin/login/") -> Any:
    return client.post("/admin/language", {"language": language, "next": page})


@pytest.mark.parametrize(
    ("asked", "shown"),
    [("en", "Log in"), ("en-GB,zh;q=0.5", "Log in"), ("zh-CN,zh;q=0.9", "登录"), ("fr", "登录"), ("", "登录")],
)
def test_the_site_uses_the_browsers_language(asked: str, shown: str) -> None:
    assert login_button(browser(asked).get("/admin/login/")) == shown


@pytest.mark.parametrize(("asked", "wanted", "shown"), [("en", "zh-hans", "登录"), ("zh-CN", "en", "Log in")])
def test_the_chosen_language_overrides_the_browsers(asked: str, wanted: str, shown: str) -> None:
    client = browser(asked)
    assert switch(client, wanted).headers["Location"] == "/admin/login/"
    assert login_button(client.get("/admin/login/")) == shown


def test_the_switch_does_not_redirect_to_another_site() -> None:
    assert switch(browser("en"), "en", "https://evil.example/").headers["Location"] == "/"


def test_the_switch_requires_a_csrf_token() -> None:
    assert Client(enforce_csrf_checks=True).post("/admin/language", {"language": "en"}).status_code == 403


def test_the_choice_is_stored_in_a_cookie_of_the_admin_site() -> None:
    client = browser("en")
    switch(client, "zh-hans")
    cookie = client.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert {name: cookie[name] for name in ("path", "httponly", "samesite", "max-age")} == {
        "path": "/admin/",
        "httponly": True,
        "samesite": "Lax",
        "max-age": 365 * 24 * 3600,
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    "page",
    ["", "password_change/", "accounts/user/", "accounts/session/", "audit/loginattempt/", "audit/securityevent/"],
)
def test_every_page_has_the_switch(head: User, page: str) -> None:
    client = browser("en")
    client.post("/admin/login/", {"username": "head", "password": PASSWORD})
    content = client.get(f"/admin/{page}").content.decode()
    form = re.search(r'<form id="language-switch".*?</form>', content, re.DOTALL)
    assert form
    assert re.findall(r'name="language" value="([^"]*)"', form[0]) == ["zh-hans", "en"]
    assert f'name="next" value="/admin/{page}"' in form[0]


@pytest.mark.parametrize(
    ("codes", "labels"),
    [(Event, EVENTS), (Status, STATUSES), (FailureReason, REASONS), (CONTRACT_NAMES, dict(contract_choices()))],
    ids=["events", "states", "reasons", "contracts"],
)
def test_every_code_of_the_trail_has_a_label_in_both_languages(codes: Iterable[str], labels: dict[str, Any]) -> None:
    with translation.override("zh-hans"):
        assert [code for code in codes if not CHINESE.search(str(labels[code]))] == []
    with translation.override("en"):
        assert [code for code in codes if not str(labels[code]) or CHINESE.search(str(labels[code]))] == []


@pytest.mark.django_db
def test_the_trail_stores_codes_and_shows_labels(head: User) -> None:
    client = browser("zh-CN")
    client.post("/admin/login/", {"username": "head", "password": "wrong"})
    client.post("/admin/login/", {"username": "head", "password": PASSWORD})
    kept = LoginAttempt.objects.order_by("pk").values_list("status", "failure_reason", "contract").first()
    assert kept == ("failed", "wrong_password", "admin")
    page = client.get("/admin/audit/loginattempt/").content.decode()
    assert [word for word in ("失败", "密码错误", "管理后台", "wrong_password") if f">{word}<" in page] == [
        "失败",
        "密码错误",
        "管理后台",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "shown"), [("zh-CN", "密码至少 6 个字符。"), ("en", "A password must have at least 6 characters.")]
)
def test_a_password_error_is_in_the_readers_language(head: User, asked: str, shown: str) -> None:
    client = browser(asked)
    client.post("/admin/login/", {"username": "head", "password": PASSWORD})
    form = {"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"}
    assert client.post("/admin/password_change/", form).context["form"].errors["new_password1"] == [shown]


@pytest.mark.django_db
@override_settings(PROFILE="hardened", SERVICE_NAME="ward")
@pytest.mark.parametrize("password", ["x" * 200, "short", "password", "head@hospital.example", "my-ward-1-2-3"])
def test_every_password_error_is_translated(head: User, password: str) -> None:
    client = browser("zh-CN")
    client.post("/admin/login/", {"username": "head", "password": PASSWORD})
    form = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    errors = client.post("/admin/password_change/", form).context["form"].errors["new_password1"]
    assert [error for error in errors if not CHINESE.search(error)] == []


def test_responses_of_the_api_do_not_depend_on_the_page_that_the_thread_has_shown_before(alice: User) -> None:
    body = {"username": "a b", "email": "no", "password": "1", "phone": "x", "role": "admin", "full_name": "x" * 101}
    answers = []
    for language in ("en", "zh-CN"):
        browser(language).get("/admin/login/")
        answers.append([Api().post("register", body).json(), Api().login(password="wrong").json()])
    assert answers[0] == answers[1]
