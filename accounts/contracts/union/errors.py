"""The union contract's errors on the wire: status, code and text of each."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from rest_framework.exceptions import MethodNotAllowed, ParseError, UnsupportedMediaType

from accounts import errors
from accounts.contracts import chinese
from accounts.contracts.base import WireError, error_table, status_error
from accounts.contracts.negotiation import UnsupportedContentEncoding

_LABELS: Final = MappingProxyType(
    {"username": "用户名", "password": "密码", "role": "用户角色", "phone": "手机号码", "userType": "用户类型"}
)
_UNAUTHORIZED: Final = status_error(401, "未授权访问")

ERRORS: Final = error_table(
    {
        errors.InvalidInput: status_error(400, "请求参数错误"),
        errors.AlreadyTaken: WireError(409, 1001, "用户名已存在"),
        errors.NotFound: status_error(404, "请求的资源不存在"),
        errors.InvalidCredentials: WireError(401, 1002, "用户名或密码错误"),
        errors.AccountDisabled: WireError(401, 1002, "账户已被禁用"),
        errors.ApprovalPending: WireError(401, 1002, "账户正在等待管理员审核"),
        errors.PasswordExpired: WireError(401, 1002, "密码已过期，请重置密码后登录"),
        errors.TooManyAttempts: status_error(429, "失败次数过多，请稍后再试"),
        errors.TooManyLogins: status_error(429, "登录过于频繁，请稍后再试"),
        errors.TooManyChanges: status_error(429, "修改过于频繁，请稍后再试"),
        errors.TooManyRegistrations: status_error(429, "注册次数过多，请稍后再试"),
        errors.TooManyCodes: status_error(429, "验证码发送过于频繁，请稍后再试"),
        errors.InvalidCode: status_error(400, "验证码错误或已失效"),
        errors.Overloaded: status_error(503, "服务繁忙，请稍后再试"),
        errors.TokenMissing: _UNAUTHORIZED,
        errors.TokenInvalid: _UNAUTHORIZED,
        errors.TokenExpired: _UNAUTHORIZED,
        errors.SessionEnded: _UNAUTHORIZED,
        errors.UserGone: WireError(404, 1003, "用户不存在"),
        errors.UserInactive: _UNAUTHORIZED,
        errors.PermissionDenied: status_error(403, "没有权限"),
        errors.HTTPSRequired: status_error(426, "请使用HTTPS访问"),
        ParseError: status_error(400, "请求参数错误：请求体不是有效的JSON对象"),
        SuspiciousOperation: status_error(400, "请求参数错误"),
        MethodNotAllowed: status_error(405, "不支持该请求方法"),
        RequestDataTooBig: status_error(413, "请求体过大"),
        UnsupportedContentEncoding: status_error(415, "不支持压缩的请求体，请去掉Content-Encoding"),
        UnsupportedMediaType: status_error(415, "请求体类型必须是application/json"),
        OperationalError: status_error(503, "服务暂时不可用，请稍后再试"),
        BaseException: status_error(500, "服务器内部错误"),
    }
)


def error_body(wire_error: WireError, error: BaseException) -> dict[str, Any]:
    """Return the document's body of an error; the message names the invalid fields."""
    message = wire_error.message
    if isinstance(error, errors.InvalidInput) and not isinstance(error, errors.AlreadyTaken):
        message = f"{message}：{chinese.field_errors(error, _LABELS)}"
    return {"success": False, "code": wire_error.code, "message": message, "data": None}


@contextmanager
def only_username_already_taken() -> Iterator[None]:
    """Raise InvalidInput in place of AlreadyTaken where the user name is free.

    The document has a code for a user name that is taken; a phone number that is taken is an invalid field.
    """
    try:
        yield
    except errors.AlreadyTaken as error:
        if "username" in error.errors:
            raise
        raise errors.InvalidInput(error.errors) from error
