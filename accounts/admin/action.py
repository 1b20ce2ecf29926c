"""What a confirmed action is: on which objects it has an effect, what it does, and what is said before and after it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import errors
from accounts.models import User
from audit.origin import Origin

REASON_LENGTH: Final = 500

NO_CHANGE: Final = _("no change was needed")
_Error = errors.IdentityError | errors.ScreenError
_DETAILS: Final[Mapping[type[_Error], Promise]] = {
    errors.OwnAccount: _("you cannot do this to your own account"),
    errors.LastAdministrator: _("the last active administrator cannot be deactivated or demoted"),
    errors.SeparatedDuties: _("duties are separated: an auditor holds no other group and not the role admin"),
    errors.PermissionDenied: _("only a superuser may do this to a superuser"),
    errors.NotFound: _("the account does not exist any more"),
    errors.AccountDisabled: _("is disabled"),
    errors.AccountExpired: _("no longer valid"),
    errors.NoContact: _("has no e-mail address or mobile number that codes are sent to"),
    errors.Overloaded: _("the service is busy; try again in a moment"),
}


def always(reason: Promise) -> Callable[[Any], Promise]:
    """Return the function that gives this reason for any object."""
    return lambda obj: reason


@dataclass(frozen=True, slots=True)
class ConfirmedAction:
    """An action on one object.

    `perform` takes the object, the actor, the origin and the administrator's reason or choice, and returns whether it
    changed anything. It raises IdentityError and ScreenError. `applies` says whether the action can have an effect on
    an object, and `unchanged` why not; with `on_others` it is no action on the own account. `outcome` says what becomes
    of an object where that is not the same for all. `done` is the plural message about `count` objects. `choices` are
    the values, with their labels, of an action that has a choice, and `choice_label` says of what; `changes` says
    whether one of them would change an object.
    """

    label: Promise
    consequence: Promise
    permission: str
    perform: Callable[[Any, User, Origin, str], bool]
    done: Any
    applies: Callable[[Any], bool] = lambda obj: True
    unchanged: Callable[[Any], Promise | str] = lambda obj: NO_CHANGE
    on_others: bool = False
    outcome: Callable[[Any], Promise | None] = lambda obj: None
    requires_reason: bool = False
    choices: Mapping[str, Promise | str] = field(default_factory=dict)
    choice_label: Promise | str = ""
    changes: Callable[[Any, str], bool] = lambda obj, choice: True

    def accepts(self, answer: str) -> bool:
        """Return whether this is a reason or a choice with which the action can be performed."""
        if self.choices:
            return answer in self.choices
        return not self.requires_reason or 0 < len(answer) <= REASON_LENGTH

    def is_for(self, obj: Any, actor: User) -> bool:
        """Return whether the action can have an effect on an object."""
        if self.on_others and obj.pk == actor.pk:
            return False
        return self.applies(obj) and (not self.choices or bool(self.choices_for([obj])))

    def why_unchanged(self, obj: Any, actor: User) -> Promise | str:
        """Return why the action has no effect on an object."""
        return _DETAILS[errors.OwnAccount] if self.on_others and obj.pk == actor.pk else self.unchanged(obj)

    def choices_for(self, objects: list[Any]) -> dict[str, Promise | str]:
        """Return the choices that would change any of the objects."""
        return {
            value: label for value, label in self.choices.items() if any(self.changes(obj, value) for obj in objects)
        }

    def attempt(self, obj: Any, actor: User, origin: Origin, answer: str, *, may_change: bool) -> Promise | str | None:
        """Perform the action on an object. Return None, or the detail of why the object was left unchanged.

        What the actor may not do is left to the service, which says why.
        """
        is_forbidden = not may_change or (self.on_others and obj.pk == actor.pk)
        if not is_forbidden and not self.is_for(obj, actor):
            return self.unchanged(obj)
        try:
            return None if self.perform(obj, actor, origin, answer) else self.unchanged(obj)
        except (errors.IdentityError, errors.ScreenError) as error:
            if detail := detail_of(error):
                return detail
            raise


def detail_of(error: _Error) -> Promise | str | None:
    """Return why an account was left unchanged, or None for an error that no action expects."""
    if isinstance(error, errors.TooManyCodesSent):
        return _limit(gettext("your own limit of messages is reached; try again after %(time)s"), error.retry_after)
    if isinstance(error, errors.RetryLater) and not isinstance(error, errors.Overloaded):
        sentence = gettext("the limit of messages to this account or contact is reached; try again after %(time)s")
        return _limit(sentence, error.retry_after)
    return next((detail for error_type, detail in _DETAILS.items() if isinstance(error, error_type)), None)


def _limit(sentence: str, retry_after: timedelta) -> str:
    end = timezone.localtime(timezone.now() + retry_after)
    return sentence % {"time": f"{end:%m-%d %H:%M}"}
