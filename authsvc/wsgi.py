"""The WSGI application that a production server loads."""

import gc
import os
import sys
from typing import TYPE_CHECKING, Final

from django.core.wsgi import get_wsgi_application

from authsvc.configuration.startup import run_startup_checks
from authsvc.middleware.request_guard import RequestGuard
from authsvc.observability import tracing

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# gunicorn stops when a worker ends with this status; after any other it starts the next worker, without end.
_BOOT_ERROR: Final = 3

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authsvc.settings")


def _load() -> "WSGIApplication":
    # What is loaded stays, so that collections meanwhile find nothing, and take a tenth of the start.
    gc.disable()
    try:
        if tracing.is_wanted():
            tracing.prepare()
        django_application = get_wsgi_application()
        run_startup_checks()
    except SystemExit as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(_BOOT_ERROR)
    guarded = RequestGuard(django_application)
    application = tracing.traced(guarded) if tracing.is_wanted() else guarded
    # A garbage collection that goes through all that was loaded holds every request up for 100 ms.
    gc.collect()
    gc.freeze()
    gc.enable()
    return application


application = _load()
