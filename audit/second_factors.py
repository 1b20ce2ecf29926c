"""Second factors in the assessor's report: who has one, and which right passwords went no further."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Count, Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from audit.events import Status
from audit.models import LoginAttempt
from audit.validity import may_log_in, today

# The lifetime of the token of half a login, and a margin for the request that ends with it.
_COMPLETED_WITHIN: Final = timedelta(minutes=6)


def accounts_by_role() -> list[list[object]]:
    """Return for each role: its label, its active accounts, those of them with a second factor, who must have one."""
    users = get_user_model()._default_manager.filter(may_log_in(today())).order_by()
    counts = {
        "accounts": Count("pk", distinct=True),
        "enrolled": Count("pk", distinct=True, filter=Q(second_factors__confirmed_at__isnull=False)),
    }
    counted = {role: found for role, *found in users.values_list("role").annotate(**counts)}
    return [
        [label, *counted.get(role, [0, 0]), _("yes") if role in settings.MFA_REQUIRED_ROLES else _("no")]
        for role, label in get_user_model()._meta.get_field("role").choices or []
    ]


def uncompleted(start: datetime, end: datetime, source: str) -> int:
    """Return how many logins of a period were asked for a second factor and had no success after that.

    `source` is the alias of the database to read.
    A success counts if it is of the same account, contract and address, within the time that a login may take.
    """
    successes = LoginAttempt.objects.filter(
        at__gte=start,
        at__lt=end + _COMPLETED_WITHIN,
        status=Status.SUCCESS,
        user=OuterRef("user"),
        contract=OuterRef("contract"),
        ip=OuterRef("ip"),
    ).filter(at__gte=OuterRef("at"), at__lte=OuterRef("at") + _COMPLETED_WITHIN)
    challenged = LoginAttempt.objects.using(source).filter(at__gte=start, at__lt=end, status=Status.CHALLENGED)
    return challenged.filter(~Exists(successes)).count()
