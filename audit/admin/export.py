"""Exports of lists. The trail records the start and the end of each."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from audit.admin.spreadsheet import BOM, Row, csv_text
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin, current_request_id, escape_control_chars, request_origin
from audit.record import record


def filters_of(request: HttpRequest) -> dict[str, list[str]]:
    """Return the filters and search of a list, escaped for the trail."""
    return {
        escape_control_chars(name): [escape_control_chars(value) for value in values]
        for name, values in request.GET.lists()
        if any(values)
    }


@dataclass(frozen=True)
class Export:
    """One export: its event, its actor and the filters of its list."""

    event: Event
    actor_id: int | None
    origin: Origin
    filters: dict[str, list[str]]
    # A streaming response outlives the context of its request.
    request_id: str = field(default_factory=current_request_id.get)
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    @classmethod
    def of(cls, request: HttpRequest, event: Event) -> "Export":
        return cls(event, request.user.pk, request_origin(request), filters_of(request))

    def record(self, phase: str, **detail: Any) -> None:
        """Record an event of this export: `started`, `complete` or `broken_off`."""
        columns = {"export": self.key, "phase": phase, "filters": self.filters, **detail}
        entry = SecurityEvent.of(self.origin, self.event, user_id=None, actor_id=self.actor_id, **columns)
        entry.request_id = self.request_id
        with transaction.atomic():
            record(entry)

    def lines(self, header: Row, parts: Iterable[list[Row]]) -> Iterator[str]:
        """Yield the text of a CSV file, and record the number of rows sent even where the client disconnects."""
        sent, phase = 0, "broken_off"
        try:
            yield BOM + csv_text([header])
            for part in parts:
                yield csv_text(part)
                sent += len(part)
            phase = "complete"
        finally:
            self.record(phase, rows=sent)

    def csv(self, header: Row, parts: Iterable[list[Row]]) -> StreamingHttpResponse:
        """Record the start of the export and return it as a streaming response."""
        self.record("started")
        return StreamingHttpResponse(
            self.lines(header, parts),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{self.filename("csv")}"', **NO_STORE},
        )

    def filename(self, suffix: str) -> str:
        """Return the file's name: the subject of the event and the local time."""
        return f"{self.event.value.split(':')[0]}-{timezone.localtime():%Y%m%d-%H%M%S}.{suffix}"


NO_STORE = {"Cache-Control": "no-store"}
