"""System checks of the message gateways."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, register


@register(deploy=True)
def check_gateway_configured(**_: Any) -> list[CheckMessage]:
    """Report that no gateway is configured, which a deployment may intend."""
    if settings.EMAIL_URL or settings.SMS_URL:
        return []
    return [
        Info(
            "Neither EMAIL_URL nor SMS_URL is set: users cannot reset their passwords themselves.",
            hint="See the examples in docs/messages.md.",
            id="authsvc.I002",
        )
    ]
