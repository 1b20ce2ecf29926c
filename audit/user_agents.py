"""Descriptions of user agents for lists: `Firefox 140 · Windows`."""

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ua_parser import Parser

_SHOWN_LENGTH: Final = 60
# A page of a list has at most 100 rows; this holds the user agents of several pages.
_REMEMBERED: Final = 1000


@lru_cache(maxsize=_REMEMBERED)
def device(user_agent: str) -> str:
    """Return the program, its major version and the system that a user agent claims.

    A user agent that no rule knows is returned as it is, cut to 60 characters. The claim is unverified: a client sends
    what it likes.
    """
    program, system = _parser().parse_user_agent(user_agent), _parser().parse_os(user_agent)
    parts = []
    if program:
        parts.append(f"{program.family} {program.major or ''}".strip())
    if system:
        parts.append(system.family)
    return " · ".join(parts) or user_agent[:_SHOWN_LENGTH]


@cache
def _parser() -> "Parser":
    """Return the library's parser, with rules of our own for what it lacks and is common in China."""
    # Loading the rules takes time and memory that only a process which shows a list has to spend.
    from ua_parser import BasicResolver, Parser, load_lazy_builtins
    from ua_parser.matchers import OSMatcher, UserAgentMatcher

    programs, systems, devices = load_lazy_builtins()
    ours = [
        UserAgentMatcher(r"(DingTalk)[/(](\d+)"),
        UserAgentMatcher(r"(360SE|360EE|QihooBrowser)(?:/(\d+))?", family="360 Browser"),
    ]
    harmony = OSMatcher(r"HarmonyOS|OpenHarmony", family="HarmonyOS")
    return Parser(BasicResolver(([*ours, *programs], [harmony, *systems], devices)))
