from collections.abc import Iterator

import pytest

from accounts.tests.contracts.clients import CLIENTS, ContractClient
from authsvc.tests.server import Server, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(params=CLIENTS, ids=lambda client: client.name)
def caller(request: pytest.FixtureRequest) -> ContractClient:
    return request.param  # type: ignore[no-any-return]
