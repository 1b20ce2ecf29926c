"""The logins of browsers: Django's session has the id of a session's row or, before the second factor, the token.

The row decides. Where it is not active any more, Django's session goes with it.
"""

from dataclasses import asdict, dataclass, replace
from typing import Final
from uuid import UUID

from django.contrib.auth import SESSION_KEY, login
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from accounts.errors import (
    PasswordExpired,
    SecondFactorEnrollmentRequired,
    SecondFactorRequired,
    SessionEnded,
    UserGone,
)
from accounts.models import EndReason, Session, User
from accounts.services import admin_sessions, sessions
from audit.events import FailureReason
from audit.origin import ADMIN_SITE, request_origin

_ROW: Final = "session_row"
_WAITING: Final = "waiting_login"
_EXPIRED: Final = "expired_password"
_CURRENT: Final = "current_session"


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """A login whose password was right: its token, the factors that will do, and where it leads.

    With `enrolls` the token opens the enrolment of a first factor, and nothing else.
    """

    token: str
    methods: list[str]
    next: str
    enrolls: bool


def staff_only(user: User) -> FailureReason | None:
    """Return why a user whose password was right may not log in to the admin site, or None."""
    return None if user.is_staff else FailureReason.WRONG_ROLE


def user_of(request: HttpRequest) -> User | AnonymousUser:
    """Return the user who is logged in."""
    session = current(request)
    return session.user if session else AnonymousUser()


def current(request: HttpRequest) -> Session | None:
    """Return the active session of a request, with its `user`; read once for each request."""
    if _CURRENT not in vars(request):
        vars(request)[_CURRENT] = _authenticated(request)
    found: Session | None = vars(request)[_CURRENT]
    return found


def _authenticated(request: HttpRequest) -> Session | None:
    if _ROW not in request.session:
        if SESSION_KEY in request.session:
            # A login of a release whose logins had no rows.
            request.session.flush()
        return None
    # The pages that describe the API are outside the admin site's path.
    origin = replace(request_origin(request), contract=ADMIN_SITE)
    try:
        session, has_moved = admin_sessions.authenticate(session_id=UUID(request.session[_ROW]), origin=origin)
    except (SessionEnded, UserGone):
        request.session.flush()
        return None
    if has_moved:
        # Django's session and its cookie expire with the row.
        request.session.modified = True
    return session


def start(request: HttpRequest, session: Session) -> None:
    """Log the browser in; its former login ends, and its cookie changes."""
    end(request)
    login(request, session.user)
    request.session[_ROW] = str(session.pk)
    vars(request)[_CURRENT] = session


def end(request: HttpRequest) -> None:
    """End the login of the browser, and the one that waits for its second factor."""
    if session := current(request):
        sessions.end(session=session, reason=EndReason.LOGOUT, origin=request_origin(request), actor=session.user)
    request.session.flush()
    vars(request)[_CURRENT] = None


def wait(request: HttpRequest, challenge: SecondFactorRequired, next_url: str) -> None:
    """Keep a login that waits for its second factor, as long as its token lives; nobody is logged in meanwhile."""
    end(request)
    enrolls = isinstance(challenge, SecondFactorEnrollmentRequired)
    login = PendingLogin(challenge.token, list(challenge.methods), next_url, enrolls)
    request.session[_WAITING] = asdict(login)
    request.session.set_expiry(challenge.lifetime)


def waiting(request: HttpRequest, *, enrolls: bool) -> PendingLogin | None:
    """Return the login that waits for its second factor, or for the enrolment of one."""
    found = request.session.get(_WAITING)
    login = PendingLogin(**found) if found else None
    return login if login and login.enrolls is enrolls else None


def await_password(request: HttpRequest, expired: PasswordExpired) -> None:
    """Keep the token of a login whose password has expired, as long as it lives; nobody is logged in meanwhile."""
    end(request)
    request.session[_EXPIRED] = expired.token
    request.session.set_expiry(expired.lifetime)


def token_of_expired_password(request: HttpRequest) -> str | None:
    """Return the token that changes the expired password of this browser's login."""
    token: str | None = request.session.get(_EXPIRED)
    return token
