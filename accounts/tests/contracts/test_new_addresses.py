"""The first login from an address: what marks it, and who is told."""

import pytest

from accounts.models import AttemptBudget, Session, User
from accounts.services import passkeys
from accounts.tests.authenticator import Authenticator
from accounts.tests.factors import SESSIONS, enrol_key
from accounts.tests.messages import queued
from accounts.tests.tools import ELSEWHERE, HERE, PASSWORD, Api, later
from audit.models import SecurityEvent
from audit.origin import Origin

pytestmark = pytest.mark.django_db

MAIL = "alice@hospital.example"
NOTICE = ("email", MAIL, "new_address")


def marks() -> list[bool]:
    """Return whether each session is marked, in the order of the logins."""
    return list(Session.objects.order_by("created_at").values_list("from_new_address", flat=True))


def addresses() -> list[str]:
    """Return the addresses that the trail has as new."""
    found = SecurityEvent.objects.filter(event="session:address:added").order_by("id")
    return list(found.values_list("ip", flat=True))


@pytest.mark.parametrize("mount", ["/api/auth", "/hospital/api/auth"])
def test_the_session_is_marked_the_trail_has_it_and_the_user_is_told_by_email(alice: User, mount: str) -> None:
    Api(HERE, mount).login()
    Api(ELSEWHERE, mount).login()
    assert (marks(), addresses(), queued()) == ([False, True], [ELSEWHERE], [NOTICE])
    event = SecurityEvent.objects.get(event="session:address:added")
    assert event.detail == {"session": str(Session.objects.get(ip=ELSEWHERE).pk)}


def test_the_very_first_login_of_an_account_is_not(alice: User) -> None:
    Api().login()
    assert (marks(), addresses(), queued()) == ([False], [], [])


def test_a_login_from_a_known_address_is_not(alice: User) -> None:
    for address in (HERE, ELSEWHERE, HERE, ELSEWHERE):
        Api(address).login()
    assert (marks(), addresses()) == ([False, True, False, False], [ELSEWHERE])


def test_the_address_of_the_last_login_is_not_new_however_long_ago_that_was(alice: User) -> None:
    Api().login()
    with later(days=31):
        Api().login()
    assert marks() == [False, False]


def test_an_unproved_contact_is_not_told(alice: User) -> None:
    User.objects.update(vouched_email="", vouched_phone="")
    Api().login()
    Api(ELSEWHERE).login()
    assert (marks(), queued()) == ([False, True], [])


def test_a_refused_login_is_not_recorded_as_one_from_a_new_address(alice: User) -> None:
    Api().login()
    Api(ELSEWHERE).login(password="wrong-password")
    assert (addresses(), queued()) == ([], [])


def test_notices_leave_the_last_messages_of_a_contact_to_codes(alice: User) -> None:
    Api().login()
    for number in range(1, 6):
        with later(minutes=2 * number):
            Api(f"198.51.100.{number}").login()
    assert queued() == [NOTICE] * 3
    with later(minutes=12):
        Api().post("request-reset-code", {"identifier": "alice", "channel": "email", "contact": MAIL})
    assert queued()[-1] == ("email", MAIL, "reset_code")


def test_a_confirmed_password_begins_no_session_and_is_not_marked(alice: User) -> None:
    token = Api().tokens()["access_token"]
    AttemptBudget.objects.all().delete()
    body = {"old_password": PASSWORD, "new_password": "Another-horse-8"}
    assert Api(ELSEWHERE).post("change-password", body, token).status_code == 204
    assert (addresses(), queued()) == (
        [],
        [("email", MAIL, "password_changed"), ("phone", alice.phone, "password_changed")],
    )


class TestPasskeyAlone:
    @pytest.fixture
    def key(self, alice: User) -> Authenticator:
        key = Authenticator(sign_count=None)
        enrol_key(alice, key)
        return key

    def log_in(self, key: Authenticator, address: str) -> None:
        origin = Origin("native", address)
        passkeys.sign_in(credential=key.get(passkeys.options()), issuer=SESSIONS, origin=origin)

    def test_the_session_is_marked_the_trail_has_it_and_the_user_is_told_by_email(self, key: Authenticator) -> None:
        before = queued()
        self.log_in(key, HERE)
        with later(minutes=2):
            self.log_in(key, ELSEWHERE)
        assert (marks(), addresses(), queued()[len(before) :]) == ([False, True], [ELSEWHERE], [NOTICE])

    def test_an_address_is_new_once(self, key: Authenticator) -> None:
        for address in (HERE, ELSEWHERE, HERE, ELSEWHERE):
            self.log_in(key, address)
        assert marks() == [False, True, False, False]

    def test_a_network_of_ipv6_is_new_once(self, key: Authenticator) -> None:
        for address in (HERE, "2001:db8::1", HERE, "2001:db8::2", "2001:db8:0:1::1"):
            self.log_in(key, address)
        assert marks() == [False, True, False, False, True]

    def test_an_address_is_new_again_after_a_month(self, key: Authenticator) -> None:
        for days, address in ((0, HERE), (0, ELSEWHERE), (31, HERE), (32, ELSEWHERE)):
            with later(days=days):
                self.log_in(key, address)
        assert marks() == [False, True, True, True]
