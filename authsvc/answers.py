"""Errors that happen before any contract's view is reached, told in the words of the contract whose path it is."""

from importlib import import_module

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.utils.encoders import JSONEncoder

from accounts.contracts.base import Contract, error_headers
from authsvc.mounts import mounted_contract


def contract_of(path: str) -> Contract:
    """Return the contract that is mounted at this path; outside all mounts it is the native one."""
    name = mounted_contract(path, settings.CONTRACT_MOUNTS)
    contract: Contract = import_module(f"accounts.contracts.{name}.contract").CONTRACT
    return contract


def error_answer(request: HttpRequest, error: BaseException) -> HttpResponse:
    """Return the error in the words of the request's contract."""
    contract = contract_of(request.path)
    words = contract.wire_error(error)
    return JsonResponse(
        contract.envelope(words, error),
        status=words.status,
        headers=error_headers(words, error),
        content_type=contract.media_type,
        encoder=JSONEncoder,
        json_dumps_params={"ensure_ascii": False},
    )
