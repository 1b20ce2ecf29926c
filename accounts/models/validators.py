"""The rules of identifiers as validators of Django's fields."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.names import IDENTIFIERS, InvalidIdentifier, require_dotted_domain


def _require(field: str, value: str) -> None:
    try:
        IDENTIFIERS[field].canonical(value)
        if field == "email":
            require_dotted_domain(value)
    except InvalidIdentifier as error:
        raise ValidationError(_(error.sentence), code="invalid", params=error.values) from error


def validate_username(value: str) -> None:
    """Raise ValidationError for what cannot be a user name."""
    _require("username", value)


def validate_email(value: str) -> None:
    """Raise ValidationError for what cannot be an e-mail address."""
    _require("email", value)


def validate_phone(value: str) -> None:
    """Raise ValidationError for what cannot be a phone number."""
    _require("phone", value)
