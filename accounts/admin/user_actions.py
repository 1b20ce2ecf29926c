"""The confirmed actions on users."""

from collections.abc import Callable, Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.admin.action import NO_CHANGE, ConfirmedAction, always, detail_of
from accounts.models import OFFICERS, Role, User
from accounts.services import account_state, groups, recovery, second_factors, users
from audit.origin import Origin
from audit.people import outside_dates

_CHANGE: Final = "accounts.change_user"
_GRANT: Final = "accounts.grant_group"


def _awaits_approval(user: User) -> bool:
    return user.is_active and user.awaits_approval


def _state_once_activated(user: User) -> Promise:
    if user.awaits_approval:
        return _("awaits approval again")
    return outside_dates(user) or _("can log in again")


def _why_not_deactivated(user: User) -> Promise:
    return _("awaits approval; reject it instead") if user.is_active else _("is disabled already")


def _why_not_sent(user: User) -> Promise | str:
    error = recovery.why_not_sent(user)
    return (error and detail_of(error)) or NO_CHANGE


def _has(annotation: str) -> Callable[[User], bool]:
    """Return the condition that the list's query has annotated."""
    return lambda user: bool(user.__dict__[annotation])


def _holds(user: User, group: str) -> bool:
    return any(held.name == group for held in user.groups.all())


def _send_code(user: User, actor: User, origin: Origin, reason: str) -> bool:
    recovery.send_code(user=user, actor=actor, origin=origin)
    return True


