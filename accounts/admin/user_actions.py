"""What administrators do to people."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

from accounts.admin.confirmed_actions import Verb
from accounts.models import User
from accounts.services import account_state, recovery, users
from audit.origin import Origin

_CHANGE: Final = "accounts.change_user"


def _send_code(user: User, actor: User, origin: Origin, reason: str) -> bool:
    recovery.send_code(user=user, actor=actor, origin=origin)
    return True


VERBS: Final[Mapping[str, Verb]] = {
    "approve": Verb(
        _("Approve"),
        _("Whoever waits for approval may log in from now on."),
        _CHANGE,
        lambda user, actor, origin, reason: account_state.approve(user=user, actor=actor, origin=origin),
    ),
    "reject": Verb(
        _("Reject"),
        _("Whoever waits for approval is disabled instead. The trail keeps the reason."),
        _CHANGE,
        lambda user, actor, origin, reason: account_state.reject(user=user, reason=reason, actor=actor, origin=origin),
        asks_reason=True,
    ),
    "activate": Verb(
        _("Activate"),
        _("Whoever is disabled may log in again. Former sessions stay ended."),
        _CHANGE,
        lambda user, actor, origin, reason: account_state.activate(user=user, actor=actor, origin=origin),
    ),
    "deactivate": Verb(
        _("Deactivate"),
        _("Nobody logs in to these accounts any more, and their sessions end at the next request."),
        _CHANGE,
        lambda user, actor, origin, reason: account_state.deactivate(user=user, actor=actor, origin=origin),
    ),
    "unlock": Verb(
        _("Unlock"),
        _("Failed logins are forgotten, so that the owner may try again at once."),
        _CHANGE,
        lambda user, actor, origin, reason: users.unlock(user=user, actor=actor, origin=origin),
    ),
    "end-sessions": Verb(
        _("End all sessions"),
        _("They are logged out everywhere at the next request, of the admin site too."),
        "accounts.end_session",
        lambda user, actor, origin, reason: account_state.end_sessions(user=user, actor=actor, origin=origin),
    ),
    "send-code": Verb(
        _("Send a code for a new password"),
        _(
            "A code goes to the e-mail address or, where there is none, by text message to the phone number. Only its"
            " owner sees it and chooses the password; the present one stays good until then."
        ),
        _CHANGE,
        _send_code,
    ),
}
