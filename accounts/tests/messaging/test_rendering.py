import itertools
import re
from datetime import datetime

import pytest
import time_machine
from django.conf import settings as deployed
from pytest_django.fixtures import Settings

from accounts.messaging import rendering
from accounts.messaging.senders import Letter
from accounts.models import Kind, Message, User
from accounts.tests.messaging.conftest import CODE, Put

pytestmark = pytest.mark.django_db

LANGUAGES = [code for code, _ in deployed.LANGUAGES]
VALUES = {
    Kind.RESET_CODE: {"code": CODE},
    Kind.VERIFICATION_CODE: {"code": CODE},
    Kind.PASSWORD_CHANGED: {"ip": "192.0.2.1"},
    Kind.PASSWORD_RESET: {"ip": "192.0.2.1"},
    Kind.EMAIL_CHANGED: {"old": "alice@hospital.example", "new": "zhang@hospital.example", "ip": "192.0.2.1"},
    Kind.PHONE_CHANGED: {"old": "+8613800138000", "new": "+8613912345678", "ip": "192.0.2.1"},
}
NOON = datetime.fromisoformat("2026-11-20T12:00:00+08:00")


def letter(put: Put, user: User, language: str, kind: Kind, **values: str) -> Letter:
    user.language = language
    user.save()
    message = put(kind=kind, **(values or VALUES[kind]))
    message.language = language
    return rendering.compose(message)


@pytest.mark.parametrize(("language", "kind"), list(itertools.product(LANGUAGES, Kind)))
def test_every_kind_in_every_language_names_all_that_is_known(put: Put, alice: User, language: str, kind: Kind) -> None:
    with time_machine.travel(NOON, tick=False):
        written = letter(put, alice, language, kind)
    expected = {
        Kind.RESET_CODE: [CODE, "alice", "10"],
        Kind.VERIFICATION_CODE: [CODE, "alice", "10"],
        Kind.PASSWORD_CHANGED: ["alice", "2026-11-20 12:00", "Asia/Shanghai", "192.0.2.1"],
        Kind.PASSWORD_RESET: ["alice", "2026-11-20 12:00", "Asia/Shanghai", "192.0.2.1"],
        Kind.EMAIL_CHANGED: ["a***@hospital.example", "z***@hospital.example", "2026-11-20 12:00", "192.0.2.1"],
        Kind.PHONE_CHANGED: ["138****8000", "139****5678", "2026-11-20 12:00", "192.0.2.1"],
    }[kind]
    assert [value for value in expected if value not in written.text] == []
    assert [value for value in expected if value not in written.html] == []
    assert "{{" not in written.text + written.html
    assert written.subject.endswith(" - authsvc")
    assert CODE not in written.subject


def test_a_code_in_chinese_reads_so(put: Put, alice: User) -> None:
    written = letter(put, alice, "zh-hans", Kind.RESET_CODE)
    assert written.subject == "重设密码的验证码 - authsvc"
    assert written.text == (
        "您的验证码是 482915，用于重设账号 alice 的密码，10 分钟内有效。请勿告诉任何人。\n\n"
        "工作人员不会向您索要验证码。\n\n"
        "如果这不是您本人的操作，请忽略本消息，您的密码不会改变；若多次收到，请告知管理员。\n\n"
        "authsvc\n"
    )
    assert written.short == "【authsvc】您的验证码是 482915，用于重设账号 alice 的密码，10 分钟内有效。请勿告诉任何人。"
    assert (written.address, written.code) == ("alice@hospital.example", CODE)


def test_a_code_in_english_reads_so(put: Put, alice: User) -> None:
    written = letter(put, alice, "en", Kind.RESET_CODE)
    assert written.subject == "Your code for a new password - authsvc"
    assert written.short == (
        "【authsvc】482915 is your code to set a new password for alice. It is valid for 10 minutes. Tell it to nobody."
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("", "+8613912345678", "The phone number of alice was changed to 139****5678."),
        ("+8613800138000", "", "The phone number of alice was removed: 138****8000."),
    ],
)
def test_an_address_that_is_new_or_gone_is_told_as_that(put: Put, alice: User, old: str, new: str, says: str) -> None:
    assert says in letter(put, alice, "en", Kind.PHONE_CHANGED, old=old, new=new).text


def test_the_services_name_is_the_deployments(put: Put, alice: User, settings: Settings) -> None:
    settings.SERVICE_NAME = "协和医院"
    written = letter(put, alice, "zh-hans", Kind.RESET_CODE)
    assert written.subject.endswith(" - 协和医院")
    assert written.short.startswith("【协和医院】")
    assert "协和医院</p>" in written.html


def test_a_notice_has_no_code(put: Put, alice: User) -> None:
    assert letter(put, alice, "en", Kind.PASSWORD_CHANGED).code == ""


def test_what_came_from_a_person_is_no_html(put: Put, alice: User) -> None:
    written = letter(put, alice, "en", Kind.RESET_CODE, code=CODE, username="<b>&amp;")
    assert "&lt;b&gt;&amp;amp;" in written.html
    assert "<b>&amp;" in written.text


def test_what_came_from_a_person_makes_no_line_and_turns_none_round(put: Put, alice: User) -> None:
    written = letter(put, alice, "en", Kind.RESET_CODE, code=CODE, username="alice\n\nCall 555\u202e")
    assert "for alice\\u000a\\u000aCall 555\\u202e. It is valid" in written.text


def test_the_html_shows_the_code_large_and_loads_nothing(put: Put, alice: User) -> None:
    html = letter(put, alice, "zh-hans", Kind.RESET_CODE).html
    assert re.search(rf'<p style="[^"]*font-size: 32px[^"]*">{CODE}</p>', html)
    assert '<html lang="zh-hans">' in html
    assert [word for word in ("http:", "https:", "src=", "href=", "url(", "<script") if word in html] == []


def test_the_html_has_the_same_paragraphs_as_the_text(put: Put, alice: User) -> None:
    written = letter(put, alice, "en", Kind.PASSWORD_CHANGED)
    shown = re.findall(r"<p style=[^>]*>(.*?)</p>", written.html)
    assert shown == written.text.strip().split("\n\n")


def test_a_user_who_was_deleted_can_still_be_written_to(put: Put, alice: User) -> None:
    message = put()
    User.objects.filter(pk=alice.pk).delete()
    assert CODE in rendering.compose(Message.objects.get(pk=message.pk)).text
