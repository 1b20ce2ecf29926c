"""User names that the public cannot register: those of administrators and of the service, and a configured pattern.

Skeletons of confusable names: UTS 39, section 4, with the data of confusable_homoglyphs. Mailbox names: RFC 2142.
"""

import unicodedata
from functools import lru_cache
from typing import Annotated, Final

from django.conf import settings
from pydantic import StringConstraints, TypeAdapter, ValidationError

from accounts import names

_ENGLISH: Final = (
    "admin administrator administrators sysadmin superuser superadmin root system operator daemon support helpdesk "
    "security abuse hostmaster postmaster webmaster mailer-daemon noreply no-reply authsvc null nil none undefined "
    "anonymous"
)
_CHINESE: Final = (
    "管理员 管理員 系统管理员 系統管理員 超级管理员 超級管理員 安全管理员 安全管理員 审计管理员 審計管理員 "
    "安全员 审计员 系统 系統 客服 技术支持 技術支援"
)
# The punctuation of user names, and digits that are written for letters: `ad-min` and `4dm1n` imitate `admin`. The
# Unicode data has 0 and 1.
_IMITATIONS: Final = str.maketrans("34578", "eastb", "._-+")


def is_reserved(name: str) -> bool:
    """Return whether the public cannot register this valid user name, because it or one like it is reserved."""
    if not _reserved_skeletons(settings.SERVICE_NAME).isdisjoint(_skeletons(name)):
        return True
    return _matches(settings.RESERVED_USERNAMES, names.canonical_username(name))


@lru_cache(maxsize=8)
def _reserved_skeletons(service_name: str) -> frozenset[str]:
    reserved = f"{_ENGLISH} {_CHINESE}".split()
    service = "".join(service_name.split())
    return frozenset(skeleton for name in (*reserved, service) for skeleton in _skeletons(name))


def _skeletons(name: str) -> set[str]:
    """Return the forms of a name by which it is compared: as typed, in lower case and in upper case."""
    compatible = names.display_username(name)
    return {_skeleton(each) for each in (compatible, compatible.casefold(), compatible.upper())}


def _skeleton(text: str) -> str:
    """Return a form that names have in common that look alike."""
    mapped = "".join(map(_prototype, unicodedata.normalize("NFD", text)))
    # A capital i looks like a small L, so without regard to case the two are one letter.
    return unicodedata.normalize("NFD", mapped).casefold().replace("i", "l").translate(_IMITATIONS)


def _prototype(char: str) -> str:
    """Return what stands for all characters that look like this one.

    The data lists the prototype of a character that has one, and the characters of a prototype.
    """
    # As in accounts.names.
    from confusable_homoglyphs.confusables import confusables_data

    alike = [each["c"] for each in confusables_data.get(char, ())]
    if len(alike) != 1:
        return char
    other = str(alike[0])
    # Of a pair in which each is the only one listed for the other, either may stand for both.
    return min(char, other) if len(confusables_data.get(other, ())) == 1 else other


def _matches(pattern: str, name: str) -> bool:
    if not pattern:
        return False
    try:
        _matcher(pattern).validate_python(name)
    except ValidationError:
        return False
    return True


@lru_cache(maxsize=8)
def _matcher(pattern: str) -> TypeAdapter[str]:
    """Return a validator of whole names, in lower or upper case; its time grows linearly with a name's length."""
    return TypeAdapter(Annotated[str, StringConstraints(pattern=rf"(?i)\A(?:{pattern})\z")])
