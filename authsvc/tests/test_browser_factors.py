"""Second factors in a real browser with a virtual authenticator: enrol, log in, lose, recover."""

import re
from pathlib import Path

import pyotp
import pytest
from django.utils import timezone
from playwright.sync_api import CDPSession, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.tests.tools import PASSWORD
from authsvc.tests.browser import CheckedPage, open_browser

pytestmark = [pytest.mark.any_database, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def add_authenticator(page: Page) -> tuple[CDPSession, dict[str, str]]:
    """Return the session with the browser, and the parameter that names its new authenticator."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


def enter_password(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_label("用户名").fill("head")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()


def log_out(page: Page) -> None:
    page.locator("#logout-form button").click()
    expect(page.locator("#content a[href='/admin/']")).to_be_visible()


def save_codes(checked: CheckedPage) -> list[str]:
    """Return the recovery codes of the page that shows them, and go on."""
    page = checked.page
    checked.check("recovery-codes", "#recovery-codes")
    codes: list[str] = page.locator("#recovery-codes code").all_inner_texts()
    page.get_by_role("button", name="继续").click()
    expect(page.locator("#recovery-codes")).to_be_visible()
    page.get_by_label("我已保存这些恢复码").check()
    page.get_by_role("button", name="继续").click()
    return codes


def test_a_passkey_is_enrolled_used_and_lost(
    live_server: LiveServer, settings: Settings, head: User, tmp_path: Path
) -> None:
    # Over plain HTTP the origin is accepted in development only.
    settings.DEBUG, settings.MFA_REQUIRED_ROLES = True, frozenset({"admin"})
    with open_browser(live_server.url, "zh-CN", tmp_path) as checked:
        page = checked.page
        browser, authenticator = add_authenticator(page)

        enter_password(page)
        checked.check("enrollment", ".factor-kind")
        page.get_by_label("名称").fill("办公室电脑")
        page.get_by_role("button", name="设置通行密钥或安全密钥").click()
        codes = save_codes(checked)
        expect(page.locator("#without-factor strong")).to_have_text("0")
        log_out(page)

        page.goto("/admin/")
        page.get_by_role("button", name="使用通行密钥登录").click()
        expect(page.locator("#online")).to_be_visible()
        log_out(page)

        enter_password(page)
        checked.check("second-factor", "#second-factor-form")
        page.get_by_role("button", name="使用通行密钥或安全密钥").click()
        expect(page.locator("#online")).to_be_visible()
        log_out(page)

        browser.send("WebAuthn.removeVirtualAuthenticator", authenticator)
        enter_password(page)
        page.get_by_label("动态码或恢复码").fill(codes[0])
        page.get_by_role("button", name="登录", exact=True).click()
        page.get_by_role("link", name="双因素认证", exact=True).click()
        checked.check("own-factors", "#factors")

        page.get_by_label("当前密码").fill(PASSWORD)
        page.get_by_role("button", name="添加身份验证器").click()
        checked.check("new-app", ".qr svg")
        app = pyotp.TOTP(re.sub(" ", "", page.locator(".secret").inner_text()))
        page.get_by_label("身份验证器显示的动态码").fill(app.at(timezone.now()))
        page.get_by_role("button", name="确认").click()
        page.get_by_role("row", name="办公室电脑").get_by_role("link", name="移除").click()
        page.get_by_label("当前密码").fill(PASSWORD)
        page.get_by_label("动态码或恢复码").fill(codes[1])
        page.get_by_role("button", name="移除验证方式").click()
        expect(page.get_by_role("cell", name="办公室电脑")).to_have_count(0)
        log_out(page)

        enter_password(page)
        # The time step of the first code has served.
        page.get_by_label("动态码或恢复码").fill(app.at(timezone.now(), counter_offset=1))
        page.get_by_role("button", name="登录", exact=True).click()
        expect(page.locator("#online")).to_be_visible()
        assert checked.faults == []


def test_the_button_of_passkeys_stays_usable_where_there_is_none(
    live_server: LiveServer, settings: Settings, head: User, tmp_path: Path
) -> None:
    settings.DEBUG = True
    with open_browser(live_server.url, "zh-CN", tmp_path) as checked:
        page = checked.page
        browser, authenticator = add_authenticator(page)
        # An authenticator that nobody touches leaves the browser waiting, as a machine without one does.
        browser.send("WebAuthn.setAutomaticPresenceSimulation", {**authenticator, "enabled": False})
        page.goto("/admin/")
        button = page.get_by_role("button", name="使用通行密钥登录")
        for _attempt in range(2):
            with page.expect_response("**/passkey/options"):
                button.click()
            expect(button).to_be_enabled()
        expect(page.locator(".factor-form [role=alert]")).to_be_hidden()
        enter_password(page)
        expect(page.locator("#online")).to_be_visible()
        assert checked.faults == []
