import pytest

from accounts.tests.contracts.clinic.tools import MOUNT
from accounts.tests.tools import Api


@pytest.fixture
def api() -> Api:
    return Api(mount=MOUNT)
