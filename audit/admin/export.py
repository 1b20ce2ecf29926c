"""Downloads of lists, which the trail knows of: that they began, and how they ended."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from audit.admin.sheets import BOM, Row, csv_text
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin, current_request_id, escape_control_chars, request_origin
from audit.record import record


def filters_of(request: HttpRequest) -> dict[str, list[str]]:
    """Return what a list is filtered and searched by, as the trail can hold it."""
    return {
        escape_control_chars(name): [escape_control_chars(value) for value in values]
        for name, values in request.GET.lists()
        if any(values)
    }


@dataclass(frozen=True)
class Export:
    """One download, by whom and of what."""

    event: Event
    actor_id: int | None
    origin: Origin
    filters: dict[str, list[str]]
    # A stream goes on when its request is no longer the current one.
    request_id: str = field(default_factory=current_request_id.get)
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    @classmethod
    def of(cls, request: HttpRequest, event: Event) -> "Export":
        return cls(event, request.user.pk, request_origin(request), filters_of(request))

    def record(self, phase: str, **detail: Any) -> None:
        """Write an event of this download: `started`, `complete` or `broken_off`."""
        told = {"export": self.key, "phase": phase, "filters": self.filters, **detail}
        entry = SecurityEvent.of(self.origin, self.event, user_id=None, actor_id=self.actor_id, **told)
        entry.request_id = self.request_id
        with transaction.atomic():
            record(entry)

    def lines(self, header: Row, parts: Iterable[list[Row]]) -> Iterator[str]:
        """Yield the text of a CSV file; what was sent is counted, and recorded even if nobody reads to the end."""
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
        """Record that the download begins, and return it."""
        self.record("started")
        return StreamingHttpResponse(
            self.lines(header, parts),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{self.filename("csv")}"', **NOT_KEPT},
        )

    def filename(self, suffix: str) -> str:
        """Return what the file is called: what it is of, and when it was made."""
        return f"{self.event.value.split(':')[0]}-{timezone.localtime():%Y%m%d-%H%M%S}.{suffix}"


NOT_KEPT = {"Cache-Control": "no-store"}
