"""Reserved user names in the contracts: the public does not get them, administrators may give them."""

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.tests.contracts.clients import CLINIC, HOSPITAL, NATIVE, PORTAL, UNION, ContractClient
from accounts.tests.contracts.test_profiles import PASSPHRASE
from accounts.tests.tools import Api

pytestmark = pytest.mark.django_db

# Status and message of the contracts whose clients choose a user name.
REFUSALS = [
    pytest.param(NATIVE, 400, "detail", "Some fields are missing or invalid; see errors.", id="native"),
    pytest.param(HOSPITAL, 400, "message", "Field username is invalid: This user name is reserved.", id="hospital"),
    pytest.param(UNION, 400, "message", "用户名（username）为保留名称，不能注册", id="union"),
    pytest.param(PORTAL, 400, "message", "用户名（username）为保留名称，不能注册", id="portal"),
]


@pytest.mark.parametrize("name", ["admin", "ROOT", "adm1n", "系统管理员", "080245"])
@pytest.mark.parametrize(("client", "status", "field", "message"), REFUSALS)
def test_the_public_cannot_register_a_reserved_name(
    client: ContractClient, status: int, field: str, message: str, name: str, settings: Settings
) -> None:
    settings.RESERVED_USERNAMES = r"080\d{3}"
    response = client.register(PASSPHRASE, username=name)
    assert (response.status_code, User.objects.exists()) == (status, False)
    assert response.json()[field].endswith(message)


def test_the_native_contract_has_a_code_for_it(db: None) -> None:
    problem = {"code": "reserved", "detail": "This user name is reserved."}
    assert NATIVE.register(PASSPHRASE, username="admin").json()["errors"] == {"username": [problem]}


@pytest.mark.parametrize(
    ("email", "name"), [("admin@a.cn", "admin2"), ("adm1n@a.cn", "adm1n2"), ("080245@a.cn", "0802452")]
)
def test_a_generated_name_is_not_a_reserved_one(email: str, name: str, settings: Settings) -> None:
    settings.RESERVED_USERNAMES = r"080\d{3}"
    assert CLINIC.register(PASSPHRASE, email=email).status_code < 300
    assert User.objects.get().username == name


def test_a_generated_name_is_random_where_all_numbered_ones_are_reserved(settings: Settings) -> None:
    settings.RESERVED_USERNAMES = r"carol\d*"
    assert CLINIC.register(PASSPHRASE).status_code < 300
    assert User.objects.get().username.startswith("carol-")


@pytest.mark.parametrize("name", ["admin", "080245"])
def test_an_administrator_may_give_a_reserved_name(name: str, head: User, settings: Settings) -> None:
    settings.RESERVED_USERNAMES = r"080\d{3}"
    body = {"username": name, "email": "carol@hospital.example", "password": PASSPHRASE, "role": "doctor"}
    token = Api().tokens("head")["access_token"]
    assert Api().post("users", body, token).status_code == 201


def test_a_token_of_an_administrator_registers_a_reserved_name_in_the_hospital_contract(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(role="admin")
    body = {**HOSPITAL.registration, "username": "admin", "password": PASSPHRASE}
    assert HOSPITAL.call("POST", "register", body, HOSPITAL.log_in()).status_code == 200
