import json
from datetime import timedelta

import pytest
from django.apps import apps
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.messaging import outbox
from accounts.models import Channel, FactorType, Kind, Message, SecondFactor, SigningKey, User
from accounts.policies import TokenPolicy
from accounts.security import encryption, totp
from accounts.security.keys import ring
from accounts.services import reencryption
from accounts.services.reencryption import Reencryption, reencrypt
from audit.models import SecurityEvent
from audit.origin import CONSOLE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_keys")]

ACCESS = TokenPolicy("native:access", "ES256", "at+jwt", lifetime=timedelta(minutes=15))
ENCRYPTED = outbox.ENCRYPTED_FOR


def queue(user: User, encrypted: str) -> Message:
    return Message.objects.create(
        user=user,
        channel=Channel.EMAIL,
        address="alice@hospital.example",
        kind=Kind.RESET_CODE,
        language="en",
        encrypted=encrypted,
        expires_at=timezone.now() + timedelta(minutes=10),
    )


@pytest.fixture
def message(alice: User) -> Message:
    """A queued message beside a delivered one."""
    queue(alice, "")
    return queue(alice, encryption.encrypt(ENCRYPTED, json.dumps({"code": "482915"})))


@pytest.fixture
def app(alice: User) -> SecondFactor:
    """An authenticator app."""
    factor: SecondFactor = SecondFactor.objects.create(
        user=alice, type=FactorType.TOTP, created_at=timezone.now(), encrypted=totp.encrypted("JBSWY3DPEHPK3PXP")
    )
    return factor


def results(*counts: tuple[int, int, int]) -> list[Reencryption]:
    """Return what is moved, current and unreadable of the keys, the messages and the secrets of apps."""
    purposes = ("signing keys", "messages", "totp secrets")
    return [Reencryption(purpose, *each) for purpose, each in zip(purposes, counts, strict=True)]


@pytest.fixture
def kid(message: Message, app: SecondFactor, settings: Settings) -> str:
    """A signing key from before SECRET_KEY was changed, as were the message and the secret of the app."""
    kid = ring.signer(ACCESS).kid
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    return kid


def test_what_was_moved_is_read_without_the_former_key(
    kid: str, message: Message, app: SecondFactor, settings: Settings
) -> None:
    assert reencrypt(origin=CONSOLE) == results((1, 0, 0), (1, 0, 0), (1, 0, 0))
    settings.SECRET_KEY_FALLBACKS = []
    ring.forget()
    message.refresh_from_db()
    app.refresh_from_db()
    assert (ring.signer(ACCESS).kid, outbox.values_of(message)) == (kid, {"code": "482915"})
    assert totp.secret_of(app) == "JBSWY3DPEHPK3PXP"


def test_it_is_an_event_once(kid: str) -> None:
    reencrypt(origin=CONSOLE)
    assert reencrypt(origin=CONSOLE) == results((0, 1, 0), (0, 1, 0), (0, 1, 0))
    event = SecurityEvent.objects.get(event="key:reencrypted")
    counts = {"signing keys": 1, "messages": 1, "totp secrets": 1}
    assert (event.contract, event.user_id, event.detail) == ("console", None, counts)


def test_what_cannot_be_read_stays_as_it_is(kid: str, message: Message) -> None:
    SigningKey.objects.update(encrypted="rubbish")
    assert reencrypt(origin=CONSOLE) == results((0, 0, 1), (1, 0, 0), (1, 0, 0))
    assert SigningKey.objects.get().encrypted == "rubbish"


def test_a_message_that_is_delivered_meanwhile_stays_erased(
    kid: str, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deliver_first(purpose: str, encrypted: str) -> str:
        Message.objects.update(encrypted="")
        return "anew"

    monkeypatch.setattr(encryption, "reencrypt", deliver_first)
    reencrypt(origin=CONSOLE)
    message.refresh_from_db()
    assert message.encrypted == ""


def test_every_encrypted_column_is_listed() -> None:
    """What `accounts.security.encryption` fills is moved; the name of such a column is `encrypted`."""
    models = {
        model for model in apps.get_models() for field in model._meta.concrete_fields if field.name == "encrypted"
    }
    assert models == {column.model for column in reencryption.COLUMNS}
