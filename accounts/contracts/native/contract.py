"""The native contract."""

from typing import Final

from django.conf import settings

from accounts.contracts.base import Contract
from accounts.contracts.native.errors import ERRORS, problem_details
from accounts.contracts.native.tokens import NAME, session_of

CONTRACT: Final = Contract(
    name=NAME,
    errors=ERRORS,
    error_body=problem_details,
    session_of=session_of,
    media_type="application/problem+json",
    languages=frozenset(code for code, _ in settings.LANGUAGES),
)
