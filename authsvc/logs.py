import logging

from audit.origin import current_request_id


class RequestIDFilter(logging.Filter):
    """Gives each log record the name of the request that it was written in, or a dash."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id.get() or "-"
        return True
