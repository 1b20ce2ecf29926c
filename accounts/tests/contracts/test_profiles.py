"""What the deployment's profile decides through every contract: who may become what, and with which password."""

import pytest
from pytest_django.fixtures import Settings

from accounts.models import Role, User
from accounts.tests.contracts.clients import CLIENTS, NATIVE, UNION, ContractClient
from accounts.tests.tools import PASSWORD, Api

pytestmark = [pytest.mark.any_database, pytest.mark.django_db]

PROFILES = pytest.mark.parametrize("profile", ["documented", "hardened"])
WAITING = {"documented": set[str](), "hardened": {"doctor", "researcher", "regulator"}}
CLIENTS_WITH_ROLES = [client for client in CLIENTS if client.public_roles]
CLIENTS_WITHOUT_ROLES = [client for client in CLIENTS if not client.public_roles]
PASSPHRASE = "correct horse battery staple"


@PROFILES
@pytest.mark.parametrize("client", CLIENTS_WITH_ROLES, ids=lambda client: client.name)
def test_the_public_gets_the_public_roles_and_no_others(
    client: ContractClient, profile: str, settings: Settings
) -> None:
    settings.PROFILE = profile
    for role in Role.values:
        client.register(PASSPHRASE, role=role.upper() if client is UNION else role)
        row = User.objects.values_list("role", "awaits_approval", "is_superuser").first()
        assert row == ((role, role in WAITING[profile], False) if role in client.public_roles else None)
        User.objects.all().delete()


@PROFILES
@pytest.mark.parametrize("client", CLIENTS_WITHOUT_ROLES, ids=lambda client: client.name)
def test_where_a_registration_has_no_role_everybody_gets_the_same(
    client: ContractClient, profile: str, settings: Settings
) -> None:
    settings.PROFILE = profile
    client.register(PASSPHRASE, role="doctor")
    assert User.objects.values_list("role", "awaits_approval").get() == (client.default_role, False)


@pytest.mark.parametrize(
    ("profile", "password", "accepted"),
    [
        ("documented", "12345", False),
        ("documented", "123456", True),
        ("documented", "carolx", True),
        ("documented", "x" * 128, True),
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
def test_a_password_is_accepted_or_refused(profile: str, password: str, accepted: bool, settings: Settings) -> None:
    settings.PROFILE = profile
    status = NATIVE.register(password).status_code
    assert (status < 300, User.objects.exists()) == (accepted, accepted)


@pytest.mark.parametrize(("profile", "password"), [("documented", "12345"), ("hardened", "password123")])
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_every_contract_has_the_profiles_password_rule(
    client: ContractClient, profile: str, password: str, settings: Settings
) -> None:
    settings.PROFILE = profile
    assert client.register(password).status_code in {400, 422}
    assert client.register(PASSPHRASE).status_code == client.registered_status


@PROFILES
def test_documents_003s_composition_rule_holds_for_a_change_in_every_profile(
    profile: str, settings: Settings, alice: User
) -> None:
    access = Api().tokens()["access_token"]
    settings.PROFILE = profile
    body = {"old_password": PASSWORD, "new_password": PASSPHRASE}
    answer = NATIVE.call("POST", "change-password", body, access)
    problem = {
        "code": "password_not_mixed",
        "detail": "A password must contain upper and lower case letters and a digit.",
    }
    assert (answer.status_code, answer.json()["errors"]) == (400, {"new_password": [problem]})
