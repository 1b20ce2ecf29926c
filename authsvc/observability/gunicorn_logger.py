"""gunicorn's own log, without its access log."""

from gunicorn.glogging import Logger


class ErrorLogger(Logger):  # type: ignore[misc]  # gunicorn has no types.
    """Logs what concerns gunicorn itself.

    This service logs each request. gunicorn takes its settings of logging for a wish to do the same, and would compose
    a line that no handler writes, which takes a tenth of a short request.
    """

    access_log_enabled = False
