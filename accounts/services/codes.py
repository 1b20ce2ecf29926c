"""One-time codes and links: sent by message, and verified as proof of a contact.

A code is prepared (made and hashed) outside any transaction, and stored inside the caller's, with its message.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.utils import timezone

from accounts.errors import InvalidCode, TooManyAttempts, TooManyCodes
from accounts.messaging import outbox
from accounts.models import Channel, Code, Kind, Purpose, User
from accounts.policies import LONGEST_WAIT
from accounts.security import budgets, contact_quotas, links
from accounts.security.client_address import budget_address
from accounts.security.codes import Target
from accounts.security.links import LinkToken
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record

_WITH_LINK: Final = frozenset({Purpose.RESET, Purpose.ACTIVATION})


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who receives a code: the user, the contact, and the kind of message.

    `anonymous` says that the request has no authenticated user, who must not learn from a limit of the contact that
    the account has it: over that limit the code is not sent, and the answer is the same.
    """

    user: User
    channel: Channel
    contact: str
    kind: Kind
    anonymous: bool = False

    @property
    def is_trusted(self) -> bool:
        """Whether the contact is the user's present one, and proved or vouched for."""
        return self.user.trusted_contacts().get(self.channel) == self.contact


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code that is made and hashed, with its link, and not stored yet; an activation has a link and no code.

    `recipient` is None where there is no account or the contact is not its own: then everything but the message is
    done, so that the caller sees no difference.
    """

    target: Target
    recipient: Recipient | None
    code: str
    encoded: str
    link: LinkToken
    link_digest: str


def send(
    *, target: Target, recipient: Recipient | None, stamp: str, origin: Origin, actor_id: int | None = None
) -> str:
    """Make a code, store it with its message, and return it.

    `actor_id` is of the administrator who has it sent to another user. Raises TooManyCodes, TooManyCodesSent for such
    an administrator, and Overloaded.
    """
    new = prepare(target=target, recipient=recipient, origin=origin, actor_id=actor_id)
    atomically(lambda: store(new=new, stamp=stamp, origin=origin, actor_id=actor_id))
    return new.code


def prepare(*, target: Target, recipient: Recipient | None, origin: Origin, actor_id: int | None = None) -> NewCode:
    """Make and hash a code. Outside any transaction; raises TooManyCodes, TooManyCodesSent and Overloaded."""
    for quota in target.quotas(budget_address(origin.ip), actor_id):
        quota.require(timezone.now())
    code, encoded = ("", "") if target.purpose is Purpose.ACTIVATION else target.make()
    link = links.new(target)
    digest = links.digest(target, encoded, link.secret)
    return NewCode(target, recipient if target.genuine else None, code, encoded, link, digest)


def store(*, new: NewCode, stamp: str, origin: Origin, actor_id: int | None = None) -> None:
    """Store a code, and queue its message. Inside the caller's transaction; raises TooManyCodes, TooManyCodesSent."""
    now = timezone.now()
    for quota in new.target.quotas(budget_address(origin.ip), actor_id):
        quota.spend(now)
    sent = _enqueue(new, now)
    # A code that is not sent must not replace the account's former one.
    target = new.target if sent else replace(new.target, genuine=False)
    target.store(new.encoded, new.link_digest, stamp=stamp, now=now)
    record(_event(origin, Event.CODE_REQUESTED, new.target, actor_id, sent=sent))


def _enqueue(new: NewCode, now: datetime) -> bool:
    """Queue the message of a code; return whether there is one. Raises TooManyCodes."""
    to = new.recipient
    if to is None:
        contact_quotas.rehearse(new.target.channel, new.target.contact, now)
        return False
    try:
        outbox.enqueue(
            user=to.user,
            channel=to.channel,
            address=to.contact,
            kind=to.kind,
            expires_at=now + new.target.life,
            trusted=to.is_trusted,
            **_values(new),
        )
    except TooManyCodes:
        if not to.anonymous:
            raise
        return False
    return True


def _values(new: NewCode) -> dict[str, str]:
    """Return what the message carries. A text message has no room for a link, and its templates have none."""
    values = {"code": new.code} if new.code else {}
    with_link = new.target.purpose in _WITH_LINK and new.target.channel == Channel.EMAIL
    return {**values, "link": str(new.link)} if with_link else values


def verify(*, target: Target, code: object, stamp: str, origin: Origin) -> Code:
    """Return the stored code where this is it; a wrong one uses up one of the five tries.

    A code that is not spent stays valid. Raises InvalidCode, TooManyAttempts and Overloaded.
    """
    now = timezone.now()
    of_address = budgets.address_budget(budget_address(origin.ip))
    if left := budgets.locked_for(of_address, now):
        raise TooManyAttempts(left)
    if not budgets.claim(target.tries, now):
        raise TooManyAttempts(budgets.locked_for(target.tries, now) or LONGEST_WAIT)
    try:
        row = target.check(code, stamp=stamp, now=now)
    except BaseException:
        atomically(lambda: budgets.give_back(target.tries))
        raise
    if row is None:
        atomically(lambda: _count_failure(target, of_address, origin))
        raise InvalidCode
    atomically(lambda: budgets.give_back(target.tries))
    return row


def spend(row: Code) -> None:
    """Use a verified code up, and its link with it.

    Inside the caller's transaction; raises InvalidCode where one of them was used already.
    """
    deleted, _rows = Code.objects.filter(pk=row.pk, encoded=row.encoded, link=row.link).delete()
    if not deleted:
        raise InvalidCode


def _count_failure(target: Target, of_address: budgets.Budget, origin: Origin) -> None:
    now = timezone.now()
    budgets.count_failure(of_address, now, claimed=False)
    locked = budgets.count_failure(target.tries, now)
    kinds = (Event.CODE_REFUSED, *([Event.CODES_LOCKED] if locked else []))
    record(*(_event(origin, kind, target) for kind in kinds))


def _event(
    origin: Origin, event: Event, target: Target, actor_id: int | None = None, **detail: object
) -> SecurityEvent:
    user_id = target.account.user_id or None
    detail = {"purpose": target.purpose.value, "channel": str(target.channel), **detail}
    return SecurityEvent.of(origin, event, user_id=user_id, actor_id=actor_id, **detail)
