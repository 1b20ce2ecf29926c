from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.messaging import outbox
from accounts.messaging.senders import RenderedMessage, aliyun, apprise_url, email
from accounts.models import Channel, Kind, Message, User
from accounts.security import contact_quotas
from accounts.tests.messaging.stub_servers import HttpGateway, MailServer, http_gateway, mail_server
from authsvc.configuration import mail

CODE = "482915"
Enqueue = Callable[..., Message]


def use_mail(settings: Settings, url: str) -> None:
    """Set what authsvc.settings sets for this EMAIL_URL."""
    settings.EMAIL_URL = url
    for name, value in mail.from_url(url, settings.SERVICE_NAME).items():
        setattr(settings, name, value)


@pytest.fixture
def mail_at(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    monkeypatch.setattr(email, "GATEWAY_TIMEOUT", timedelta(seconds=0.2))
    with mail_server() as server:
        use_mail(settings, server.url)
        yield server


@pytest.fixture
def gateway(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpGateway]:
    for sender in (apprise_url, aliyun):
        monkeypatch.setattr(sender, "GATEWAY_TIMEOUT", timedelta(seconds=0.2))
    with http_gateway() as server:
        settings.SMS_URL = server.url
        yield server


@pytest.fixture
def rendered() -> RenderedMessage:
    return RenderedMessage(
        address="+8613800138000",
        subject="重置密码的验证码",
        text=f"您的验证码是 {CODE}\n",
        html=f"<p>您的验证码是 {CODE}</p>",
        short=f"【authsvc】您的验证码是 {CODE}",
        code=CODE,
    )


@pytest.fixture
def enqueue(alice: User, monkeypatch: pytest.MonkeyPatch) -> Enqueue:
    """Queue a message to Alice, by default a code by e-mail, whatever she has received already."""
    monkeypatch.setattr(contact_quotas, "spend", lambda *args, **options: None)

    def queue(
        channel: Channel = Channel.EMAIL, kind: Kind = Kind.RESET_CODE, minutes: int = 10, **values: str
    ) -> Message:
        address = alice.email if channel == Channel.EMAIL else alice.phone
        assert address
        with transaction.atomic():
            outbox.enqueue(
                user=alice,
                channel=channel,
                address=address,
                kind=kind,
                trusted=True,
                expires_at=timezone.now() + timedelta(minutes=minutes),
                **(values or {"code": CODE}),
            )
        return Message.objects.latest("pk")

    return queue
