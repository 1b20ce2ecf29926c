"""Whether the address of a login is new to its account."""

from django.utils import timezone

from accounts.models import Session, User
from accounts.policies import ADDRESS_KNOWN
from accounts.security.client_address import budget_address
from accounts.security.lockout import Reservation


def is_new(*, user: User, reservation: Reservation) -> bool:
    """Return whether the reservation's address is neither that of the last login nor one of those within ADDRESS_KNOWN.

    The first login of an account has nothing to be compared with.
    """
    if reservation.is_known_address or user.last_login_ip is None:
        return False
    if budget_address(user.last_login_ip) == reservation.address:
        return False
    # The lockout does not know the addresses of logins by a passkey alone, which it does not bind.
    since = timezone.now() - ADDRESS_KNOWN
    addresses = Session.objects.filter(user=user, created_at__gte=since).order_by().values_list("ip", flat=True)
    return reservation.address not in {budget_address(ip) for ip in addresses.distinct()}
