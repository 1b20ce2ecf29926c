"""A client, an SQL counter and a clock, for any test."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest import mock

import jwt
import time_machine
from django.db import connection
from django.test import Client
from django.test.client import ClientHandler
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.security.keys import ring

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

PASSWORD = "Correct-horse-7"
# Addresses reserved for documentation (RFC 5737, RFC 3849).
HERE = "192.0.2.1"
ELSEWHERE = "198.51.100.2"
BROWSER = "Firefox on a ward computer"
_TRANSACTION_WORDS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


# One for all clients: each handler loads the middleware, and sixty at once would compete for the processor.
HANDLER = ClientHandler(enforce_csrf_checks=False)


class Api:
    """A client of one contract, the native one by default."""

    def __init__(self, address: str = HERE, mount: str = "/api/auth") -> None:
        self.mount = mount
        self.client = Client(REMOTE_ADDR=address, HTTP_USER_AGENT=BROWSER, raise_request_exception=False)
        self.client.handler = HANDLER

    def call(self, method: str, path: str, body: object = None, token: str | None = None, **headers: str) -> "Response":
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.client.generic(method, path, data, content_type="application/json", headers=headers)

    def post(self, verb: str, body: object = None, token: str | None = None, **headers: str) -> "Response":
        return self.call("POST", f"{self.mount}/{verb}", body, token, **headers)

    def get(self, verb: str, token: str | None = None, **headers: str) -> "Response":
        return self.call("GET", f"{self.mount}/{verb}", None, token, **headers)

    def login(self, username: str = "alice", password: str = PASSWORD) -> "Response":
        return self.post("login", {"username": username, "password": password})

    def tokens(self, username: str = "alice", password: str = PASSWORD) -> dict[str, Any]:
        response = self.login(username, password)
        assert response.status_code == 200, response.content
        return dict(response.json())


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a token, whatever its signature."""
    return dict(jwt.decode(token, options={"verify_signature": False}))


class Statements(CaptureQueriesContext):
    """The SQL that ran, transaction control apart."""

    @property
    def sql(self) -> list[str]:
        statements = (query["sql"].strip() for query in self.captured_queries)
        return [sql for sql in statements if not sql.upper().startswith(_TRANSACTION_WORDS)]


@contextmanager
def captured_statements() -> Iterator[Statements]:
    with Statements(connection) as captured:
        yield captured


@contextmanager
def later(**by: float) -> Iterator[None]:
    """Move both clocks, the wall's and the one that says when keys are read anew; they stand still meanwhile.

    Without a time they stand still now: on a busy machine more than a second may pass before a nested call.
    """
    ahead = timedelta(**by)
    clock = mock.patch.object(ring, "_clock", return_value=ring._clock() + ahead.total_seconds())
    with time_machine.travel(timezone.now() + ahead, tick=False), clock:
        yield
