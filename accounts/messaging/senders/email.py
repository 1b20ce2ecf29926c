"""E-mail by Django's SMTP backend."""

import smtplib
import uuid
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.smtp import EmailBackend

from accounts.messaging.senders import console
from accounts.messaging.senders.base import DeliveryUnknown, Letter, Refused, Sender
from accounts.policies import GATEWAY_TIMEOUT


class Backend(EmailBackend):
    """Django's own, which also knows whether the server was given a message's text."""

    text_given = False

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        backend = self

        class Noting(super().connection_class):  # type: ignore[misc]
            def data(self, msg: Any) -> Any:
                backend.text_given = True
                return super().data(msg)

        return Noting


def sender(url: str) -> Sender:
    """Return the way that EMAIL_URL names; `authsvc.configuration.mail` has read it into Django's settings."""
    return console.send_email if url == console.URL else send


def send(letter: Letter) -> None:
    """Hand a letter to the mail server. Raises Refused and DeliveryUnknown."""
    connection = get_connection(timeout=GATEWAY_TIMEOUT.total_seconds())
    message = EmailMultiAlternatives(
        subject=letter.subject,
        body=letter.text,
        to=[letter.address],
        connection=connection,
        # Django's own would hold this machine's name.
        headers={"Message-ID": f"<{uuid.uuid4()}@{_domain()}>", "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(letter.html, "text/html")
    try:
        message.send()
    except Exception as error:
        if code := _answer(error):
            raise Refused(f"The mail server answered {code}.") from error
        if getattr(connection, "text_given", False):
            raise DeliveryUnknown(
                f"The mail server had the text and gave no answer ({type(error).__name__})."
            ) from error
        raise Refused(f"The mail server was not reached ({type(error).__name__}).") from error


def _domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]


def _answer(error: Exception) -> int | None:
    """Return the code with which the server said no, if it did."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next((code for code, _text in error.recipients.values()), None)
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 400:
        return error.smtp_code
    return None
