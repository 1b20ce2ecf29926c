"""News for people of what has changed in their own account."""

from collections.abc import Mapping

from django.utils import timezone

from accounts.messaging import outbox
from accounts.models import Channel, Kind, User
from accounts.policies import NOTICE_LIFE
from audit.origin import Origin

_CHANGED = {Channel.EMAIL: Kind.EMAIL_CHANGED, Channel.PHONE: Kind.PHONE_CHANGED}


def notify(*, user: User, kind: Kind, origin: Origin) -> None:
    """Tell somebody wherever the database says that they are reached. Inside the transaction that makes the change."""
    addresses = User.objects.values(*Channel.values).get(pk=user.pk)
    _enqueue({channel: addresses[channel] for channel in Channel}, user, kind, origin)


def notify_of_new_address(*, user: User, channel: Channel, old: str | None, origin: Origin) -> None:
    """Tell somebody at their former address, or at the other one where there was none. Inside the transaction."""
    addresses = {channel: old} if old else {each: getattr(user, each) for each in Channel if each is not channel}
    _enqueue(addresses, user, _CHANGED[channel], origin, old=old or "", new=getattr(user, channel) or "")


def _enqueue(addresses: Mapping[Channel, str | None], user: User, kind: Kind, origin: Origin, **values: str) -> None:
    expires_at = timezone.now() + NOTICE_LIFE
    told = {"ip": origin.ip or "", **values}
    for channel, address in addresses.items():
        if address:
            outbox.enqueue(user=user, channel=channel, address=address, kind=kind, expires_at=expires_at, **told)
