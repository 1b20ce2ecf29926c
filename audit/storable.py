"""What every database stores, and returns as it was written."""

import re
from typing import Any

# PostgreSQL refuses NUL, and no database can encode a lone surrogate; SQLite would accept both.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def storable_text(text: str) -> str:
    """Return the text without NUL and lone surrogates."""
    return _UNSTORABLE.sub("", text)


def storable_json(value: Any) -> Any:
    """Return a JSON value with storable texts, and fractions as text: databases write them in different ways."""
    match value:
        case str():
            return storable_text(value)
        case dict():
            return {storable_text(str(key)): storable_json(each) for key, each in value.items()}
        case list() | tuple():
            return [storable_json(each) for each in value]
        case float():
            return str(value)
    return value
