"""The parser of request bodies: strict JSON."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any

from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

LONGEST_BODY = 100_000
DEEPEST = 20
LONGEST_NUMBER = 30
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii"})


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ParseError("The JSON object contains the same key twice.")
    return result


def _no_constant(name: str) -> None:
    raise ParseError(f"{name} is not JSON.")


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ParseError("The JSON contains a number that is too long.")
    return int(text)


def _decimal(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ParseError("The JSON contains a number that is too large.")
    return value


def _require_shallow(value: Any, depth: int = 0) -> None:
    if depth > DEEPEST:
        raise ParseError(f"The JSON is nested more than {DEEPEST} deep.")
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _require_shallow(child, depth + 1)


def _position(error: json.JSONDecodeError) -> str:
    """Return the line and the column of a syntax error.

    Python's own messages differ between versions, and so does the position of a trailing comma: Python 3.13 reports
    the comma, earlier versions the bracket after it. This returns the comma.
    """
    before = error.doc[: error.pos].rstrip(" \t\n\r")
    trailing_comma = before.endswith(",") and error.doc.startswith(("]", "}"), error.pos)
    position = len(before) - 1 if trailing_comma else error.pos
    lines = error.doc[:position].split("\n")
    return f"line {len(lines)}, column {len(lines[-1]) + 1}"


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
        raise ParseError("The body is not UTF-8.") from error
    except RecursionError as error:
        raise ParseError(f"The JSON is nested more than {DEEPEST} deep.") from error
    except json.JSONDecodeError as error:
        raise ParseError(f"The body is not JSON: syntax error at {_position(error)}.") from error


class StrictJSONParser(BaseParser):
    """JSON as RFC 8259 defines it, in UTF-8, without NaN, duplicate keys and deep nesting."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the decoded body. Raises ParseError and RequestDataTooBig."""
        request = (parser_context or {})["request"]
        if request.content_params.get("charset", "utf-8").lower() not in _UTF8:
            raise ParseError("The JSON is not in UTF-8.")
        # At most one byte more than allowed is read of a body that is too long.
        body: bytes = stream.read(LONGEST_BODY + 1)
        if len(body) > LONGEST_BODY:
            raise RequestDataTooBig
        if len(body) < int(request.META["CONTENT_LENGTH"]):
            raise ParseError("The body is shorter than its Content-Length.")
        value = _decode(body)
        _require_shallow(value)
        if not isinstance(value, dict):
            raise ParseError("The JSON is not an object.")
        return value
