"""The details of security events as sentences in the reader's language, with the former and the new values."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.events import Event
from audit.labels import COUNTED, FACTORS, KEY_KINDS, in_a_row
from audit.models import LoginAttempt, SecurityEvent
from audit.origin import contract_choices
from audit.people import OFFICERS

_KEYS: Final[Mapping[str, Promise]] = {
    "address": _("IP address"),
    "cause": _("cause"),
    "channel": _("channel"),
    "contract": _("contract"),
    "count": _("how many"),
    "counts": _("numbers"),
    "export": _("number of the export"),
    "fields": _("changed values"),
    "filters": _("filters"),
    "former": _("former key"),
    "generation": _("generation of the token"),
    "import": _("number of the import"),
    "identifier": _("login name as typed"),
    "kid": _("key"),
    "last_ip": _("former IP address"),
    "last_user_agent": _("former client"),
    "phase": _("progress"),
    "purge": _("number of the removal"),
    "purpose": _("purpose"),
    "reason": _("reason"),
    "role": _("role"),
    "link": _("by a link"),
    "q": _("search"),
    "query": _("search"),
    "rows": _("rows"),
    "sent": _("sent"),
    "session": _("session"),
    "skipped": _("rows left out"),
    "superuser": _("superuser"),
    "type": _("type"),
    "types": _("types"),
    "with_hashes": _("with password hashes"),
}
_OWN_KEYS: Final = frozenset({"export", "import", "kid", "purge", "session"})
# What these values mean; a value that is not here is shown as it is.
_VALUES: Final[Mapping[str, Mapping[str, Promise]]] = {
    "cause": {
        "login": _("wrong passwords from one IP address"),
        "login:unknown_addresses": _("wrong passwords from addresses that are new to the account"),
        "login:since_success": _("wrong passwords since the last successful login"),
        "address": _("wrong passwords from this address for all accounts"),
        "address:suspicion": _("several accounts locked from this address"),
        "dormant": _("no login for a long time"),
        "first_proof": _("first proof of a contact"),
    },
    "channel": {"email": _("e-mail"), "phone": _("text message")},
    "phase": {
        "started": _("begun"),
        "complete": _("complete"),
        "broken_off": _("broken off"),
        "partial": _("in part"),
    },
    "purpose": {
        "reset": _("new password"),
        "activation": _("activation of the account"),
        "email": _("verification of the e-mail address"),
        "phone": _("verification of the phone number"),
    },
    "reason": {
        "logout": _("logged out"),
        "reuse": _("refresh token reused"),
        "credential_changed": _("password, role or state changed"),
        "superseded": _("superseded by newer sessions"),
        "ended_by_administrator": _("ended by an administrator"),
    },
    "type": FACTORS,
    "types": FACTORS,
}


def title(event: SecurityEvent) -> str:
    """Return what has happened: the event's label and, for a requested code, whether it was sent."""
    label = str(event.get_event_display())
    if event.event != Event.CODE_REQUESTED or "sent" not in event.detail:
        return label
    sent = gettext("sent") if event.detail["sent"] else gettext("not sent")
    return gettext("%(event)s (%(result)s)") % {"event": label, "result": sent}


def sentences(event: SecurityEvent, *, with_keys: bool = True) -> list[str]:
    """Return the sentences about an event: one for each change, and one for each other detail.

    Without `with_keys` those are left out that only tell events of one kind apart, for instance of which session.
    """
    detail = {name: value for name, value in event.detail.items() if with_keys or name not in _OWN_KEYS}
    old, new = detail.pop("old", None), detail.pop("new", None)
    found = list(_changes(event.event, old, new))
    if found:
        detail.pop("fields", None)
    return [*found, *(_line(name, value) for name, value in detail.items())]


def _changes(event: str, old: Any, new: Any) -> Iterator[str]:
    if not isinstance(old, dict) or not isinstance(new, dict):
        field = {Event.USER_ROLE_CHANGED.value: "role", Event.USER_GROUPS_CHANGED.value: "groups"}.get(event)
        old, new = ({field: old}, {field: new}) if field else ({}, {})
    for name, value in new.items():
        words = {"field": _field_label(name), "old": _shown(name, old.get(name)), "new": _shown(name, value)}
        yield gettext("%(field)s changed from “%(old)s” to “%(new)s”.") % words


def _line(name: str, value: Any) -> str:
    words = {"name": _label(name), "value": _shown(name, value)}
    return gettext("%(name)s: %(value)s") % words


def _label(name: str) -> str:
    return str(_KEYS.get(name) or COUNTED.get(name) or _field_label(name))


def _field_label(name: str) -> str:
    if name == "groups":
        return gettext("groups")
    field = _field(name)
    return str(field.verbose_name) if field else name


def _field(name: str) -> Any:
    """Return the field of an account or of the trail that a detail is named after, or None."""
    fields = (
        field for model in (get_user_model(), LoginAttempt, SecurityEvent) for field in model._meta.concrete_fields
    )
    return next((field for field in fields if field.name == name), None)


def _shown(name: str, value: Any) -> str:
    if value in (None, "", [], {}):
        return gettext("the service's own") if name == "language" else gettext("nothing")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, dict):
        return in_a_row(f"{_label(key.split('__')[0])} = {_shown(key, item)}" for key, item in value.items())
    if isinstance(value, list):
        return in_a_row(_shown(name, item) for item in value)
    if name == "fields":
        return _field_label(str(value))
    return _purpose_of_keys(str(value)) or str(_labels(name.split("__")[0]).get(str(value), value))


def _purpose_of_keys(value: str) -> str:
    """Return what a set of signing keys is for, such as `native:access`; blank for what names no such set."""
    contract, _separator, kind = value.partition(":")
    if kind not in KEY_KINDS:
        return ""
    return gettext("%(tokens)s of: %(contract)s") % {
        "tokens": KEY_KINDS[kind],
        "contract": dict(contract_choices()).get(contract, contract),
    }


def _labels(name: str) -> Mapping[str, Any]:
    if name == "groups":
        return OFFICERS
    if name in _VALUES:
        return _VALUES[name]
    return dict(getattr(_field(name), "flatchoices", ()))
