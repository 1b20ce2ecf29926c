"""News for people of what has changed in their own account."""

from collections.abc import Mapping

from django.conf import settings
from django.utils import timezone

from accounts.messaging import outbox
from accounts.models import Channel, Kind, User
from accounts.policies import NOTICE_LIFE
from audit.origin import Origin


def tell(*, user: User, kind: Kind, origin: Origin, **values: str) -> None:
    """Tell somebody at every address that they have. Inside the transaction that makes the change."""
    _tell({channel: getattr(user, channel) for channel in Channel}, user, kind, origin, values)


def tell_of_new_address(*, user: User, channel: Channel, old: str | None, origin: Origin) -> None:
    """Tell somebody at their former address, or at the other one where there was none. Inside the transaction."""
    kind = {Channel.EMAIL: Kind.EMAIL_CHANGED, Channel.PHONE: Kind.PHONE_CHANGED}[channel]
    addresses = {channel: old} if old else {each: getattr(user, each) for each in Channel if each is not channel}
    _tell(addresses, user, kind, origin, {})


def _tell(
    addresses: Mapping[Channel, str | None], user: User, kind: Kind, origin: Origin, values: Mapping[str, str]
) -> None:
    now = timezone.now()
    for channel, address in addresses.items():
        if address:
            outbox.put(
                user=user,
                channel=channel,
                address=address,
                kind=kind,
                expires_at=now + NOTICE_LIFE,
                username=user.username,
                when=f"{timezone.localtime(now, settings.ZONE):%Y-%m-%d %H:%M}",
                ip=origin.ip or "",
                **values,
            )
