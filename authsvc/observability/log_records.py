"""The text log: one line for each record, in UTC, with the request id."""

import logging
import time
from typing import Any

from audit.origin import current_request_id, current_traceparent, escape_control_chars

# The key of the request id in META, for records that are logged after the middleware has returned.
REQUEST_ID = "authsvc.request_id"
NO_REQUEST = "-"
_INDENT = "    "


class RequestIDFilter(logging.Filter):
    """Adds the id of the current request, outside one a dash, and its `traceparent` to each log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        if "request_id" in vars(record):
            return True
        # Django logs an error response after every middleware has returned.
        of_record = getattr(getattr(record, "request", None), "META", {}).get(REQUEST_ID)
        record.request_id = current_request_id.get() or of_record or NO_REQUEST
        record.traceparent = current_traceparent.get()
        return True


class CrashFilter(logging.Filter):
    """Passes errors with an exception only: the access log has the others that Django logs for each error response.

    Django logs a refused body as a warning, with the exception, whose text is of the client.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info) and record.levelno >= logging.ERROR


class LineFormatter(logging.Formatter):
    """Formats times in UTC, and escapes control characters, which could forge or hide a line.

    The lines of a traceback are indented, so that none of them looks like a line of the log.
    """

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 Python's name.
        attributes = vars(record)
        fields = {"traceparent": attributes.get("traceparent"), **attributes.get("fields", {})}
        suffix = "".join(f" {name}={value}" for name, value in fields.items() if value not in (None, ""))
        record.message = escape_control_chars(record.message) + suffix
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        # Another formatter may have cached its own text of the traceback.
        record.exc_text = None
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 As above.
        return "\n".join(_INDENT + escape_control_chars(line) for line in super().formatException(ei).splitlines())
