"""What an operator is told about gateways before a message fails."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, register


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
