"""`manage.py changepassword`: a new password by way of the console, under the rules of every other."""

import io
from collections.abc import Callable, Iterator

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from accounts.models import FormerPassword, User
from accounts.tests.messages import queued
from accounts.tests.tools import PASSWORD, Api
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db

NEW = "Another-horse-8"
Change = Callable[..., str]


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Change:
    """Return what runs the command for alice, with what is typed at its prompts; the result is what it prints."""

    def run(*typed: str, name: str = "alice") -> str:
        answers: Iterator[str] = iter(typed)
        monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
        out = io.StringIO()
        call_command("changepassword", name, stdout=out, stderr=out)
        return out.getvalue()

    return run


def test_the_new_password_logs_in_and_the_sessions_end(alice: User, change: Change) -> None:
    token = Api().tokens()["access_token"]
    assert change(NEW, NEW) == "The password of alice was changed; all sessions of this account have ended.\n"
    assert Api().get("me", token).status_code == 401
    assert [Api().login(password=each).status_code for each in (PASSWORD, NEW)] == [401, 200]


def test_it_is_an_event_of_the_console_and_a_notice(alice: User, change: Change) -> None:
    change(NEW, NEW)
    event = SecurityEvent.objects.get()
    assert (event.event, event.contract, event.user_id, event.actor_id, event.detail) == (
        "password:changed",
        "console",
        alice.pk,
        None,
        {},
    )
    assert queued() == [("email", alice.email, "password_changed"), ("phone", alice.phone, "password_changed")]


def test_the_first_password_of_an_account_is_the_event_of_one(alice: User, change: Change) -> None:
    alice.set_unusable_password()
    alice.save()
    change(NEW, NEW)
    assert SecurityEvent.objects.get().event == "password:created"


def test_the_former_password_is_kept_and_may_not_return(alice: User, change: Change, settings: Settings) -> None:
    settings.PASSWORD_HISTORY = 3
    change(NEW, NEW)
    assert FormerPassword.objects.get().user == alice
    with pytest.raises(CommandError, match="The password was not changed"):
        change(*[PASSWORD] * 6)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ((NEW, "Another-horse-9"), "The two entries differ.\n"),
        (("12345", "12345"), "A password must have at least 6 characters.\n"),
        ((PASSWORD, PASSWORD), "The new password must differ from the current one.\n"),
    ],
)
def test_what_is_wrong_is_said_and_it_asks_again(
    alice: User, change: Change, typed: tuple[str, str], said: str
) -> None:
    assert change(*typed, NEW, NEW).startswith(said)
    assert Api().login(password=NEW).status_code == 200


def test_it_gives_up_after_the_third_wrong_one(alice: User, change: Change) -> None:
    with pytest.raises(CommandError, match="The password was not changed"):
        change("a", "a", "b", "b", "c", "c")
    assert Api().login().status_code == 200


def test_an_unknown_user_is_refused(change: Change) -> None:
    with pytest.raises(CommandError, match="There is no user named nobody"):
        change(name="nobody")
