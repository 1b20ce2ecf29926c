"""What must hold when many come at once; each on every database that the run is for."""

from collections import Counter

import pytest

from accounts.models import Session, User
from accounts.tests.contracts.clinic.tools import MOUNT, refresh, token
from accounts.tests.tools import Api, race
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_20_refreshes_at_once_all_get_one_successor(alice: User) -> None:
    spent = token()
    results = race(20, lambda _: refresh(spent))
    assert Counter(getattr(result, "status_code", result) for result in results) == {200: 20}
    assert len({result.content for result in results}) == 1
    assert Session.objects.get().generation == 1
    assert Counter(SecurityEvent.objects.values_list("event", flat=True)) == {
        "session:refreshed": 1,
        "session:refresh:repeated": 19,
    }


def test_of_10_registrations_with_one_local_part_all_get_a_name(db: None) -> None:
    results = race(
        10,
        lambda number: Api(mount=MOUNT).post(
            "register",
            {
                "email": f"wang@host{number}.example",
                "password": "Secret123",
                "first_name": "A",
                "last_name": "B",
                "phone_number": f"1391234567{number}",
            },
        ),
    )
    statuses = Counter(getattr(result, "status_code", result) for result in results)
    assert statuses.keys() <= {200, 503}
    assert User.objects.count() == statuses[200] > 0
