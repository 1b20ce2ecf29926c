"""Counters of failed attempts, their limits and locks."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Greatest
from django.db.models.lookups import LessThan
from django.db.models.sql import UpdateQuery
from django.utils.translation import gettext_lazy as _

from accounts.policies import ADDRESS_KNOWN, REFUSAL_INTERVAL, RESERVATION_LIFE, Lockout
from audit.prepared import update_query

_COUNT = models.IntegerField()


class AttemptPurpose(models.TextChoices):
    """What a budget limits, and which columns its key has: an account, an address, or both."""

    # Failed logins: of an account from one address, and from all addresses together that are unknown to it.
    LOGIN = "login"
    LOGIN_UNKNOWN_ADDRESSES = "login:unknown_addresses"
    # Failed logins and wrong codes from one address, over all accounts.
    ADDRESS = "address"
    # Failed logins of an account since its last successful one, from all addresses.
    LOGIN_SINCE_SUCCESS = "login:since_success"
    # Right passwords of an account from one address that wait for the second factor.
    LOGIN_CHALLENGES = "login:challenges"
    # Successful logins of an account, and changes that its user makes to it: with and without the current password, and
    # by a code or a link.
    LOGIN_SUCCESSES = "login:successes"
    OWN_CHANGES = "changes"
    OWN_CHANGES_PROVED = "changes:proved"
    OWN_CHANGES_BY_CODE = "changes:code"
    # Accounts known at an address that it has locked, and passwords evaluated from a suspicious address.
    ADDRESS_SUSPICION = "address:suspicion"
    ADDRESS_RATE = "address:rate"
    # Accounts registered from one address, and responses to one account or address that a contact is taken.
    REGISTRATION = "registration"
    # Events about the lists of people that an administrator reads, and about the reading of single accounts.
    PEOPLE_LISTED = "people:listed"
    PEOPLE_READ = "people:read"
    # Codes sent on requests from one address, over all accounts.
    CODES_OF_ADDRESS = "codes:address"
    # Codes and links that an administrator has sent to others.
    CODES_OF_ADMINISTRATOR = "codes:administrator"
    # Messages sent to one contact, over all accounts; the key has a digest of the contact.
    CONTACT_MINUTE = "contact:minute"
    CONTACT_HOUR = "contact:hour"
    CONTACT_DAY = "contact:day"
    # Wrong codes of an account, and codes sent to it, by the purpose of the code.
    RESET_CHECK = "code:reset:check"
    RESET_DAY = "code:reset:day"
    RESET_MINUTE = "code:reset:minute"
    ACTIVATION_DAY = "code:activation:day"
    ACTIVATION_MINUTE = "code:activation:minute"
    EMAIL_CHECK = "code:email:check"
    EMAIL_DAY = "code:email:day"
    EMAIL_MINUTE = "code:email:minute"
    PHONE_CHECK = "code:phone:check"
    PHONE_DAY = "code:phone:day"
    PHONE_MINUTE = "code:phone:minute"


class AttemptBudgetQuerySet(models.QuerySet["AttemptBudget"]):
    """Conditions on budgets, and the statements that change them; `now` may be a `Parameter` of a prepared one."""

    def with_failures(self, now: datetime) -> Self:
        """Return the rows with failures or a lock that still count."""
        return self.filter(Q(count__gt=0) | Q(locked_until__gt=now), expires_at__gt=now)

    def from_known_addresses(self, now: datetime) -> Self:
        """Return the rows whose account has recently logged in from their address."""
        return self.filter(last_success_at__gt=now - ADDRESS_KNOWN)

    def idle(self, since: datetime, now: datetime) -> Self:
        """Return the rows that have been without use or effect `since` then: an attempt treats them as absent.

        The window of each purpose decides, so failures since the last success have no end, and a lock lasts as it does
        otherwise. An address that is known to an account stays known. Refusals that have no row in the trail yet are
        forgotten with the row.
        """
        unused = self.filter(expires_at__lte=since).exclude(locked_until__gt=since).exclude(claims_expire_at__gt=since)
        return unused.exclude(purpose=AttemptPurpose.LOGIN, last_success_at__gt=now - ADDRESS_KNOWN)

    def claim(self, policy: Lockout, now: datetime) -> UpdateQuery:
        """Return the statement that takes one attempt out of the budget, if there is one left.

        One statement decides, so that parallel attempts cannot share the last one. Expired counts are taken for zero,
        and so are claims that a crash has left behind.
        """
        past = Q(expires_at__lte=now)
        crashed = past | Q(claims_expire_at__lte=now)
        in_flight = Case(When(crashed, then=0), default=F("in_flight"), output_field=_COUNT)
        unlocked = self.filter(Q(locked_until__isnull=True) | Q(locked_until__lte=now))
        # A row that has counted by a higher limit than it has now is left one attempt at a time.
        left = unlocked.filter(
            past
            | Q(LessThan(F("count") + in_flight, policy.limit))
            | Q(LessThan(in_flight, 1), count__gte=policy.limit)
        )
        # MySQL assigns from left to right, so what the conditions read is written last.
        return update_query(
            left,
            count=Case(When(past, then=0), default=F("count"), output_field=_COUNT),
            in_flight=in_flight + 1,
            locks=Case(When(past, then=0), default=F("locks"), output_field=_COUNT),
            expires_at=Case(When(past, then=now + policy.window), default=F("expires_at")),
            claims_expire_at=now + RESERVATION_LIFE,
        )

    def release(self) -> UpdateQuery:
        """Return the statement that gives a claimed attempt back."""
        return update_query(self, in_flight=Greatest(F("in_flight"), 1, output_field=_COUNT) - 1)

    def settle_success(self, window: timedelta, now: datetime) -> UpdateQuery:
        """Return the statement that settles a good login.

        It settles the account's row of its address, and counts the login in that of its successes: one statement,
        because every login makes it.
        """
        counts = Q(purpose=AttemptPurpose.LOGIN_SUCCESSES)
        begins = counts & Q(expires_at__lte=now)
        return update_query(
            self,
            count=Case(When(begins, then=1), When(counts, then=F("count") + 1), default=0, output_field=_COUNT),
            in_flight=Greatest(F("in_flight"), 1, output_field=_COUNT) - 1,
            locks=0,
            locked_until=None,
            last_success_at=now,
            # MySQL assigns from left to right, so what the conditions read is written last.
            expires_at=Case(When(begins, then=now + window), default=F("expires_at")),
        )

    def spend(self, limit: int, window: timedelta, now: datetime) -> UpdateQuery:
        """Return the statement that counts one use against a limit that has no locks, if it is not reached."""
        past = Q(expires_at__lte=now)
        return update_query(
            self.filter(past | Q(count__lt=limit)),
            count=Case(When(past, then=1), default=F("count") + 1, output_field=_COUNT),
            expires_at=Case(When(past, then=now + window), default=F("expires_at")),
        )


class AttemptBudget(models.Model):
    """How many attempts at one purpose an account, an address, or an account from an address has left.

    `account_id` is 0 and `name_digest` blank where the budget is of no account; `name_digest` stands for a name that
    no account has, or for a contact. `address` is blank where the budget counts attempts from every address.
    """

    purpose = models.CharField(max_length=30, choices=AttemptPurpose)
    account_id = models.BigIntegerField(default=0)
    name_digest = models.CharField(max_length=64, default="", blank=True)
    address = models.CharField(max_length=50, default="", blank=True)
    # Failures of a check, or uses of a quota, in the current window.
    count = models.PositiveSmallIntegerField(default=0)
    # Attempts that have been claimed and not settled; they count until `claims_expire_at`.
    in_flight = models.PositiveSmallIntegerField(default=0)
    claims_expire_at = models.DateTimeField(null=True)
    locked_until = models.DateTimeField(null=True)
    # Locks in a row: each one lasts twice as long as the last.
    locks = models.PositiveSmallIntegerField(default=0)
    last_success_at = models.DateTimeField(null=True)
    # The end of the window: `count` and `locks` are zero from then on.
    expires_at = models.DateTimeField()
    # Refusals while locked that have no row in the trail yet.
    refused = models.PositiveIntegerField(default=0)
    refusal_recorded_at = models.DateTimeField(null=True)

    objects = AttemptBudgetQuerySet.as_manager()

    class Meta:
        verbose_name = _("lock")
        verbose_name_plural = _("locks in force")
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["purpose", "account_id", "name_digest", "address"], name="attempt_budget_key"
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.account_id or self.name_digest or '-'} {self.address or '-'}"

    def locked_for(self, now: datetime) -> timedelta | None:
        """Return how much longer the row is locked, or None."""
        return self.locked_until - now if self.locked_until and self.locked_until > now else None

    def is_known_address(self, now: datetime) -> bool:
        return self.last_success_at is not None and self.last_success_at > now - ADDRESS_KNOWN

    def is_exhausted(self, limit: int, now: datetime) -> bool:
        return self.count >= limit and self.expires_at > now

    def count_failure(self, policy: Lockout, now: datetime, *, claimed: bool) -> bool:
        """Turn a claimed attempt into a failure; return whether that locked the row. The caller saves."""
        if self.expires_at <= now:
            self.count = self.in_flight = self.locks = 0
            self.expires_at = now + policy.window
        if claimed:
            self.in_flight = max(0, self.in_flight - 1)
        if self.locked_for(now):
            return False
        self.count += 1
        if policy.extends:
            self.expires_at = now + policy.window
        if self.count < policy.limit:
            return False
        self.locked_until = now + policy.lock(self.locks)
        self.expires_at = self.locked_until + policy.window
        self.locks += 1
        self.count = 0
        return True

    def count_refusal(self, now: datetime) -> int:
        """Count a refused attempt; return how many are due in the trail as one row, or 0. The caller saves."""
        self.refused += 1
        if self.refusal_recorded_at and self.refusal_recorded_at > now - REFUSAL_INTERVAL:
            return 0
        due, self.refused, self.refusal_recorded_at = self.refused, 0, now
        return due
