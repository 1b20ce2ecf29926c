"""Notices to users about changes of their own account."""

from collections.abc import Mapping

from django.utils import timezone

from accounts.messaging import outbox
from accounts.models import Channel, Kind, User
from accounts.policies import NOTICE_LIFE
from audit.origin import Origin

_CHANGED = {Channel.EMAIL: Kind.EMAIL_CHANGED, Channel.PHONE: Kind.PHONE_CHANGED}


def notify(*, user: User, kind: Kind, origin: Origin) -> None:
    """Notify a user at every contact that the database holds. Inside the transaction that makes the change."""
    addresses = User.objects.values(*Channel.values).get(pk=user.pk)
    _enqueue({channel: addresses[channel] for channel in Channel}, user, kind, origin)


def notify_of_new_address(*, user: User, channel: Channel, old: str | None, origin: Origin) -> None:
    """Notify a user at the former contact, or at the other one where there was none. Inside the transaction."""
    addresses = {channel: old} if old else {each: getattr(user, each) for each in Channel if each is not channel}
    _enqueue(addresses, user, _CHANGED[channel], origin, old=old or "", new=getattr(user, channel) or "")


def _enqueue(contacts: Mapping[Channel, str | None], user: User, kind: Kind, origin: Origin, **values: str) -> None:
    expires_at = timezone.now() + NOTICE_LIFE
    for channel, address in contacts.items():
        if address:
            outbox.enqueue(
                user=user,
                channel=channel,
                address=address,
                kind=kind,
                expires_at=expires_at,
                ip=origin.ip or "",
                **values,
            )
