"""The union contract."""

from typing import Final

from accounts.contracts.base import Contract
from accounts.contracts.union.errors import ERRORS, error_body
from accounts.contracts.union.tokens import NAME, session_of
from accounts.services.sign_in import LoginRule
from audit.events import FailureReason

CONTRACT: Final = Contract(name=NAME, errors=ERRORS, error_body=error_body, session_of=session_of, language="zh-hans")


def only(role: str) -> LoginRule:
    """Return the rule that refuses a user of another role."""
    return lambda user: None if user.role == role else FailureReason.WRONG_ROLE
