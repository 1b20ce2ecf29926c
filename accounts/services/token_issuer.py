"""How a contract opens a session: its policy, the keys that it signs with, and the tokens of a new session."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import uuid4

from accounts.models import Session, User
from accounts.policies import SessionPolicy, TokenPolicy
from accounts.security.keys import ring
from accounts.services.factor_check import Proof
from audit.origin import Origin

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TokenIssuer(Generic[T]):
    """`issue` makes what the client gets for a session, signed by the keys of `signed_by`.

    It is called before the login is committed, because it may fail, with a session that is not stored yet.
    """

    session: SessionPolicy
    signed_by: tuple[TokenPolicy, ...]
    issue: Callable[[Session], T]

    def require_keys(self) -> None:
        """Read the keys that sign; the first call ever makes them. Raises KeysUnavailable."""
        for policy in self.signed_by:
            ring.signer(policy)

    def new_session(self, user: User, proof: Proof, origin: Origin, now: datetime) -> Session:
        """Return the session of a user with this proof; it has its id and is not stored yet."""
        latest_end_at = now + self.session.absolute_timeout
        return Session(
            id=proof.session_id or uuid4(),
            user=user,
            stamp=user.stamp,
            methods=" ".join(proof.methods),
            contract=origin.contract,
            ip=origin.ip,
            user_agent=origin.user_agent,
            created_at=now,
            last_seen_at=now,
            rotated_at=now,
            expires_at=min(latest_end_at, now + self.session.idle_timeout),
            latest_end_at=latest_end_at,
        )
