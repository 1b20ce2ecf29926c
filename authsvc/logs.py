"""The text log: one line a record, in UTC, that names its request."""

import logging
import time
from typing import Any

from audit.origin import current_request_id, escape_control_chars

# Where a request keeps its name, for what is logged of it when its answer is on the way out.
REQUEST_ID = "authsvc.request_id"
_INDENT = "    "


class RequestIDFilter(logging.Filter):
    """Gives each log record the name of the request that it was written in, or a dash."""

    def filter(self, record: logging.LogRecord) -> bool:
        # Django logs a refusal after every middleware is through with it.
        of_record = getattr(getattr(record, "request", None), "META", {}).get(REQUEST_ID)
        record.request_id = current_request_id.get() or of_record or "-"
        return True


class LineFormatter(logging.Formatter):
    """Writes times in UTC, and escapes what would begin a line or hide one.

    The lines of a traceback are indented, so that nothing in it can pass for a line of the log.
    """

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 Python's name.
        record.message = escape_control_chars(record.message)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        # Another formatter may have left its own text of the traceback.
        record.exc_text = None
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 As above.
        return "\n".join(_INDENT + escape_control_chars(line) for line in super().formatException(ei).splitlines())
