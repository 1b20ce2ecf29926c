import itertools
import re
from datetime import datetime

import pytest
import time_machine
from django.conf import settings as deployed
from pytest_django.fixtures import Settings

from accounts import names
from accounts.messaging import rendering
from accounts.messaging.senders import RenderedMessage
from accounts.models import Channel, Kind, Message, User
from accounts.tests.messaging.conftest import CODE, Enqueue

pytestmark = [pytest.mark.any_database, pytest.mark.django_db]

LANGUAGES = [code for code, _ in deployed.LANGUAGES]
SECRET = "0123456789abcdef" * 4
VALUES = {
    Kind.RESET_CODE: {"code": CODE},
    Kind.VERIFICATION_CODE: {"code": CODE},
    Kind.ACTIVATION: {"link": f"activation.17.{SECRET}"},
    Kind.PASSWORD_CREATED: {"ip": "192.0.2.1"},
    Kind.NEW_ADDRESS: {"ip": "192.0.2.1"},
    Kind.NEW_DEVICE: {"ip": "192.0.2.1"},
    Kind.PASSWORD_CHANGED: {"ip": "192.0.2.1"},
    Kind.PASSWORD_RESET: {"ip": "192.0.2.1"},
    Kind.EMAIL_CHANGED: {"old": "alice@hospital.example", "new": "zhang@hospital.example", "ip": "192.0.2.1"},
    Kind.PHONE_CHANGED: {"old": "+8613800138000", "new": "+8613912345678", "ip": "192.0.2.1"},
    Kind.FACTOR_ADDED: {"ip": "192.0.2.1"},
    Kind.FACTOR_REMOVED: {"ip": "192.0.2.1"},
    Kind.RECOVERY_CODE_USED: {"ip": "192.0.2.1"},
    Kind.RECOVERY_CODES_REPLACED: {"ip": "192.0.2.1"},
    Kind.REGISTRATION_APPROVED: {"ip": "192.0.2.1"},
    Kind.REGISTRATION_REJECTED: {"ip": "192.0.2.1"},
    Kind.DORMANT_ACCOUNTS: {"count": "31", "days": "14"},
}
NOON = datetime.fromisoformat("2026-11-20T12:00:00+08:00")


def render_as(enqueue: Enqueue, user: User, language: str, kind: Kind, **values: str) -> RenderedMessage:
    user.language = language
    user.save()
    message = enqueue(kind=kind, **(values or VALUES[kind]))
    message.language = language
    return rendering.render(message)


@pytest.mark.parametrize(("language", "kind"), list(itertools.product(LANGUAGES, Kind)))
def test_every_kind_has_its_values_in_every_language(enqueue: Enqueue, alice: User, language: str, kind: Kind) -> None:
    with time_machine.travel(NOON, tick=False):
        rendered = render_as(enqueue, alice, language, kind)
    expected = {
        Kind.RESET_CODE: [CODE, "alice", "10"],
        Kind.VERIFICATION_CODE: [CODE, "alice", "10"],
        Kind.ACTIVATION: ["alice", f"http://127.0.0.1:8000/password/link#activation.17.{SECRET}"],
        Kind.PASSWORD_CHANGED: ["alice", "2026-11-20 12:00", "Asia/Shanghai", "192.0.2.1"],
        Kind.PASSWORD_RESET: ["alice", "2026-11-20 12:00", "Asia/Shanghai", "192.0.2.1"],
        Kind.EMAIL_CHANGED: ["a***@hospital.example", "z***@hospital.example", "2026-11-20 12:00", "192.0.2.1"],
        Kind.PHONE_CHANGED: ["138****8000", "139****5678", "2026-11-20 12:00", "192.0.2.1"],
        Kind.REGISTRATION_APPROVED: ["alice", "2026-11-20 12:00", "Asia/Shanghai"],
        Kind.REGISTRATION_REJECTED: ["alice", "2026-11-20 12:00", "Asia/Shanghai"],
        Kind.DORMANT_ACCOUNTS: ["alice", "31", "14", "2026-11-20 12:00", "Asia/Shanghai"],
    }.get(kind, ["alice", "2026-11-20 12:00", "Asia/Shanghai", "192.0.2.1"])
    assert [value for value in expected if value not in rendered.text] == []
    assert [value for value in expected if value not in rendered.html] == []
    assert "{{" not in rendered.text + rendered.html
    assert rendered.subject.endswith(" - authsvc")
    assert CODE not in rendered.subject


def test_a_code_in_chinese(enqueue: Enqueue, alice: User) -> None:
    rendered = render_as(enqueue, alice, "zh-hans", Kind.RESET_CODE)
    assert rendered.subject == "重置密码验证码 - authsvc"
    assert rendered.text == (
        "您的验证码是 482915，用于重置账号 alice 的密码，10 分钟内有效。请勿告诉任何人。\n\n"
        "请在登录页的“忘记密码”处输入验证码。工作人员不会向您索要验证码。\n\n"
        "如非本人操作，请忽略本消息，您的密码不会改变；若多次收到，请联系管理员。\n\n"
        "authsvc\n"
    )
    assert (
        rendered.short == "【authsvc】您的验证码是 482915，用于重置账号 alice 的密码，10 分钟内有效。请勿告诉任何人。"
    )
    assert (rendered.address, rendered.code) == ("alice@hospital.example", CODE)


