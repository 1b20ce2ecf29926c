"""The answer to an error, in the language of the contract or of the reader."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

from accounts.contracts.base import Contract, error_headers


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """What a client gets in place of what it asked for. `status` is the HTTP status."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]


def language_of(contract: Contract, accept_language: str) -> str:
    """Return the language of a contract's messages for a request with this `Accept-Language`."""
    if contract.languages:
        for wanted, weight in parse_accept_lang_header(accept_language):
            if weight and wanted != "*" and (found := _supported(wanted)) in contract.languages:
                return found
    return contract.language


def _supported(wanted: str) -> str:
    """Return the language of the settings for a language tag, such as `zh-hans` for `zh-CN`, or nothing."""
    try:
        return translation.get_supported_language_variant(wanted)
    except LookupError:
        return ""


def error_answer(contract: Contract, error: BaseException, accept_language: str) -> ErrorAnswer:
    """Return a contract's answer to an error. Where the language depends on the request, the headers say so."""
    wire_error = contract.wire_error(error)
    language = language_of(contract, accept_language)
    with translation.override(language):
        body = contract.error_body(wire_error, error)
    headers = error_headers(wire_error, error)
    if contract.languages:
        headers |= {"Content-Language": language, "Vary": "Accept-Language"}
    return ErrorAnswer(wire_error.status, body, headers)
