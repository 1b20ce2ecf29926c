"""Hypothesis strategies for arbitrary input: names, addresses, bodies, headers."""

import base64
import json
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# The same in every run, and with nothing of an earlier one.
EVERY_RUN_THE_SAME: Final = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# Lone surrogates too: JSON can say them.
CHARACTERS: Final = st.characters(exclude_categories=())
TEXT: Final = st.text(CHARACTERS, max_size=40)
# What imitates, joins, steers or vanishes, among what is harmless.
_TRICKY: Final = (
    "aAzÅßǅΣςσκаеο王ａ１١①²ﬁ·.-_+@ \t\x00\u0130\u0131\u0345\u034f\u0387\u200b\u200d\u202e\u2066\u3164\ufe0f\ufeff"
)
NAMES: Final = st.one_of(
    TEXT,
    st.text(st.sampled_from(_TRICKY), max_size=20),
    st.text(st.characters(categories=["L", "M", "N"]), min_size=1, max_size=12),
    st.from_regex(r"[A-Za-z0-9._+-]{1,160}", fullmatch=True),
)
EMAILS: Final = st.one_of(
    TEXT,
    st.emails(),
    st.builds(
        "{}@{}".format, NAMES, st.sampled_from(["b.cn", "Hospital.Example", "his.local", "例子.公司", "[::1]", ""])
    ),
)
PHONES: Final = st.one_of(
    TEXT,
    st.from_regex(r"(\+|00)?[0-9 ()./-]{5,20}", fullmatch=True),
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.from_regex(r"0?(10|2[0-9]|[3-9][0-9]{2})[2-8][0-9]{6,7}", fullmatch=True),
    st.from_regex(r"\+(1|44|49|852|39)[0-9]{7,11}", fullmatch=True),
)

JSON: Final[st.SearchStrategy[Any]] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.integers(10**28, 10**32), st.floats(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=8,
)
_BROKEN: Final = st.sampled_from(
    [
        b"[" * 50_000,
        b'{"a":' * 500 + b"1" + b"}" * 500,
        b'{"a": 1, "a": 2}',
        b'{"a": 1e999}',
        b"\xef\xbb\xbf{}",
        b"\xff",
    ]
)


def bodies(*fields: str) -> st.SearchStrategy[bytes]:
    """Return bodies of requests: any bytes, any JSON, and objects that have these fields with any values."""
    objects = st.fixed_dictionaries({}, optional=dict.fromkeys(fields, JSON))
    return st.one_of(st.binary(max_size=60), _BROKEN, st.one_of(JSON, objects, objects).map(encoded))


def encoded(value: Any) -> bytes:
    """Return a value as JSON, with NaN and lone surrogates as Python writes them."""
    return json.dumps(value).encode()


def _segment(value: Any) -> str:
    return base64.urlsafe_b64encode(encoded(value)).rstrip(b"=").decode()


_HEADERS: Final = st.fixed_dictionaries(
    {},
    optional={
        "alg": st.one_of(st.sampled_from(["none", "HS256", "HS384", "ES256"]), JSON),
        "kid": JSON,
        "typ": st.one_of(st.sampled_from(["JWT", "at+jwt", "refresh+jwt"]), JSON),
        "crit": JSON,
        "b64": JSON,
    },
)
# A header of HTTP comes as Latin-1.
LATIN: Final = st.text(st.characters(max_codepoint=255), max_size=60)
TOKENS: Final = st.one_of(
    LATIN, st.builds("{}.{}.{}".format, _HEADERS.map(_segment), JSON.map(_segment), st.one_of(LATIN, st.just("")))
)
AUTHORIZATIONS: Final = st.one_of(
    LATIN,
    TOKENS.map("Bearer {}".format),
    st.builds("{} {}".format, st.sampled_from(["bearer", "Basic", "Bearer\t"]), LATIN),
)
ADDRESSES: Final = st.ip_addresses().map(str)
