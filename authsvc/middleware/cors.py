"""Cross-origin requests: listed origins read every response, and send the refresh cookie to the native contract."""

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from authsvc.configuration.mounts import is_page


class CookieCorsMiddleware(CorsMiddleware):
    """Allows credentials on the paths of the native contract alone.

    A listed origin must not read pages of the admin site with the cookie of an administrator's login.
    """

    def add_response_headers(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response = super().add_response_headers(request, response)
        # A mount such as `/api` has pages below it.
        path, mount = request.path_info, f"/{settings.CONTRACT_MOUNTS['native']}/"
        is_native = path.startswith(mount) and not is_page(path)
        if is_native and response.has_header("Access-Control-Allow-Origin"):
            response["Access-Control-Allow-Credentials"] = "true"
        return response
