"""What an operator is told about gateways before a message fails."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, register

from accounts.messaging.senders import sms


@register()
def check_gateways(**_: Any) -> list[CheckMessage]:
    """Say which gateway is missing, and whether a function that SMS_URL names can be called."""
    found: list[CheckMessage] = []
    if not settings.EMAIL_URL and not settings.SMS_URL:
        found.append(
            Info(
                "Neither EMAIL_URL nor SMS_URL is set: no code and no notice reaches anybody.",
                hint="Without a gateway nobody can get a new password by themselves; README.md has examples.",
                id="authsvc.I001",
            )
        )
    if sms.is_dotted(settings.SMS_URL):
        try:
            sms.sender(settings.SMS_URL)
        except ValueError as error:
            found.append(Error(f"SMS_URL cannot be used: {error}", id="authsvc.E013"))
    return found
