from typing import Any

import pytest

from accounts.tests.tools import Api


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check each answer that the test gets against the OpenAPI description."""
    # Loaded here, because reading the description takes seconds and few tests need it.
    from accounts.tests.described import require_described

    call = Api.call

    def checked_call(self: Api, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        response = call(self, method, path, *args, **kwargs)
        require_described(method, response.request["PATH_INFO"], response)
        return response

    monkeypatch.setattr(Api, "call", checked_call)
