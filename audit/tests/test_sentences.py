import pytest
from django.utils import translation

from audit.models import SecurityEvent
from audit.sentences import sentences, title

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(
    ("event", "detail", "lines"),
    [
        ("user:role:changed", {"old": "doctor", "new": "viewer"}, ["角色由“医生”改为“只读用户”。"]),
        (
            "user:changed",
            {"fields": ["department"], "old": {"department": "骨科"}, "new": {"department": ""}},
            ["科室由“骨科”改为“无”。"],
        ),
        (
            "user:changed",
            {"fields": ["language"], "old": {"language": ""}, "new": {"language": "en"}},
            ["语言由“服务默认”改为“English”。"],
        ),
        ("user:changed", {"fields": ["department", "email"]}, ["修改项：科室、邮箱"]),
        ("user:groups:changed", {"old": [], "new": ["auditors"]}, ["用户组由“无”改为“审计管理员”。"]),
        ("user:deactivated", {"cause": "dormant"}, ["起因：长期未登录"]),
        ("staff:imported", {"count": 3}, ["数量：3"]),
        ("code:requested", {"purpose": "activation", "link": True}, ["用途：激活账号", "通过链接：是"]),
        ("session:ended", {"reason": "logout"}, ["原因：已退出登录"]),
        ("user:rejected", {"reason": "非本院人员"}, ["原因：非本院人员"]),
        ("account:locked", {"cause": "login", "later": 3}, ["起因：同一 IP 地址多次输错密码", "later：3"]),
        (
            "key:rotated",
            {"purpose": "native:access", "kid": "k2", "former": "k1"},
            ["用途：统一认证接口的访问令牌", "密钥：k2", "原密钥：k1"],
        ),
        ("key:retired", {"purpose": "native:mfa", "kid": "k1"}, ["用途：统一认证接口的两步登录令牌", "密钥：k1"]),
        ("key:reencrypted", {"signing keys": 3, "totp secrets": 2}, ["签名密钥：3", "身份验证器密钥：2"]),
        ("records:purged", {"counts": {"trail": 7, "budgets": 0}}, ["数量：审计日志 = 7、尝试计数 = 0"]),
        (
            "trail:exported",
            {"filters": {"status__exact": ["failed"], "contract": ["portal"], "q": ["li"]}},
            ["筛选条件：结果 = 失败、接入方 = 门户端、搜索条件 = li"],
        ),
        ("future:event", {"old": 1, "new": 2}, []),
    ],
)
def test_details_are_sentences(event: str, detail: dict[str, object], lines: list[str]) -> None:
    with translation.override("zh-hans"):
        assert sentences(SecurityEvent(event=event, detail=detail)) == lines


def test_the_purpose_of_a_key_is_in_words_in_english_too() -> None:
    event = SecurityEvent(event="key:rotated", detail={"purpose": "portal:access"})
    assert sentences(event) == ["purpose: access tokens of: portal (002)"]


@pytest.mark.parametrize(("sent", "words"), [(True, "请求验证码（已发送）"), (False, "请求验证码（未发送）")])
def test_a_requested_code_says_whether_it_was_sent(sent: bool, words: str) -> None:
    with translation.override("zh-hans"):
        assert title(SecurityEvent(event="code:requested", detail={"sent": sent})) == words
