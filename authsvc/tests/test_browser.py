"""An administrator's tasks at the admin site, in a real browser: in Chinese all, in English the main pages."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import Session, User
from accounts.tests.tools import ELSEWHERE, PASSWORD, Api
from authsvc.tests.browser import CheckedPage, in_thread, open_browser

pytestmark = [pytest.mark.any_database, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40" width="40" height="40">
<rect width="40" height="40" rx="8" fill="#fff"/><path d="M20 8v24M8 20h24" stroke="#c00" stroke-width="8"/>
</svg>"""
# Whether every image of the page has loaded.
IMAGES_LOADED = "[...document.images].every(image => image.complete && image.naturalWidth > 0)"


@dataclass(frozen=True)
class Labels:
    """The labels of the admin site in one language."""

    locale: str
    user_name: str
    password: str
    log_in: str
    log_out: str
    online: str
    locked: str
    awaiting: str
    approve: str
    unlock: str
    force_logout: str
    sessions: str
    attempts: str
    export: str
    report: str
    wrong_password: str
    show_data: str
    change_password: str
    home: str
    other_language: str
    other_home: str


CHINESE = Labels(
    locale="zh-CN",
    user_name="用户名",
    password="密码",
    log_in="登录",
    log_out="退出登录",
    online="当前在线",
    locked="锁定的账号",
    awaiting="待审批",
    approve="批准",
    unlock="解锁",
    force_logout="强制下线",
    sessions="在线会话",
    attempts="登录日志",
    export="将此列表导出为 CSV",
    report="测评报告",
    wrong_password="密码错误",
    show_data="查看数据",
    change_password="修改密码",
    home="首页",
    other_language="English",
    other_home="Online now",
)
ENGLISH = Labels(
    locale="en-US",
    user_name="User name",
    password="Password",
    log_in="Log in",
    log_out="Log out",
    online="Online now",
    locked="Locked accounts",
    awaiting="Awaiting approval",
    approve="Approve",
    unlock="Unlock",
    force_logout="Force logout",
    sessions="Sessions",
    attempts="Login attempts",
    export="Export this list as CSV",
    report="Report for assessors",
    wrong_password="wrong password",
    show_data="Show data",
    change_password="Change password",
    home="Home",
    other_language="简体中文",
    other_home="当前在线",
)


@pytest.fixture
def bobs_token(head: User, alice: User, bob: User) -> str:
    """An account that awaits approval, a locked one, and one that is logged in with the returned token."""
    User.objects.create_user("carol", None, PASSWORD, role="doctor", awaits_approval=True)
    for _ in range(5):
        Api().login("alice", "wrong")
    return str(Api(ELSEWHERE).tokens("bob")["access_token"])


