"""The hospital contract."""

from dataclasses import replace
from typing import Final

from accounts.contracts.base import Contract
from accounts.contracts.hospital.errors import ERRORS, LOGIN_ERRORS, error_body, message_body
from accounts.contracts.hospital.tokens import NAME, session_of

CONTRACT: Final = Contract(name=NAME, errors=ERRORS, error_body=error_body, session_of=session_of)
LOGIN: Final = replace(CONTRACT, errors=LOGIN_ERRORS, error_body=message_body)
