"""User names, e-mail addresses and phone numbers: what is allowed, and the form in which two are the same.

Sources: PRECIS UsernameCaseMapped (RFC 8265) after NFKC; scripts as in the highly restrictive level of UTS 39; E.164.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import phonenumbers
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from precis_i18n import get_profile

NAME_LENGTH: Final = 150
EMAIL_LENGTH: Final = 254
PHONE_LENGTH: Final = 16
PHONE_REGION: Final = "CN"

# Many hospitals' own networks end in .local, and their mail is delivered there.
SPECIAL_USE_DOMAIN_NAMES[:] = [name for name in SPECIAL_USE_DOMAIN_NAMES if name != "local"]

_PUNCTUATION: Final = frozenset("._-+")
_DIALLED: Final = re.compile(r"\+?[0-9 ()./-]{5,30}")
_USERNAME: Final = get_profile("UsernameCaseMapped:CaseFold")
# ASCII with a letter, so that it is no phone number.
_PLAIN_NAME: Final = re.compile(r"[0-9._+-]*[A-Za-z][A-Za-z0-9._+-]*")
# A local part that the rules of e-mail addresses leave as it is.
_PLAIN_LOCAL_PART: Final = re.compile(r"[A-Za-z0-9_]{1,32}(?:[.-][A-Za-z0-9_]{1,15}){0,2}")
_OPAQUE: Final = get_profile("OpaqueString")
# Scripts that are written together; a name that mixes others may imitate another name.
_TOGETHER: Final = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)
_MOBILE_NUMBERS: Final = (
    phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
)
_SCRIPTLESS: Final = frozenset({"COMMON", "INHERITED"})


def _translate(sentence: str, values: Mapping[str, int]) -> str:
    return gettext(sentence) % values


_translated = lazy(_translate, str)


class InvalidIdentifier(ValueError):
    """The text cannot be a user name, an e-mail address or a phone number; the text of the error says why, in English.

    `sentence` and `values` are its parts, and `message` is translated when it is read.
    """

    def __init__(self, sentence: str, **values: int) -> None:
        super().__init__(sentence % values)
        self.sentence = sentence
        self.values = values

    @property
    def message(self) -> str:
        return _translated(self.sentence, self.values)


def canonical_username(text: str) -> str:
    """Return the form in which user names are compared: `Alice`, `ALICE` and `ａｌｉｃｅ` are `alice`.

    Raises InvalidIdentifier for anything but 1 to 150 letters and digits of one script and `. _ - +`, and for a valid
    phone number, which would be ambiguous at login.
    """
    if not 0 < len(text) <= NAME_LENGTH:
        raise InvalidIdentifier(_("A user name must have 1 to %(most)d characters."), most=NAME_LENGTH)
    if _PLAIN_NAME.fullmatch(text):
        # The rules below leave such a name as it is, and most names are such.
        return text.lower()
    try:
        name = _USERNAME.enforce(unicodedata.normalize("NFKC", text))
    except UnicodeEncodeError as error:
        raise InvalidIdentifier(_("A user name may contain only letters, digits and . _ - +.")) from error
    if len(name) > NAME_LENGTH:
        raise InvalidIdentifier(_("A user name must have 1 to %(most)d characters."), most=NAME_LENGTH)
    if _has_format_characters(name) or any(
        char.isascii() and not char.isalnum() and char not in _PUNCTUATION for char in name
    ):
        raise InvalidIdentifier(_("A user name may contain only letters, digits and . _ - +."))
    # The tables of the package take 7 MiB of a process, and most never check a name like this.
    from confusable_homoglyphs import categories

    scripts = frozenset(categories.unique_aliases(name)) - _SCRIPTLESS
    if _has_twin_of_ascii(name) or (len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER)):
        raise InvalidIdentifier(_("A user name must not contain letters that look like other letters."))
    if _is_phone(name):
        raise InvalidIdentifier(_("A user name cannot be a phone number."))
    return str(name)


def _has_twin_of_ascii(name: str) -> bool:
    """Return whether a letter imitates an ASCII one within Latin, as the dotless i does, or a mark makes one do so."""
    if name.isascii():
        return False
    # As above.
    from confusable_homoglyphs import categories

    latin = (char for char in name if not char.isascii() and categories.alias(char) == "LATIN")
    twins = (twin["c"] for char in latin for twin in _twins(char))
    # Every i has its dot already; a stroke through a letter is drawn by other means as well.
    drawn_over = "i\u0307" in name or "j\u0307" in name or any(unicodedata.combining(char) == 1 for char in name)
    return drawn_over or any(len(twin) == 1 and twin.isascii() for twin in twins)


def _twins(char: str) -> list[dict[str, str]]:
    """Return what the Unicode list of confusable characters holds for one (UTS 39)."""
    # As above.
    from confusable_homoglyphs import confusables

    found = confusables.is_confusable(char, preferred_aliases=[])
    return found[0]["homoglyphs"] if found else []


def _has_format_characters(text: str) -> bool:
    """Return whether the text has zero-width, bidirectional or other characters that only steer its display."""
    return any(unicodedata.category(char) == "Cf" for char in text)


def _is_phone(text: str) -> bool:
    try:
        canonical_phone(text)
    except InvalidIdentifier:
        return False
    return True


def is_username(text: str) -> bool:
    """Return whether the text can be a user name."""
    try:
        canonical_username(text)
    except InvalidIdentifier:
        return False
    return True


def display_username(text: str) -> str:
    """Return the name as it is kept and shown: in the compatibility form, its case as typed."""
    return unicodedata.normalize("NFKC", text)


def canonical_email(text: str) -> str:
    """Return the form in which e-mail addresses are compared: without regard to case.

    Raises InvalidIdentifier for what no mail system would deliver to, and for control, bidirectional and zero-width
    characters.
    """
    # Folding would make one of `straße.example` and `strasse.example`, which are two domains.
    key = clean_email(text).lower()
    if len(key) > EMAIL_LENGTH:
        raise InvalidIdentifier(_("An e-mail address must have at most %(most)d characters."), most=EMAIL_LENGTH)
    return key


def clean_email(text: str) -> str:
    """Return the address as it is kept: its domain in lower case, its local part as typed. Raises InvalidIdentifier."""
    if len(text) > EMAIL_LENGTH:
        raise InvalidIdentifier(_("An e-mail address must have at most %(most)d characters."), most=EMAIL_LENGTH)
    try:
        local, _at, domain = text.rpartition("@")
        if _PLAIN_LOCAL_PART.fullmatch(local):
            return f"{local}@{_clean_domain(domain)}"
        # A hospital's own domain need not be one that the public Internet could deliver to.
        checked = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except (EmailNotValidError, ValueError) as error:
        raise InvalidIdentifier(_("This is not an e-mail address.")) from error
    local = str(checked.local_part)
    try:
        _OPAQUE.enforce(local)
    except UnicodeEncodeError as error:
        raise InvalidIdentifier(_("An e-mail address must not contain invisible characters.")) from error
    if _has_format_characters(local):
        raise InvalidIdentifier(_("An e-mail address must not contain invisible characters."))
    return str(checked.normalized)


@lru_cache(maxsize=1024)
def _clean_domain(domain: str) -> str:
    """Return the domain of an address as it is kept. Raises EmailNotValidError."""
    checked = validate_email(f"a@{domain}", check_deliverability=False, globally_deliverable=False)
    return str(checked.normalized).partition("@")[2]


def require_dotted_domain(address: str) -> None:
    """Raise InvalidIdentifier for a new e-mail address without a dot: `zhang@hospital` is a typing error.

    It is no part of the canonical form, because accounts of former releases have such addresses.
    """
    if "." not in clean_email(address).rpartition("@")[2]:
        raise InvalidIdentifier(_("The domain of an e-mail address must contain a dot."))


def canonical_phone(text: str) -> str:
    """Return the number as E.164, such as `+8613912345678`; without a country code it is one of China's.

    Raises InvalidIdentifier for what is not a valid number of its country.
    """
    dialled = unicodedata.normalize("NFKC", text)
    if not _DIALLED.fullmatch(dialled):
        raise InvalidIdentifier(_("This is not a phone number."))
    try:
        number = phonenumbers.parse(dialled, PHONE_REGION)
    except phonenumbers.NumberParseException as error:
        raise InvalidIdentifier(_("This is not a phone number.")) from error
    if not phonenumbers.is_valid_number(number):
        raise InvalidIdentifier(_("This is not a valid phone number."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_mobile_number(phone: str, regions: Collection[str]) -> bool:
    """Return whether an E.164 number may be a mobile one of these regions; some plans do not separate the kinds."""
    number = phonenumbers.parse(phone)
    return (
        phonenumbers.region_code_for_number(number) in regions and phonenumbers.number_type(number) in _MOBILE_NUMBERS
    )


def display_phone(phone: str | None) -> str | None:
    """Return an E.164 number as it is written in the default region: `13912345678`, others unchanged."""
    home = f"+{phonenumbers.country_code_for_region(PHONE_REGION)}"
    return phone.removeprefix(home) if phone else None


@dataclass(frozen=True, slots=True)
class IdentifierField:
    """The unique column that holds an identifier's canonical form, and the function that makes it."""

    column: str
    canonical: Callable[[str], str]


# The fields of an account that identify it.
IDENTIFIERS: Final[Mapping[str, IdentifierField]] = {
    "username": IdentifierField("username_key", canonical_username),
    "email": IdentifierField("email_key", canonical_email),
    "phone": IdentifierField("phone", canonical_phone),
}


# Those that receive messages.
CONTACTS: Final = ("email", "phone")


def masked(address: str) -> str:
    """Return an e-mail address or a phone number with most of it hidden: `a***@b.com`, `138****8000`."""
    if "@" in address:
        local, _at, domain = address.rpartition("@")
        return f"{local[:1]}***@{domain}"
    number = display_phone(address) or ""
    return f"{number[:3]}****{number[-4:]}"


def masked_username(username: str) -> str:
    """Return a user name with most of it hidden: `a***e`."""
    last = username[-1] if len(username) > 2 else ""
    return f"{username[:1]}***{last}"
