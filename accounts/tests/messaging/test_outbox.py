from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.messaging import outbox
from accounts.models import Channel, Kind, Message, State, User


def enqueue(user: User) -> None:
    outbox.enqueue(
        user=user,
        channel=Channel.EMAIL,
        address="alice@hospital.example",
        kind=Kind.RESET_CODE,
        trusted=True,
        expires_at=timezone.now() + timedelta(minutes=10),
        code="482915",
    )


def test_a_message_is_queued_with_its_values_encrypted(alice: User) -> None:
    enqueue(alice)
    message = Message.objects.get()
    assert (message.user_id, message.channel, message.address) == (alice.pk, "email", "alice@hospital.example")
    assert (message.kind, message.state, message.attempts) == ("reset_code", State.QUEUED, 0)
    assert "482915" not in message.encrypted
    assert outbox.values_of(message) == {"code": "482915"}


def test_no_column_holds_a_value_unencrypted(alice: User) -> None:
    enqueue(alice)
    assert [value for value in Message.objects.values_list().get() if "482915" in str(value)] == []


@pytest.mark.parametrize(("language", "kept"), [("", "zh-hans"), ("en", "en"), ("zh-hans", "zh-hans")])
def test_a_message_has_the_users_language_or_else_the_services(alice: User, language: str, kept: str) -> None:
    alice.language = language
    enqueue(alice)
    assert Message.objects.get().language == kept


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_queued(alice: User) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        enqueue(alice)
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_is_rolled_back_leaves_no_message(alice: User) -> None:
    with transaction.atomic():
        enqueue(alice)
        assert Message.objects.exists()
        transaction.set_rollback(True)
    assert not Message.objects.exists()
