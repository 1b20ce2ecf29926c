"""Former login attempts as rows of the trail: marked as imported, with their own times, sealed at the import."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from accounts.services.importing import values
from accounts.services.importing.import_plan import AT_ONCE, COMING, ImportPlan
from accounts.services.importing.sources import Source
from accounts.services.importing.systems import FormerSystem
from audit.events import FailureReason, Status
from audit.models import LoginAttempt
from audit.origin import IMPORTED, escape_control_chars

# The reasons that document 000's own code writes.
_REASONS: Final = {
    "user not found": FailureReason.UNKNOWN_USER,
    "user inactive": FailureReason.INACTIVE,
    "invalid password": FailureReason.WRONG_PASSWORD,
}


def attempts(
    import_plan: ImportPlan, source: Source, system: FormerSystem, key: str
) -> Iterator[tuple[list[LoginAttempt], int]]:
    """Yield the attempts of people who come, in batches, and how many rows of each batch are left out.

    Left out are those of nobody who comes, and those without a valid time. `key` names the import.
    """
    rows = source.logs()
    while batch := list(islice(rows, AT_ONCE)):
        people = _people(import_plan, {values.whole_number(row[0]) for row in batch})
        made = [attempt for row in batch if (attempt := _attempt(row, people, system, key))]
        yield made, len(batch) - len(made)


def _people(import_plan: ImportPlan, former_ids: set[int | None]) -> dict[int, tuple[int, str]]:
    """Return id and user name of people who come, by their former ids."""
    marks = ", ".join("?" * len(former_ids))
    found = import_plan.database.execute(
        f"SELECT former_id, user_id, json_extract(columns, '$.username') FROM person"
        f" WHERE former_id IN ({marks}) AND outcome IN (?, ?)",
        (*former_ids, *COMING),
    )
    return {former: (user_id, username) for former, user_id, username in found}


def _attempt(
    row: tuple[Any, ...], people: dict[int, tuple[int, str]], system: FormerSystem, key: str
) -> LoginAttempt | None:
    former_id, ip, user_agent, time, status, reason = row
    person = people.get(values.whole_number(former_id) or 0)
    at = values.moment(time, system.zone)
    if person is None or at is None:
        return None
    succeeded = values.line(status).lower() == Status.SUCCESS
    return LoginAttempt(
        user_id=person[0],
        identifier=person[1],
        status=Status.SUCCESS if succeeded else Status.FAILED,
        failure_reason="" if succeeded else _REASONS.get(values.line(reason).lower(), ""),
        contract=IMPORTED,
        ip=values.address(ip),
        user_agent=escape_control_chars(values.line(user_agent)),
        request_id=key,
        at=at,
    )
