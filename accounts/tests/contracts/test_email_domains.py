"""The domain of an e-mail address has a dot; an address without one that an account has already still serves."""

from typing import Any

import pytest

from accounts.models import User
from accounts.tests.contracts.clients import CLINIC, HOSPITAL, NATIVE, PORTAL, ContractClient
from accounts.tests.contracts.test_profiles import PASSPHRASE
from accounts.tests.messages import last
from accounts.tests.tools import PASSWORD, Api

pytestmark = [pytest.mark.any_database, pytest.mark.django_db]

# The contracts whose registrations have an e-mail address.
CLIENTS = pytest.mark.parametrize("client", [NATIVE, HOSPITAL, PORTAL, CLINIC], ids=lambda client: client.name)
DOTLESS = "zhang@hospital"


@pytest.fixture
def zhang(db: None) -> User:
    """A user of a former release, which accepted the address."""
    return User.objects.create_user("zhang", DOTLESS, PASSWORD, role="patient", phone="13800138000")


@pytest.fixture
def token(zhang: User) -> str:
    return str(Api().tokens("zhang")["access_token"])


def patch(token: str, **changes: Any) -> Any:
    return Api().call("PATCH", "/api/auth/me", changes, token)


@pytest.mark.parametrize("email", [DOTLESS, "zhang@localhost", "zhang@医院"])
@CLIENTS
def test_a_registration_with_an_address_without_a_dot_is_refused(client: ContractClient, email: str) -> None:
    assert client.register(PASSPHRASE, email=email).status_code == (422 if client is CLINIC else 400)
    assert not User.objects.exists()


@pytest.mark.parametrize("email", ["a@ward.local", "a@医院.公司", "a@b.cn"])
@CLIENTS
def test_an_address_with_one_is_accepted(client: ContractClient, email: str) -> None:
    assert client.register(PASSPHRASE, email=email).status_code == client.registered_status
    assert User.objects.get().email == email


def test_a_change_to_an_address_without_a_dot_is_refused(alice: User) -> None:
    response = patch(Api().tokens()["access_token"], email=DOTLESS)
    problem = {"code": "invalid", "detail": "The domain of an e-mail address must contain a dot."}
    assert (response.status_code, response.json()["errors"]) == (400, {"email": [problem]})


def test_an_administrator_cannot_give_one(head: User, alice: User) -> None:
    token = Api().tokens("head")["access_token"]
    response = Api().call("PATCH", f"/api/auth/users/{alice.pk}", {"email": DOTLESS}, token)
    assert response.status_code == 400


def test_the_user_of_a_stored_one_logs_in_with_it(zhang: User) -> None:
    assert Api().login(DOTLESS).status_code == 200
    assert CLINIC.call("POST", "login", {"email": DOTLESS, "password": PASSWORD}).status_code == 200


def test_other_columns_are_saved_beside_a_stored_one(token: str, zhang: User) -> None:
    response = patch(token, full_name="Zhang San", phone="13900139001", email=DOTLESS)
    assert (response.status_code, response.json()["email"]) == (200, DOTLESS)
    stored = User.objects.get()
    stored.nickname = "San"
    stored.full_clean()
    stored.save()
    assert User.objects.values_list("full_name", "nickname", "email_key").get() == ("Zhang San", "San", DOTLESS)


def test_a_stored_one_receives_codes(zhang: User) -> None:
    body = {"identifier": "zhang", "channel": "email", "contact": DOTLESS}
    Api().post("request-reset-code", body)
    reset = {**body, "code": last()["code"], "new_password": "Another-horse-8"}
    assert Api().post("reset-password", reset).status_code == 204
