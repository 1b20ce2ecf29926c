"""What a search term means: canonical forms, phone numbers, and the people it names."""

import re
import unicodedata
from typing import Final

from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Q

# People whose rows one search finds: more would make a statement that no index serves.
MAX_PEOPLE: Final = 100

_PHONE: Final = re.compile(r"\+?[0-9 ()-]{3,}")
# A longer number overflows the column.
_ID: Final = re.compile(r"#([0-9]{1,18})")
# One character of a name, or a few digits of a number, are many people's.
_SHORTEST_NAME: Final = 2
_SHORTEST_NUMBER: Final = 7


def canonical_term(term: str) -> str:
    """Return a search term in the form of the canonical columns."""
    return unicodedata.normalize("NFKC", term).casefold().strip()


def phone_digits(term: str) -> str:
    """Return the digits of a search term that is a phone number or a part of one, else an empty string."""
    text = canonical_term(term)
    return re.sub(r"[^0-9]", "", text) if _PHONE.fullmatch(text) else ""


def find_user_ids(term: str) -> list[int]:
    """Return the ids of the users whom a term names: by `#id`, user name, part of the full name, or phone number.

    The result has at most MAX_PEOPLE + 1 ids.
    """
    if match := _ID.fullmatch(term):
        return [int(match[1])]
    users = get_user_model()._default_manager
    named = Q(full_name__icontains=term) if len(term) >= _SHORTEST_NAME else Q(pk=None)
    if len(digits := phone_digits(term)) >= _SHORTEST_NUMBER:
        named |= Q(phone__contains=digits)
    ids = list(users.filter(named).order_by("pk").values_list("pk", flat=True)[: MAX_PEOPLE + 1])
    try:
        return list(dict.fromkeys([users.get_by_natural_key(term).pk, *ids]))
    except ObjectDoesNotExist:
        return ids
