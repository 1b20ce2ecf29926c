"""An administrator's day at the admin site, in a real browser and in both languages."""

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
class WireError:
    """What the screens say in one language."""

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


CHINESE = WireError(
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
ENGLISH = WireError(
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


@pytest.fixture(params=[CHINESE, ENGLISH], ids=lambda words: words.locale)
def words(request: pytest.FixtureRequest) -> WireError:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def token(head: User, alice: User, bob: User) -> str:
    """A ward of which somebody waits, somebody is locked, and somebody is logged in with this token."""
    User.objects.create_user("carol", None, PASSWORD, role="doctor", awaits_approval=True)
    for _ in range(5):
        Api().login("alice", "wrong")
    return str(Api(ELSEWHERE).tokens("bob")["access_token"])


@pytest.fixture(autouse=True)
def _logo(settings: Settings, tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text(LOGO, encoding="utf-8")
    settings.SERVICE_LOGO = str(logo)


def log_in(reader: Reader, words: WireError, password: str) -> None:
    page = reader.page
    page.get_by_label(words.user_name).fill("head")
    page.get_by_label(words.password).fill(password)
    page.get_by_role("button", name=words.log_in).click()


def figure(reader: Reader, name: str, number: int) -> None:
    """Expect a number of the first page."""
    reader.page.goto("/admin/")
    expect(reader.page.get_by_role("heading", name=f"{name} {number}")).to_be_visible()


def follow(reader: Reader, figure_name: str, title: str) -> None:
    """From the first page, go to the list behind a number."""
    reader.page.locator(f"#{figure_name}").get_by_role("link", name=title).click()
    reader.look(f"list-{figure_name}", "#result_list")


def act(reader: Reader, name: str, verb: str) -> None:
    """In a list, do something to somebody: choose, read what follows, confirm, and be told that it is done."""
    page = reader.page
    page.get_by_role("row", name=name).get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option(label=verb)
    page.locator("button[name=index]").click()
    reader.look("confirmation", "input[name=confirmed] ~ p")
    expect(page.locator("#content li", has_text=name)).to_be_visible()
    page.get_by_role("button", name=verb).click()
    reader.look("done", ".messagelist .success")


def look_at(reader: Reader, name: str) -> None:
    """In the list of users, open somebody's page."""
    reader.page.goto("/admin/accounts/user/")
    reader.look("users", "#result_list")
    reader.page.get_by_role("link", name=name, exact=True).click()
    reader.look("user", "#user_form")


def export(reader: Reader, words: WireError) -> str:
    """Download a list, and return what is in the file."""
    with reader.page.expect_download() as download:
        reader.page.get_by_role("button", name=words.export).click()
    return download.value.path().read_text(encoding="utf-8-sig")


def test_an_administrators_day(live_server: LiveServer, words: WireError, token: str, tmp_path: Path) -> None:
    with reading(live_server.url, words.locale, tmp_path) as reader:
        page = reader.page
        page.goto("/admin/")
        reader.look("login", "#login-form")
        assert page.evaluate(PICTURED)
        log_in(reader, words, "wrong")
        reader.look("login-refused", ".errornote")
        log_in(reader, words, PASSWORD)
        expect(page.get_by_role("heading", name=f"{words.online} 1")).to_be_visible()
        page.get_by_text(words.as_a_table).first.click()
        reader.look("first-page", "#hours")

        figure(reader, words.awaiting, 1)
        follow(reader, "awaiting", words.awaiting)
        act(reader, "carol", words.approve)
        assert aside(lambda: Api().login("carol").status_code) == 200
        figure(reader, words.awaiting, 0)

        figure(reader, words.locked, 1)
        follow(reader, "locked", words.locked)
        act(reader, "alice", words.unlock)
        figure(reader, words.locked, 0)

        assert aside(lambda: Api().get("me", token).status_code) == 200
        page.get_by_role("link", name=words.sessions, exact=True).first.click()
        act(reader, "bob", words.force_logout)
        assert aside(lambda: Api().get("me", token).status_code) == 401

        page.goto("/admin/")
        page.get_by_role("link", name=words.attempts, exact=True).first.click()
        expect(page.get_by_role("cell", name=words.wrong_password).first).to_be_visible()
        reader.look("attempts", "#result_list")
        assert export(reader, words).count("alice,alice,") == 5
        look_at(reader, "alice")
        page.get_by_role("link", name=words.change_password).click()
        reader.look("own-password", "#id_old_password")

        page.get_by_role("link", name=words.home).click()
        page.get_by_role("button", name=words.other_language).click()
        expect(page.get_by_role("heading", name=words.other_home)).to_be_visible()
        page.locator("#logout-form button").click()
        reader.look("logged-out", "#content a[href='/admin/']")
        page.goto("/admin/")
        expect(page.locator("#login-form")).to_be_visible()
        assert reader.complaints == []
