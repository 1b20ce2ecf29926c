"""E-mail by Django's SMTP backend."""

import smtplib
import uuid
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.smtp import EmailBackend

from accounts.messaging.senders import console
from accounts.messaging.senders.base import DeliveryRefused, DeliveryUnknown, RenderedMessage, Sender
from accounts.policies import GATEWAY_TIMEOUT


class Backend(EmailBackend):
    """Django's SMTP backend, which also records whether the message's text was sent to the server."""

    data_sent = False

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        backend = self

        class RecordingConnection(super().connection_class):  # type: ignore[misc]
            def data(self, msg: Any) -> Any:
                backend.data_sent = True
                return super().data(msg)

        return RecordingConnection


def sender(url: str) -> Sender:
    """Return the sender for EMAIL_URL, which `authsvc.configuration.mail` has parsed into Django's settings."""
    return console.send_email if url == console.URL else send


def send(rendered: RenderedMessage) -> None:
    """Send a message through the mail server. Raises DeliveryRefused and DeliveryUnknown."""
    connection = get_connection(timeout=GATEWAY_TIMEOUT.total_seconds())
    message = EmailMultiAlternatives(
        subject=rendered.subject,
        body=rendered.text,
        to=[rendered.address],
        connection=connection,
        # Django's default would hold the host's name.
        headers={"Message-ID": f"<{uuid.uuid4()}@{_sender_domain()}>", "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(rendered.html, "text/html")
    try:
        message.send()
    except Exception as error:
        if code := _refusal_code(error):
            raise DeliveryRefused(f"The mail server answered {code}.") from error
        if getattr(connection, "data_sent", False):
            raise DeliveryUnknown(
                f"The mail server received the text and did not answer ({type(error).__name__})."
            ) from error
        raise DeliveryRefused(f"The mail server could not be reached ({type(error).__name__}).") from error


def _sender_domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]


def _refusal_code(error: Exception) -> int | None:
    """Return the SMTP code of the server's refusal, or None where the server did not refuse."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next((code for code, _text in error.recipients.values()), None)
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 400:
        return error.smtp_code
    return None
