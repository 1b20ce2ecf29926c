"""Logins of the native contract with a second factor: in two steps, in one, and with a passkey alone."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Session, User
from accounts.security import devices, mfa_tokens
from accounts.tests.authenticator import Authenticator
from accounts.tests.contracts.native.test_login import WRONG
from accounts.tests.databases import count_by_database
from accounts.tests.factors import TotpApp, enrol_app, enrol_key
from accounts.tests.tools import HERE, PASSWORD, Api, captured_statements, claims_of, later
from audit.models import LoginAttempt

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("described")]

WRONG_FACTOR = {
    "type": "about:blank",
    "title": "Unauthorized",
    "status": 401,
    "detail": "This second factor is wrong or has been used.",
    "code": "invalid_second_factor",
}


@pytest.fixture
def app(alice: User) -> TotpApp:
    return enrol_app(alice)


@pytest.fixture
def key(alice: User) -> Authenticator:
    key = Authenticator()
    enrol_key(alice, key)
    return key


def mfa_token() -> str:
    return str(Api().login().json()["mfa_token"])


def second_step(token: object, **fields: object) -> Any:
    return Api().post("login/second-factor", {"mfa_token": token, **fields})


def options(token: str) -> dict[str, Any]:
    return dict(Api().post("login/second-factor/options", {"mfa_token": token}).json()["publicKey"])


def passkey_options() -> dict[str, Any]:
    return dict(Api().post("login/passkey/options").json()["publicKey"])


def outcome(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def last_attempt() -> dict[str, Any]:
    columns = ("identifier", "status", "failure_reason", "factor", "ip")
    return dict(LoginAttempt.objects.values(*columns).latest("id"))


class TestTwoSteps:
    def test_a_right_password_gets_a_token_for_the_second_step(self, api: Api, alice: User, app: TotpApp) -> None:
        response = api.login()
        assert (response.status_code, response.json()) == (
            403,
            {
                "type": "about:blank",
                "title": "Forbidden",
                "status": 403,
                "detail": "Send a second factor with this mfa_token to login/second-factor.",
                "code": "second_factor_required",
                "mfa_token": response.json()["mfa_token"],
                "methods": ["totp", "recovery_code"],
                "expires_in": 300,
            },
        )
        assert (response["Content-Type"], response["Cache-Control"]) == ("application/problem+json", "no-store")
        assert last_attempt() == {
            "identifier": "alice",
            "status": "challenged",
            "failure_reason": "second_factor_missing",
            "factor": "",
            "ip": HERE,
        }

    def test_the_second_step_answers_as_a_login(self, api: Api, alice: User, app: TotpApp) -> None:
        response = second_step(mfa_token(), method="totp", code=app.code())
        body = response.json()
        assert (response.status_code, list(body)) == (
            200,
            ["access_token", "refresh_token", "token_type", "expires_in", "refresh_expires_in", "user"],
        )
        assert api.get("me", body["access_token"]).json() == body["user"]
        claims = claims_of(body["access_token"])
        created_at = int(Session.objects.get().created_at.timestamp())
        assert (claims["amr"], claims["auth_time"]) == (["pwd", "otp", "mfa"], created_at)
        assert last_attempt() == {
            "identifier": "alice",
            "status": "success",
            "failure_reason": "",
            "factor": "totp",
            "ip": HERE,
        }

    def test_a_refresh_keeps_how_and_when_the_user_has_logged_in(self, api: Api, alice: User, app: TotpApp) -> None:
        first = second_step(mfa_token(), method="totp", code=app.code()).json()
        with later(minutes=20):
            second = api.post("refresh", {"refresh_token": first["refresh_token"]}).json()
        then, now = claims_of(first["access_token"]), claims_of(second["access_token"])
        assert (now["amr"], now["auth_time"]) == (then["amr"], then["auth_time"])
        assert now["iat"] > then["iat"]

    def test_a_recovery_code_completes_a_login(self, alice: User, app: TotpApp) -> None:
        assert second_step(mfa_token(), method="recovery_code", code=app.recovery_codes[0]).status_code == 200

    def test_a_security_key_completes_a_login(self, alice: User, key: Authenticator) -> None:
        key.verifies_user = False
        token = mfa_token()
        challenge = options(token)
        credential = {"id": challenge["allowCredentials"][0]["id"], "type": "public-key", "transports": ["internal"]}
        assert challenge == {
            "challenge": challenge["challenge"],
            "timeout": 300_000,
            "rpId": "localhost",
            "allowCredentials": [credential],
            "userVerification": "preferred",
        }
        response = second_step(token, method="webauthn", credential=key.get(challenge))
        assert claims_of(response.json()["access_token"])["amr"] == ["pwd", "hwk", "mfa"]

    @pytest.mark.parametrize("code", ["000000", " ", "12345６", "١٢٣٤٥٦", "1" * 64, "0000-0000-0000"])
    def test_any_other_code_is_wrong(self, alice: User, app: TotpApp, code: str) -> None:
        response = second_step(mfa_token(), method="totp", code=code)
        assert (response.status_code, response.json()) == (401, WRONG_FACTOR)
        assert response["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({}, "method"),
            ({"method": "totp"}, "code"),
            ({"method": "recovery_code", "credential": {}}, "code"),
            ({"method": "webauthn", "code": "123456"}, "credential"),
            ({"method": "sms", "code": "123456"}, "method"),
            ({"method": "totp", "code": 123456}, "code"),
            ({"method": "totp", "code": "1" * 65}, "code"),
            ({"method": "totp", "code": "\ud800"}, "code"),
            ({"method": "webauthn", "credential": "{}"}, "credential"),
            ({"method": "webauthn", "credential": None}, "credential"),
            ({"method": "webauthn", "credential": []}, "credential"),
        ],
        ids=str,
    )
    def test_invalid_fields_are_named(self, alice: User, app: TotpApp, fields: dict[str, Any], wrong: str) -> None:
        response = second_step(mfa_token(), **fields)
        assert (outcome(response), list(response.json()["errors"])) == ((400, "invalid_input"), [wrong])

    def test_a_token_serves_once(self, alice: User, app: TotpApp) -> None:
        token = mfa_token()
        second_step(token, method="totp", code=app.code())
        response = second_step(token, method="recovery_code", code=app.recovery_codes[0])
        assert outcome(response) == (401, "invalid_second_factor")

    def test_an_expired_token(self, alice: User, app: TotpApp) -> None:
        token = mfa_token()
        with later(minutes=5, seconds=1):
            response = second_step(token, method="totp", code=app.code())
        assert outcome(response) == (401, "token_expired")
        assert response["WWW-Authenticate"].startswith('Bearer error="invalid_token"')

    @pytest.mark.parametrize(
        "kind", ["rubbish", "é", "a.b.c", "x" * 5000, "access", "refresh", "enrolment", "admin site"]
    )
    @pytest.mark.parametrize("path", ["login/second-factor", "login/second-factor/options"])
    def test_a_token_that_is_none_of_a_second_step(
        self, alice: User, bob: User, app: TotpApp, kind: str, path: str
    ) -> None:
        tokens: dict[str, Callable[[], str]] = {
            "access": lambda: str(Api().tokens("bob")["access_token"]),
            "refresh": lambda: str(Api().tokens("bob")["refresh_token"]),
            "enrolment": lambda: mfa_tokens.issue(mfa_tokens.ENROLLMENT, alice, "native"),
            "admin site": lambda: mfa_tokens.issue(mfa_tokens.LOGIN, alice, "admin"),
        }
        token = tokens[kind]() if kind in tokens else kind
        response = Api().post(path, {"mfa_token": token, "method": "totp", "code": app.code()})
        assert outcome(response) == (401, "token_invalid")

    def test_it_is_no_refresh_token(self, alice: User, app: TotpApp) -> None:
        assert outcome(Api().post("refresh", {"refresh_token": mfa_token()})) == (401, "token_invalid")


class TestOneStep:
    def login(self, **fields: object) -> Any:
        return Api().post("login", {"username": "alice", "password": PASSWORD, **fields})

    def test_a_code_beside_the_password(self, alice: User, app: TotpApp) -> None:
        response = self.login(otp=app.code())
        assert claims_of(response.json()["access_token"])["amr"] == ["pwd", "otp", "mfa"]

    def test_a_recovery_code_beside_the_password(self, alice: User, app: TotpApp) -> None:
        assert self.login(otp=app.recovery_codes[0]).status_code == 200

    def test_a_wrong_code(self, alice: User, app: TotpApp) -> None:
        response = self.login(otp="000000")
        assert (response.status_code, response.json()) == (401, WRONG_FACTOR)

    @pytest.mark.parametrize("otp", ["", None])
    def test_an_empty_code_is_none(self, alice: User, app: TotpApp, otp: object) -> None:
        assert outcome(self.login(otp=otp)) == (403, "second_factor_required")

    def test_a_code_is_ignored_without_a_factor(self, alice: User) -> None:
        response = self.login(otp="000000")
        assert claims_of(response.json()["access_token"])["amr"] == ["pwd"]

    def test_the_password_is_not_split(self, alice: User, app: TotpApp) -> None:
        assert outcome(self.login(password=PASSWORD + app.code())) == (401, "invalid_credentials")

    @pytest.mark.parametrize("otp", [123456, ["123456"], {}, "1" * 65, "\ud800"], ids=str)
    def test_an_invalid_field_is_named(self, alice: User, app: TotpApp, otp: object) -> None:
        response = self.login(otp=otp)
        assert (outcome(response), list(response.json()["errors"])) == ((400, "invalid_input"), ["otp"])


class TestPasskeyAlone:
    def test_it_logs_in(self, alice: User, key: Authenticator) -> None:
        challenge = passkey_options()
        assert challenge == {
            "challenge": challenge["challenge"],
            "timeout": 300_000,
            "rpId": "localhost",
            "allowCredentials": [],
            "userVerification": "required",
        }
        response = Api().post("login/passkey", {"credential": key.get(challenge)})
        assert (response.status_code, response.json()["user"]["username"]) == (200, "alice")
        assert claims_of(response.json()["access_token"])["amr"] == ["hwk", "user", "mfa"]
        assert last_attempt()["factor"] == "webauthn"

    def test_its_device_is_compared(self, alice: User, key: Authenticator) -> None:
        User.objects.update(known_devices=devices.entry("another"))
        Api().post("login/passkey", {"credential": key.get(passkey_options())})
        assert list(Session.objects.values_list("from_new_device", flat=True)) == [True]

    def test_any_other_answer_is_wrong_credentials(self, alice: User, key: Authenticator) -> None:
        unknown = Authenticator(user_handle=key.user_handle)
        key.verifies_user = False
        for wrong in (key.get(passkey_options()), unknown.get(passkey_options()), {}, {"id": "x"}, {"id": "é"}):
            response = Api().post("login/passkey", {"credential": wrong})
            assert (response.status_code, response.json()) == (401, WRONG)

    def test_a_challenge_of_a_second_step_is_wrong(self, alice: User, key: Authenticator) -> None:
        response = Api().post("login/passkey", {"credential": key.get(options(mfa_token()))})
        assert outcome(response) == (401, "invalid_credentials")

    def test_a_challenge_of_a_passkey_login_is_wrong_in_a_second_step(self, alice: User, key: Authenticator) -> None:
        response = second_step(mfa_token(), method="webauthn", credential=key.get(passkey_options()))
        assert outcome(response) == (401, "invalid_second_factor")


class TestNothingIsDisclosed:
    """Before the password was right nothing tells whether the account has a factor."""

    @pytest.mark.parametrize("otp", [{}, {"otp": "000000"}, {"otp": "0000-0000-0000"}], ids=str)
    @pytest.mark.parametrize("required", [False, True])
    def test_a_wrong_password_gets_the_same_answer_by_the_same_statements(
        self, alice: User, bob: User, app: TotpApp, settings: Any, otp: dict[str, str], required: bool
    ) -> None:
        settings.MFA_REQUIRED_ROLES = frozenset({alice.role, bob.role} if required else ())
        seen: list[tuple[Any, ...]] = []
        for name in ("alice", "bob", "nobody"):
            api = Api(f"2001:db8::{len(seen)}:0:0:0:1")
            body = {"username": name, "password": "wrong", **otp}
            api.post("login", body)
            with captured_statements() as captured:
                response = api.post("login", body)
            shapes = [sql.partition(" WHERE ")[0].partition("VALUES")[0].partition(" SET ")[0] for sql in captured.sql]
            seen.append((response.status_code, response.content, response.headers.keys(), shapes))
        assert seen[0] == seen[1]
        assert seen[0][:3] == seen[2][:3]
        assert seen[0][0] == 401


class TestStatements:
    """Counted as in test_login.py, where a login without a factor takes six, and eight elsewhere."""

    two_more = count_by_database(postgresql=8, others=10)

    def count(self, call: Any) -> int:
        with captured_statements() as captured:
            assert call().status_code == 200
        return len(captured.sql)

    def test_a_code_beside_the_password_takes_two_more(self, api: Api, alice: User, app: TotpApp) -> None:
        body = {"username": "alice", "password": PASSWORD}
        api.post("login", {**body, "otp": app.recovery_codes[0]})
        assert self.count(lambda: api.post("login", {**body, "otp": app.code()})) == count_by_database(
            postgresql=8, others=10
        )

    def test_a_passkey_takes_two_more(self, api: Api, alice: User, key: Authenticator) -> None:
        api.post("login/passkey", {"credential": key.get(passkey_options())})
        credential = key.get(passkey_options())
        assert self.count(lambda: api.post("login/passkey", {"credential": credential})) == count_by_database(
            postgresql=8, others=10
        )

    def test_the_two_steps_take_six_and_eight_on_postgresql(self, api: Api, alice: User, app: TotpApp) -> None:
        api.post("login", {"username": "alice", "password": PASSWORD, "otp": app.recovery_codes[0]})
        mfa_token()
        with captured_statements() as captured:
            token = mfa_token()
        assert len(captured.sql) == count_by_database(postgresql=6, others=7)
        assert self.count(lambda: second_step(token, method="totp", code=app.code())) == count_by_database(
            postgresql=8, others=10
        )
