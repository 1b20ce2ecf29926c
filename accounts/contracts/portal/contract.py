"""The portal contract."""

from typing import Final

from accounts.contracts.base import Contract
from accounts.contracts.portal.errors import ERRORS, error_body
from accounts.contracts.portal.tokens import NAME, session_of

CONTRACT: Final = Contract(name=NAME, errors=ERRORS, error_body=error_body, session_of=session_of, language="zh-hans")