ACTIONS: Final[Mapping[str, ConfirmedAction]] = {
    "approve": ConfirmedAction(
        _("Approve"),
        _("The accounts are approved, and their users can log in. A message tells those who gave a contact."),
        _CHANGE,
        lambda user, actor, origin, reason: account_state.approve(user=user, actor=actor, origin=origin),
        done=ngettext_lazy("%(count)d account was approved.", "%(count)d accounts were approved.", "count"),
        applies=_awaits_approval,
        unchanged=always(_("does not await approval")),
        outcome=outside_dates,
    ),
    "reject": ConfirmedAction(
        _("Reject"),
        _(
            "The accounts are disabled, and a message tells those who gave a contact. The reason is recorded in the"
            " audit trail; it is not in the message."
        ),
        _CHANGE,
        lambda user, actor, origin, reason: account_state.reject(user=user, reason=reason, actor=actor, origin=origin),
        done=ngettext_lazy("%(count)d account was rejected.", "%(count)d accounts were rejected.", "count"),
        applies=_awaits_approval,
        unchanged=always(_("does not await approval")),
        requires_reason=True,
    ),
    "activate": ConfirmedAction(
        _("Activate"),
        _("The accounts are enabled. Their users must log in again."),
        _CHANGE,
        lambda user, actor, origin, reason: account_state.activate(user=user, actor=actor, origin=origin),
        done=ngettext_lazy("%(count)d account was enabled.", "%(count)d accounts were enabled.", "count"),
        applies=lambda user: not user.is_active,
        unchanged=always(_("is not disabled")),
        outcome=_state_once_activated,
    ),
    "deactivate": ConfirmedAction(
        _("Deactivate"),
        _("The accounts are disabled. Logins are refused, and the sessions end at the next request."),
        _CHANGE,
        lambda user, actor, origin, reason: account_state.deactivate(user=user, actor=actor, origin=origin),
        done=ngettext_lazy("%(count)d account was disabled.", "%(count)d accounts were disabled.", "count"),
        applies=lambda user: user.is_active and not user.awaits_approval,
        unchanged=_why_not_deactivated,
        on_others=True,
    ),
    "unlock": ConfirmedAction(
        _("Unlock"),
        _("The failed logins are cleared, and no lock keeps the users from logging in any more."),
        "accounts.unlock_user",
        lambda user, actor, origin, reason: users.unlock(user=user, actor=actor, origin=origin),
        done=ngettext_lazy("%(count)d account was unlocked.", "%(count)d accounts were unlocked.", "count"),
        applies=_has("unlockable"),
        unchanged=always(_("has no failed logins or codes that count")),
    ),
    "end-sessions": ConfirmedAction(
        _("End all sessions"),
        _("The users are logged out of all sessions at the next request, including the admin site."),
        "accounts.end_session",
        lambda user, actor, origin, reason: account_state.end_sessions(user=user, actor=actor, origin=origin),
        done=ngettext_lazy(
            "%(count)d account was logged out of all sessions.",
            "%(count)d accounts were logged out of all sessions.",
            "count",
        ),
        applies=_has("has_session"),
        unchanged=always(_("has no active session")),
    ),
    "remove-second-factors": ConfirmedAction(
        _("Remove the second factors"),
        _(
            "For people who have lost them: all second factors and recovery codes are removed, and the users are logged"
            " out of all sessions and notified. Until they set up a new one, the password alone opens the account; make"
            " sure that the request is theirs."
        ),
        "accounts.remove_second_factors",
        lambda user, actor, origin, reason: second_factors.remove_all(
            user=user, reason=reason, actor=actor, origin=origin
        ),
        done=ngettext_lazy(
            "The second factors of %(count)d account were removed.",
            "The second factors of %(count)d accounts were removed.",
            "count",
        ),
        applies=_has("has_factor"),
        unchanged=always(_("has no second factor")),
        on_others=True,
        requires_reason=True,
    ),
    "send-code": ConfirmedAction(
        _("Send an activation link or a reset code"),
        _(
            "Users without a password are sent a link by e-mail, valid for 48 hours, by which they set their first"
            " password. Without an e-mail address they are sent a code by text message, and other users a reset code,"
            " both valid for 10 minutes. Only the user sees what is sent. A current password remains valid until the"
            " user has set a new one."
        ),
        _CHANGE,
        _send_code,
        done=ngettext_lazy("%(count)d link or code is sent.", "%(count)d links or codes are sent.", "count"),
        applies=lambda user: recovery.why_not_sent(user) is None,
        unchanged=_why_not_sent,
    ),
    "change-role": ConfirmedAction(
        _("Change the role"),
        _("The role changes. The users are logged out of all sessions at the next request."),
        _CHANGE,
        lambda user, actor, origin, role: users.set_role(user=user, role=role, actor=actor, origin=origin),
        done=ngettext_lazy(
            "The role of %(count)d account was changed.", "The role of %(count)d accounts was changed.", "count"
        ),
        unchanged=always(_("has this role already")),
        on_others=True,
        changes=lambda user, role: user.role != role,
        choices=dict(Role.choices),
        choice_label=_("New role (recorded in the audit trail):"),
    ),
    "grant-group": ConfirmedAction(
        _("Grant a group"),
        _("The users have the permissions of the group in the admin site from the next request on."),
        _GRANT,
        lambda user, actor, origin, group: groups.grant(user=user, group=group, actor=actor, origin=origin),
        done=ngettext_lazy(
            "The group was granted to %(count)d account.", "The group was granted to %(count)d accounts.", "count"
        ),
        unchanged=always(_("is in this group already")),
        changes=lambda user, group: not _holds(user, group),
        choices=OFFICERS,
        choice_label=_("Group (recorded in the audit trail):"),
    ),
    "revoke-group": ConfirmedAction(
        _("Revoke a group"),
        _("The users lose the permissions of the group at the next request."),
        _GRANT,
        lambda user, actor, origin, group: groups.revoke(user=user, group=group, actor=actor, origin=origin),
        done=ngettext_lazy(
            "The group was revoked from %(count)d account.", "The group was revoked from %(count)d accounts.", "count"
        ),
        unchanged=always(_("is not in this group")),
        changes=_holds,
        choices=OFFICERS,
        choice_label=_("Group (recorded in the audit trail):"),
    ),
}