@pytest.fixture(autouse=True)
def _logo(settings: Settings, tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text(LOGO, encoding="utf-8")
    settings.SERVICE_LOGO = str(logo)


def log_in(checked: CheckedPage, labels: Labels, password: str) -> None:
    page = checked.page
    page.get_by_label(labels.user_name).fill("head")
    page.get_by_label(labels.password).fill(password)
    page.get_by_role("button", name=labels.log_in, exact=True).click()


def expect_figure(checked: CheckedPage, name: str, number: int) -> None:
    """Expect a figure on the first page."""
    checked.page.goto("/admin/")
    expect(checked.page.get_by_role("heading", name=f"{name} {number}")).to_be_visible()


def open_list(checked: CheckedPage, figure_name: str, title: str) -> None:
    """From the first page, open the list that a figure links to."""
    checked.page.locator(f"#{figure_name}").get_by_role("link", name=title).click()
    checked.check(f"list-{figure_name}", "#result_list")


def run_action(checked: CheckedPage, name: str, action: str) -> None:
    """In a list, select an object, choose an action, confirm it, and expect the success message."""
    page = checked.page
    page.get_by_role("row", name=name).get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option(label=action)
    page.locator("button[name=index]").click()
    model = urlsplit(page.url).path.split("/")[-2]
    checked.check(f"confirmation-{model}", "input[name=confirmed] ~ p")
    expect(page.locator("#content li", has_text=name)).to_be_visible()
    page.get_by_role("button", name=action).click()
    checked.check(f"done-{model}", ".messagelist .success")


def open_user(checked: CheckedPage, name: str) -> None:
    """In the list of users, open the page of a user."""
    checked.page.goto("/admin/accounts/user/")
    checked.check("users", "#result_list")
    checked.page.get_by_role("link", name=name, exact=True).click()
    checked.check("user", "#user_form")


def export(checked: CheckedPage, labels: Labels) -> str:
    """Download a list and return the file's text."""
    with checked.page.expect_download() as download:
        checked.page.get_by_role("button", name=labels.export).click()
    return Path(download.value.path()).read_text(encoding="utf-8-sig")


def test_an_administrators_tasks(live_server: LiveServer, bobs_token: str, tmp_path: Path) -> None:
    labels = CHINESE
    with open_browser(live_server.url, labels.locale, tmp_path) as checked:
        page = checked.page
        page.goto("/admin/")
        checked.check("login", "#login-form")
        assert page.evaluate(IMAGES_LOADED)
        log_in(checked, labels, "wrong")
        checked.check("login-refused", ".errornote")
        log_in(checked, labels, PASSWORD)
        expect(page.get_by_role("heading", name=f"{labels.online} 2")).to_be_visible()
        page.get_by_text(labels.show_data).first.click()
        checked.check("first-page", "#hours")

        expect_figure(checked, labels.awaiting, 1)
        open_list(checked, "awaiting", labels.awaiting)
        run_action(checked, "carol", labels.approve)
        assert in_thread(lambda: Api().login("carol").status_code) == 200
        expect_figure(checked, labels.awaiting, 0)

        expect_figure(checked, labels.locked, 1)
        open_list(checked, "locked", labels.locked)
        run_action(checked, "alice", labels.unlock)
        expect_figure(checked, labels.locked, 0)

        assert in_thread(lambda: Api().get("me", bobs_token).status_code) == 200
        page.get_by_role("link", name=labels.sessions, exact=True).first.click()
        run_action(checked, "bob", labels.force_logout)
        assert in_thread(lambda: Api().get("me", bobs_token).status_code) == 401

        page.goto("/admin/")
        page.get_by_role("link", name=labels.attempts, exact=True).first.click()
        expect(page.get_by_role("cell", name=labels.wrong_password).first).to_be_visible()
        checked.check("attempts", "#result_list")
        assert export(checked, labels).count("alice,alice,") == 5
        page.get_by_role("link", name=labels.report).click()
        checked.check("report", ".report")
        open_user(checked, "alice")
        page.locator("#id_full_name").fill("Alice Wang")
        in_thread(lambda: Session.objects.filter(contract="admin").update(ended_at=timezone.now()))
        page.locator("[name=_save]").click()
        log_in(checked, labels, PASSWORD)
        expect(page.locator(".typed-note")).to_be_visible()
        expect(page.locator("#id_full_name")).to_have_value("Alice Wang")
        page.locator("[name=_save]").click()
        assert in_thread(lambda: User.objects.get(username="alice").full_name) == "Alice Wang"
        page.get_by_role("link", name=labels.change_password).click()
        checked.check("own-password", "#id_old_password")

        page.get_by_role("link", name=labels.home).click()
        page.get_by_role("button", name=labels.other_language).click()
        expect(page.get_by_role("heading", name=labels.other_home)).to_be_visible()
        page.locator("#logout-form button").click()
        checked.check("logged-out", "#content a[href='/admin/']")
        page.goto("/admin/")
        expect(page.locator("#login-form")).to_be_visible()
        assert checked.faults == []


def test_the_main_pages_in_english(live_server: LiveServer, bobs_token: str, tmp_path: Path) -> None:
    with open_browser(live_server.url, ENGLISH.locale, tmp_path, contrasts=False) as checked:
        page = checked.page
        page.goto("/admin/")
        checked.check("login", "#login-form")
        log_in(checked, ENGLISH, PASSWORD)
        expect(page.get_by_role("heading", name=f"{ENGLISH.online} 2")).to_be_visible()
        checked.check("first-page", "#hours")
        open_list(checked, "awaiting", ENGLISH.awaiting)
        run_action(checked, "carol", ENGLISH.approve)
        page.get_by_role("button", name=ENGLISH.other_language).click()
        page.goto("/admin/")
        expect(page.get_by_role("heading", name=ENGLISH.other_home)).to_be_visible()
        assert checked.faults == []
