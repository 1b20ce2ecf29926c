"""What the tests of the clinic's contract have in common."""

from typing import Any

from accounts.tests.tools import PASSWORD, Api

MOUNT = "/api/users"
ALICE = "alice@hospital.example"


def login(email: str = ALICE, password: str = PASSWORD) -> Any:
    return Api(mount=MOUNT).post("login", {"email": email, "password": password})


def token(email: str = ALICE, password: str = PASSWORD) -> str:
    return str(login(email, password).json()["access_token"])


def refresh(spent: str) -> Any:
    return Api(mount=MOUNT).post("refresh_token", token=spent)


def answered(response: Any) -> tuple[int, Any]:
    """Return the status and the detail of an error that has nothing else in it."""
    body = response.json()
    assert body == {"detail": body["detail"]}
    return response.status_code, body["detail"]
