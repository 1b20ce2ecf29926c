import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
import time_machine
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from accounts.models import SigningKey
from accounts.policies import TokenPolicy
from accounts.security.keys import ring
from accounts.tests.tools import later

pytestmark = pytest.mark.django_db

ACCESS = TokenPolicy("clinic:access", "HS256", "JWT", lifetime=timedelta(hours=3))
RESET = TokenPolicy("portal:reset", "ES256", "JWT", lifetime=timedelta(minutes=10))
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _noon(no_keys: None) -> Iterator[None]:
    """Two key sets, made in the morning of a day on which it is noon in Shanghai."""
    with time_machine.travel(NOON - timedelta(hours=3), tick=False):
        ring.signer(ACCESS)
        ring.signer(RESET)
    with time_machine.travel(NOON, tick=False):
        yield


def run(*args: str) -> list[str]:
    out = io.StringIO()
    call_command("keys", *args, stdout=out)
    return out.getvalue().splitlines()


def refusal(*args: str) -> str:
    with pytest.raises(CommandError) as error:
        run(*args)
    return str(error.value)


def kid(purpose: str, number: int = 1) -> str:
    return SigningKey.objects.get(purpose=purpose, number=number).kid


def test_list_shows_what_each_key_does() -> None:
    clinic, portal = kid("clinic:access"), kid("portal:reset")
    assert run("list") == [
        "purpose        kid               algorithm  created                    state",
        f"clinic:access  {clinic}  HS256      2026-11-20 09:00:00+08:00  signs",
        f"portal:reset   {portal}  ES256      2026-11-20 09:00:00+08:00  signs",
    ]


def test_list_shows_when_a_new_key_signs() -> None:
    run("rotate", "portal:reset")
    states = {line.split()[1]: line[71:] for line in run("list")[2:]}
    assert states == {kid("portal:reset", 2): "signs from 2026-11-20 12:01:00+08:00", kid("portal:reset"): "signs"}


def test_list_shows_how_long_a_former_key_verifies() -> None:
    run("rotate", "portal:reset")
    with later(minutes=1):
        states = {line.split()[1]: line[71:] for line in run("list")[2:]}
    assert states == {
        kid("portal:reset", 2): "signs",
        kid("portal:reset"): "verifies until 2026-11-20 12:12:00+08:00",
    }


def test_list_leaves_out_keys_whose_tokens_have_expired() -> None:
    run("rotate", "portal:reset")
    with later(minutes=12):
        assert [line.split()[1] for line in run("list")[2:]] == [kid("portal:reset", 2)]


def test_list_shows_keys_from_the_environment_and_those_that_they_replace(settings: Settings) -> None:
    settings.JWT_KEYS = {"clinic": "c" * 32}
    clinic, portal = kid("clinic:access"), kid("portal:reset")
    assert run("list") == [
        "purpose        kid               algorithm  created                    state",
        "clinic         ee215a99cd21b3a5  HS256      -                          from the environment",
        f"clinic:access  {clinic}  HS256      2026-11-20 09:00:00+08:00  not in use: the environment sets the key",
        f"portal:reset   {portal}  ES256      2026-11-20 09:00:00+08:00  signs",
    ]


def test_rotate_says_what_signs_when() -> None:
    former = kid("portal:reset")
    said = run("rotate", "portal:reset")
    assert said == [
        f"portal:reset: {kid('portal:reset', 2)} signs from 2026-11-20 12:01:00+08:00, "
        f"{former} verifies until 2026-11-20 12:12:00+08:00."
    ]


def test_rotate_all_rotates_every_set_that_is_in_use(settings: Settings) -> None:
    settings.JWT_KEYS = {"portal": "p" * 32}
    run("rotate", "--all")
    assert list(SigningKey.objects.values_list("purpose", "number")) == [
        ("clinic:access", 2),
        ("clinic:access", 1),
        ("portal:reset", 1),
    ]


def test_rotate_names_the_existing_sets() -> None:
    assert refusal("rotate", "clinic") == "There is no key set clinic. The key sets are: clinic:access, portal:reset."


def test_rotate_says_that_there_are_none_yet() -> None:
    SigningKey.objects.all().delete()
    said = refusal("rotate", "clinic:access")
    assert said == "There is no key set clinic:access. The key sets are: none yet; they are created on first use."


@pytest.mark.parametrize("args", [["rotate"], ["rotate", "clinic:access", "--all"], [], ["retire"]], ids=str)
def test_missing_arguments_are_refused(args: list[str]) -> None:
    assert refusal(*args).startswith("Error: ")


def test_retire_removes_a_key_and_says_so() -> None:
    former = kid("portal:reset")
    run("rotate", "portal:reset")
    assert run("retire", former, "--noinput") == [
        f"{former} was retired: every node refuses its tokens within half a minute."
    ]
    assert not SigningKey.objects.filter(pk=former).exists()


@pytest.mark.parametrize(("answer", "left"), [("no", True), ("", True), ("yes", False)])
def test_retire_asks_first(monkeypatch: pytest.MonkeyPatch, answer: str, left: bool) -> None:
    former = kid("portal:reset")
    run("rotate", "portal:reset")
    ask = mock.Mock(return_value=answer)
    monkeypatch.setattr("builtins.input", ask)
    if left:
        assert refusal("retire", former) == "Nothing was retired."
    else:
        run("retire", former)
    ask.assert_called_once_with(
        f"Every token of portal:reset that {former} signed becomes invalid. Type yes to continue: "
    )
    assert SigningKey.objects.filter(pk=former).exists() is left


def test_retire_refuses_before_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("builtins.input")
    newest = kid("portal:reset")
    assert refusal("retire", newest) == (
        f"{newest} is the newest key of portal:reset: run `manage.py keys rotate portal:reset` first."
    )


def test_reencrypt_says_what_it_did(settings: Settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert run("reencrypt") == [
        "signing keys: 2 encrypted anew, 0 were already, 0 cannot be read",
        "messages: 0 encrypted anew, 0 were already, 0 cannot be read",
        "totp secrets: 0 encrypted anew, 0 were already, 0 cannot be read",
    ]


def test_reencrypt_fails_where_a_secret_cannot_be_read(settings: Settings) -> None:
    settings.SECRET_KEY = "another"
    assert refusal("reencrypt").startswith("Some secrets were encrypted with a key that is neither SECRET_KEY nor")