def test_a_code_in_english(enqueue: Enqueue, alice: User) -> None:
    rendered = render_as(enqueue, alice, "en", Kind.RESET_CODE)
    assert rendered.subject == "Your password reset code - authsvc"
    assert rendered.short == (
        "【authsvc】482915 is your code to reset the password of alice. It is valid for 10 minutes. Do not share it."
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("", "+8613912345678", "The phone number of alice was changed to 139****5678."),
        ("+8613800138000", "", "The phone number of alice was removed: 138****8000."),
    ],
)
def test_an_added_or_removed_address_is_named_as_such(
    enqueue: Enqueue, alice: User, old: str, new: str, says: str
) -> None:
    assert says in render_as(enqueue, alice, "en", Kind.PHONE_CHANGED, old=old, new=new).text


def test_the_service_name_is_the_deployments(enqueue: Enqueue, alice: User, settings: Settings) -> None:
    settings.SERVICE_NAME = "协和医院"
    rendered = render_as(enqueue, alice, "zh-hans", Kind.RESET_CODE)
    assert rendered.subject.endswith(" - 协和医院")
    assert rendered.short.startswith("【协和医院】")
    assert "协和医院</p>" in rendered.html


def test_a_notice_has_no_code(enqueue: Enqueue, alice: User) -> None:
    assert render_as(enqueue, alice, "en", Kind.PASSWORD_CHANGED).code == ""


def test_user_input_is_escaped_in_html(enqueue: Enqueue, alice: User) -> None:
    rendered = render_as(enqueue, alice, "en", Kind.RESET_CODE, code=CODE, username="<b>&amp;")
    assert "&lt;b&gt;&amp;amp;" in rendered.html
    assert "<b>&amp;" in rendered.text


def test_control_characters_in_user_input_are_escaped(enqueue: Enqueue, alice: User) -> None:
    rendered = render_as(enqueue, alice, "en", Kind.RESET_CODE, code=CODE, username="alice\n\nCall 555\u202e")
    assert "of alice\\u000a\\u000aCall 555\\u202e. It is valid" in rendered.text


def test_the_html_shows_the_code_large_and_loads_no_resources(enqueue: Enqueue, alice: User) -> None:
    html = render_as(enqueue, alice, "zh-hans", Kind.RESET_CODE).html
    assert re.search(rf'<p style="[^"]*font-size: 32px[^"]*">{CODE}</p>', html)
    assert '<html lang="zh-hans">' in html
    assert [word for word in ("http:", "https:", "src=", "href=", "url(", "<script") if word in html] == []


def test_the_html_has_the_same_paragraphs_as_the_text(enqueue: Enqueue, alice: User) -> None:
    rendered = render_as(enqueue, alice, "en", Kind.PASSWORD_CHANGED)
    shown = re.findall(r"<p style=[^>]*>(.*?)</p>", rendered.html)
    assert shown == rendered.text.strip().split("\n\n")


def test_the_html_of_an_activation_links_the_page(enqueue: Enqueue, alice: User) -> None:
    link = f"http://127.0.0.1:8000/password/link#activation.17.{SECRET}"
    assert f'<a href="{link}" rel="noreferrer">{link}</a>' in render_as(enqueue, alice, "en", Kind.ACTIVATION).html


def test_a_text_message_activates_by_a_code_and_has_no_secret_link(enqueue: Enqueue, alice: User) -> None:
    alice.language = "zh-hans"
    alice.save()
    short = rendering.render(enqueue(channel=Channel.PHONE, kind=Kind.ACTIVATION, code=CODE)).short
    assert short == (
        "【authsvc】您的验证码是 482915，用于为账号 a***e 设置登录密码，10 分钟内有效。"
        "请打开 http://127.0.0.1:8000/password 输入。请勿告诉任何人。"
    )


def test_a_message_to_a_deleted_user_is_rendered(enqueue: Enqueue, alice: User) -> None:
    message = enqueue()
    User.objects.filter(pk=alice.pk).delete()
    assert CODE in rendering.render(Message.objects.get(pk=message.pk)).text


LINKS = ["unpaid-bill-see-www-evil-example", "evil.example", "pay.evil.com", "HTTP-pay", "hospital.支付", "10.0.0.1"]


@pytest.mark.parametrize(("language", "kind"), list(itertools.product(LANGUAGES, Kind)))
def test_an_email_masks_a_user_name_that_reads_as_a_link_or_a_domain(
    enqueue: Enqueue, alice: User, language: str, kind: Kind
) -> None:
    for username in LINKS:
        alice.username = username
        rendered = render_as(enqueue, alice, language, kind)
        assert username not in rendered.text + rendered.html + rendered.subject + rendered.short
        assert f"{username[0]}***" in rendered.text


@pytest.mark.parametrize("username", ["alice", "dr-wang", "zhang_3", "080123", "li+1", "王医生", "a."])
def test_an_email_has_any_other_user_name(enqueue: Enqueue, alice: User, username: str) -> None:
    alice.username = username
    assert f"password of {username}." in render_as(enqueue, alice, "en", Kind.RESET_CODE).text


@pytest.mark.parametrize(("language", "kind"), list(itertools.product(LANGUAGES, Kind)))
def test_a_text_message_names_the_account_by_its_masked_form(
    enqueue: Enqueue, alice: User, language: str, kind: Kind
) -> None:
    alice.language, alice.username = language, "call-13800138000-now"
    alice.save()
    message = enqueue(channel=Channel.PHONE, kind=kind, **VALUES[kind])
    short = rendering.render(message).short
    assert ("13800138000" in short, "c***w" in short) == (False, True)


def test_the_masked_form_of_a_short_user_name_shows_its_first_character() -> None:
    shown = [names.masked_username(name) for name in ("li", "l", "lin", "王医生", "")]
    assert shown == ["l***", "l***", "l***n", "王***生", "***"]
