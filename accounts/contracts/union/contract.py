"""The union contract's tokens and words."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import MethodNotAllowed, NotFound, ParseError, UnsupportedMediaType

from accounts import errors
from accounts.contracts import chinese
from accounts.contracts.base import Contract, ErrorTable, WireError
from accounts.models import Role, Session, User
from accounts.policies import SessionPolicy, TokenPolicy
from accounts.security import tokens
from accounts.services import registration, sessions
from accounts.services.sign_in import LoginRule
from audit.events import FailureReason
from audit.origin import Origin

NAME: Final = "union"

SESSION: Final = SessionPolicy(idle_timeout=timedelta(days=7), absolute_timeout=timedelta(days=7))
ACCESS: Final = TokenPolicy("union:access", "HS384", "JWT", lifetime=timedelta(hours=24))

# The roles that document 001 names.
ROLES: Final = frozenset({Role.PATIENT, Role.DOCTOR, Role.ADMIN})

LABELS: Final = MappingProxyType(
    {"username": "用户名", "password": "密码", "role": "用户角色", "phone": "手机号码", "userType": "用户类型"}
)

_UNAUTHORIZED: Final = WireError(401, 401, "未授权访问")

ERRORS: Final[ErrorTable] = MappingProxyType(
    {
        errors.InvalidInput: WireError(400, 400, "请求参数错误"),
        errors.AlreadyTaken: WireError(409, 1001, "用户名已存在"),
        errors.NotFound: WireError(404, 404, "请求的资源不存在"),
        errors.InvalidCredentials: WireError(401, 1002, "用户名或密码错误"),
        errors.AccountDisabled: WireError(401, 1002, "账户已被禁用"),
        errors.ApprovalPending: WireError(401, 1002, "账户正在等待管理员审核"),
        errors.TooManyAttempts: WireError(429, 429, "失败次数过多，请稍后再试"),
        errors.TooManyRegistrations: WireError(429, 429, "注册次数过多，请稍后再试"),
        errors.TooManyCodes: WireError(429, 429, "验证码发送过于频繁，请稍后再试"),
        errors.InvalidCode: WireError(400, 400, "验证码错误或已失效"),
        errors.Overloaded: WireError(503, 503, "服务繁忙，请稍后再试"),
        errors.TokenMissing: _UNAUTHORIZED,
        errors.TokenMalformed: _UNAUTHORIZED,
        errors.TokenInvalid: _UNAUTHORIZED,
        errors.TokenExpired: _UNAUTHORIZED,
        errors.SessionEnded: _UNAUTHORIZED,
        errors.UserGone: WireError(404, 1003, "用户不存在"),
        errors.UserInactive: _UNAUTHORIZED,
        errors.TokenReused: _UNAUTHORIZED,
        errors.PermissionDenied: WireError(403, 403, "没有权限"),
        errors.OwnAccount: WireError(403, 403, "没有权限"),
        errors.LastAdministrator: WireError(403, 403, "没有权限"),
        errors.HTTPSRequired: WireError(426, 426, "请使用HTTPS访问"),
        ParseError: WireError(400, 400, "请求参数错误：请求体不是有效的JSON对象"),
        SuspiciousOperation: WireError(400, 400, "请求参数错误"),
        NotFound: WireError(404, 404, "请求的资源不存在"),
        Http404: WireError(404, 404, "请求的资源不存在"),
        MethodNotAllowed: WireError(405, 405, "不支持该请求方法"),
        RequestDataTooBig: WireError(413, 413, "请求体过大"),
        UnsupportedMediaType: WireError(415, 415, "请求体类型必须是application/json"),
        OperationalError: WireError(503, 503, "服务暂时不可用，请稍后再试"),
        InterfaceError: WireError(503, 503, "服务暂时不可用，请稍后再试"),
        BaseException: WireError(500, 500, "服务器内部错误"),
    }
)


def success(message: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return the envelope of what went well."""
    return {"success": True, "code": 0, "message": message, "data": data}


def failure(words: WireError, error: BaseException) -> dict[str, Any]:
    """Return the envelope of an error; its message names the fields that are wrong."""
    message = words.message
    if isinstance(error, errors.InvalidInput) and not isinstance(error, errors.AlreadyTaken):
        message = f"{message}：{chinese.told(error, LABELS)}"
    return {"success": False, "code": words.code, "message": message, "data": None}


def register(columns: Mapping[str, Any], password: str, origin: Origin) -> User:
    """Register somebody. Raises what `registration.register` raises; AlreadyTaken is for the user name alone.

    The document has a code for a name that is taken; for a number that is taken it has that of a wrong field.
    """
    try:
        return registration.register(columns=columns, password=password, roles=ROLES, origin=origin)
    except errors.AlreadyTaken as error:
        if "username" in error.errors:
            raise
        raise errors.InvalidInput(error.errors) from error


def only(role: str) -> LoginRule:
    """Return the rule of a login that says which role it is for."""
    return lambda user: None if user.role == role else FailureReason.WRONG_ROLE


def session_of(token: str) -> Session:
    """Return the live session of a token. Raises TokenInvalid, TokenExpired, SessionEnded and UserGone."""
    claims = tokens.read(ACCESS, token)
    try:
        session_id = UUID(claims["sid"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise errors.TokenInvalid from error
    return sessions.authenticate(session_id=session_id, contract=NAME)


def new_token(session: Session) -> str:
    """Return a token that lives from now on, but not past its session's end."""
    user, now = session.user, timezone.now()
    return tokens.sign(
        ACCESS,
        {
            "userId": user.pk,
            "username": user.username,
            "role": user.role.upper(),
            "sub": user.username,
            "sid": str(session.pk),
            "iat": int(now.timestamp()),
            "exp": int(_end(session, now).timestamp()),
        },
    )


def renewal(token: str, session: Session) -> dict[str, str]:
    """Return the header that renews a token of the session, once half of the token's life is over."""
    claims, now = tokens.read(ACCESS, token), timezone.now()
    left = timedelta(seconds=claims["exp"] - now.timestamp())
    # A token that lasts as long as its session does has nothing to gain.
    if left <= ACCESS.lifetime / 2 and int(_end(session, now).timestamp()) > claims["exp"]:
        return {"Authorization": f"Bearer {new_token(session)}"}
    return {}


def _end(session: Session, now: datetime) -> datetime:
    return min(now + ACCESS.lifetime, session.expires_at)


CONTRACT: Final = Contract(name=NAME, errors=ERRORS, envelope=failure, session_of=session_of, language="zh-hans")
