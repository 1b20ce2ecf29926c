"""The description of the service: complete, true to its examples, and the same for everybody."""

import gzip
import itertools
import json
import re
from importlib import import_module
from typing import Any

import jsonschema_rs
import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext_lazy
from drf_spectacular.plumbing import ComponentRegistry

from accounts.contracts.native import views
from accounts.contracts.native.factor_wire import PasskeyLogin, PasswordAndCode, SecondStep
from accounts.contracts.native.wire import Refresh, Registration, UserAnswer
from accounts.contracts.schema.auto_schema import ContractSchema
from accounts.contracts.union.wire import Registration as UnionRegistration
from accounts.contracts.viewsets import ANY_METHOD, AdministratorViewSet, NotFoundViewSet
from accounts.models import User
from accounts.tests.contracts.clients import CLIENTS, NATIVE, ContractClient
from accounts.tests.described import DESCRIPTION
from accounts.tests.factors import enrol_app
from accounts.tests.tools import Api
from authsvc.endpoints.schema import document
from authsvc.tests.schema_document import PATHS, SCHEMA, answer, media, operations

pytestmark = pytest.mark.any_database

CONVERTER = re.compile("<([a-z]+:)?")
SERVICE = {"/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/api/schema", "/healthz", "/readyz"}


class TestDocument:
    def test_it_is_valid_openapi_3_1(self) -> None:
        assert SCHEMA["openapi"] == "3.1.0"
        DESCRIPTION.validate()

    def test_it_has_the_name_and_the_version_of_the_service(self) -> None:
        pyproject = (settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8")
        assert (SCHEMA["info"]["title"], f'version = "{SCHEMA["info"]["version"]}"' in pyproject) == ("authsvc", True)

    def test_it_has_every_route_of_every_contract(self) -> None:
        routes = {
            (f"/{prefix}/{CONVERTER.sub('{', str(route.pattern)).replace('>', '}')}", method)
            for name, prefix in settings.CONTRACT_MOUNTS.items()
            for route in import_module(f"accounts.contracts.{name}.urls").urlpatterns
            for method in route.callback.actions
            if route.callback.cls.schema and method != "head"
        }
        described = {(path, method) for path, method, _ in operations() if path not in SERVICE}
        assert described == routes

    def test_it_has_the_probes_the_keys_and_the_schema(self) -> None:
        mounts = tuple(f"/{prefix}/" for prefix in settings.CONTRACT_MOUNTS.values())
        assert {path for path in PATHS if not path.startswith(mounts)} == SERVICE

    def test_the_tags_are_the_parts_of_the_native_contract_and_then_each_other_contract(self) -> None:
        native = ["native login", "native account", "native second factor", "native administration"]
        tags = [*native, "hospital", "union", "portal", "clinic", "service"]
        assert sorted(tag["name"] for tag in SCHEMA["tags"]) == sorted(tags)
        assert [tag["name"] for tag in SCHEMA["tags"]][:4] == native
        assert {tag for _, _, operation in operations() for tag in operation["tags"]} == set(tags)

    def test_operations_that_need_a_permission_are_those_of_administration(self) -> None:
        tagged = {path for path, _, operation in operations() if operation["tags"] == ["native administration"]}
        routes = import_module("accounts.contracts.native.urls").urlpatterns
        assert tagged == {
            f"/api/auth/{CONVERTER.sub('{', str(route.pattern)).replace('>', '}')}"
            for route in routes
            if issubclass(route.callback.cls, AdministratorViewSet)
        }

    def test_operations_are_named_by_contract_method_and_path(self) -> None:
        assert PATHS["/api/auth/me"]["get"]["operationId"] == "native_get_me"

    def test_names_of_operations_are_unique_and_words_of_any_programming_language(self) -> None:
        names = [operation["operationId"] for _, _, operation in operations()]
        assert [name for name in names if not re.fullmatch("[a-z0-9_]+", name) or names.count(name) > 1] == []

    def test_its_server_is_the_issuer(self) -> None:
        assert [server["url"] for server in SCHEMA["servers"]] == [settings.ISSUER]

    def test_the_methods_of_a_path_are_in_one_order(self) -> None:
        assert [list(path) for path in PATHS.values()] == [
            [method for method in ANY_METHOD if method in path] for path in PATHS.values()
        ]

    def test_a_view_without_a_description_is_an_error(self) -> None:
        schema = ContractSchema()
        schema.view = NotFoundViewSet(action="not_found")
        with pytest.raises(LookupError, match=r"NotFoundViewSet\.not_found is not described"):
            _ = schema.operation

    @pytest.mark.parametrize("text", ["summary", "description"])
    def test_every_operation_has_a_summary_and_a_description(self, text: str) -> None:
        assert [operation["operationId"] for _, _, operation in operations() if not operation.get(text)] == []

    def test_only_protected_operations_require_a_token(self) -> None:
        protected = {(path, method) for path, method, operation in operations() if operation["security"]}
        assert {("/api/auth/me", "get"), ("/api/auth/logout", "post")} <= protected
        assert not protected & {(f"/api/auth/{verb}", "post") for verb in ("register", "login", "refresh")}

    def test_an_operation_with_optional_authentication_accepts_a_token(self) -> None:
        class Open(views.RegistrationViewSet):
            public = frozenset()
            optional = frozenset({"register"})

        schema = ContractSchema()
        schema.view, schema.registry = Open(action="register"), ComponentRegistry()
        assert (schema.get_auth(), schema.needs_token) == ([{}, {"native_token": []}], False)

    def test_a_public_operation_that_takes_the_token_itself_requires_one(self) -> None:
        refresh = PATHS["/auth/refresh"]["post"]
        assert refresh["security"] == [{"portal_token": []}]
        assert "401" in refresh["responses"]

    def test_the_token_is_a_bearer_token_of_the_contract(self) -> None:
        assert PATHS["/api/auth/me"]["get"]["security"] == [{"native_token": []}]
        assert SCHEMA["components"]["securitySchemes"]["native_token"] == {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access token that a login of the native contract returned.",
        }

    def test_it_is_in_english_whatever_the_language_of_the_first_request(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("authsvc.endpoints.schema.ABOUT", gettext_lazy("Home"))
        with translation.override("zh-hans"):
            assert json.loads(document.__wrapped__())["info"]["description"] == "Home"

    @pytest.mark.parametrize("accept", ["text/html", "application/yaml", "rubbish"])
    def test_it_is_json_whatever_accept_says(self, client: Client, accept: str) -> None:
        response = client.get("/api/schema", headers={"Accept": accept})
        assert (response["Content-Type"], response.content) == ("application/json", document())

    @pytest.mark.parametrize(
        ("accepted", "compressed"),
        [("gzip, deflate, br", True), ("br;q=1.0, gzip;q=0.8", True), ("gzip;q=0", False), ("identity", False)],
    )
    def test_it_is_compressed_for_clients_that_accept_it(self, client: Client, accepted: str, compressed: bool) -> None:
        response = client.get("/api/schema", headers={"Accept-Encoding": accepted})
        assert (response.get("Content-Encoding"), response["Vary"]) == (
            "gzip" if compressed else None,
            "Accept-Encoding, origin",
        )
        body = gzip.decompress(response.content) if compressed else response.content
        assert (body, len(response.content) < 50_000) == (document(), compressed)

    def test_it_is_not_sent_again_to_a_client_that_has_it(self, client: Client) -> None:
        tag = client.get("/api/schema")["ETag"]
        again = client.get("/api/schema", headers={"If-None-Match": f'"x", {tag}', "Accept-Encoding": "gzip"})
        assert (again.status_code, again.content, again["ETag"], again["Vary"]) == (
            304,
            b"",
            tag,
            "Accept-Encoding, origin",
        )
        assert client.get("/api/schema", headers={"If-None-Match": '"x"'}).status_code == 200

    def test_it_is_generated_once(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr("drf_spectacular.generators.SchemaGenerator.get_schema")
        assert client.get("/api/schema").status_code == 200


class TestShapes:
    def test_no_body_has_a_hint_or_a_secret_question(self) -> None:
        shapes = SCHEMA["components"]["schemas"].values()
        fields = {field for shape in shapes for field in shape.get("properties", {})}
        assert "password" in fields
        # The one secret is that of a new authenticator app.
        assert [field for field in fields if re.search("hint|question|secret", field, re.IGNORECASE)] == ["secret"]

    def test_response_schemas_allow_no_additional_properties(self) -> None:
        assert SCHEMA["components"]["schemas"]["NativeUserAnswer"]["additionalProperties"] is False

    def test_an_object_that_may_be_absent_is_an_object_or_null(self) -> None:
        assert SCHEMA["components"]["schemas"]["NativeUserAnswer"]["properties"]["profile"] == {
            "type": ["object", "null"],
            "additionalProperties": True,
        }

    @pytest.mark.parametrize(("body", "field"), [("Login", "otp"), ("PasswordReset", "code"), ("SecondStep", "code")])
    def test_a_code_is_a_string_with_a_pattern(self, body: str, field: str) -> None:
        shape = SCHEMA["components"]["schemas"][f"Native{body}"]["properties"][field]
        shape = shape["oneOf"][0] if "oneOf" in shape else shape
        assert ("string" in shape["type"], bool(re.fullmatch(shape["pattern"].strip("^$"), "048213"))) == (True, True)

    def test_enumerations_have_names(self) -> None:
        shapes = SCHEMA["components"]["schemas"]
        named = {name for name, shape in shapes.items() if "enum" in shape}
        assert {"Role", "ContractName", "LoginStatus", "FailureReason", "NativeGetUsersOrdering"} <= named
        assert json.dumps(SCHEMA).count('"enum"') == len(named)

    def test_a_list_is_a_page_of_rows(self) -> None:
        page = SCHEMA["components"]["schemas"]["NativeUsersAnswer"]["properties"]
        assert (list(page), page["results"]) == (
            ["count", "next", "previous", "results"],
            {"type": "array", "items": {"$ref": "#/components/schemas/NativeUserAnswer"}},
        )

    def test_the_query_of_a_list(self) -> None:
        query = {item["name"]: item["schema"] for item in PATHS["/api/auth/login-attempts"]["get"]["parameters"]}
        assert query == {
            "username": {"type": "string", "maxLength": 100},
            "status": {"$ref": "#/components/schemas/LoginStatus"},
            "ip": {"type": "string", "maxLength": 45},
            "contract": {"$ref": "#/components/schemas/ContractName"},
            "since": {"type": "string", "format": "date-time"},
            "until": {"type": "string", "format": "date-time"},
            "page": {"type": "integer", "minimum": 1, "default": 1},
            "page_size": {"type": "integer", "minimum": 1, "default": 20},
        }


@pytest.mark.django_db
class TestExamples:
    """What is printed is what happens."""

    def test_the_example_of_a_registration_returns_the_example_user(self, api: Api) -> None:
        response = api.post("register", media("register", "post")["example"])
        made = {name: response.json()[name] for name in ("id", "created_at")}
        assert (response.status_code, response.json()) == (201, {**media("register", "post", "201")["example"], **made})

    def test_the_example_of_a_login_returns_the_example_response(self, api: Api) -> None:
        api.post("register", Registration.example)
        response, printed = api.post("login", media("login", "post")["example"]).json(), media("login", "post", "200")
        made = {name: response[name] for name in ("access_token", "refresh_token")}
        user = {name: response["user"][name] for name in ("id", "created_at", "last_login")}
        assert response == {**printed["example"], **made, "user": {**UserAnswer.example, **user}}

    @pytest.mark.parametrize("mount", ["/api/v1/auth", "/auth"])
    def test_the_registration_of_a_legacy_document_works(self, mount: str) -> None:
        described = PATHS[f"{mount}/register"]["post"]
        response = Api(mount=mount).post("register", described["requestBody"]["content"]["application/json"]["example"])
        printed = answer(described, "200")["content"]["application/json"]["example"]
        made = {name: response.json()["data"][name] for name in ("id", "userId") if name in printed["data"]}
        assert response.json() == {**printed, "data": {**printed["data"], **made}}

    def test_the_login_of_the_union_document_works(self) -> None:
        described = PATHS["/api/v1/auth/login"]["post"]
        union = Api(mount="/api/v1/auth")
        union.post("register", UnionRegistration.example)
        response = union.post("login", described["requestBody"]["content"]["application/json"]["example"]).json()
        printed = answer(described, "200")["content"]["application/json"]["example"]
        made = {name: response["data"][name] for name in ("userId", "token")}
        assert response == {**printed, "data": {**printed["data"], **made}}

    @pytest.mark.parametrize("caller", CLIENTS, ids=lambda caller: caller.name)
    def test_production_accepts_every_example(self, caller: ContractClient, settings: Any) -> None:
        settings.PROFILE = "hardened"
        bodies = {
            (path.removeprefix(f"/{caller.mount}/"), method): operation["requestBody"]["content"]["application/json"][
                "example"
            ]
            for path, method, operation in operations()
            if path.startswith(f"/{caller.mount}/") and "requestBody" in operation
        }
        addresses = (f"198.18.0.{number}" for number in itertools.count())
        for (path, method), body in bodies.items():
            User.objects.all().delete()
            api = Api(next(addresses), f"/{caller.mount}")
            registered = api.post("register", bodies["register", "post"])
            login = api.post("login", bodies["login", "post"])
            assert (registered.status_code, login.status_code) == (caller.registered_status, 200)
            if path in {"register", "login"}:
                continue
            User.objects.update(role="admin")
            token = caller.token(api.post("login", {**bodies["login", "post"], "userType": "ADMIN"}).json())
            response = api.call(method.upper(), re.sub("{[a-z_]+}", "1", f"/{caller.mount}/{path}"), body, token)
            # The codes and the tokens of the examples are nobody's, and the account has no second factor.
            refused = response.status_code == 400 and (caller is not NATIVE or "errors" in response.json())
            refused = refused and "no_second_factor" not in response.content.decode()
            assert (refused, response.status_code == 422) == (False, False), (path, response.content)

    @pytest.mark.parametrize(
        ("verb", "body", "status", "outcome"),
        [
            ("login", {}, "400", "InvalidInput"),
            ("change-password", {}, "401", "TokenMissing"),
            ("login", [], "400", "MalformedBody"),
            ("login", {"username": "nobody", "password": "x"}, "401", "InvalidCredentials"),
            ("register", {**Registration.example, "username": "bob", "phone": None}, "409", "AlreadyTaken"),
            ("login", b'"' + b"x" * 100_000 + b'"', "413", "RequestDataTooBig"),
            ("refresh", Refresh.example, "401", "TokenInvalid"),
            ("login/second-factor", SecondStep.example, "401", "TokenInvalid"),
            ("login/passkey", PasskeyLogin.example, "401", "InvalidCredentials"),
        ],
        ids=str,
    )
    def test_an_error_matches_its_example(self, api: Api, verb: str, body: object, status: str, outcome: str) -> None:
        User.objects.create_user("carol", Registration.example["email"], "x")
        response = api.post(verb, body)
        printed = media(verb, "post", status)["examples"][outcome]["value"]
        assert (str(response.status_code), response.json()) == (status, printed)

    def test_the_challenges_of_a_login_match_their_examples(self, api: Api, alice: User, settings: Any) -> None:
        printed = media("login", "post", "403")["examples"]
        settings.MFA_REQUIRED_ROLES = frozenset({alice.role})
        missing = api.login().json()
        enrol_app(alice)
        required = api.login().json()
        assert [missing, required] == [
            {**printed["SecondFactorEnrollmentRequired"]["value"], "mfa_token": missing["mfa_token"]},
            {**printed["SecondFactorRequired"]["value"], "mfa_token": required["mfa_token"]},
        ]

    def test_the_body_of_a_removal_is_described(self) -> None:
        assert media("mfa/{factor_id}", "delete") == {
            "schema": {"$ref": "#/components/schemas/NativePasswordAndCode"},
            "example": PasswordAndCode.example,
        }

    def test_the_error_of_an_invalid_query_matches_its_example(self, api: Api, head: User) -> None:
        response = api.get(
            "users?role=?&is_active=?&awaits_approval=?&validity=?&ordering=?", api.tokens("head")["access_token"]
        )
        assert response.json() == media("users", "get", "400")["examples"]["InvalidInput"]["value"]

    def test_the_error_of_an_invalid_change_matches_its_example(self, api: Api, alice: User) -> None:
        response = api.call("PATCH", "/api/auth/me", {"phone": []}, api.tokens()["access_token"])
        assert response.json() == media("me", "patch", "400")["examples"]["InvalidInput"]["value"]

    def test_every_body_has_an_example_that_is_valid(self) -> None:
        checked = 0
        for path, method, operation in operations():
            answers = [answer(operation, status) for status in operation["responses"]]
            for part in (operation.get("requestBody", {}), *answers):
                for content in part.get("content", {}).values():
                    shape = {**content["schema"], "components": SCHEMA["components"]}
                    examples = [example["value"] for example in content.get("examples", {}).values()]
                    for example in examples or [content["example"]]:
                        assert list(jsonschema_rs.iter_errors(shape, example)) == [], (path, method)
                        checked += 1
        assert checked > 50
