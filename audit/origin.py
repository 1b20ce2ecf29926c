"""Where a request came from, as plain values that the core can pass on without knowing HTTP."""

from contextvars import ContextVar
from dataclasses import dataclass

# Set for the length of a request; empty outside one, for instance in a command.
current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")


@dataclass(frozen=True, slots=True)
class Origin:
    """The door that a request came through, and from where.

    `contract` is a contract's name, `admin` for the admin site or `console` for a command.
    """

    contract: str
    ip: str | None = None
    user_agent: str = ""


ADMIN_SITE = "admin"
CONSOLE = Origin(contract="console")
