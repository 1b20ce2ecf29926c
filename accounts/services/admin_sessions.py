"""Sessions of the admin site: rows as those of every contract, which requests renew instead of tokens."""

from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.models import Session
from accounts.policies import ADMIN_SESSION, ADMIN_SESSION_STEP
from accounts.services import session_events, sessions
from accounts.services.token_issuer import TokenIssuer
from accounts.transactions import atomically
from audit.origin import Origin


def _itself(session: Session) -> Session:
    return session


# A browser has the session's id in Django's session: nothing is signed for it.
LOGIN: Final = TokenIssuer(ADMIN_SESSION, (), _itself)


def authenticate(*, session_id: UUID, origin: Origin) -> tuple[Session, bool]:
    """Return the active session with its `user`, in one statement, and whether this request has moved its end.

    One request a minute moves it, and records where the session is used from another address or device than before.
    Raises UserGone, UserInactive and SessionEnded.
    """
    session, _in_grace = sessions.find(session_id, origin.contract)
    now = timezone.now()
    sessions.require_active(session, now)
    if session.last_seen_at > now - ADMIN_SESSION_STEP:
        return session, False

    def work() -> None:
        end = min(session.latest_end_at, now + ADMIN_SESSION.idle_timeout)
        unmoved = Session.objects.filter(pk=session.pk, ended_at=None, last_seen_at=session.last_seen_at)
        if unmoved.update(last_seen_at=now, expires_at=end):
            session_events.store_origin(session=session, origin=origin, now=now)

    atomically(work)
    return session, True
