"""The first login with a device: what marks it, and who is told."""

import pytest

from accounts.models import Session, User
from accounts.tests.messages import queued
from accounts.tests.tools import ELSEWHERE, PASSWORD, Api
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
UPDATED_FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0"
FIREFOX_ON_LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def login(user_agent: str, api: Api | None = None) -> None:
    credentials = {"username": "alice", "password": PASSWORD}
    assert (api or Api()).post("login", credentials, user_agent=user_agent).status_code == 200


def marks() -> list[bool]:
    """Return whether each session is marked, in the order of the logins."""
    return list(Session.objects.order_by("created_at").values_list("from_new_device", flat=True))


def events() -> list[tuple[str, str]]:
    """Return the events of new addresses and devices, with their user agents."""
    found = SecurityEvent.objects.filter(event__endswith=":added").order_by("id")
    return list(found.values_list("event", "user_agent"))


def notices() -> list[str]:
    return [kind for _channel, _address, kind in queued()]


@pytest.mark.parametrize("mount", ["/api/auth", "/hospital/api/auth"])
def test_the_session_is_marked_the_trail_has_it_and_the_user_is_told_by_email(alice: User, mount: str) -> None:
    login(FIREFOX, Api(mount=mount))
    login(FIREFOX_ON_LINUX, Api(mount=mount))
    assert (marks(), events()) == ([False, True], [("session:device:added", FIREFOX_ON_LINUX)])
    assert queued() == [("email", "alice@hospital.example", "new_device")]
    event = SecurityEvent.objects.get(event="session:device:added")
    assert event.detail == {"session": str(Session.objects.get(user_agent=FIREFOX_ON_LINUX).pk)}


@pytest.mark.parametrize(
    ("before", "after"), [(FIREFOX, UPDATED_FIREFOX), ("ward-client 1.9 beta", "ward-client 1.10 beta")]
)
def test_an_update_is_no_new_device(alice: User, before: str, after: str) -> None:
    login(before)
    login(after)
    assert (marks(), notices()) == ([False, False], [])


def test_the_first_login_since_devices_are_kept_is_not_one_with_a_new_device(alice: User) -> None:
    login(FIREFOX)
    User.objects.update(known_devices="")
    login(FIREFOX_ON_LINUX)
    assert (marks(), notices()) == ([False, False], [])


def test_a_new_address_and_a_new_device_are_two_events_and_one_notice(alice: User) -> None:
    login(FIREFOX)
    login(FIREFOX_ON_LINUX, Api(ELSEWHERE))
    assert [name for name, _agent in events()] == ["session:address:added", "session:device:added"]
    assert (marks(), notices()) == ([False, True], ["new_address"])


def test_the_device_of_ten_others_ago_is_new_again_and_one_in_use_is_not(alice: User) -> None:
    for letter in "abcdefghi":
        login(f"client {letter}")
    login(FIREFOX)
    login("client a")
    login("client j")
    assert marks() == [False] + [True] * 9 + [False, True]
    login("client b")
    assert len(User.objects.get().known_devices) == 90
    login("client a")
    assert marks()[-2:] == [True, False]


def test_a_refused_login_makes_no_device_known(alice: User) -> None:
    login(FIREFOX)
    Api().post("login", {"username": "alice", "password": "wrong-password"}, user_agent=FIREFOX_ON_LINUX)
    assert events() == []
    login(FIREFOX_ON_LINUX)
    assert marks() == [False, True]


def test_a_confirmed_password_makes_no_device_known(alice: User) -> None:
    login(FIREFOX)
    token = Api().post("login", {"username": "alice", "password": PASSWORD}, user_agent=FIREFOX).json()["access_token"]
    body = {"old_password": PASSWORD, "new_password": PASSWORD + "-2"}
    Api().post("change-password", body, token, user_agent=FIREFOX_ON_LINUX)
    assert SecurityEvent.objects.filter(event="password:changed").exists()
    known = User.objects.get().known_devices
    assert len(known) == 9
