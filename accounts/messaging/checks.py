"""System checks of the message gateways."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, register

from accounts.messaging.senders import sms


@register(deploy=True)
def check_gateway_configured(**_: Any) -> list[CheckMessage]:
    """Report that no gateway is configured, which a deployment may intend."""
    if settings.EMAIL_URL or settings.SMS_URL:
        return []
    return [
        Info(
            "Neither EMAIL_URL nor SMS_URL is set: users cannot reset their passwords themselves.",
            hint="See the examples under Messages in README.md.",
            id="authsvc.I002",
        )
    ]


@register()
def check_sms_function(**_: Any) -> list[CheckMessage]:
    """Report that the function that SMS_URL names cannot be called; the settings check that its module exists."""
    if not sms.is_dotted(settings.SMS_URL):
        return []
    try:
        sms.sender(settings.SMS_URL)
    except ValueError as error:
        return [Error(f"SMS_URL cannot be used: {error}", id="authsvc.E014")]
    return []
