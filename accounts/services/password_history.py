"""Former passwords, which with PASSWORD_HISTORY may not return: their hashes, compared, kept and removed."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import is_password_usable
from django.utils.translation import gettext_lazy as _

from accounts.errors import InvalidInput, Problem
from accounts.models import FormerPassword, User
from accounts.policies import LONGEST_WAIT
from accounts.security import hashing
from accounts.security.budgets import Account

USED_BEFORE = Problem("password_used_before", _("The new password must differ from the former ones."))


def require_unused(password: str, user: User, field: str) -> None:
    """Raise InvalidInput for `field` where a new password is one of the last PASSWORD_HISTORY former ones.

    Costs a hash for each of them, in a slot of its own, so that logins take their turns in between. Outside any
    transaction; raises Overloaded where these slots take longer to come than one login may wait.
    """
    if not settings.PASSWORD_HISTORY:
        return
    former = FormerPassword.objects.filter(user=user).values_list("encoded", flat=True)[: settings.PASSWORD_HISTORY]
    left = LONGEST_WAIT
    for encoded in list(former):
        with hashing.slots.take(left, Account(user.pk)) as waited:
            found = hashing.verify(password, encoded).correct
        if found:
            raise InvalidInput({field: [USED_BEFORE]})
        left = max(timedelta(), left - timedelta(seconds=waited))


def remember(user: User) -> None:
    """Keep the hash of the password that a new one replaces, and no more of them than PASSWORD_HISTORY.

    Inside the transaction that stores the new one.
    """
    if not settings.PASSWORD_HISTORY:
        return
    if is_password_usable(user.password):
        FormerPassword.objects.create(user=user, encoded=user.password)
    own = FormerPassword.objects.filter(user=user)
    kept = own.values_list("pk", flat=True)[: settings.PASSWORD_HISTORY]
    own.exclude(pk__in=list(kept)).delete()
