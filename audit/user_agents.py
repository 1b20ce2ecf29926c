"""Descriptions of user agents for lists: `Firefox 140 · Windows`."""

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from ua_parser import Parser

# The library names programs in English, and two libraries as if they were their languages.
_NAMES: Final[dict[str, Promise | str]] = {
    "360 Browser": _("360 Browser"),
    "DingTalk": _("DingTalk"),
    "HeadlessChrome": "Chrome",
    "Huawei Browser": _("Huawei Browser"),
    "Python Requests": "python-requests",
    "QQ Browser": _("QQ Browser"),
    "QQ Browser Mobile": _("QQ Browser"),
    "Sogou Explorer": _("Sogou Explorer"),
    "UC Browser": _("UC Browser"),
    "WeChat Browser": _("WeChat"),
}
_SHOWN_LENGTH: Final = 60
# A page of a list has at most 100 rows; this holds the user agents of several pages.
_REMEMBERED: Final = 1000


def device(user_agent: str) -> str:
    """Return the program, its major version and the system that a user agent claims.

    A user agent that no rule knows is returned as it is, cut to 60 characters. The claim is unverified: a client sends
    what it likes.
    """
    program, version, system = _parsed(user_agent)
    name = f"{_NAMES.get(program, program)} {version}".strip()
    return " · ".join(filter(None, (name, system))) or user_agent[:_SHOWN_LENGTH]


def family(user_agent: str) -> str:
    """Return the program and the system that a user agent claims, in English and without a version.

    An update of either leaves it the same. A user agent that no rule knows is returned without its numbers.
    """
    program, _version, system = _parsed(user_agent)
    return " · ".join(filter(None, (program, system))) or re.sub(r"[\d.]+", "", user_agent)


@lru_cache(maxsize=_REMEMBERED)
def _parsed(user_agent: str) -> tuple[str, str, str]:
    """Return the program, its major version and the system, each blank where no rule knows it."""
    program, system = _parser().parse_user_agent(user_agent), _parser().parse_os(user_agent)
    version = program.major or "" if program else ""
    return program.family if program else "", version, system.family if system else ""


@cache
def _parser() -> "Parser":
    """Return the library's parser, with rules of our own for what it lacks and is common in China."""
    # Loading the rules takes time and memory that only a process which shows a list or logs somebody in has to spend.
    from ua_parser import BasicResolver, Parser, load_lazy_builtins
    from ua_parser.matchers import OSMatcher, UserAgentMatcher

    programs, systems, devices = load_lazy_builtins()
    ours = [
        UserAgentMatcher(r"(HuaweiBrowser)/(\d+)", family="Huawei Browser"),
        UserAgentMatcher(r"(DingTalk)[/(](\d+)"),
        UserAgentMatcher(r"(360SE|360EE|QihooBrowser)(?:/(\d+))?", family="360 Browser"),
    ]
    harmony = OSMatcher(r"HarmonyOS|OpenHarmony", family="HarmonyOS")
    return Parser(BasicResolver(([*ours, *programs], [harmony, *systems], devices)))
