"""The words above a list for what it is filtered by."""

from datetime import UTC, datetime

import pytest

from audit.admin.active_filters import parse_time

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-01T08:00:00+00:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01T08:00:00", datetime(2026, 3, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59-14:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("2026-02-30T08:00:00", None),
        ("yesterday", None),
    ],
)
def test_a_time_is_that_of_the_services_zone_and_within_its_years(text: str, time: datetime | None) -> None:
    assert parse_time(text) == time
