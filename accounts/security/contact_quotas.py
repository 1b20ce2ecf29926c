"""How many messages one contact receives, over all accounts and purposes; rows hold a keyed digest of the contact."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import salted_hmac

from accounts import names
from accounts.errors import TooManyCodes
from accounts.models import AttemptPurpose
from accounts.policies import (
    MESSAGES_A_DAY,
    MESSAGES_A_MINUTE,
    MESSAGES_AN_HOUR,
    MESSAGES_KEPT_A_DAY,
    MESSAGES_KEPT_AN_HOUR,
)
from accounts.security.budgets import Account
from accounts.security.quota import Quota


def spend(channel: str, contact: str, now: datetime, *, trusted: bool) -> None:
    """Count a message to a contact. Inside a transaction; raises TooManyCodes, and then nothing is counted.

    `trusted` says whether the contact is proved or vouched for in the account that the message is about. The last ones
    of an hour and of a day are kept for such messages.
    """
    with transaction.atomic():
        for quota in _quotas(_mailbox(channel, contact), trusted=trusted):
            quota.spend(now)


def rehearse(channel: str, contact: str, now: datetime) -> None:
    """Do the work of `spend` and count nothing, so that the time does not disclose whether a message is sent."""
    with transaction.atomic():
        for quota in _quotas(f"{_mailbox(channel, contact)} ", trusted=True):
            quota.spend(now)
        transaction.set_rollback(True)


def _quotas(mailbox: str, *, trusted: bool) -> Sequence[Quota]:
    """Return the limits of one contact, in the order in which their rows are always written."""
    digest = salted_hmac("accounts.contact_quotas", mailbox, algorithm="sha256").hexdigest()
    kept_a_day, kept_an_hour = (0, 0) if trusted else (MESSAGES_KEPT_A_DAY, MESSAGES_KEPT_AN_HOUR)
    limits = (
        (AttemptPurpose.CONTACT_DAY, MESSAGES_A_DAY - kept_a_day, timedelta(days=1)),
        (AttemptPurpose.CONTACT_HOUR, MESSAGES_AN_HOUR - kept_an_hour, timedelta(hours=1)),
        (AttemptPurpose.CONTACT_MINUTE, MESSAGES_A_MINUTE, timedelta(minutes=1)),
    )
    return [
        Quota(purpose, limit, window, TooManyCodes, Account(name_digest=digest)) for purpose, limit, window in limits
    ]


def _mailbox(channel: str, contact: str) -> str:
    """Return what all spellings of a contact share; mail systems deliver `li+1@b.com` to `li@b.com` (RFC 5233)."""
    try:
        canonical = names.IDENTIFIERS[channel].canonical(contact)
    except names.InvalidIdentifier:
        # The rules may have changed since the contact was stored.
        canonical = contact.lower()
    local, at, domain = canonical.rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"
