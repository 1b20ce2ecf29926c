"""Django's middleware for pages in a browser, which requests to the APIs pass by."""

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject

from authsvc.admin_site import logins
from authsvc.configuration.mounts import has_translations, is_page


class PagesOnly(MiddlewareMixin):
    """A base that comes before the class of a middleware, which then has no part in requests for anything but pages."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_page(request.path):
            return super().__call__(request)  # type: ignore[return-value]  # This service has no asynchronous middleware.
        return self.get_response(request)  # type: ignore[return-value]  # As above.


class PageLocaleMiddleware(LocaleMiddleware):
    """Django's, for pages with words in several languages: the description of the API has one."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if has_translations(request.path):
            return super().__call__(request)  # type: ignore[return-value]  # As in PagesOnly.
        return self.get_response(request)  # type: ignore[return-value]  # As in PagesOnly.


class PageAuthenticationMiddleware(PagesOnly, AuthenticationMiddleware):
    """Django's, but the row of the session decides who is logged in."""

    def process_request(self, request: HttpRequest) -> None:
        request.user = SimpleLazyObject(lambda: logins.user_of(request))  # type: ignore[assignment]  # As Django does.


class PageMessageMiddleware(PagesOnly, MessageMiddleware):
    pass
