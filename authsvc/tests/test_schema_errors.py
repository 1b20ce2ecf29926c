"""The errors in the description: a few bodies, with the codes and headers that each status can have."""

import json

import pytest
from django.http import HttpResponse

from accounts.tests.described import require_described
from authsvc.tests.schema_document import PATHS, SCHEMA, answer, media, operations

pytestmark = pytest.mark.any_database


class TestErrors:
    def test_the_statuses_of_an_operation(self) -> None:
        login = "200 400 401 403 405 413 415 426 429 500 503"
        assert list(PATHS["/api/auth/login"]["post"]["responses"]) == login.split()

    def test_an_operation_without_a_body_has_only_the_error_of_too_large_ones(self) -> None:
        statuses = ["200", "400", "401", "405", "413", "426", "500", "503"]
        assert list(PATHS["/api/auth/me"]["get"]["responses"]) == statuses

    def test_the_bodies_of_errors_are_a_few_components(self) -> None:
        shapes = [
            shape
            for _, _, operation in operations()
            for status in operation["responses"]
            if int(status) >= 400
            for shape in (content["schema"] for content in answer(operation, status)["content"].values())
        ]
        assert {name.rpartition("/")[2] for shape in shapes for name in shape.values()} == {
            "ClinicFailure",
            "ClinicWrongFields",
            "HospitalFailure",
            "NativeLoginProblem",
            "NativeProblem",
            "PortalFailure",
            "ServiceReadiness",
            "UnionFailure",
        }

    def test_the_examples_of_a_status_have_the_codes_that_can_occur(self) -> None:
        examples = media("login", "post", "403")["examples"].values()
        assert [example["value"]["code"] for example in examples] == [
            "account_disabled",
            "approval_pending",
            "password_expired",
            "second_factor_required",
            "second_factor_enrollment_required",
            "origin_not_allowed",
        ]

    def test_an_answer_with_a_code_that_is_not_described_is_an_error(self) -> None:
        body = {**media("login", "post", "401")["examples"]["InvalidCredentials"]["value"], "code": "token_expired"}
        response = HttpResponse(json.dumps(body), status=401, content_type="application/problem+json")
        for name in ("Cache-Control", "WWW-Authenticate", "X-Request-ID", "Content-Language"):
            values = {"Cache-Control": "no-store", "X-Request-ID": "x" * 8, "Content-Language": "en"}
            response[name] = values.get(name, "Bearer")
        with pytest.raises(AssertionError, match="token_expired"):
            require_described("POST", "/api/auth/login", response)  # type: ignore[arg-type]  # It has what is read.

    @pytest.mark.parametrize(
        ("status", "names"),
        [
            ("200", ["Set-Cookie", "Cache-Control", "X-Request-ID"]),
            ("401", ["Cache-Control", "Content-Language", "WWW-Authenticate", "X-Request-ID"]),
            ("405", ["Allow", "Cache-Control", "Content-Language", "X-Request-ID"]),
            ("415", ["Accept-Encoding", "Cache-Control", "Content-Language", "X-Request-ID"]),
            ("429", ["Cache-Control", "Content-Language", "Retry-After", "X-Request-ID"]),
            ("503", ["Cache-Control", "Content-Language", "Retry-After", "X-Request-ID"]),
        ],
    )
    def test_the_headers_of_a_status(self, status: str, names: list[str]) -> None:
        assert list(answer(PATHS["/api/auth/login"]["post"], status)["headers"]) == names

    @pytest.mark.parametrize(
        ("path", "method", "status"),
        [("users", "get", "403"), ("users/{user_id}", "get", "404"), ("sessions", "get", "404")],
    )
    def test_outcomes_that_follow_from_the_view_are_described(self, path: str, method: str, status: str) -> None:
        assert status in PATHS[f"/api/auth/{path}"][method]["responses"]
        assert status not in PATHS["/api/auth/me"]["get"]["responses"]

    def test_the_renewal_header_is_described(self) -> None:
        renewed = PATHS["/api/v1/auth/user/info"]["get"]["responses"]["200"]["headers"]
        assert list(renewed) == ["Authorization", "Cache-Control", "X-Request-ID"]
        assert not SCHEMA["components"]["headers"]["Authorization"]["required"]

    def test_numeric_codes_are_described_beside_their_status(self) -> None:
        printed = {
            (status, example["value"]["code"])
            for path, method in (("register", "post"), ("login", "post"), ("user/info", "get"))
            for status in PATHS[f"/api/v1/auth/{path}"][method]["responses"]
            if status in {"404", "409"} or (status, path) == ("401", "login")
            for example in answer(PATHS[f"/api/v1/auth/{path}"][method], status)["content"]["application/json"][
                "examples"
            ].values()
        }
        assert printed == {("401", 1002), ("404", 1003), ("409", 1001)}

    def test_errors_with_one_code_and_different_fields_have_an_example_each(self) -> None:
        wrong = answer(PATHS["/auth/register"]["post"], "400")
        examples = wrong["content"]["application/json"]["examples"]
        assert list(examples) == ["InvalidInput", "AlreadyTaken", "MalformedBody", "SuspiciousOperation"]
        assert wrong["description"] == "请求参数错误\n\n请求参数错误：请求体不是有效的JSON对象"
