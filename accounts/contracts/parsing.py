"""The parser of request bodies: strict JSON."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any, Final

from django.core.exceptions import RequestDataTooBig
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

LONGEST_BODY = 100_000
DEEPEST = 20
LONGEST_NUMBER = 30
_TOO_DEEP: Final = format_lazy(_("The JSON is nested more than {deepest} deep."), deepest=DEEPEST)
_SYNTAX_ERROR: Final = _("The body is not JSON: syntax error at line {line}, column {column}.")
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii"})


class MalformedBody(ParseError):
    """The body is not an object in JSON; `message` says why, and is translated when it is read."""

    def __init__(self, message: str | Promise = "") -> None:
        super().__init__()
        self.message = message


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise MalformedBody(_("The JSON object contains the same key twice."))
    return result


def _no_constant(name: str) -> None:
    raise MalformedBody(format_lazy(_("{name} is not JSON."), name=name))


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise MalformedBody(_("The JSON contains a number that is too long."))
    return int(text)


def _decimal(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise MalformedBody(_("The JSON contains a number that is too large."))
    return value


def _require_shallow(value: Any, depth: int = 0) -> None:
    if depth > DEEPEST:
        raise MalformedBody(_TOO_DEEP)
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _require_shallow(child, depth + 1)


def _position(error: json.JSONDecodeError) -> tuple[int, int]:
    """Return the line and the column of a syntax error.

    Python's own messages differ between versions, and so does the position of a trailing comma: Python 3.13 reports
    the comma, earlier versions the bracket after it. This returns the comma.
    """
    before = error.doc[: error.pos].rstrip(" \t\n\r")
    trailing_comma = before.endswith(",") and error.doc.startswith(("]", "}"), error.pos)
    position = len(before) - 1 if trailing_comma else error.pos
    lines = error.doc[:position].split("\n")
    return len(lines), len(lines[-1]) + 1


def _decode(body: bytes) -> Any:
    """Return the value of a JSON text. Raises ParseError."""
    try:
        return json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_no_duplicates,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_decimal,
        )
    except UnicodeDecodeError as error:
        raise MalformedBody(_("The body is not UTF-8.")) from error
    except RecursionError as error:
        raise MalformedBody(_TOO_DEEP) from error
    except json.JSONDecodeError as error:
        line, column = _position(error)
        raise MalformedBody(format_lazy(_SYNTAX_ERROR, line=line, column=column)) from error


class StrictJSONParser(BaseParser):
    """JSON as RFC 8259 defines it, in UTF-8, without NaN, duplicate keys and deep nesting."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the decoded body. Raises ParseError and RequestDataTooBig."""
        request = (parser_context or {})["request"]
        if request.content_params.get("charset", "utf-8").lower() not in _UTF8:
            raise MalformedBody(_("The JSON is not in UTF-8."))
        # At most one byte more than allowed is read of a body that is too long.
        body: bytes = stream.read(LONGEST_BODY + 1)
        if len(body) > LONGEST_BODY:
            raise RequestDataTooBig
        if len(body) < int(request.META["CONTENT_LENGTH"]):
            raise MalformedBody(_("The body is shorter than its Content-Length."))
        value = _decode(body)
        _require_shallow(value)
        if not isinstance(value, dict):
            raise MalformedBody(_("The JSON is not an object."))
        return value
