"""A user agent in words: `Firefox 140 · Windows`."""

import re
from collections.abc import Sequence
from typing import Final

_Names = Sequence[tuple[str, re.Pattern[str]]]

# Most browsers claim to be those below them, so the first that fits is right.
_PROGRAMS: Final[_Names] = [
    (name, re.compile(pattern))
    for name, pattern in (
        ("WeChat", r"MicroMessenger/(\d+)"),
        ("DingTalk", r"DingTalk/(\d+)"),
        ("QQ Browser", r"QQBrowser/(\d+)"),
        ("UC Browser", r"UC?Browser/(\d+)"),
        ("360 Browser", r"(?:360SE|360EE|QihooBrowser)(?:/(\d+))?"),
        ("Huawei Browser", r"HuaweiBrowser/(\d+)"),
        ("Edge", r"Edg(?:e|A|iOS)?/(\d+)"),
        ("Opera", r"(?:OPR|Opera)/(\d+)"),
        ("Samsung Internet", r"SamsungBrowser/(\d+)"),
        ("Firefox", r"(?:Firefox|FxiOS)/(\d+)"),
        ("Chrome", r"(?:Chrome|CriOS)/(\d+)"),
        ("Safari", r"Version/(\d+)[^ ]* (?:Mobile/\w+ )?Safari/"),
        ("Internet Explorer", r"(?:MSIE |Trident/.*rv:)(\d+)"),
        ("Postman", r"PostmanRuntime/(\d+)"),
        ("curl", r"^curl/(\d+)"),
        ("Python", r"python-(?:requests|httpx|urllib3)/(\d+)|^Python-urllib/(\d+)"),
        ("Java", r"okhttp/(\d+)|^(?:Java|Java-http-client|Apache-HttpClient)/(\d+)"),
        ("Node.js", r"^node(?:-fetch)?(?:/(\d+))?|^axios/(\d+)"),
    )
]
_SYSTEMS: Final[_Names] = [
    (name, re.compile(pattern))
    for name, pattern in (
        ("HarmonyOS", r"HarmonyOS|OpenHarmony"),
        ("Android", r"Android"),
        ("iPhone", r"iPhone"),
        ("iPad", r"iPad"),
        ("Windows", r"Windows"),
        ("macOS", r"Mac OS X|Macintosh"),
        ("ChromeOS", r"CrOS"),
        ("Linux", r"Linux|X11"),
    )
]
_SHOWN_LENGTH: Final = 60


def device(user_agent: str) -> str:
    """Return the program and system that a user agent claims; what is not known is shown as it is, cut short."""
    parts = [name for name in (_found(_PROGRAMS, user_agent), _found(_SYSTEMS, user_agent)) if name]
    return " · ".join(parts) or user_agent[:_SHOWN_LENGTH]


def _found(names: _Names, user_agent: str) -> str:
    for name, pattern in names:
        if match := pattern.search(user_agent):
            version = next(filter(None, match.groups()), "")
            return f"{name} {version}".strip()
    return ""
