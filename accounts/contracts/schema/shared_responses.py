"""Error responses that several operations have, as components."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Final

from accounts.contracts.http_status import REASON_PHRASES
from accounts.contracts.schema.headers import OpenAPI

_FIRST_ERROR: Final = 400


def share_error_responses(result: OpenAPI) -> None:
    """Replace the most frequent error response of each contract and status by a reference, where several have it."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for contract, status, response in _errors(result):
        counts.setdefault((contract, status), Counter())[_key(response)] += 1
    components: dict[str, OpenAPI] = {}
    for contract, status, response in _errors(result):
        ((frequent, uses),) = counts[contract, status].most_common(1)
        if uses > 1 and _key(response) == frequent:
            name = f"{contract.title()}{REASON_PHRASES[int(status)].title().replace(' ', '')}"
            components.setdefault(name, dict(response))
            response.clear()
            response["$ref"] = f"#/components/responses/{name}"
    result["components"]["responses"] = dict(sorted(components.items()))


def _errors(result: OpenAPI) -> Iterator[tuple[str, str, OpenAPI]]:
    """Yield the contract, the status and the response of each error that is not shared yet."""
    for operations in result["paths"].values():
        for operation in operations.values():
            # The name of an operation begins with that of its contract.
            contract = operation["operationId"].partition("_")[0]
            for status, response in operation["responses"].items():
                if int(status) >= _FIRST_ERROR and "$ref" not in response:
                    yield contract, status, response


def _key(response: OpenAPI) -> str:
    return json.dumps(response, sort_keys=True)
