"""What a report of a crash may show: where it happened, and nothing that anybody has sent or that is kept secret."""

import re
from types import FrameType
from typing import Any, Final

from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

# What says which request it was. Any other header, and the query too, may hold a token or a password.
_SHOWN: Final = frozenset(
    {"REQUEST_METHOD", "PATH_INFO", "REMOTE_ADDR", "CONTENT_TYPE", "CONTENT_LENGTH", "wsgi.url_scheme"}
)


class RedactingFilter(SafeExceptionReporterFilter):
    """Django's filter hides what is named like a secret; passwords of people are in variables of any name.

    With DEBUG everything of the request is shown, on the developer's own machine.
    """

    # An address of a cache or of a database may have a password in it.
    hidden_settings = re.compile(f"{SafeExceptionReporterFilter.hidden_settings.pattern}|LOCATION|URL$", re.IGNORECASE)

    def get_safe_request_meta(self, request: HttpRequest | None) -> dict[str, Any]:
        meta = super().get_safe_request_meta(request)  # type: ignore[arg-type]  # A report of no request has none.
        return {name: value for name, value in meta.items() if name in _SHOWN} if self.is_active(request) else meta

    def get_safe_cookies(self, request: HttpRequest | None) -> dict[str, Any]:
        return {} if self.is_active(request) else super().get_safe_cookies(request)  # type: ignore[arg-type]

    def get_post_parameters(self, request: HttpRequest | None) -> Any:
        return {} if self.is_active(request) else super().get_post_parameters(request)

    def get_traceback_frame_variables(self, request: Any, tb_frame: FrameType) -> Any:
        return () if self.is_active(request) else super().get_traceback_frame_variables(request, tb_frame)


class Report(ExceptionReporter):
    def get_traceback_data(self) -> dict[str, Any]:
        data = super().get_traceback_data()
        if self.request is not None and self.filter.is_active(self.request):
            data |= {"request_GET_items": (), "request_FILES_items": (), "request_insecure_uri": self.request.path}
        return data
