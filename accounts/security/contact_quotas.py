"""How many messages one contact receives, over all accounts and purposes; rows hold a keyed digest of the contact."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import salted_hmac

from accounts import names
from accounts.errors import TooManyCodes
from accounts.models import AttemptPurpose
from accounts.policies import MESSAGES_A_DAY, MESSAGES_A_MINUTE, MESSAGES_AN_HOUR
from accounts.security.budgets import Account
from accounts.security.quota import Quota


def spend(channel: str, contact: str, now: datetime) -> None:
    """Count a message to a contact. Inside a transaction; raises TooManyCodes, and then nothing is counted."""
    with transaction.atomic():
        for quota in _quotas(_mailbox(channel, contact)):
            quota.spend(now)


def rehearse(channel: str, contact: str, now: datetime) -> None:
    """Do the work of `spend` and count nothing, so that the time does not disclose whether a message is sent."""
    with transaction.atomic():
        for quota in _quotas(f"{_mailbox(channel, contact)} "):
            quota.spend(now)
        transaction.set_rollback(True)


def _quotas(mailbox: str) -> Sequence[Quota]:
    """Return the limits of one contact, in the order in which their rows are always written."""
    digest = salted_hmac("accounts.contact_quotas", mailbox, algorithm="sha256").hexdigest()
    limits = (
        (AttemptPurpose.CONTACT_DAY, MESSAGES_A_DAY, timedelta(days=1)),
        (AttemptPurpose.CONTACT_HOUR, MESSAGES_AN_HOUR, timedelta(hours=1)),
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
