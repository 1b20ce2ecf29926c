"""Renders a queued message in its user's language.

Templates are `templates/messages/<language>/<kind>.txt`: the subject, then paragraphs. The first paragraph is the whole
text message. Only the user's own input and the client's IP address come from a request.
"""

import re
import unicodedata

from django.conf import settings
from django.template import Context, Engine, Template
from django.utils import timezone

from accounts import names
from accounts.messaging import outbox
from accounts.messaging.senders import RenderedMessage
from accounts.models import Channel, Message, User
from audit.origin import escape_control_chars

_PARAGRAPHS = re.compile(r"\n\s*\n")
_ADDRESSES = ("old", "new")
# What programs for mail and text messages turn into links.
_LINK = re.compile(r"www|https?|\w[.。]\w", re.IGNORECASE)


def render(message: Message) -> RenderedMessage:
    """Return the message as its senders need it. Raises encryption.DecryptionError."""
    values = _values(message)
    subject, *paragraphs = _rendered(f"messages/{message.language}/{message.kind}.txt", values)
    html = _template("messages/layout.html").render(
        Context(
            {
                "language": message.language,
                "service": settings.SERVICE_NAME,
                "subject": subject,
                "code": values.get("code", ""),
                "link": values.get("link", ""),
                "paragraphs": paragraphs,
            }
        )
    )
    return RenderedMessage(
        address=message.address,
        subject=f"{subject} - {settings.SERVICE_NAME}",
        text="\n\n".join([*paragraphs, settings.SERVICE_NAME]) + "\n",
        html=html,
        short=f"【{settings.SERVICE_NAME}】{paragraphs[0]}",
        code=values.get("code", ""),
    )


def _values(message: Message) -> dict[str, str]:
    """Return the template variables: the queued values, and those derived from the message."""
    queued = outbox.values_of(message)
    username = User.objects.filter(pk=message.user_id).values_list("username", flat=True).first()
    minutes = round((message.expires_at - message.created_at).total_seconds() / 60)
    values = {
        "service": settings.SERVICE_NAME,
        "username": _shown_username(username or "", message.channel),
        "minutes": str(minutes),
        "hours": str(minutes // 60),
        "page": settings.PASSWORD_PAGE,
        "when": timezone.localtime(message.created_at, settings.ZONE).strftime("%Y-%m-%d %H:%M"),
        "zone": settings.TIME_ZONE,
    } | queued
    if token := queued.get("link"):
        # Browsers send nothing after `#`: the secret comes into no log, no history of a proxy and no Referer.
        values["link"] = f"{settings.PASSWORD_PAGE}/link#{token}"
    masked = {name: names.masked(values[name]) for name in _ADDRESSES if values.get(name)}
    # A value can neither end a line nor change its text direction.
    return {name: escape_control_chars(value) for name, value in (values | masked).items()}


def _shown_username(username: str, channel: str) -> str:
    """Return the name by which a message may refer to the account.

    The public registers any name with any contact: no message of the service may carry an attacker's link.
    """
    if channel == Channel.PHONE or _LINK.search(unicodedata.normalize("NFKC", username)):
        return names.masked_username(username)
    return username


def _rendered(template: str, values: dict[str, str]) -> list[str]:
    """Return the subject and the paragraphs as plain text; the HTML layout escapes them."""
    text = _template(template).render(Context(values, autoescape=False)).strip()
    subject, _, body = text.partition("\n")
    return [subject, *(" ".join(part.split()) for part in _PARAGRAPHS.split(body.strip()))]


def _template(name: str) -> Template:
    return Engine.get_default().get_template(name)
