"""Links by which a user chooses a password: a secret of their own in place of a code."""

from django.utils import timezone

from accounts.errors import InvalidCode, LinkExpired, TooManyAttempts
from accounts.models import Channel, Code, User
from accounts.security import budgets, links
from accounts.security.client_address import budget_address
from accounts.security.codes import Target
from accounts.security.links import LinkToken
from accounts.services import contacts, passwords, recovery
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record


def set_password(*, token: str, new: str, origin: Origin) -> User:
    """Give an account the password that its user has chosen by a link, and return the user.

    The link serves once, and what a reset by a code does happens here too. A token that was never issued, or whose link
    has been used, replaced or voided by a change to the account, counts among the failures of the address. Raises
    InvalidInput, after which the link is still valid; InvalidCode, LinkExpired, TooManyAttempts and Overloaded.
    """
    of_address = budgets.address_budget(budget_address(origin.ip))
    if left := budgets.locked_for(of_address, timezone.now()):
        raise TooManyAttempts(left)
    found = links.read(token)
    passwords.require_valid(new, User(), recovery.password_rule())
    verified = _verified(found) if found else None
    if verified is None:
        atomically(lambda: _count_failure(of_address, origin, found))
        raise InvalidCode
    row, user, target = verified
    if row.expires_at <= timezone.now():
        raise LinkExpired
    recovery.store_password(user=user, target=target, new=new, verified=row, origin=origin)
    return user


def _verified(token: LinkToken) -> tuple[Code, User, Target] | None:
    """Return the row, the user and the target of a token whose account and contact are as they were, or None."""
    row = Code.objects.filter(account_id=token.account_id, name_digest="", purpose=token.purpose).first()
    user = User.objects.filter(pk=token.account_id, is_active=True).first()
    if row is None or user is None or row.stamp != user.stamp:
        return None
    for channel in Channel:
        if contacts.accepts_reset_code(user, channel):
            contact = contacts.canonical(channel, getattr(user, channel))
            target = Target(budgets.Account(user.pk), token.purpose, channel, contact)
            if links.fits(row, target, token.secret):
                return row, user, target
    return None


def _count_failure(of_address: budgets.Budget, origin: Origin, token: LinkToken | None) -> None:
    budgets.count_failure(of_address, timezone.now(), claimed=False)
    known = token is not None and User.objects.filter(pk=token.account_id).exists()
    user_id = token.account_id if token and known else None
    purpose = token.purpose.value if token else ""
    record(SecurityEvent.of(origin, Event.CODE_REFUSED, user_id=user_id, purpose=purpose, link=True))
