"""The enrolment of a first second factor before the login, where a role must have one; and what no such token opens."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pyotp
import pytest
from django.utils import timezone

from accounts.models import SecondFactor, Session, User
from accounts.security import mfa_tokens
from accounts.tests.authenticator import Authenticator
from accounts.tests.factors import enrol_app
from accounts.tests.tools import PASSWORD, Api, later
from audit.models import LoginAttempt
from authsvc.endpoints.schema import document

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("described")]

ENROLMENT = {
    ("POST", "/api/auth/mfa/totp"),
    ("POST", "/api/auth/mfa/totp/{factor_id}/confirm"),
    ("POST", "/api/auth/mfa/webauthn"),
    ("POST", "/api/auth/mfa/webauthn/options"),
}


@pytest.fixture(autouse=True)
def _required(alice: User, settings: Any) -> None:
    settings.MFA_REQUIRED_ROLES = frozenset({alice.role})


def outcome(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def enrolment_token(**body: str) -> str:
    response = Api().post("login", {"username": "alice", "password": PASSWORD, **body})
    assert outcome(response) == (403, "second_factor_enrollment_required")
    return str(response.json()["mfa_token"])


def begin(token: str) -> Any:
    return Api().post("mfa/totp", {"password": PASSWORD}, token)


def confirm(token: str, new: dict[str, Any]) -> Any:
    code = pyotp.TOTP(new["secret"]).at(timezone.now())
    return Api().post(f"mfa/totp/{new['id']}/confirm", {"code": code}, token)


def test_a_role_that_must_have_a_factor_gets_a_token_to_add_one(api: Api) -> None:
    response = api.login()
    assert (response.status_code, response.json()) == (
        403,
        {
            "type": "about:blank",
            "title": "Forbidden",
            "status": 403,
            "detail": "This account must have a second factor. Add one with this mfa_token as bearer token, then log "
            "in again.",
            "code": "second_factor_enrollment_required",
            "mfa_token": response.json()["mfa_token"],
            "expires_in": 300,
        },
    )
    row = LoginAttempt.objects.latest("id")
    assert (row.status, row.failure_reason) == ("challenged", "second_factor_not_enrolled")
    assert Session.objects.count() == 0


def test_a_code_does_not_replace_the_enrolment() -> None:
    assert enrolment_token(otp="000000")


def test_it_adds_an_app_and_is_not_valid_after_that(api: Api) -> None:
    token = enrolment_token()
    response = confirm(token, begin(token).json())
    assert (response.status_code, len(response.json()["recovery_codes"])) == (200, 10)
    assert outcome(begin(token)) == (401, "token_invalid")
    assert outcome(api.login()) == (403, "second_factor_required")


def test_it_adds_a_security_key() -> None:
    token = enrolment_token()
    options = Api().post("mfa/webauthn/options", {"password": PASSWORD}, token).json()["publicKey"]
    response = Api().post("mfa/webauthn", {"credential": Authenticator().create(options)}, token)
    assert (response.status_code, len(response.json()["recovery_codes"])) == (201, 10)


def test_it_needs_the_password_too() -> None:
    response = Api().post("mfa/totp", {"password": "wrong"}, enrolment_token())
    assert (response.status_code, response.json()["errors"]["password"][0]["code"]) == (400, "wrong_password")


def test_it_adds_nothing_beside_a_factor_that_was_added_meanwhile(alice: User) -> None:
    token = enrolment_token()
    new = begin(token).json()
    app = enrol_app(User.objects.get(pk=alice.pk))
    assert outcome(confirm(token, new)) == (401, "token_invalid")
    assert SecondFactor.objects.get().pk == app.factor_id


def test_it_expires(alice: User) -> None:
    token = enrolment_token()
    with later(minutes=5, seconds=1):
        assert outcome(begin(token)) == (401, "token_expired")


@pytest.mark.parametrize(
    "change",
    [
        lambda user: user.set_password("Another-horse-8"),
        lambda user: setattr(user, "role", "doctor"),
        lambda user: setattr(user, "is_active", False),
    ],
    ids=["password", "role", "state"],
)
def test_it_ends_with_a_change_of_the_account(alice: User, change: Callable[[User], None]) -> None:
    token = enrolment_token()
    change(alice)
    alice.save()
    assert outcome(begin(token)) == (401, "token_invalid")


def test_an_access_token_works_at_the_same_operations(settings: Any) -> None:
    settings.MFA_REQUIRED_ROLES = frozenset()
    assert begin(Api().tokens()["access_token"]).status_code == 201


@pytest.mark.parametrize("token", ["rubbish", "a.b.c", "é", "x" * 5000])
def test_any_other_token_is_refused(token: str) -> None:
    assert outcome(Api().call("POST", "/api/auth/mfa/totp", {"password": PASSWORD}, token)) == (401, "token_invalid")


def test_without_a_token_nothing_is_added() -> None:
    assert outcome(Api().post("mfa/totp", {"password": PASSWORD})) == (401, "token_missing")


def operations() -> Iterator[Any]:
    """Yield each operation of the service that requires a token, its method and path."""
    for path, methods in json.loads(document())["paths"].items():
        for method, operation in methods.items():
            if operation.get("security") and {} not in operation["security"]:
                yield pytest.param(method.upper(), path, operation, id=operation["operationId"])


@pytest.mark.parametrize(("method", "path", "operation"), [*operations()])
def test_no_token_of_an_unfinished_login_opens_another_operation(
    alice: User, method: str, path: str, operation: dict[str, Any]
) -> None:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    bearers = {"second step": mfa_tokens.LOGIN, "enrolment": mfa_tokens.ENROLLMENT}
    issued = {name: mfa_tokens.issue(policy, alice, "native") for name, policy in bearers.items()}
    foreign = mfa_tokens.issue(mfa_tokens.ENROLLMENT, alice, "admin")
    url = re.sub(r"{\w+}", str(alice.pk), path.replace("{session_id}", str(uuid4())))

    def send(token: str) -> int:
        return Api().call(method, url, body, token).status_code

    if (method, path) in ENROLMENT:
        assert send(issued["enrolment"]) != 401
        refused = [issued["second step"], foreign]
    else:
        refused = [*issued.values(), foreign]
    assert [send(token) for token in refused] == [401] * len(refused)
