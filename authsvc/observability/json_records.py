"""The JSON log: one object for each record, on one line."""

import json
import logging
import time
from functools import lru_cache
from typing import Any, Final

from authsvc.observability.log_records import NO_REQUEST

# ASCII alone: control and bidirectional characters, and lone surrogates, are escapes of JSON.
_encode: Final = json.JSONEncoder(ensure_ascii=True, default=str).encode


@lru_cache(maxsize=2)
def _second(timestamp: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(timestamp))


class JSONFormatter(logging.Formatter):
    """Formats a record as an object: time in UTC, level, logger, message and request id, and then its own fields.

    An exception's traceback is in `exception`. `authsvc.observability.log_records.RequestIDFilter` has set the
    ids of the request.
    """

    def format(self, record: logging.LogRecord) -> str:
        attributes = vars(record)
        request_id = attributes.get("request_id", NO_REQUEST)
        line: dict[str, Any] = {
            "time": f"{_second(int(record.created))}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id if request_id != NO_REQUEST else None,
            **attributes.get("fields", {}),
        }
        if attributes.get("traceparent"):
            line["traceparent"] = attributes["traceparent"]
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _encode(line)
