"""Cross-origin requests: listed origins read every response, and send the refresh cookie to the native contract."""

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from authsvc.configuration.mounts import is_page


class CookieCorsMiddleware(CorsMiddleware):
    """Allows credentials on the paths of the native contract alone.

    A listed origin must not read pages of the admin site with the cookie of an administrator's login.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_ORIGIN" in request.META or request.method == "OPTIONS":
            return super().__call__(request)  # type: ignore[return-value]  # This service has no asynchronous middleware.
        # Of a request without an origin the package reads every header, only to find none.
        response: HttpResponseBase = self.get_response(request)  # type: ignore[assignment]  # As above.
        patch_vary_headers(response, ("origin",))
        return response

    def add_response_headers(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response = super().add_response_headers(request, response)
        # A mount such as `/api` has pages below it.
        path, mount = request.path_info, f"/{settings.CONTRACT_MOUNTS['native']}/"
        is_native = path.startswith(mount) and not is_page(path)
        if is_native and response.has_header("Access-Control-Allow-Origin"):
            response["Access-Control-Allow-Credentials"] = "true"
        return response
