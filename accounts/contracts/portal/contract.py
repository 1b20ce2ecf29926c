"""The portal contract's tokens and words."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework.exceptions import MethodNotAllowed, NotFound, ParseError, UnsupportedMediaType

from accounts import errors
from accounts.contracts import chinese
from accounts.contracts.base import Contract, ErrorTable, WireError
from accounts.models import Role, Session
from accounts.policies import SessionPolicy, TokenPolicy
from accounts.security import tokens
from accounts.services import sessions
from audit.origin import Origin

NAME: Final = "portal"

SESSION: Final = SessionPolicy(idle_timeout=timedelta(days=7), absolute_timeout=timedelta(days=7), reuse_ends=False)
ACCESS: Final = TokenPolicy("portal:access", "HS256", "JWT", lifetime=timedelta(hours=2))

# Document 002 knows no roles; whoever registers there only looks.
ROLES: Final = frozenset({Role.VIEWER})

LABELS: Final = MappingProxyType({"username": "用户名", "password": "密码", "email": "邮箱", "nickname": "昵称"})


def _told(status: int, message: str) -> WireError:
    """Return words whose code is the HTTP status, as all of this contract's are."""
    return WireError(status, status, message)


_UNAUTHENTICATED: Final = _told(401, "未认证或token无效")

ERRORS: Final[ErrorTable] = MappingProxyType(
    {
        errors.InvalidInput: _told(400, "请求参数错误"),
        errors.AlreadyTaken: _told(400, "请求参数错误"),
        errors.NotFound: _told(404, "用户不存在"),
        errors.InvalidCredentials: _told(401, "用户名或密码错误"),
        errors.AccountDisabled: _told(403, "账户被禁用"),
        errors.ApprovalPending: _told(403, "账户正在等待管理员审核"),
        errors.TooManyAttempts: _told(429, "失败次数过多，请稍后再试"),
        errors.TooManyRegistrations: _told(429, "注册次数过多，请稍后再试"),
        errors.TooManyCodes: _told(429, "验证码发送过于频繁，请稍后再试"),
        errors.InvalidCode: _told(400, "验证码错误或已失效"),
        errors.Overloaded: _told(503, "服务繁忙，请稍后再试"),
        errors.TokenMissing: _UNAUTHENTICATED,
        errors.TokenMalformed: _UNAUTHENTICATED,
        errors.TokenInvalid: _UNAUTHENTICATED,
        errors.TokenExpired: _UNAUTHENTICATED,
        errors.SessionEnded: _UNAUTHENTICATED,
        errors.UserGone: _UNAUTHENTICATED,
        errors.UserInactive: _UNAUTHENTICATED,
        errors.TokenReused: _UNAUTHENTICATED,
        errors.PermissionDenied: _told(403, "没有权限"),
        errors.OwnAccount: _told(403, "没有权限"),
        errors.LastAdministrator: _told(403, "没有权限"),
        errors.HTTPSRequired: _told(426, "请使用HTTPS访问"),
        ParseError: _told(400, "请求参数错误：请求体不是有效的JSON对象"),
        SuspiciousOperation: _told(400, "请求参数错误"),
        NotFound: _told(404, "请求的地址不存在"),
        Http404: _told(404, "请求的地址不存在"),
        MethodNotAllowed: _told(405, "不支持该请求方法"),
        RequestDataTooBig: _told(413, "请求体过大"),
        UnsupportedMediaType: _told(415, "请求体类型必须是application/json"),
        OperationalError: _told(503, "服务暂时不可用，请稍后再试"),
        InterfaceError: _told(503, "服务暂时不可用，请稍后再试"),
        BaseException: _told(500, "服务器内部错误"),
    }
)


def success(message: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the envelope of what went well; without data it has no `data`."""
    body = {"code": 200, "message": message}
    return body if data is None else {**body, "data": data}


def failure(words: WireError, error: BaseException) -> dict[str, Any]:
    """Return the envelope of an error; its message names the fields that are wrong."""
    message = words.message
    if isinstance(error, errors.InvalidInput):
        message = f"{message}：{chinese.told(error, LABELS)}"
    return {"code": words.code, "message": message, "data": None}


def session_of(token: str) -> Session:
    """Return the live session of a token. Raises TokenInvalid, TokenExpired, SessionEnded and UserGone."""
    session_id, generation = _named(tokens.read(ACCESS, token))
    return sessions.authenticate(session_id=session_id, contract=NAME, generation=generation)


def refresh(token: str, origin: Origin) -> Session:
    """Spend a token and return its session. Raises what `session_of` raises."""
    session_id, generation = _named(tokens.read(ACCESS, token))
    return sessions.refresh(session_id=session_id, generation=generation, policy=SESSION, origin=origin)


def _named(claims: Mapping[str, Any]) -> tuple[UUID, int]:
    """Return the session and the generation that a token is of. Raises TokenInvalid."""
    generation = claims.get("generation")
    try:
        session_id = UUID(claims["sid"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise errors.TokenInvalid from error
    if not isinstance(generation, int):
        raise errors.TokenInvalid
    return session_id, generation


def token_of(session: Session) -> str:
    """Return the token that follows from the session's row: the same row gives the same token."""
    user, issued = session.user, session.rotated_at
    return tokens.sign(
        ACCESS,
        {
            "user_id": user.pk,
            "username": user.username,
            "sid": str(session.pk),
            "generation": session.generation,
            "iat": int(issued.timestamp()),
            "exp": int(min(issued + ACCESS.lifetime, session.expires_at).timestamp()),
        },
    )


CONTRACT: Final = Contract(name=NAME, errors=ERRORS, envelope=failure, session_of=session_of, language="zh-hans")
