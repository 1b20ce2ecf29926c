"""Errors that happen before any contract's view is reached, told in the words of the contract whose path it is."""

from importlib import import_module

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.utils.encoders import JSONEncoder

from accounts.contracts.base import Contract, error_headers


def contract_of(path: str) -> Contract:
    """Return the contract that is mounted at this path; outside all mounts it is the native one."""
    mounted = ((f"/{prefix}/", name) for name, prefix in settings.CONTRACT_MOUNTS.items())
    # The longest prefix wins, as one mount may lie inside another.
    name = next(
        (name for prefix, name in sorted(mounted, key=lambda m: -len(m[0])) if f"{path}/".startswith(prefix)), "native"
    )
    contract: Contract = import_module(f"accounts.contracts.{name}.contract").CONTRACT
    return contract


def error_answer(request: HttpRequest, error: BaseException) -> HttpResponse:
    """Return the error in the words of the request's contract."""
    contract = contract_of(request.path)
    wire_error = contract.wire_error(error)
    return JsonResponse(
        contract.error_body(wire_error, error),
        status=wire_error.status,
        headers=error_headers(wire_error, error),
        content_type=contract.media_type,
        encoder=JSONEncoder,
        json_dumps_params={"ensure_ascii": False},
    )
