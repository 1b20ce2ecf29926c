"""Separation of duties: which groups have an effect for whom (MLPS, GB/T 22239, 8.1.4)."""

from collections.abc import Collection, Mapping
from typing import Final

from django.conf import settings

from accounts.models import AUDITORS, OFFICERS, SECURITY_OFFICERS, SYSTEM_ADMINISTRATORS, Role

# What the three officers may do. The groups have these permissions in the database too; this list decides, because the
# role has them without a group.
PERMISSIONS: Final[Mapping[str, frozenset[str]]] = {
    SYSTEM_ADMINISTRATORS: frozenset(
        {
            "accounts.view_user",
            "accounts.add_user",
            "accounts.change_user",
            "accounts.view_session",
            "accounts.view_message",
        }
    ),
    SECURITY_OFFICERS: frozenset(
        {
            "accounts.view_user",
            "accounts.unlock_user",
            "accounts.remove_second_factors",
            "accounts.view_session",
            "accounts.end_session",
        }
    ),
    AUDITORS: frozenset({"audit.view_loginattempt", "audit.view_securityevent"}),
}


def effective_groups(role: str, groups: Collection[str]) -> frozenset[str]:
    """Return the groups whose permissions a user with this role and these groups has.

    Without SEPARATE_DUTIES role admin has the permissions of all three officers. With it that role is a system
    administrator and nothing more, and the auditors' group has no effect beside another.
    """
    held = OFFICERS.keys() & groups
    if role == Role.ADMIN:
        return frozenset([SYSTEM_ADMINISTRATORS] if settings.SEPARATE_DUTIES else OFFICERS)
    if settings.SEPARATE_DUTIES and len(held) > 1:
        return frozenset(held - {AUDITORS})
    return frozenset(held)


def are_separate(role: str, groups: Collection[str]) -> bool:
    """Return whether a user may have this role together with these groups."""
    return effective_groups(role, groups) >= OFFICERS.keys() & groups
