import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.messaging import outbox
from accounts.models import Channel, Kind, Message, User
from accounts.tests.tools import HERE
from authsvc.tests.admin_login import log_in

pytestmark = pytest.mark.django_db

LIST = "/admin/accounts/message/"


@pytest.fixture
def message(alice: User) -> Message:
    with transaction.atomic():
        outbox.enqueue(
            user=alice,
            channel=Channel.EMAIL,
            address="alice@hospital.example",
            kind=Kind.RESET_CODE,
            trusted=True,
            expires_at=timezone.now() + timedelta(minutes=10),
            code="482915",
        )
    Message.objects.update(error="The mail server answered 550.", attempts=3)
    return Message.objects.get()


@pytest.fixture
def site() -> Client:
    return Client(REMOTE_ADDR=HERE, headers={"Accept-Language": "en"})


@pytest.fixture
def staff_client(site: Client, head: User) -> Client:
    log_in(site)
    return site


def page(message: Message, operation: str = "change") -> str:
    return f"{LIST}{message.pk}/{operation}/"


def test_the_list_shows_recipient_state_and_error(staff_client: Client, message: Message) -> None:
    shown = staff_client.get(LIST).content.decode()
    wanted = ["alice", "a***@hospital.example", "password reset code", "queued", "The mail server answered 550."]
    assert [text for text in wanted if text not in shown] == []


@pytest.mark.parametrize("screen", ["list", "detail"])
def test_neither_the_text_nor_the_address_is_shown(staff_client: Client, message: Message, screen: str) -> None:
    response = staff_client.get(LIST if screen == "list" else page(message))
    assert response.status_code == 200
    assert [text for text in ("482915", message.encrypted, message.address) if text in response.content.decode()] == []


@pytest.mark.parametrize("state", ["queued", "dead"])
def test_the_list_is_filtered_by_state(staff_client: Client, message: Message, state: str) -> None:
    shown = staff_client.get(f"{LIST}?state__exact={state}").content.decode()
    assert ("a***@hospital.example" in shown) == (state == "queued")


@pytest.mark.parametrize("lookup", ["encrypted__startswith", "user__password__startswith"])
def test_a_filter_by_a_secret_is_refused(staff_client: Client, message: Message, lookup: str) -> None:
    assert staff_client.get(f"{LIST}?{lookup}=a").status_code == 400


def test_a_message_to_a_deleted_user_shows_the_id(staff_client: Client, message: Message) -> None:
    User.objects.filter(pk=message.user_id).delete()
    assert f"#{message.user_id}" in staff_client.get(LIST).content.decode()
    assert f"#{message.user_id}" in staff_client.get(page(message)).content.decode()


@pytest.mark.parametrize("who", ["head", "root"])
def test_messages_cannot_be_added_changed_or_deleted(
    site: Client, head: User, root: User, message: Message, who: str
) -> None:
    log_in(site, who)
    paths = [f"{LIST}add/", page(message), page(message, "delete")]
    assert [site.post(path, {"post": "yes"}).status_code for path in paths] == [403, 403, 403]
    assert Message.objects.get() == message


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("queued", {"next_try": "2026-03-10 10:30", "lease": "-"}),
        ("claimed", {"next_try": "-", "lease": "2026-03-10 10:31"}),
        ("sending", {"next_try": "-", "lease": "2026-03-10 10:31"}),
        ("delivered", {"next_try": "-", "lease": "-"}),
        ("unknown", {"next_try": "-", "lease": "-"}),
        ("dead", {"next_try": "-", "lease": "-"}),
    ],
)
def test_the_next_attempt_and_the_claim_are_shown_while_they_are_in_force(
    staff_client: Client, message: Message, state: str, shown: dict[str, str]
) -> None:
    next_try = datetime(2026, 3, 10, 2, 30, tzinfo=UTC)
    Message.objects.update(state=state, next_try_at=next_try, lease_until=next_try + timedelta(minutes=1))
    text = staff_client.get(page(message)).content.decode()
    found = {name: re.findall(rf'fieldBox field-{name}\b.*?class="readonly">(.*?)<', text, re.DOTALL) for name in shown}
    assert found == {name: [value] for name, value in shown.items()}
