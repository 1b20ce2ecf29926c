"""The responses to generated requests match the OpenAPI description."""

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.utils import timezone

from accounts.contracts.native.wire import Login
from accounts.models import Session, User
from accounts.services import sessions
from accounts.tests.contracts.clients import CLIENTS, ContractClient
from accounts.tests.described import DESCRIPTION
from accounts.tests.tools import claims_of

# Without a transaction around it, as a WSGI server would call.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

SERVICE = WSGIHandler()
# A new address for each request, so that no budget of failures or registrations is ever spent.
ADDRESSES = (f"198.18.{high}.{low}" for high, low in product(range(256), repeat=2))


def from_anywhere(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    return SERVICE({**environ, "REMOTE_ADDR": next(ADDRESSES)}, start_response)


DESCRIPTION.app = from_anywhere


class Caller:
    """An administrator, created again after a generated request has logged out, disabled or renamed the last one."""

    token = ""

    def fresh_token(self, caller: ContractClient) -> str:
        if not self._has_unused_token(caller):
            name, password = Login.example["username"], Login.example["password"]
            User.objects.all().delete()
            User.objects.create_user(name, "alice@hospital.example", password, phone="13800138000", role="admin")
            # Contracts ignore unknown fields, so one body serves all of them.
            self.token = caller.token(caller.login(password, userType="ADMIN").json())
        return self.token

    def _has_unused_token(self, caller: ContractClient) -> bool:
        """Ask the database, because a request before each generated one would double their cost."""
        session = Session.objects.filter(sessions.is_active(timezone.now()), contract=caller.name, generation=0)
        return bool(self.token) and session.filter(pk=claims_of(self.token)["sid"]).exists()


CALLER = Caller()
CLIENT_OF = {caller.name: caller for caller in CLIENTS}


@DESCRIPTION.parametrize()  # type: ignore[untyped-decorator]
def test_every_response_matches_the_description(case: schemathesis.Case[Any]) -> None:
    operation = case.operation.definition.raw
    client = CLIENT_OF.get(operation["operationId"].partition("_")[0])
    # Over WSGI schemathesis accepts gzip, and does not decompress it.
    headers = {"Accept-Encoding": "identity"}
    if client and not operation["operationId"].endswith("register"):
        token = CALLER.fresh_token(client)
        headers |= {"Authorization": f"Bearer {token}"} if operation["security"] else {}
    case.call_and_validate(headers=headers)
