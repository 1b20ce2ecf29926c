"""Errors that occur before a contract's view is reached, in the format of the contract whose path it is."""

from importlib import import_module

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.utils.encoders import JSONEncoder

from accounts.contracts.base import Contract
from accounts.contracts.error_answers import error_answer
from authsvc.configuration.mounts import has_translations, mounted_contract
from authsvc.endpoints.error_pages import error_page


def error_response(request: HttpRequest, error: BaseException) -> HttpResponse:
    """Return the response of the contract at the request's path to an error; outside all mounts, the native one's.

    Pages in the browser's language have an error page.
    """
    name = mounted_contract(request.path, settings.CONTRACT_MOUNTS)
    contract: Contract = import_module(f"accounts.contracts.{name}.contract").CONTRACT
    answer = error_answer(contract, error, request.headers.get("Accept-Language", ""))
    if has_translations(request.path):
        page = error_page(request, answer.status)
        if wait := answer.headers.get("Retry-After"):
            page["Retry-After"] = wait
        return page
    response = JsonResponse(
        answer.body,
        status=answer.status,
        headers=answer.headers,
        content_type=contract.media_type,
        encoder=JSONEncoder,
        json_dumps_params={"ensure_ascii": False},
    )
    # Django's CommonMiddleware sets it, but not on a response of a middleware before it.
    response["Content-Length"] = str(len(response.content))
    return response
