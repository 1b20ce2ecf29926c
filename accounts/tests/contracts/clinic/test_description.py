"""What the description says of the clinic's contract alone."""

import json
from typing import Any

import pytest

from accounts.contracts.clinic import wire
from accounts.tests.tools import Api
from authsvc.endpoints.schema import document

pytestmark = pytest.mark.any_database

PATHS = json.loads(document())["paths"]


def described(verb: str) -> dict[str, Any]:
    return dict(PATHS[f"/api/users/{verb}"]["post"])


def documented_response(verb: str, status: str) -> dict[str, Any]:
    return dict(described(verb)["responses"][status]["content"]["application/json"])


def test_the_refresh_requires_the_token_that_it_replaces() -> None:
    assert described("refresh_token")["security"] == [{"clinic_token": []}]
    assert list(documented_response("refresh_token", "401")["examples"]) == ["TokenMissing", "TokenInvalid"]
    assert list(documented_response("refresh_token", "403")["examples"]) == ["TokenExpired", "SessionEnded"]


def test_wrong_fields_are_a_list_and_all_else_is_a_sentence() -> None:
    assert documented_response("login", "422")["schema"] == {"$ref": "#/components/schemas/ClinicWrongFields"}
    assert documented_response("login", "400")["schema"] == {"$ref": "#/components/schemas/ClinicFailure"}


@pytest.mark.parametrize("verb", ["reset_password", "reset-password"])
def test_a_reset_reports_invalid_fields_in_a_sentence(verb: str) -> None:
    assert "422" not in described(verb)["responses"]
    assert documented_response(verb, "400")["schema"] == {"$ref": "#/components/schemas/ClinicFailure"}


@pytest.mark.django_db
def test_the_printed_requests_give_the_printed_answers(api: Api) -> None:
    assert api.post("register", wire.Registration.example).json() == wire.RegistrationAnswer.example
    answer = api.post("login", wire.Login.example).json()
    assert answer == {**wire.TokenAnswer.example, "access_token": answer["access_token"]}
    assert api.get("me", answer["access_token"]).json() == wire.UserAnswer.example
    assert api.post("reset_password", wire.Reset.example).json() == wire.ResetAnswer.example


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["register", "login"])
def test_missing_fields_are_reported_as_printed(api: Api, verb: str) -> None:
    response = api.post(verb, {})
    assert (response.status_code, response.json()) == (
        422,
        documented_response(verb, "422")["examples"]["InvalidInput"]["value"],
    )
