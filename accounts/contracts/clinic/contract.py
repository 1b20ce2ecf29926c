"""The clinic contract."""

from dataclasses import replace
from typing import Final

from accounts.contracts.base import Contract
from accounts.contracts.clinic.errors import ERRORS, REFRESH_ERRORS, RESET_ERRORS, error_body, message_body
from accounts.contracts.clinic.tokens import NAME, session_of

CONTRACT: Final = Contract(name=NAME, errors=ERRORS, error_body=error_body, session_of=session_of)
REFRESH: Final = replace(CONTRACT, errors=REFRESH_ERRORS)
RESET: Final = replace(CONTRACT, errors=RESET_ERRORS, error_body=message_body)
