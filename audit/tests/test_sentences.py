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
        ("user:changed", {"fields": ["department", "email"]}, ["修改项：科室, 邮箱"]),
        ("user:groups:changed", {"old": [], "new": ["auditors"]}, ["用户组由“无”改为“审计管理员”。"]),
        ("user:deactivated", {"cause": "dormant"}, ["起因：长期未登录"]),
        ("staff:imported", {"count": 3}, ["数量：3"]),
        ("code:requested", {"purpose": "activation", "link": True}, ["用途：激活账号", "通过链接：是"]),
        ("session:ended", {"reason": "logout"}, ["原因：已退出登录"]),
        ("user:rejected", {"reason": "非本院人员"}, ["原因：非本院人员"]),
        ("account:locked", {"cause": "login", "later": 3}, ["起因：同一 IP 地址多次输错密码", "later：3"]),
        ("future:event", {"old": 1, "new": 2}, []),
    ],
)
def test_details_are_sentences(event: str, detail: dict[str, object], lines: list[str]) -> None:
    with translation.override("zh-hans"):
        assert sentences(SecurityEvent(event=event, detail=detail)) == lines


@pytest.mark.parametrize(("sent", "words"), [(True, "请求验证码（已发送）"), (False, "请求验证码（未发送）")])
def test_a_requested_code_says_whether_it_was_sent(sent: bool, words: str) -> None:
    with translation.override("zh-hans"):
        assert title(SecurityEvent(event="code:requested", detail={"sent": sent})) == words
