"""Each change of second factors is in the trail, and the user is told."""

from typing import Any

import pytest

from accounts.models import User
from accounts.services import second_factors
from accounts.tests.factors import ORIGIN, enrol_app
from accounts.tests.messages import queued
from accounts.tests.tools import PASSWORD, later
from audit.models import SecurityEvent
from audit.origin import CONSOLE

pytestmark = pytest.mark.django_db


def test_each_change_of_factors_is_an_event_and_a_notice(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(phone=None)
    app = enrol_app(alice)
    entered: dict[str, Any] = {"user": alice, "password": PASSWORD, "origin": ORIGIN}
    with later(minutes=2):
        second_factors.replace_recovery_codes(**entered, code=app.code())
    with later(minutes=4):
        second_factors.remove(**entered, factor_id=app.factor_id, code=app.code())
    with later(minutes=6):
        enrol_app(alice)
    with later(minutes=8):
        second_factors.remove_all(user=alice, reason="lost", actor=None, origin=CONSOLE)
    changes = SecurityEvent.objects.order_by("id").values_list("event", "user", "actor", "detail")
    assert list(changes) == [
        ("second_factor:added", alice.pk, alice.pk, {"type": "totp"}),
        ("recovery_codes:replaced", alice.pk, alice.pk, {}),
        ("second_factor:removed", alice.pk, alice.pk, {"types": ["totp"]}),
        ("second_factor:added", alice.pk, alice.pk, {"type": "totp"}),
        ("second_factor:removed", alice.pk, None, {"types": ["totp"], "reason": "lost"}),
    ]
    assert [kind for _channel, _address, kind in queued()] == [
        "second_factor_added",
        "recovery_codes_replaced",
        "second_factor_removed",
        "second_factor_added",
        "second_factor_removed",
    ]
