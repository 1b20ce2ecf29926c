"""The messages about invalid fields in Chinese, for the contracts whose documents are in Chinese."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from accounts.errors import InvalidInput, Problem
from accounts.policies import LONGEST_PASSWORD, active_profile

_MESSAGES: Final = MappingProxyType(
    {
        "required": "不能缺少",
        "null": "不能为空",
        "blank": "不能为空",
        "invalid": "格式不正确",
        "invalid_choice": "取值无效",
        "null_characters_not_allowed": "含有不允许的字符",
        "surrogate_characters_not_allowed": "含有不允许的字符",
        "taken": "已被使用",
        "not_allowed": "不允许注册该角色",
        "reserved": "为保留名称，不能注册",
        "password_too_long": f"不能超过{LONGEST_PASSWORD}个字符",
        "password_too_common": "过于常见",
        "password_too_similar": "与用户信息过于相似",
        "password_unchanged": "不能与当前密码相同",
        "password_used_before": "不能与曾用密码相同",
    }
)


def field_errors(error: InvalidInput, labels: Mapping[str, str]) -> str:
    """Return one line that names each invalid field, by its label and by its name on the wire."""
    return "；".join(
        f"{labels.get(field, field)}（{field}）{'，'.join(_message(problem) for problem in problems)}"
        for field, problems in error.errors.items()
    )


def _message(problem: Problem) -> str:
    if problem.code == "password_too_short":
        return f"不能少于{active_profile().password.shortest}个字符"
    # The framework's messages about lengths contain the bounds, and are in the contract's language already.
    return _MESSAGES.get(problem.code, str(problem.detail).removesuffix("。"))
