from dataclasses import replace
from email.message import EmailMessage

import pytest
from django.core.mail import BadHeaderError
from pytest_django.fixtures import Settings

from accounts.messaging.senders import DeliveryUnknown, Letter, Refused, sender_for
from accounts.tests.messaging.conftest import CODE, use_mail
from accounts.tests.messaging.gateways import CLOSES, SILENT, MailServer, free_port

pytestmark = pytest.mark.any_database


@pytest.fixture
def to_alice(letter: Letter) -> Letter:
    return replace(letter, address="alice@hospital.example")


def send(letter: Letter) -> None:
    sender_for("email")(letter)


def content(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part
    return str(part.get_content())


def test_a_letter_arrives_as_text_and_html(mail_at: MailServer, to_alice: Letter) -> None:
    send(to_alice)
    [message] = mail_at.received
    # A long header is folded after its name, and Python's parser keeps the space of the fold.
    assert (message["To"], message["Subject"].strip()) == ("alice@hospital.example", "重设密码的验证码")
    assert (message["From"], message["Auto-Submitted"]) == ("authsvc <authsvc@hospital.example>", "auto-generated")
    assert message["Message-ID"].endswith("@hospital.example>")
    assert content(message, "plain").strip() == f"您的验证码是 {CODE}"
    assert content(message, "html").strip() == f"<p>您的验证码是 {CODE}</p>"


@pytest.mark.parametrize("answer", ["550 No such user", "450 Come back later"])
def test_a_refused_address_is_refused(mail_at: MailServer, to_alice: Letter, answer: str) -> None:
    mail_at.to_recipient = answer
    with pytest.raises(Refused) as error:
        send(to_alice)
    assert str(error.value) == f"The mail server answered {answer[:3]}."


@pytest.mark.parametrize("answer", ["554 No", "451 Come back later", "421 Closing"])
def test_a_refused_text_is_refused(mail_at: MailServer, to_alice: Letter, answer: str) -> None:
    mail_at.to_text = answer
    with pytest.raises(Refused) as error:
        send(to_alice)
    assert str(error.value) == f"The mail server answered {answer[:3]}."


def test_a_server_that_does_not_listen_has_refused(settings: Settings, to_alice: Letter) -> None:
    use_mail(settings, f"smtp://127.0.0.1:{free_port()}/?from=authsvc@hospital.example")
    with pytest.raises(Refused) as error:
        send(to_alice)
    assert str(error.value) == "The mail server was not reached (ConnectionRefusedError)."


@pytest.mark.parametrize("behaviour", [SILENT, CLOSES])
def test_a_server_that_says_nothing_before_the_text_has_refused(
    mail_at: MailServer, to_alice: Letter, behaviour: str
) -> None:
    mail_at.to_recipient = behaviour
    with pytest.raises(Refused):
        send(to_alice)


@pytest.mark.parametrize("behaviour", [SILENT, CLOSES])
def test_a_server_that_says_nothing_after_the_text_may_have_delivered_it(
    mail_at: MailServer, to_alice: Letter, behaviour: str
) -> None:
    mail_at.to_text = behaviour
    with pytest.raises(DeliveryUnknown) as error:
        send(to_alice)
    assert str(error.value) == "The mail server had the text and gave no answer (SMTPServerDisconnected)."


def test_a_line_break_in_a_header_sends_nothing(mail_at: MailServer, to_alice: Letter) -> None:
    with pytest.raises(Refused) as error:
        send(replace(to_alice, subject="Hello\nBcc: everybody@hospital.example"))
    assert isinstance(error.value.__cause__, BadHeaderError)
    assert mail_at.received == []


def test_without_a_mail_server_a_letter_is_refused(settings: Settings, to_alice: Letter) -> None:
    settings.EMAIL_URL = ""
    with pytest.raises(Refused) as error:
        send(to_alice)
    assert str(error.value) == "EMAIL_URL is not set."


def test_in_development_it_is_printed(settings: Settings, to_alice: Letter, capsys: pytest.CaptureFixture[str]) -> None:
    settings.EMAIL_URL = "console:"
    send(to_alice)
    assert capsys.readouterr().out == (
        f"---- To: alice@hospital.example\n重设密码的验证码\n\n您的验证码是 {CODE}\n\n----\n"
    )
