"""The middleware of pages in a browser, which no request of an API passes through."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string

from authsvc.admin_site import logins
from authsvc.configuration.mounts import has_translations, is_page

Handler = Callable[[HttpRequest], HttpResponseBase]


class PageMiddleware:
    """Takes requests for pages and for their files through PAGE_MIDDLEWARE, and all others past it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = self._through_page_middleware = get_response
        self._process_view: list[Callable[..., HttpResponseBase | None]] = []
        for name in reversed(settings.PAGE_MIDDLEWARE):
            middleware = import_string(name)(self._through_page_middleware)
            if hasattr(middleware, "process_view"):
                self._process_view.insert(0, middleware.process_view)
            # As Django does between two of MIDDLEWARE.
            self._through_page_middleware = convert_exception_to_response(middleware)  # type: ignore[assignment]  # None is asynchronous.

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._through_page_middleware(request) if _is_for_pages(request) else self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        """Return the first response of PAGE_MIDDLEWARE to a view and its arguments, or None."""
        if not _is_for_pages(request):
            return None
        responses = (process_view(request, *view) for process_view in self._process_view)
        return next((response for response in responses if response is not None), None)


def _is_for_pages(request: HttpRequest) -> bool:
    return is_page(request.path) or request.path.startswith(settings.STATIC_URL)


class PageLocaleMiddleware(LocaleMiddleware):
    """Django's, for pages with words in several languages: the description of the API has one."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if has_translations(request.path):
            return super().__call__(request)  # type: ignore[return-value]  # This service has no asynchronous middleware.
        return self.get_response(request)  # type: ignore[return-value]  # As above.


class PageAuthenticationMiddleware(AuthenticationMiddleware):
    """Django's, but the row of the session decides who is logged in."""

    def process_request(self, request: HttpRequest) -> None:
        request.user = SimpleLazyObject(lambda: logins.user_of(request))  # type: ignore[assignment]  # As Django does.
