from collections.abc import Iterator

import pytest
from django.core.checks import registry
from django.test import Client
from drf_spectacular.checks import schema_check

from accounts.models import User
from accounts.tests.contracts.clients import CLIENTS, ContractClient
from accounts.tests.tools import HERE
from authsvc.tests.admin_login import log_in
from authsvc.tests.server import Server, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(params=CLIENTS, ids=lambda client: client.name)
def caller(request: pytest.FixtureRequest) -> ContractClient:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def without_schema_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out of `check --deploy` the check that generates the OpenAPI description, which other tests read."""
    checks = registry.registry.deployment_checks
    monkeypatch.setattr(registry.registry, "deployment_checks", checks - {schema_check})


@pytest.fixture
def site() -> Client:
    return Client(REMOTE_ADDR=HERE, headers={"Accept-Language": "en"})


@pytest.fixture
def staff_client(site: Client, head: User) -> Client:
    log_in(site)
    return site
