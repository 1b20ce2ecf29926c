"""What an operator is told about gateways before a message fails."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, register

from accounts.messaging.senders import sms


@register(deploy=True)
def check_that_there_is_a_gateway(**_: Any) -> list[CheckMessage]:
    """Say that no message reaches anybody; a deployment may do without."""
    if settings.EMAIL_URL or settings.SMS_URL:
        return []
    return [
        Info(
            "Neither EMAIL_URL nor SMS_URL is set: nobody can get a new password by themselves.",
            hint="README.md has examples under Messages.",
            id="authsvc.I002",
        )
    ]


@register()
def check_own_function(**_: Any) -> list[CheckMessage]:
    """Say that the function that SMS_URL names cannot be called; whether its module is there, the start has said."""
    if not sms.is_dotted(settings.SMS_URL):
        return []
    try:
        sms.sender(settings.SMS_URL)
    except ValueError as error:
        return [Error(f"SMS_URL cannot be used: {error}", id="authsvc.E014")]
    return []
