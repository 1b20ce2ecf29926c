from dataclasses import replace
from email.message import EmailMessage

import pytest
from django.core.mail import BadHeaderError
from pytest_django.fixtures import Settings

from accounts.messaging.senders import DeliveryRefused, DeliveryUnknown, RenderedMessage, sender_for
from accounts.tests.messaging.conftest import CODE, use_mail
from accounts.tests.messaging.stub_servers import CLOSES, SILENT, MailServer, free_port

pytestmark = pytest.mark.any_database


@pytest.fixture
def to_alice(rendered: RenderedMessage) -> RenderedMessage:
    return replace(rendered, address="alice@hospital.example")


def send(rendered: RenderedMessage) -> None:
    sender_for("email")(rendered)


def content(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part
    return str(part.get_content())


def test_a_message_arrives_as_text_and_html(mail_at: MailServer, to_alice: RenderedMessage) -> None:
    send(to_alice)
    [message] = mail_at.received
    # A long header is folded after its name, and Python's parser keeps the space of the fold.
    assert (message["To"], message["Subject"].strip()) == ("alice@hospital.example", "重置密码的验证码")
    assert (message["From"], message["Auto-Submitted"]) == ("authsvc <authsvc@hospital.example>", "auto-generated")
    assert message["Message-ID"].endswith("@hospital.example>")
    assert content(message, "plain").strip() == f"您的验证码是 {CODE}"
    assert content(message, "html").strip() == f"<p>您的验证码是 {CODE}</p>"


@pytest.mark.parametrize("answer", ["550 No such user", "450 Come back later"])
def test_a_refused_recipient_is_a_refusal(mail_at: MailServer, to_alice: RenderedMessage, answer: str) -> None:
    mail_at.to_recipient = answer
    with pytest.raises(DeliveryRefused) as error:
        send(to_alice)
    assert str(error.value) == f"The mail server answered {answer[:3]}."


@pytest.mark.parametrize("answer", ["554 No", "451 Come back later", "421 Closing"])
def test_a_refused_text_is_a_refusal(mail_at: MailServer, to_alice: RenderedMessage, answer: str) -> None:
    mail_at.to_text = answer
    with pytest.raises(DeliveryRefused) as error:
        send(to_alice)
    assert str(error.value) == f"The mail server answered {answer[:3]}."


def test_a_refused_connection_is_a_refusal(settings: Settings, to_alice: RenderedMessage) -> None:
    use_mail(settings, f"smtp://127.0.0.1:{free_port()}/?from=authsvc@hospital.example")
    with pytest.raises(DeliveryRefused) as error:
        send(to_alice)
    assert str(error.value) == "The mail server could not be reached (ConnectionRefusedError)."


@pytest.mark.parametrize("behaviour", [SILENT, CLOSES])
def test_no_answer_before_the_text_is_a_refusal(mail_at: MailServer, to_alice: RenderedMessage, behaviour: str) -> None:
    mail_at.to_recipient = behaviour
    with pytest.raises(DeliveryRefused):
        send(to_alice)


@pytest.mark.parametrize("behaviour", [SILENT, CLOSES])
def test_no_answer_after_the_text_is_an_unknown_delivery(
    mail_at: MailServer, to_alice: RenderedMessage, behaviour: str
) -> None:
    mail_at.to_text = behaviour
    with pytest.raises(DeliveryUnknown) as error:
        send(to_alice)
    assert str(error.value) == "The mail server received the text and did not answer (SMTPServerDisconnected)."


def test_a_line_break_in_a_header_sends_nothing(mail_at: MailServer, to_alice: RenderedMessage) -> None:
    with pytest.raises(DeliveryRefused) as error:
        send(replace(to_alice, subject="Hello\nBcc: everybody@hospital.example"))
    assert isinstance(error.value.__cause__, BadHeaderError)
    assert mail_at.received == []


def test_without_a_mail_server_a_message_is_refused(settings: Settings, to_alice: RenderedMessage) -> None:
    settings.EMAIL_URL = ""
    with pytest.raises(DeliveryRefused) as error:
        send(to_alice)
    assert str(error.value) == "EMAIL_URL is not set."


def test_the_console_sender_prints_the_message(
    settings: Settings, to_alice: RenderedMessage, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_URL = "console:"
    send(to_alice)
    assert capsys.readouterr().out == (
        f"---- To: alice@hospital.example\n重置密码的验证码\n\n您的验证码是 {CODE}\n\n----\n"
    )
