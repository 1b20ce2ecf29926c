"""Facts about every request to every contract: the answer is in the contract's format, never a 5xx."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from accounts.tests.contracts.clients import CLIENTS, ContractClient
from accounts.tests.strategies import AUTHORIZATIONS, EVERY_RUN_THE_SAME, JSON, LATIN, TEXT, bodies
from accounts.tests.tools import PASSWORD, Api

pytestmark = pytest.mark.django_db
A_CLIENT = st.sampled_from(CLIENTS)
ADDRESSES = (f"198.18.{number // 250}.{number % 250}" for number in count())
FIELDS = (
    *("username", "email", "phone", "phone_number", "password", "role", "userType"),
    *("full_name", "first_name", "last_name", "nickname", "department"),
)


@contextmanager
def rolled_back() -> Iterator[Api]:
    """Yield a client with an address of its own; what it does is rolled back."""
    with transaction.atomic():
        yield Api(next(ADDRESSES))
        transaction.set_rollback(True)


def require_refusal(client: ContractClient, response: Any, *statuses: int) -> None:
    assert response.status_code in statuses, response.content
    assert response["Content-Type"] == client.media_type
    json.loads(response.content)


@EVERY_RUN_THE_SAME
@given(client=A_CLIENT, header=AUTHORIZATIONS)
def test_any_authorization_but_a_good_token_is_401(client: ContractClient, header: str) -> None:
    with rolled_back() as api:
        response = api.call("GET", f"/{client.mount}/{client.me}", Authorization=header)
    require_refusal(client, response, 401)
    assert response["WWW-Authenticate"].partition(" ")[0] == "Bearer"


@pytest.mark.parametrize("verb", ["login", "register"])
@EVERY_RUN_THE_SAME
@given(client=A_CLIENT, body=bodies(*FIELDS))
def test_any_body_is_refused_in_the_contracts_format(client: ContractClient, verb: str, body: bytes) -> None:
    with rolled_back() as api:
        response = api.call("POST", f"/{client.mount}/{verb}", body)
    require_refusal(client, response, 400, 401, 422)


@EVERY_RUN_THE_SAME
@given(client=A_CLIENT, data=st.data())
def test_a_field_of_a_wrong_type_is_never_taken_for_another(
    client: ContractClient, alice: User, data: st.DataObject
) -> None:
    good = {**client.login_fields, "password": PASSWORD}
    name = data.draw(st.sampled_from(sorted(good)))
    value = data.draw(JSON.filter(lambda value: not isinstance(value, str)))
    with rolled_back() as api:
        response = api.call("POST", f"/{client.mount}/login", {**good, name: value})
    require_refusal(client, response, 400, 422)


LISTS = [(client, path) for client in CLIENTS for path in client.lists]
PARAMETERS = (
    *("page", "page_size", "per_page", "search", "role", "is_active", "awaits_approval", "department", "ordering"),
    *("username", "status", "ip", "contract", "since", "until", "format"),
)
VALUES = st.one_of(
    TEXT.map(lambda text: text.encode("utf-8", "replace").decode()),
    LATIN,
    st.integers().map(str),
    st.integers(10**9, 10**22).map(str),
    st.datetimes().map(str),
    st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
    st.sampled_from(
        ["-id", "last", "true", "0", "-1", "1e3", "%", "_", "\\", "id,-id", "\x00", "9999-12-31T23:59:59-14:00"]
    ),
)


@EVERY_RUN_THE_SAME
@given(
    where=st.sampled_from(LISTS),
    query=st.dictionaries(st.sampled_from(PARAMETERS), VALUES, min_size=1, max_size=3),
    cookie=LATIN,
)
def test_any_query_and_any_cookie_get_a_list_or_a_refusal(
    where: tuple[ContractClient, str], head: User, query: dict[str, str], cookie: str
) -> None:
    client, path = where
    with rolled_back() as api:
        login = api.call("POST", f"/{client.mount}/login", {"username": "head", "password": PASSWORD})
        token = client.token(login.json())
        headers = {"Authorization": f"Bearer {token}", "Cookie": cookie}
        response = api.client.get(f"/{client.mount}/{path}", query_params=query, headers=headers)
    assert response.status_code in {200, 400, 404}, response.content
    assert response["Content-Type"] == ("application/json" if response.status_code == 200 else client.media_type)
