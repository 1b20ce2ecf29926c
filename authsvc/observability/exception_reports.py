"""Django's exception reports without request data and secrets."""

import re
from types import FrameType
from typing import Any, Final

from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

# Keys of META that identify a request. Other headers, and the query string, may hold a token or a password.
_SAFE_META: Final = frozenset(
    {"REQUEST_METHOD", "PATH_INFO", "REMOTE_ADDR", "CONTENT_TYPE", "CONTENT_LENGTH", "wsgi.url_scheme"}
)


class RedactingFilter(SafeExceptionReporterFilter):
    """Removes all request data and local variables, as a user's password may be in a variable of any name.

    Django's own filter removes only what is named like a secret. With DEBUG nothing is removed.
    """

    # The URL of a cache or of a database may hold a password.
    hidden_settings = re.compile(f"{SafeExceptionReporterFilter.hidden_settings.pattern}|LOCATION|URL$", re.IGNORECASE)

    def get_safe_request_meta(self, request: HttpRequest | None) -> dict[str, Any]:
        meta = super().get_safe_request_meta(request)  # type: ignore[arg-type]  # Django passes None outside a request.
        return {name: value for name, value in meta.items() if name in _SAFE_META} if self.is_active(request) else meta

    def get_safe_cookies(self, request: HttpRequest | None) -> dict[str, Any]:
        return {} if self.is_active(request) else super().get_safe_cookies(request)  # type: ignore[arg-type]

    def get_post_parameters(self, request: HttpRequest | None) -> Any:
        return {} if self.is_active(request) else super().get_post_parameters(request)

    def get_traceback_frame_variables(self, request: Any, tb_frame: FrameType) -> Any:
        return () if self.is_active(request) else super().get_traceback_frame_variables(request, tb_frame)


class RedactedExceptionReporter(ExceptionReporter):
    """Leaves query, uploaded files and the URL with its query out of the report."""

    def get_traceback_data(self) -> dict[str, Any]:
        data = super().get_traceback_data()
        if self.request is not None and self.filter.is_active(self.request):
            data |= {"request_GET_items": (), "request_FILES_items": (), "request_insecure_uri": self.request.path}
        return data
