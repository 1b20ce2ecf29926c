"""What the deployment's profile decides through every contract: who may become what, and with which password."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import Role, User
from accounts.tests.contracts.clients import CLIENTS
from accounts.tests.tools import PASSWORD, Api

pytestmark = pytest.mark.django_db

CLIENT = {client.name: client for client in CLIENTS}
PROFILES = pytest.mark.parametrize("profile", ["documented", "hardened"])
# The clients at which somebody may ask for a role, and the roles that the public gets there.
PUBLIC = {
    "native": {"pharmacy", "supplier", "logistics", "regulator", "unauth"},
    "hospital": {"doctor", "researcher", "viewer"},
    "union": {"patient", "doctor"},
}
WAITING = {"documented": set[str](), "hardened": {"doctor", "researcher", "regulator"}}
PASSPHRASE = "correct horse battery staple"
# What a registration says besides its password and its role.
CAROL: dict[str, dict[str, Any]] = {
    "native": {"username": "carol", "email": "carol@hospital.example"},
    "hospital": {"username": "carol", "email": "carol@hospital.example", "full_name": "Carol Li"},
    "union": {"username": "carol", "phone": "13912345678", "role": "PATIENT"},
    "portal": {"username": "carol", "email": "carol@hospital.example", "nickname": "Carol"},
    "clinic": {
        "email": "carol@hospital.example",
        "first_name": "Carol",
        "last_name": "Li",
        "phone_number": "13912345678",
    },
}


def register(client: str, password: str, **changes: str) -> int:
    body = {**CAROL[client], "password": password, **changes}
    return int(CLIENT[client].call("POST", "register", body).status_code)


@PROFILES
@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("client", PUBLIC)
def test_the_public_takes_these_roles_and_no_others(client: str, role: str, profile: str, settings: Settings) -> None:
    settings.PROFILE = profile
    register(client, PASSPHRASE, role=role.upper() if client == "union" else role)
    row = User.objects.values_list("role", "awaits_approval", "is_superuser").first()
    waits = role in WAITING[profile]
    assert row == ((role, waits, False) if role in PUBLIC[client] else None)


@PROFILES
@pytest.mark.parametrize(("client", "role"), [("portal", "viewer"), ("clinic", "patient")])
def test_where_nobody_asks_for_a_role_everybody_gets_the_same(
    client: str, role: str, profile: str, settings: Settings
) -> None:
    settings.PROFILE = profile
    register(client, PASSPHRASE, role="doctor")
    assert User.objects.values_list("role", "awaits_approval").get() == (role, False)


@pytest.mark.parametrize("client", CAROL)
@pytest.mark.parametrize(
    ("profile", "password", "taken"),
    [
        ("documented", "12345", False),
        ("documented", "123456", True),
        ("documented", "carolx", True),
        ("documented", "x" * 128, None),
        ("documented", "x" * 129, False),
        ("hardened", "xq7-zwk", False),
        ("hardened", "xq7-zwkp", True),
        # Seven code points are 21 bytes, and eight are enough.
        ("hardened", "马到成功万事如", False),
        ("hardened", "马到成功万事如意", True),
        ("hardened", "password123", False),
        ("hardened", "Passw0rd", False),
        ("hardened", "qwertyuiop", False),
        ("hardened", "password123 in a longer sentence", True),
        ("hardened", "carol2026", False),
        ("hardened", "authsvc2026", False),
        ("hardened", "x" * 129, False),
    ],
)
def test_a_password_is_taken_or_not(
    client: str, profile: str, password: str, taken: bool | None, settings: Settings
) -> None:
    settings.PROFILE = profile
    status = register(client, password)
    # Document 001 has an upper bound of its own.
    expected = client != "union" if taken is None else taken
    assert (status < 300, User.objects.exists()) == (expected, expected)


@PROFILES
def test_documents_003s_composition_rule_holds_for_a_change_in_every_profile(
    profile: str, settings: Settings, alice: User
) -> None:
    access = Api().tokens()["access_token"]
    settings.PROFILE = profile
    body = {"old_password": PASSWORD, "new_password": PASSPHRASE}
    answer = CLIENT["native"].call("POST", "change-password", body, access)
    problem = {"code": "password_not_mixed", "detail": "A password has upper and lower case letters and a digit."}
    assert (answer.status_code, answer.json()["errors"]) == (400, {"new_password": [problem]})
