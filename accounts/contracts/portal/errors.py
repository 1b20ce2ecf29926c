"""The portal contract's errors on the wire: status, code and text of each."""

from types import MappingProxyType
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from rest_framework.exceptions import MethodNotAllowed, NotFound, ParseError, UnsupportedMediaType

from accounts import errors
from accounts.contracts import chinese
from accounts.contracts.base import WireError, error_table, status_error
from accounts.contracts.negotiation import UnsupportedContentEncoding

_LABELS: Final = MappingProxyType({"username": "用户名", "password": "密码", "email": "邮箱", "nickname": "昵称"})
_UNAUTHENTICATED: Final = status_error(401, "未认证或token无效")

ERRORS: Final = error_table(
    {
        errors.InvalidInput: status_error(400, "请求参数错误"),
        errors.AlreadyTaken: status_error(400, "请求参数错误"),
        errors.NotFound: status_error(404, "用户不存在"),
        errors.InvalidCredentials: status_error(401, "用户名或密码错误"),
        errors.AccountDisabled: status_error(403, "账户被禁用"),
        errors.ApprovalPending: status_error(403, "账户正在等待管理员审核"),
        errors.PasswordExpired: status_error(403, "密码已过期，请重置密码后登录"),
        errors.TooManyAttempts: status_error(429, "失败次数过多，请稍后再试"),
        errors.TooManyLogins: status_error(429, "登录过于频繁，请稍后再试"),
        errors.TooManyChanges: status_error(429, "修改过于频繁，请稍后再试"),
        errors.TooManyRegistrations: status_error(429, "注册次数过多，请稍后再试"),
        errors.TooManyCodes: status_error(429, "验证码发送过于频繁，请稍后再试"),
        errors.InvalidCode: status_error(400, "验证码错误或已失效"),
        errors.Overloaded: status_error(503, "服务繁忙，请稍后再试"),
        errors.TokenMissing: _UNAUTHENTICATED,
        errors.TokenInvalid: _UNAUTHENTICATED,
        errors.TokenExpired: _UNAUTHENTICATED,
        errors.SessionEnded: _UNAUTHENTICATED,
        errors.PermissionDenied: status_error(403, "没有权限"),
        errors.HTTPSRequired: status_error(426, "请使用HTTPS访问"),
        ParseError: status_error(400, "请求参数错误：请求体不是有效的JSON对象"),
        SuspiciousOperation: status_error(400, "请求参数错误"),
        NotFound: status_error(404, "请求的地址不存在"),
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
    if isinstance(error, errors.InvalidInput):
        message = f"{message}：{chinese.field_errors(error, _LABELS)}"
    return {"code": wire_error.code, "message": message, "data": None}
