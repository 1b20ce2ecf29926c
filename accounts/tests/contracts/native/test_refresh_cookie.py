"""The refresh token in a cookie: who may use it, and what the cookie and the responses have."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import Session, User
from accounts.tests.authenticator import Authenticator
from accounts.tests.contracts.native.test_sessions import move_back
from accounts.tests.factors import enrol_app, enrol_key
from accounts.tests.tools import PASSWORD, Api
from authsvc.middleware.request_guard import RequestGuard

pytestmark = [pytest.mark.any_database, pytest.mark.django_db, pytest.mark.usefixtures("described")]

OWN = "http://testserver"
LISTED = "https://app.hospital.example"
NAME = "__Host-refresh_token"
CREDENTIALS = {"username": "alice", "password": PASSWORD}
NOT_ALLOWED = {
    "": "none",
    "null": "of a sandbox",
    "https://evil.example": "foreign",
    f"{LISTED}.evil.example": "that begins like a listed one",
    "http://app.hospital.example": "of another scheme",
    "https://testserver": "of this host over another scheme",
    "http://testserver:8000": "of this host at another port",
}


@pytest.fixture(autouse=True)
def _listed(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [LISTED]


def post(api: Api, verb: str, body: object = None, token: str | None = None, origin: str = OWN) -> Any:
    """Send a request that chooses the cookie, as a page of this origin does; the client keeps cookies."""
    headers = {"X-Refresh-Cookie": "1", **({"Origin": origin} if origin else {})}
    return api.post(verb, body, token, **headers)


def cookie(response: Any, name: str = NAME) -> dict[str, Any]:
    """Return the attributes of the only cookie of a response."""
    assert list(response.cookies) == [name]
    attributes = {key: value for key, value in response.cookies[name].items() if value not in {"", "expires"}}
    return {key: value for key, value in attributes.items() if key != "expires"}


def outcome(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


class TestLogin:
    def test_the_token_is_in_the_cookie_and_not_in_the_body(self, api: Api, alice: User) -> None:
        response = post(api, "login", CREDENTIALS, origin=LISTED)
        assert set(response.json()) == set(Api().tokens()) - {"refresh_token"}
        assert cookie(response) == {
            "max-age": response.json()["refresh_expires_in"],
            "path": "/",
            "secure": True,
            "httponly": True,
            "samesite": "Strict",
        }
        token = response.cookies[NAME].value
        assert Api().post("refresh", {"refresh_token": token}).status_code == 200

    def test_the_second_step_and_a_passkey_set_it_too(self, api: Api, alice: User) -> None:
        app, key = enrol_app(alice), Authenticator()
        enrol_key(alice, key)
        step = {"mfa_token": post(api, "login", CREDENTIALS).json()["mfa_token"], "method": "totp", "code": app.code()}
        options = api.post("login/passkey/options").json()["publicKey"]
        for response in (
            post(api, "login/second-factor", step),
            post(api, "login/passkey", {"credential": key.get(options)}),
        ):
            assert (response.status_code, "refresh_token" in response.json()) == (200, False)
            assert cookie(response)["httponly"]

    def test_without_the_header_there_is_no_cookie(self, api: Api, alice: User) -> None:
        response = api.post("login", CREDENTIALS, Origin=LISTED)
        assert (len(response.cookies), "refresh_token" in response.json()) == (0, True)

    @pytest.mark.parametrize(
        ("debug", "scheme", "name"),
        [(True, "http", "refresh_token"), (True, "https", NAME), (False, "http", NAME)],
    )
    def test_over_plain_http_development_has_a_name_and_attributes_that_browsers_accept(
        self, settings: Settings, api: Api, alice: User, debug: bool, scheme: str, name: str
    ) -> None:
        settings.DEBUG = debug
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        api.client.defaults |= {"HTTP_X_FORWARDED_PROTO": scheme, "HTTP_HOST": "testserver"}
        response = post(api, "login", CREDENTIALS, origin=f"{scheme}://testserver")
        assert ("secure" in cookie(response, name)) == (name == NAME)
        assert post(api, "refresh", origin=f"{scheme}://testserver").status_code == 200


class TestRefresh:
    def test_two_tabs_at_once_get_the_same_successor(self, api: Api, alice: User) -> None:
        """The second tab sent its request before it had the answer to the first."""
        first = post(api, "login", CREDENTIALS).cookies[NAME].value
        successors = []
        for _tab in range(2):
            api.client.cookies[NAME] = first
            response = post(api, "refresh")
            assert (response.status_code, "refresh_token" in response.json()) == (200, False)
            successors.append(response.cookies[NAME].value)
        assert successors[0] == successors[1] != first
        assert post(api, "refresh").status_code == 200

    def test_a_spent_token_ends_the_session_after_the_grace_period(self, api: Api, alice: User) -> None:
        spent = post(api, "login", CREDENTIALS).cookies[NAME].value
        newest = post(api, "refresh").cookies[NAME].value
        move_back(seconds=11)
        api.client.cookies[NAME] = spent
        assert outcome(post(api, "refresh")) == (401, "token_reused")
        api.client.cookies[NAME] = newest
        assert outcome(post(api, "refresh")) == (401, "session_ended")

    def test_a_token_in_the_body_is_not_looked_at(self, alice: User) -> None:
        body = {"refresh_token": Api().tokens()["refresh_token"]}
        assert outcome(post(Api(), "refresh", body)) == (401, "refresh_cookie_missing")

    def test_without_the_header_the_cookie_is_not_looked_at(self, api: Api, alice: User) -> None:
        post(api, "login", CREDENTIALS)
        assert outcome(api.post("refresh", {}, Origin=OWN)) == (400, "invalid_input")
        assert outcome(api.post("logout", Origin=OWN)) == (401, "token_missing")


class TestLogout:
    def test_it_needs_the_cookie_alone_and_deletes_it(self, api: Api, alice: User) -> None:
        access = post(api, "login", CREDENTIALS).json()["access_token"]
        response = post(api, "logout")
        assert (response.status_code, response.cookies[NAME].value) == (204, "")
        assert cookie(response) == {
            "max-age": 0,
            "path": "/",
            "secure": True,
            "httponly": True,
            "samesite": "Strict",
        }
        assert outcome(api.get("me", access)) == (401, "session_ended")

    def test_a_token_that_another_tab_has_spent_still_logs_out(self, api: Api, alice: User) -> None:
        spent = post(api, "login", CREDENTIALS).cookies[NAME].value
        post(api, "refresh")
        move_back(seconds=11)
        api.client.cookies[NAME] = spent
        assert post(api, "logout").status_code == 204
        assert Session.objects.get().end_reason == "logout"

    def test_an_access_token_in_the_cookie_does_not(self, api: Api, alice: User) -> None:
        api.client.cookies[NAME] = post(api, "login", CREDENTIALS).json()["access_token"]
        assert outcome(post(api, "logout")) == (401, "token_invalid")

    def test_the_end_of_all_sessions_deletes_it_too(self, api: Api, alice: User) -> None:
        access = post(api, "login", CREDENTIALS).json()["access_token"]
        response = post(api, "logout-all", token=access)
        assert (response.status_code, cookie(response)["max-age"]) == (204, 0)


@pytest.mark.parametrize("origin", NOT_ALLOWED, ids=NOT_ALLOWED.values())
def test_a_page_of_an_origin_that_is_not_listed_uses_no_cookie(api: Api, alice: User, origin: str) -> None:
    token = post(api, "login", CREDENTIALS).cookies[NAME].value
    api.client.cookies[NAME] = token
    refused = [post(api, verb, CREDENTIALS, origin=origin) for verb in ("login", "refresh", "logout")]
    assert [outcome(response) for response in refused] == [(403, "origin_not_allowed")] * 3
    assert [len(response.cookies) for response in refused] == [0, 0, 0]
    assert Session.objects.values_list("generation", "ended_at").get() == (0, None)


def test_in_development_pages_of_this_machine_use_it(settings: Settings, api: Api, alice: User) -> None:
    settings.CORS_ALLOWED_ORIGINS = []
    settings.CORS_ALLOWED_ORIGIN_REGEXES = [r"^http://(localhost|127\.0\.0\.1)(:\d+)?$"]
    assert post(api, "login", CREDENTIALS, origin="http://localhost:5173").status_code == 200
    assert post(api, "login", CREDENTIALS, origin="http://localhost:5173.evil.example").status_code == 403


@pytest.mark.parametrize("blank", ["\u2000", "\x85", "\x1f"])
def test_a_cookie_with_a_blank_before_its_name_which_any_host_of_the_domain_can_set_is_ignored(
    api: Api, alice: User, blank: str
) -> None:
    token = post(api, "login", CREDENTIALS).cookies[NAME].value
    sent = f"other=1; {blank}{NAME}={token}".encode().decode("latin-1")
    guard = RequestGuard(lambda environ, _start_response: [environ["HTTP_COOKIE"].encode("latin-1")])
    read = b"".join(guard({"HTTP_COOKIE": sent}, lambda *_answer: lambda _bytes: None)).decode("latin-1")
    response = Api().post("refresh", {}, Cookie=read, Origin=OWN, **{"X-Refresh-Cookie": "1"})
    assert (response.status_code, response.json().get("code")) == (401, "refresh_cookie_missing")


@pytest.mark.parametrize(("path", "credentials"), [("/api/me", "true"), ("/api/docs", None), ("/api/schema", None)])
def test_no_listed_origin_reads_a_page_below_the_mount_with_the_cookie_of_an_administrator(
    settings: Settings, path: str, credentials: str | None
) -> None:
    settings.CONTRACT_MOUNTS = {**settings.CONTRACT_MOUNTS, "native": "api"}
    response = Api().call("GET", path, Origin=LISTED)
    assert response["Access-Control-Allow-Origin"] == LISTED
    assert response.headers.get("Access-Control-Allow-Credentials") == credentials
