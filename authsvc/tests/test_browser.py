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
class Words:
    """What the screens say in one language."""

    locale: str
    user_name: str
    password: str
    log_in: str
    log_out: str
    online: str
    locked: str
    awaiting: str
    awaits_approval: str
    save: str
    end_sessions: str
    sessions: str
    ended: str
    attempts: str
    wrong_password: str
    as_a_table: str
    change_password: str
    home: str
    other_language: str
    other_home: str


CHINESE = Words(
    locale="zh-CN",
    user_name="用户名",
    password="密码",
    log_in="登录",
    log_out="注销",
    online="当前在线",
    locked="当前锁定",
    awaiting="待审批",
    awaits_approval="待审批",
    save="保存",
    end_sessions="结束所选会话",
    sessions="会话",
    ended="已结束 1 个会话。",
    attempts="登录尝试",
    wrong_password="密码错误",
    as_a_table="以表格显示",
    change_password="修改密码",
    home="首页",
    other_language="English",
    other_home="Online now",
)
ENGLISH = Words(
    locale="en-US",
    user_name="User name",
    password="Password",
    log_in="Log in",
    log_out="Log out",
    online="Online now",
    locked="Locked now",
    awaiting="Awaiting approval",
    awaits_approval="Awaits approval",
    save="Save",
    end_sessions="End the selected sessions",
    sessions="Sessions",
    ended="1 session was ended.",
    attempts="Login attempts",
    wrong_password="wrong password",
    as_a_table="As a table",
    change_password="Change password",
    home="Home",
    other_language="简体中文",
    other_home="当前在线",
)


@pytest.fixture(params=[CHINESE, ENGLISH], ids=lambda words: words.locale)
def words(request: pytest.FixtureRequest) -> Words:
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


def log_in(reader: Reader, words: Words, password: str) -> None:
    page = reader.page
    page.get_by_label(words.user_name).fill("head")
    page.get_by_label(words.password).fill(password)
    page.get_by_role("button", name=words.log_in).click()


def figure(reader: Reader, name: str, number: int) -> None:
    """Expect a number of the first page."""
    reader.page.goto("/admin/")
    expect(reader.page.get_by_role("heading", name=f"{name} {number}")).to_be_visible()


def approve(reader: Reader, words: Words, name: str) -> None:
    """From the first page, let somebody in who waits."""
    page = reader.page
    page.locator("#awaiting").get_by_role("link", name=name).click()
    reader.look("user", "#user_form")
    page.get_by_label(words.awaits_approval).uncheck()
    page.get_by_role("button", name=words.save, exact=True).click()
    reader.look("users", ".messagelist .success")


def unlock(reader: Reader, words: Words, name: str) -> None:
    """From the first page, give somebody another try who is locked."""
    page = reader.page
    page.locator("#locked").get_by_role("link", name=words.locked).click()
    expect(page.get_by_role("link", name=name)).to_be_visible()

    def by_the_api() -> int:
        token = Api(ELSEWHERE).tokens("head")["access_token"]
        return Api().post(f"users/{User.objects.get(username=name).pk}/unlock", None, token).status_code

    assert aside(by_the_api) == 200


def end_session(reader: Reader, words: Words, name: str) -> None:
    """From any page, end the one session of somebody."""
    page = reader.page
    page.get_by_role("link", name=words.sessions, exact=True).first.click()
    reader.look("sessions", "#changelist")
    page.get_by_role("row", name=name).get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option(label=words.end_sessions)
    page.locator("button[name=index]").click()
    expect(page.get_by_text(words.ended)).to_be_visible()


def test_an_administrators_day(live_server: LiveServer, words: Words, token: str, tmp_path: Path) -> None:
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
        approve(reader, words, "carol")
        assert aside(lambda: Api().login("carol").status_code) == 200
        figure(reader, words.awaiting, 0)

        figure(reader, words.locked, 1)
        unlock(reader, words, "alice")
        figure(reader, words.locked, 0)

        assert aside(lambda: Api().get("me", token).status_code) == 200
        end_session(reader, words, "bob")
        assert aside(lambda: Api().get("me", token).status_code) == 401

        page.goto("/admin/")
        page.get_by_role("link", name=words.attempts, exact=True).first.click()
        expect(page.get_by_role("cell", name=words.wrong_password).first).to_be_visible()
        reader.look("attempts", "#result_list")
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
