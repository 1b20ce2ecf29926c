"""Accounts with and without a second factor, as conditions of queries for users."""

from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef, Q

from accounts.models import OFFICERS, Role, SecondFactor
from audit.validity import may_log_in, today


def has_second_factor() -> Exists:
    """Return the condition of users with a second factor."""
    return Exists(SecondFactor.objects.in_force().filter(user=OuterRef("pk")))


def is_staff_without_factor() -> Q:
    """Return the condition of users who may log in to the admin site, and have no second factor."""
    officers = Group.objects.filter(name__in=OFFICERS, user=OuterRef("pk"))
    is_staff = Q(role=Role.ADMIN) | Q(Exists(officers))
    return may_log_in(today()) & is_staff & ~Q(has_second_factor())
