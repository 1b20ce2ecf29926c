import pytest

from accounts.tests.tools import Api


@pytest.fixture
def api() -> Api:
    return Api(mount="/hospital/api/auth")
