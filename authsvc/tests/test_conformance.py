"""Whatever the service is sent, it answers as its description says."""

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler

from accounts.contracts.native.wire import Login
from accounts.models import User
from accounts.tests.contracts.clients import CLIENTS, ContractClient
from accounts.tests.described import DESCRIPTION

# Without a transaction around it, as a WSGI server would call.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

SERVICE = WSGIHandler()
# A new address for each request, so that no budget of failures or registrations is ever spent.
ADDRESSES = (f"198.18.{high}.{low}" for high, low in product(range(256), repeat=2))


def from_anywhere(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    return SERVICE({**environ, "REMOTE_ADDR": next(ADDRESSES)}, start_response)


DESCRIPTION.app = from_anywhere


class Caller:
    """An administrator, who is made anew where a drawn request has logged out, disabled or renamed the last one."""

    token = ""

    def fresh_token(self, caller: ContractClient) -> str:
        if caller.get_me(self.token).status_code != 200:
            name, password = Login.example["username"], Login.example["password"]
            User.objects.all().delete()
            User.objects.create_user(name, "alice@hospital.example", password, phone="13800138000", role="admin")
            # A contract ignores what it does not ask for, so one body serves through every contract.
            self.token = caller.token(caller.login(password, userType="ADMIN").json())
        return self.token


CALLER = Caller()
CLIENT_OF = {caller.name: caller for caller in CLIENTS}


@DESCRIPTION.parametrize()
def test_every_response_matches_the_description(case: schemathesis.Case[Any]) -> None:
    operation = case.operation.definition.raw
    client = CLIENT_OF.get(operation["tags"][0])
    headers = {}
    if client and not operation["operationId"].endswith("register"):
        token = CALLER.fresh_token(client)
        headers = {"Authorization": f"Bearer {token}"} if "security" in operation else {}
    case.call_and_validate(headers=headers)
