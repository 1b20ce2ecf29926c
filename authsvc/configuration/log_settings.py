"""LOG_FORMAT as Django's logging settings. deploy/gunicorn.conf.py has them too, so that a process has one format."""

import logging
from typing import Any

# No format has these, and to find them takes as long as to format the record.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def from_format(name: str) -> dict[str, Any]:
    """Return the settings of logging for `json` or `text`; every line goes to the standard error stream."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "request_id": {"()": "authsvc.observability.log_records.RequestIDFilter"},
            "crash": {"()": "authsvc.observability.log_records.CrashFilter"},
        },
        "formatters": {
            "json": {"()": "authsvc.observability.json_records.JSONFormatter"},
            "text": {
                "()": "authsvc.observability.log_records.LineFormatter",
                "format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s",
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "filters": ["request_id"], "formatter": name}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.request": {"filters": ["crash"]},
            # Refused requests, as errors with a traceback each: any stranger could fill the log.
            "django.security": {"level": "CRITICAL"},
            # The development server's own lines of requests, without their ids.
            "django.server": {"handlers": [], "level": "ERROR", "propagate": True},
            # Without handlers of its own, its lines are as all others.
            "gunicorn.error": {"handlers": [], "level": "INFO", "propagate": True},
            # At DEBUG it logs whole forms, with the passwords in them, for every variable that a template lacks.
            "django.template": {"level": "INFO"},
        },
    }
