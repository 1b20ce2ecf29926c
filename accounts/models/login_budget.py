from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest
from django.db.models.lookups import LessThan
from django.utils.translation import gettext_lazy as _

from accounts.policies import ADDRESS_KNOWN, REFUSAL_INTERVAL, RESERVATION_LIFE, Lockout

# Stands for all addresses that an account has not logged in from lately.
ELSEWHERE_ADDRESS = "*"

_COUNT = models.IntegerField()


class LoginBudgetQuerySet(models.QuerySet["LoginBudget"]):
    def alarmed(self, now: datetime) -> Self:
        """Return the rows with failures or a lock that still count."""
        return self.filter(Q(failed__gt=0) | Q(locked_until__gt=now), expires_at__gt=now)

    def known(self, now: datetime) -> Self:
        """Return the rows whose account has logged in from their address lately."""
        return self.filter(last_success_at__gt=now - ADDRESS_KNOWN)

    def claim(self, policy: Lockout, now: datetime) -> int:
        """Take one attempt out of the budget, if there is one left; return how many rows had one.

        One statement decides, so that parallel attempts cannot share the last one. Counts that are past their time
        are taken for nothing, and so are reservations that a crash left behind.
        """
        past = Q(expires_at__lte=now)
        crashed = past | Q(claims_expire_at__lte=now)
        in_flight = Case(When(crashed, then=0), default=F("in_flight"), output_field=_COUNT)
        return (
            self.filter(Q(locked_until__isnull=True) | Q(locked_until__lte=now))
            .filter(past | Q(LessThan(F("failed") + in_flight, policy.limit)))
            # MySQL assigns from left to right, so what the conditions read is written last.
            .update(
                failed=Case(When(past, then=0), default=F("failed"), output_field=_COUNT),
                in_flight=in_flight + 1,
                locks=Case(When(past, then=0), default=F("locks"), output_field=_COUNT),
                expires_at=Case(When(past, then=Value(now + policy.window)), default=F("expires_at")),
                claims_expire_at=now + RESERVATION_LIFE,
            )
        )

    def release(self, **also: Any) -> int:
        """Give a claimed attempt back."""
        return self.update(in_flight=Greatest(F("in_flight"), 1, output_field=_COUNT) - 1, **also)

    def spend(self, limit: int, window: timedelta, now: datetime) -> int:
        """Count one use against a limit that has no locks, if it is not reached; return how many rows counted it."""
        past = Q(expires_at__lte=now)
        return self.filter(past | Q(failed__lt=limit)).update(
            failed=Case(When(past, then=1), default=F("failed") + 1, output_field=_COUNT),
            expires_at=Case(When(past, then=Value(now + window)), default=F("expires_at")),
        )


class LoginBudget(models.Model):
    """How many wrong passwords a key may still try from an address.

    The key is an account (`account_id`), a name that no account has (`name_digest`), or neither: then the row is the
    address's own, over all accounts.
    """

    account_id = models.BigIntegerField(default=0)
    name_digest = models.CharField(max_length=64, default="", blank=True)
    address = models.CharField(max_length=50)
    failed = models.PositiveSmallIntegerField(default=0)
    in_flight = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    locks = models.PositiveSmallIntegerField(default=0)
    last_success_at = models.DateTimeField(null=True)
    # Failures and locks count until then.
    expires_at = models.DateTimeField()
    # Attempts in flight count until then.
    claims_expire_at = models.DateTimeField(null=True)
    refused = models.PositiveIntegerField(default=0)
    refusal_recorded_at = models.DateTimeField(null=True)

    objects = LoginBudgetQuerySet.as_manager()

    class Meta:
        verbose_name = _("login budget")
        verbose_name_plural = _("login budgets")
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account_id", "name_digest", "address"], name="login_budget_key")
        ]

    def __str__(self) -> str:
        return f"{self.account_id or self.name_digest or '-'} {self.address}"

    def locked_for(self, now: datetime) -> timedelta | None:
        """Return how much longer the row is locked, or None."""
        return self.locked_until - now if self.locked_until and self.locked_until > now else None

    def is_known(self, now: datetime) -> bool:
        return self.last_success_at is not None and self.last_success_at > now - ADDRESS_KNOWN

    def is_spent(self, limit: int, now: datetime) -> bool:
        return self.failed >= limit and self.expires_at > now

    def count_failure(self, policy: Lockout, now: datetime, *, claimed: bool) -> bool:
        """Turn a claimed attempt into a failure; return whether that locked the row. The caller saves."""
        if self.expires_at <= now:
            self.failed = self.in_flight = self.locks = 0
            self.expires_at = now + policy.window
        if claimed:
            self.in_flight = max(0, self.in_flight - 1)
        if self.locked_for(now):
            return False
        self.failed += 1
        if policy.extends:
            self.expires_at = now + policy.window
        if self.failed < policy.limit:
            return False
        self.locked_until = now + policy.lock(self.locks)
        self.expires_at = self.locked_until + policy.window
        self.locks += 1
        self.failed = 0
        return True

    def count_refusal(self, now: datetime) -> int:
        """Count a refused attempt; return how many are due in the trail as one row, or 0. The caller saves."""
        self.refused += 1
        if self.refusal_recorded_at and self.refusal_recorded_at > now - REFUSAL_INTERVAL:
            return 0
        due, self.refused, self.refusal_recorded_at = self.refused, 0, now
        return due
