"""What the union contract reads and writes."""

import json
from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from accounts.contracts.fields import Password, Text
from accounts.contracts.union.contract import ROLES
from accounts.models import User


class CapitalRole(serializers.ChoiceField):
    """One of the document's roles, which are in capitals on the wire."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=sorted(role.upper() for role in ROLES), **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return str(super().to_internal_value(data)).lower()


class Registration(serializers.Serializer[Any]):
    username = Text(min_length=3, max_length=50)
    password = Password(min_length=6, max_length=100)
    role = CapitalRole()
    phone = Text(validators=[RegexValidator(r"\A[0-9]{11}\Z")])


class Login(serializers.Serializer[Any]):
    # The document bounds what is registered; people of other contracts log in with what they have.
    phone = Text(max_length=30)
    password = Password()
    userType = CapitalRole()  # noqa: N815 The document's own spelling.


def registered_out(user: User) -> dict[str, Any]:
    """Return what a new user is told of the registration."""
    return {"userId": user.pk, "message": "注册成功"}


def user_out(user: User) -> dict[str, Any]:
    """Return a user as the union contract shows one."""
    return {
        "userId": user.pk,
        "username": user.username,
        "role": user.role.upper(),
        "profileJson": None if user.profile is None else json.dumps(user.profile, ensure_ascii=False),
    }
