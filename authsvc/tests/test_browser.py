"""An administrator's day at the admin site, in a real browser; in the second language, its main pages."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.tests.tools import ELSEWHERE, PASSWORD, Api
from authsvc.tests.browser import Reader, aside, reading

pytestmark = [pytest.mark.any_database, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40" width="40" height="40">
<rect width="40" height="40" rx="8" fill="#fff"/><path d="M20 8v24M8 20h24" stroke="#c00" stroke-width="8"/>
</svg>"""
# Whether each picture of the page is there.
PICTURED = "[...document.images].every(image => image.complete && image.naturalWidth > 0)"


@dataclass(frozen=True)
class Labels:
    """The texts of the screens in one language."""

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
    wrong_password: str
    as_a_table: str
    change_password: str
    home: str
    other_language: str
    other_home: str


CHINESE = Labels(
    locale="zh-CN",
    user_name="用户名",
    password="密码",
    log_in="登录",
    log_out="注销",
    online="当前在线",
    locked="当前锁定",
    awaiting="待审批",
    approve="批准",
    unlock="解锁",
    force_logout="强制下线",
    sessions="会话",
    attempts="登录尝试",
    export="将此列表导出为 CSV",
    wrong_password="密码错误",
    as_a_table="以表格显示",
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
    locked="Locked now",
    awaiting="Awaiting approval",
    approve="Approve",
    unlock="Unlock",
    force_logout="Force logout",
    sessions="Sessions",
    attempts="Login attempts",
    export="Export this list as CSV",
    wrong_password="wrong password",
    as_a_table="As a table",
    change_password="Change password",
    home="Home",
    other_language="简体中文",
    other_home="当前在线",
)


@pytest.fixture
def token(head: User, alice: User, bob: User) -> str:
    """Make one account await approval and lock another; return the token of a third, who is logged in."""
    User.objects.create_user("carol", None, PASSWORD, role="doctor", awaits_approval=True)
    for _ in range(5):
        Api().login("alice", "wrong")
    return str(Api(ELSEWHERE).tokens("bob")["access_token"])


@pytest.fixture(autouse=True)
def _logo(settings: Settings, tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text(LOGO, encoding="utf-8")
    settings.SERVICE_LOGO = str(logo)


def log_in(reader: Reader, labels: Labels, password: str) -> None:
    page = reader.page
    page.get_by_label(labels.user_name).fill("head")
    page.get_by_label(labels.password).fill(password)
    page.get_by_role("button", name=labels.log_in).click()


def figure(reader: Reader, name: str, number: int) -> None:
    """Expect a number of the first page."""
    reader.page.goto("/admin/")
    expect(reader.page.get_by_role("heading", name=f"{name} {number}")).to_be_visible()


def follow(reader: Reader, figure_name: str, title: str) -> None:
    """From the first page, go to the list behind a number."""
    reader.page.locator(f"#{figure_name}").get_by_role("link", name=title).click()
    reader.look(f"list-{figure_name}", "#result_list")


def act(reader: Reader, name: str, verb: str) -> None:
    """In a list, choose a row and an action, read the confirmation page, and confirm."""
    page = reader.page
    page.get_by_role("row", name=name).get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option(label=verb)
    page.locator("button[name=index]").click()
    reader.look("confirmation", "input[name=confirmed] ~ p")
    expect(page.locator("#content li", has_text=name)).to_be_visible()
    page.get_by_role("button", name=verb).click()
    reader.look("done", ".messagelist .success")


def look_at(reader: Reader, name: str) -> None:
    """In the list of users, open the page of one."""
    reader.page.goto("/admin/accounts/user/")
    reader.look("users", "#result_list")
    reader.page.get_by_role("link", name=name, exact=True).click()
    reader.look("user", "#user_form")


def export(reader: Reader, labels: Labels) -> str:
    """Download a list, and return what is in the file."""
    with reader.page.expect_download() as download:
        reader.page.get_by_role("button", name=labels.export).click()
    return download.value.path().read_text(encoding="utf-8-sig")


def test_an_administrators_day(live_server: LiveServer, token: str, tmp_path: Path) -> None:
    labels = CHINESE
    with reading(live_server.url, labels.locale, tmp_path) as reader:
        page = reader.page
        page.goto("/admin/")
        reader.look("login", "#login-form")
        assert page.evaluate(PICTURED)
        log_in(reader, labels, "wrong")
        reader.look("login-refused", ".errornote")
        log_in(reader, labels, PASSWORD)
        expect(page.get_by_role("heading", name=f"{labels.online} 1")).to_be_visible()
        page.get_by_text(labels.as_a_table).first.click()
        reader.look("first-page", "#hours")

        figure(reader, labels.awaiting, 1)
        follow(reader, "awaiting", labels.awaiting)
        act(reader, "carol", labels.approve)
        assert aside(lambda: Api().login("carol").status_code) == 200
        figure(reader, labels.awaiting, 0)

        figure(reader, labels.locked, 1)
        follow(reader, "locked", labels.locked)
        act(reader, "alice", labels.unlock)
        figure(reader, labels.locked, 0)

        assert aside(lambda: Api().get("me", token).status_code) == 200
        page.get_by_role("link", name=labels.sessions, exact=True).first.click()
        act(reader, "bob", labels.force_logout)
        assert aside(lambda: Api().get("me", token).status_code) == 401

        page.goto("/admin/")
        page.get_by_role("link", name=labels.attempts, exact=True).first.click()
        expect(page.get_by_role("cell", name=labels.wrong_password).first).to_be_visible()
        reader.look("attempts", "#result_list")
        assert export(reader, labels).count("alice,alice,") == 5
        look_at(reader, "alice")
        page.get_by_role("link", name=labels.change_password).click()
        reader.look("own-password", "#id_old_password")

        page.get_by_role("link", name=labels.home).click()
        page.get_by_role("button", name=labels.other_language).click()
        expect(page.get_by_role("heading", name=labels.other_home)).to_be_visible()
        page.locator("#logout-form button").click()
        reader.look("logged-out", "#content a[href='/admin/']")
        page.goto("/admin/")
        expect(page.locator("#login-form")).to_be_visible()
        assert reader.complaints == []


def test_the_main_pages_in_english(live_server: LiveServer, token: str, tmp_path: Path) -> None:
    with reading(live_server.url, ENGLISH.locale, tmp_path) as reader:
        page = reader.page
        page.goto("/admin/")
        reader.look("login", "#login-form")
        log_in(reader, ENGLISH, PASSWORD)
        expect(page.get_by_role("heading", name=f"{ENGLISH.online} 1")).to_be_visible()
        reader.look("first-page", "#hours")
        follow(reader, "awaiting", ENGLISH.awaiting)
        act(reader, "carol", ENGLISH.approve)
        page.get_by_role("button", name=ENGLISH.other_language).click()
        page.goto("/admin/")
        expect(page.get_by_role("heading", name=ENGLISH.other_home)).to_be_visible()
        assert reader.complaints == []
