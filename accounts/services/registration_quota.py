"""The limit of registrations from one address. Responses that disclose that an account exists count against it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.utils import timezone

from accounts.errors import AlreadyTaken, TooManyRegistrations
from accounts.models import AttemptPurpose
from accounts.policies import DISCLOSURES_AN_ACCOUNT, REGISTRATION_WINDOW, REGISTRATIONS
from accounts.security.budgets import Account
from accounts.security.client_address import budget_address
from accounts.security.quota import Quota
from accounts.transactions import atomically
from audit.origin import Origin


def of_address(origin: Origin) -> Quota:
    """Return the quota of the address that a request came from."""
    address = budget_address(origin.ip)
    return Quota(AttemptPurpose.REGISTRATION, REGISTRATIONS, REGISTRATION_WINDOW, TooManyRegistrations, address=address)


@contextmanager
def limit_disclosure(origin: Origin) -> Iterator[Quota]:
    """Count an AlreadyTaken of the block as a registration; it discloses that an account exists.

    Where the limit is reached, TooManyRegistrations is raised before the block, whether an identifier is taken or free.
    """
    quota = of_address(origin)
    quota.require(timezone.now())
    try:
        yield quota
    except AlreadyTaken:
        atomically(lambda: quota.spend(timezone.now()))
        raise


@contextmanager
def limit_disclosure_to(user_id: int, origin: Origin) -> Iterator[None]:
    """Count an AlreadyTaken of the block, as `limit_disclosure` does, in a request of an account.

    The first ones of an account are counted and not refused, so that others at its address do not keep it from
    changing its contacts.
    """
    own = Quota(
        AttemptPurpose.REGISTRATION,
        DISCLOSURES_AN_ACCOUNT,
        REGISTRATION_WINDOW,
        TooManyRegistrations,
        account=Account(user_id),
    )
    try:
        own.require(timezone.now())
    except TooManyRegistrations:
        with limit_disclosure(origin):
            yield
        return
    try:
        yield
    except AlreadyTaken:
        own.spend(timezone.now())
        with suppress(TooManyRegistrations):
            of_address(origin).spend(timezone.now())
        raise
