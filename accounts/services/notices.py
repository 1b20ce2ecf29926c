"""Notices to users about changes of their own account, to contacts that are proved or vouched for.

A notice over the quota of its contact is dropped.
"""

from collections.abc import Mapping
from contextlib import suppress

from django.utils import timezone

from accounts.errors import TooManyCodes
from accounts.messaging import outbox
from accounts.models import Channel, Kind, User
from accounts.names import CONTACTS
from accounts.policies import NOTICE_LIFE
from audit.origin import Origin

_CHANGED = {Channel.EMAIL: Kind.EMAIL_CHANGED, Channel.PHONE: Kind.PHONE_CHANGED}


def trusted_contacts(user: User) -> dict[str, str]:
    """Return the contacts that receive notices, as the database has them."""
    stored: User = User.objects.get(pk=user.pk)
    return stored.trusted_contacts()


def notify(*, user: User, kind: Kind, origin: Origin) -> None:
    """Notify a user at every trusted contact that the database holds. Inside the transaction that makes the change."""
    _enqueue(trusted_contacts(user), user, kind, origin)


def notify_of_login(*, user: User, kind: Kind, origin: Origin) -> None:
    """Notify a user of a login from a new address or device, by e-mail or else by phone.

    Inside the transaction of the login. Logins may come from ever new addresses and devices, so these notices leave the
    last messages of the contact to others.
    """
    contacts = user.trusted_contacts()
    channel = next((each for each in Channel if each in contacts), None)
    if channel:
        _enqueue({channel: contacts[channel]}, user, kind, origin, trusted=False)


def notify_of_new_address(
    *, user: User, channel: Channel, old: str | None, former_contacts: Mapping[str, str], origin: Origin
) -> None:
    """Notify a user of a replaced contact at the former one, or at the other where that one is not trusted.

    `former_contacts` are the trusted contacts before the change. Inside the transaction that makes it.
    """
    former = former_contacts.get(channel)
    contacts = {channel.value: former} if former else former_contacts
    _enqueue(contacts, user, _CHANGED[channel], origin, old=old or "", new=getattr(user, channel) or "")


def notify_applicant(*, user: User, kind: Kind, origin: Origin) -> None:
    """Tell an applicant at one contact, be it proved or not, that the registration was approved or rejected.

    Inside the transaction that decides.
    """
    stored: User = User.objects.get(pk=user.pk)
    given = {each: getattr(stored, each) for each in CONTACTS if getattr(stored, each)}
    reached = [each for each, contact in given.items() if outbox.reaches(each, contact)]
    for channel in sorted(reached, key=stored.is_trusted, reverse=True)[:1]:
        _enqueue({channel: given[channel]}, stored, kind, origin, trusted=stored.is_trusted(channel))


def notify_at_proved(*, user: User, kind: Kind, origin: Origin, **values: str) -> None:
    """Notify a user at one proved contact, by e-mail or else by phone. Inside a transaction."""
    proved = [each for each in CONTACTS if getattr(user, f"{each}_verified")]
    _enqueue({each: getattr(user, each) for each in proved[:1]}, user, kind, origin, trusted=True, **values)


def _enqueue(
    contacts: Mapping[str, str], user: User, kind: Kind, origin: Origin, *, trusted: bool = True, **values: str
) -> None:
    expires_at = timezone.now() + NOTICE_LIFE
    for channel, address in contacts.items():
        if not outbox.reaches(channel, address):
            continue
        with suppress(TooManyCodes):
            outbox.enqueue(
                user=user,
                channel=Channel(channel),
                address=address,
                kind=kind,
                expires_at=expires_at,
                trusted=trusted,
                ip=origin.ip or "",
                **values,
            )
