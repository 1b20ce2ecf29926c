"""What opens a session, whatever its token says."""

import pytest

from accounts.errors import SessionEnded, UserGone
from accounts.models import Session, User
from accounts.services import sessions
from accounts.tests.tools import Api, later
from audit.origin import Origin

pytestmark = pytest.mark.django_db


def test_a_session_is_of_its_own_contract_alone(alice: User) -> None:
    Api().tokens()
    session = Session.objects.get()
    assert sessions.authenticate(session_id=session.pk, origin=Origin("native")) == session
    with pytest.raises(UserGone):
        sessions.authenticate(session_id=session.pk, origin=Origin("portal"))


def test_a_session_is_active_until_it_expires(alice: User) -> None:
    Api().tokens()
    session = Session.objects.get()
    with later(days=13):
        assert sessions.authenticate(session_id=session.pk, origin=Origin("native")) == session
    with later(days=14), pytest.raises(SessionEnded):
        sessions.authenticate(session_id=session.pk, origin=Origin("native"))
