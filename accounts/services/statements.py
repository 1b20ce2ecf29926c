"""The statements of requests with a token, of refreshes and of logins, prepared.

Those on budgets are in `accounts.security.budget_rows`, those on the trail in `audit.chain` and `audit.record`.
"""

from datetime import timedelta
from functools import cache
from typing import Any, Final

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    CharField,
    DateField,
    DateTimeField,
    Exists,
    F,
    Field,
    GenericIPAddressField,
    OuterRef,
    PositiveIntegerField,
    Q,
    QuerySet,
    UUIDField,
    When,
)
from django.db.models.functions import Least, Now
from django.db.models.sql import UpdateQuery

from accounts.models import FactorType, SecondFactor, Session, User
from accounts.policies import REFRESH_GRACE, SESSIONS_COUNTED_FROM
from accounts.security import devices, lockout
from audit.prepared import (
    PreparedInsert,
    PreparedRows,
    PreparedUpdate,
    PreparedUpdateAndInsert,
    PreparedUpdatedRow,
    update_query,
)
from audit.validity import may_log_in

# The types of second factors that an account enrols; recovery codes come with them.
ENROLLED: Final = (FactorType.TOTP, FactorType.WEBAUTHN)


def active_of_outer_user(now: Any) -> QuerySet[Session]:
    """Return a subquery for a query of users who may log in: the active sessions of each."""
    return Session.objects.filter(
        user=OuterRef("pk"), stamp=OuterRef("stamp"), ended_at=None, expires_at__gt=now
    ).order_by()


def _with_user(**columns: Any) -> QuerySet[Session]:
    # The database's clock decides, because those of nodes may differ.
    recent = Case(When(Q(rotated_at__gte=Now() - REFRESH_GRACE), then=True), default=False, output_field=BooleanField())
    return Session.objects.select_related("user").annotate(recent=recent).filter(**columns).order_by()


# A session with its user; `recent` says whether the last generation is in its grace period.
SESSION: Final = PreparedRows(_with_user, id=UUIDField(), contract=CharField())


_ROTATED: Final[dict[str, "Field[Any, Any]"]] = {
    "id": UUIDField(),
    "contract": CharField(),
    "generation": PositiveIntegerField(),
    "now": DateTimeField(),
}


@cache
def rotation(idle_timeout: timedelta) -> PreparedUpdate:
    """Return the UPDATE that makes the next generation of a session which has not ended."""
    return PreparedUpdate(lambda now, **columns: _rotate(idle_timeout, now, **columns), **_ROTATED)


@cache
def rotation_in_place(idle_timeout: timedelta) -> PreparedUpdatedRow[Session]:
    """Return the same for an active session of this address and device, and the session with its user afterwards."""
    active = PreparedUpdate(
        lambda now, day, **columns: _rotate(idle_timeout, now, Exists(_active_outer_user(day)), **columns),
        **_ROTATED,
        ip=GenericIPAddressField(),
        user_agent=CharField(),
        day=DateField(),
    )
    return PreparedUpdatedRow(active, PreparedRows(_with_user, id=UUIDField()))


def _active_outer_user(day: Any) -> QuerySet[User]:
    """Return a subquery for a query of sessions: the user of each, who may log in on this day and keeps the stamp."""
    users: QuerySet[User] = User.objects.filter(pk=OuterRef("user_id"), stamp=OuterRef("stamp"))
    return users.filter(may_log_in(day)).order_by()


def _rotate(idle_timeout: timedelta, now: Any, *conditions: Exists, **columns: Any) -> UpdateQuery:
    return update_query(
        Session.objects.filter(*conditions, **columns, ended_at=None, expires_at__gt=now),
        generation=F("generation") + 1,
        rotated_at=Now(),
        last_seen_at=now,
        expires_at=Least(F("latest_end_at"), now + idle_timeout),
    )


@cache
def user_by(column: str) -> PreparedRows[User]:
    """Return the query for the user with a value in this column.

    Annotations have the state of the budgets, whether there are so many sessions in the contract that the next one may
    be one too many, and which types of second factors are in force.
    """

    def build(value: Any, address: Any, contract: Any, now: Any) -> QuerySet[User]:
        own = active_of_outer_user(now).filter(contract=contract)
        in_force = SecondFactor.objects.in_force().filter(user=OuterRef("pk"))
        users: QuerySet[User] = User.objects.annotate(
            **lockout.budget_state_of_user(address, now),
            has_many_sessions=Exists(own[SESSIONS_COUNTED_FROM - 1 : SESSIONS_COUNTED_FROM]),
            **{f"has_{each}": Exists(in_force.filter(type=each)) for each in ENROLLED},
        )
        return users.filter(**{column: value}).order_by()

    return PreparedRows(build, value=CharField(), address=CharField(), contract=CharField(), now=DateTimeField())


# A login in the user's row, unless a credential has changed; and the session of it.
LOGGED_IN: Final = PreparedUpdate(
    lambda id, stamp, now, ip, device: update_query(
        User.objects.filter(id=id, stamp=stamp),
        last_login=now,
        last_login_ip=ip,
        known_devices=devices.with_latest(device),
    ),
    id=BigIntegerField(),
    stamp=CharField(),
    now=DateTimeField(),
    ip=GenericIPAddressField(),
    device=CharField(),
)
LOGGED_IN_AND_OPENED: Final = PreparedUpdateAndInsert(LOGGED_IN, PreparedInsert(Session))
