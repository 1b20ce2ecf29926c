"""What document 004 prints, sent as printed, and the whole of each answer."""

import jwt
import pytest

from accounts.contracts.clinic.tokens import ACCESS
from accounts.models import Session, User
from accounts.security.keys import ring
from accounts.tests.contracts.clinic.tools import token
from accounts.tests.tools import Api

pytestmark = [pytest.mark.any_database, pytest.mark.django_db, pytest.mark.usefixtures("described")]

EMAIL, PASSWORD = "user@example.com", "currentpassword"
REGISTRATION = {
    "email": EMAIL,
    "password": PASSWORD,
    "first_name": "明",
    "last_name": "王",
    "phone_number": "13912345678",
}
RESET = {"email": EMAIL, "old_password": PASSWORD, "new_password": "newpassword123"}


@pytest.fixture
def user(api: Api, db: None) -> User:
    response = api.post("register", REGISTRATION)
    assert (response.status_code, response.json()) == (200, {"message": "User registered successfully."})
    registered: User = User.objects.get()
    return registered


def test_a_registered_user_is_a_patient_with_a_generated_name_that_is_never_shown(user: User) -> None:
    assert (user.username, user.role, user.email, user.phone) == ("user", "patient", EMAIL, "+8613912345678")
    assert (user.first_name, user.last_name) == ("明", "王")


def test_the_documents_login(api: Api, user: User) -> None:
    response = api.post("login", {"email": EMAIL, "password": PASSWORD})
    body = response.json()
    assert (response.status_code, body) == (
        200,
        {"access_token": body["access_token"], "token_type": "bearer", "expires_in": 180},
    )


def test_the_documents_own_reader_takes_a_token(user: User) -> None:
    key = ring.signer(ACCESS).signing
    claims = jwt.decode(token(EMAIL, PASSWORD), key, algorithms=["HS256"])
    session = Session.objects.get()
    issued = int(session.rotated_at.timestamp())
    assert claims == {
        "sub": str(user.pk),
        "sid": str(session.pk),
        "generation": 0,
        "iat": issued,
        "exp": issued + 3 * 3600,
    }


def test_the_documents_current_user(api: Api, user: User) -> None:
    response = api.get("me", token(EMAIL, PASSWORD))
    assert (response.status_code, response.json()) == (
        200,
        {"email": EMAIL, "first_name": "明", "last_name": "王", "phone_number": "13912345678"},
    )


def test_a_user_without_names_and_a_number_has_none(api: Api, head: User) -> None:
    response = api.get("me", token("head@hospital.example", "Correct-horse-7"))
    assert response.json() == {
        "email": "head@hospital.example",
        "first_name": None,
        "last_name": None,
        "phone_number": None,
    }


def test_the_documents_logout(api: Api, user: User) -> None:
    response = api.post("logout", token=token(EMAIL, PASSWORD))
    assert (response.status_code, response.json()) == (200, {"message": "You have been logged out."})


def test_the_documents_refresh(api: Api, user: User) -> None:
    first = token(EMAIL, PASSWORD)
    response = api.post("refresh_token", token=first)
    body = response.json()
    assert (response.status_code, body) == (
        200,
        {"access_token": body["access_token"], "token_type": "bearer", "expires_in": 180},
    )
    assert body["access_token"] != first


@pytest.mark.parametrize("verb", ["reset_password", "reset-password"])
def test_the_documents_reset_under_both_its_names(api: Api, user: User, verb: str) -> None:
    response = api.post(verb, RESET)
    assert (response.status_code, response.json()) == (200, {"message": "Password has been reset successfully."})
    assert token(EMAIL, "newpassword123")
