"""The own second factors in the native contract: listed, added, confirmed, removed; and removed by an administrator."""

from typing import Any

import pyotp
import pytest
from django.utils import timezone

from accounts.models import RecoveryCode, SecondFactor, User
from accounts.tests.authenticator import Authenticator
from accounts.tests.factors import TotpApp, enrol_app, enrol_key
from accounts.tests.messages import queued
from accounts.tests.tools import PASSWORD, Api, later
from audit.models import SecurityEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("described")]


@pytest.fixture
def token(alice: User) -> str:
    return str(Api().tokens()["access_token"])


@pytest.fixture
def app(alice: User, token: str) -> TotpApp:
    # After the login, which needs no code.
    return enrol_app(alice)


def begin(token: str, password: object = PASSWORD) -> Any:
    return Api().post("mfa/totp", {"password": password}, token)


def confirm(token: str, factor_id: int, code: object) -> Any:
    return Api().post(f"mfa/totp/{factor_id}/confirm", {"code": code}, token)


def options(token: str, password: object = PASSWORD) -> Any:
    return Api().post("mfa/webauthn/options", {"password": password}, token)


def add(token: str, credential: object, name: str = "Laptop") -> Any:
    return Api().post("mfa/webauthn", {"credential": credential, "name": name}, token)


def remove(token: str, factor_id: int, **body: object) -> Any:
    return Api().call("DELETE", f"/api/auth/mfa/{factor_id}", body, token)


def outcome(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def problems(response: Any) -> dict[str, str]:
    assert response.status_code == 400, response.content
    return {field: found[0]["code"] for field, found in response.json()["errors"].items()}


def written(moment: Any) -> str:
    return str(moment.isoformat().replace("+00:00", "Z"))


class TestApp:
    def test_it_begins_with_a_secret(self, token: str) -> None:
        response = begin(token)
        body = response.json()
        factor = SecondFactor.objects.get()
        assert (response.status_code, response["Cache-Control"]) == (201, "no-store")
        assert body == {
            "id": factor.pk,
            "secret": body["secret"],
            "otpauth_uri": f"otpauth://totp/authsvc:alice?secret={body['secret']}&issuer=authsvc",
            "qr_svg": body["qr_svg"],
        }
        assert body["qr_svg"].startswith("<svg ")
        assert factor.confirmed_at is None
        assert body["secret"] not in factor.encrypted

    def test_it_needs_the_password(self, token: str) -> None:
        assert problems(begin(token, "wrong")) == {"password": "wrong_password"}
        assert SecondFactor.objects.count() == 0

    def test_the_first_code_puts_it_into_force(self, api: Api, token: str) -> None:
        new = begin(token).json()
        response = confirm(token, new["id"], pyotp.TOTP(new["secret"]).at(timezone.now()))
        body = response.json()
        assert (response.status_code, list(body), len(body["recovery_codes"])) == (200, ["recovery_codes"], 10)
        assert outcome(api.login()) == (403, "second_factor_required")
        assert SecurityEvent.objects.latest("id").event == "second_factor:added"

    def test_only_the_first_factor_comes_with_recovery_codes(self, token: str, app: TotpApp) -> None:
        new = begin(token).json()
        response = confirm(token, new["id"], pyotp.TOTP(new["secret"]).at(timezone.now()))
        assert (response.status_code, response.json()) == (200, {})
        assert RecoveryCode.objects.count() == 10

    @pytest.mark.parametrize("code", ["000000", "12345６", " ", "x" * 64])
    def test_a_wrong_code_is_refused(self, token: str, code: str) -> None:
        assert outcome(confirm(token, begin(token).json()["id"], code)) == (400, "invalid_code")

    def test_it_is_confirmed_once_and_by_its_user(self, token: str, app: TotpApp, bob: User) -> None:
        code = app.code()
        assert outcome(confirm(token, app.factor_id, code)) == (404, "not_found")
        assert outcome(confirm(Api().tokens("bob")["access_token"], app.factor_id, code)) == (404, "not_found")
        assert outcome(confirm(token, 2**63, code)) == (404, "not_found")


class TestCredential:
    def test_the_options_have_the_shape_of_webauthn(self, token: str, alice: User) -> None:
        enrol_key(alice, Authenticator(credential_id=b"known"))
        found = options(token).json()["publicKey"]
        assert found == {
            "rp": {"name": "authsvc", "id": "localhost"},
            "user": {"id": found["user"]["id"], "name": "alice", "displayName": "Alice Zhang"},
            "challenge": found["challenge"],
            "pubKeyCredParams": found["pubKeyCredParams"],
            "timeout": 300_000,
            "excludeCredentials": [{"id": "a25vd24", "type": "public-key", "transports": ["internal"]}],
            "authenticatorSelection": {
                "residentKey": "preferred",
                "requireResidentKey": False,
                "userVerification": "preferred",
            },
            "attestation": "none",
        }
        assert {"type": "public-key", "alg": -7} in found["pubKeyCredParams"]

    def test_they_need_the_password(self, token: str) -> None:
        assert problems(options(token, "wrong")) == {"password": "wrong_password"}

    def test_it_is_added(self, token: str) -> None:
        response = add(token, Authenticator().create(options(token).json()["publicKey"]))
        factor = SecondFactor.objects.get()
        assert (response.status_code, response.json()) == (
            201,
            {
                "id": factor.pk,
                "type": "webauthn",
                "name": "Laptop",
                "created_at": written(factor.created_at),
                "last_used_at": None,
                "recovery_codes": response.json()["recovery_codes"],
            },
        )
        assert len(response.json()["recovery_codes"]) == 10

    def test_a_later_one_comes_without_recovery_codes(self, token: str, app: TotpApp) -> None:
        body = {"credential": Authenticator().create(options(token).json()["publicKey"])}
        response = Api().post("mfa/webauthn", body, token)
        assert list(response.json()) == ["id", "type", "name", "created_at", "last_used_at"]
        assert response.json()["name"] == ""

    @pytest.mark.parametrize(
        "changes", [{"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"credential_id": b""}], ids=str
    )
    def test_a_wrong_answer_is_refused(self, token: str, changes: dict[str, Any]) -> None:
        answer = Authenticator(**changes).create(options(token).json()["publicKey"])
        assert outcome(add(token, answer)) == (400, "invalid_code")

    @pytest.mark.parametrize("credential", [{}, {"id": 1}, {"response": []}, {"response": {"clientDataJSON": "é"}}])
    def test_an_answer_that_is_none_is_refused(self, token: str, credential: dict[str, Any]) -> None:
        assert outcome(add(token, credential)) == (400, "invalid_code")

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"credential": "{}"}, "credential"),
            ({"credential": None}, "credential"),
            ({"credential": {}, "name": "x" * 61}, "name"),
            ({"credential": {}, "name": "\x00"}, "name"),
            ({"credential": {}, "name": None}, "name"),
        ],
        ids=str,
    )
    def test_invalid_fields_are_named(self, token: str, fields: dict[str, Any], wrong: str) -> None:
        assert list(problems(Api().post("mfa/webauthn", fields, token))) == [wrong]

    def test_control_characters_of_a_name_are_escaped(self, token: str) -> None:
        answer = Authenticator().create(options(token).json()["publicKey"])
        assert add(token, answer, "a\u202eb").json()["name"] == "a\\u202eb"


class TestList:
    def test_an_account_without_factors(self, api: Api, token: str) -> None:
        assert api.get("mfa", token).json() == {"factors": [], "recovery_codes_left": 0, "required": False}

    def test_the_factors_in_force(self, api: Api, token: str, alice: User, app: TotpApp, settings: Any) -> None:
        settings.MFA_REQUIRED_ROLES = frozenset({alice.role})
        enrol_key(alice, Authenticator())
        begin(token)
        api.post("login", {"username": "alice", "password": PASSWORD, "otp": app.recovery_codes[0]})
        api.post("login", {"username": "alice", "password": PASSWORD, "otp": app.code()})
        first, second = SecondFactor.objects.in_force()
        assert api.get("mfa", token).json() == {
            "factors": [
                {
                    "id": first.pk,
                    "type": "totp",
                    "name": "",
                    "created_at": written(first.created_at),
                    "last_used_at": written(first.last_used_at),
                },
                {
                    "id": second.pk,
                    "type": "webauthn",
                    "name": "Key",
                    "created_at": written(second.created_at),
                    "last_used_at": None,
                },
            ],
            "recovery_codes_left": 9,
            "required": True,
        }


class TestRemoval:
    def test_the_password_and_a_code_remove_one(self, api: Api, token: str, app: TotpApp) -> None:
        response = remove(token, app.factor_id, password=PASSWORD, code=app.code())
        assert (response.status_code, response.content) == (204, b"")
        assert api.get("mfa", token).json() == {"factors": [], "recovery_codes_left": 0, "required": False}
        assert api.login().status_code == 200
        event = SecurityEvent.objects.latest("id")
        assert (event.event, event.detail["types"]) == ("second_factor:removed", ["totp"])

    def test_the_recovery_codes_stay_with_another_factor(self, token: str, alice: User, app: TotpApp) -> None:
        key = enrol_key(alice, Authenticator())
        remove(token, key.pk, password=PASSWORD, code=app.recovery_codes[0])
        assert (SecondFactor.objects.get().pk, RecoveryCode.objects.count()) == (app.factor_id, 9)

    @pytest.mark.parametrize(
        ("body", "wrong"),
        [
            ({"password": "wrong", "code": "000000"}, {"password": "wrong_password"}),
            ({"password": PASSWORD, "code": "000000"}, {"code": "wrong_code"}),
            ({"password": PASSWORD}, {"code": "required"}),
            ({"password": PASSWORD, "code": ""}, {"code": "blank"}),
            ({}, {"password": "required", "code": "required"}),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("path", ["mfa/{id}", "mfa/recovery-codes"])
    def test_neither_suffices_alone(
        self, token: str, app: TotpApp, body: dict[str, str], wrong: dict[str, str], path: str
    ) -> None:
        method = "DELETE" if "{id}" in path else "POST"
        response = Api().call(method, f"/api/auth/{path.format(id=app.factor_id)}", body, token)
        assert problems(response) == wrong
        assert (SecondFactor.objects.count(), RecoveryCode.objects.count()) == (1, 10)

    def test_wrong_codes_lock_the_account(self, token: str, app: TotpApp) -> None:
        for _ in range(5):
            remove(token, app.factor_id, password=PASSWORD, code="000000")
        response = remove(token, app.factor_id, password=PASSWORD, code=app.code())
        assert outcome(response) == (429, "too_many_attempts")

    def test_the_password_between_wrong_codes_does_not_undo_them(self, token: str, app: TotpApp) -> None:
        for _ in range(5):
            assert problems(remove(token, app.factor_id, password=PASSWORD, code="000000")) == {"code": "wrong_code"}
            last = begin(token)
        assert outcome(last) == (429, "too_many_attempts")

    def test_another_users_factor_does_not_exist(self, app: TotpApp, bob: User) -> None:
        response = remove(Api().tokens("bob")["access_token"], app.factor_id, password=PASSWORD, code=app.code())
        assert outcome(response) == (404, "not_found")
        assert SecondFactor.objects.count() == 1


class TestRecoveryCodes:
    def test_new_codes_replace_the_former_ones(self, api: Api, token: str, app: TotpApp) -> None:
        body = {"password": PASSWORD, "code": app.recovery_codes[0]}
        response = api.post("mfa/recovery-codes", body, token)
        codes = response.json()["recovery_codes"]
        assert (response.status_code, len(set(codes) - set(app.recovery_codes))) == (200, 10)
        login = {"username": "alice", "password": PASSWORD}
        assert api.post("login", {**login, "otp": app.recovery_codes[1]}).status_code == 401
        assert api.post("login", {**login, "otp": codes[1]}).status_code == 200

    def test_an_account_without_a_factor_has_none(self, api: Api, token: str) -> None:
        body = {"password": PASSWORD, "code": "000000"}
        assert problems(api.post("mfa/recovery-codes", body, token)) == {"code": "no_second_factor"}


class TestAdministrator:
    def remove(self, actor: str, user: User, reason: object = "Lost phone") -> Any:
        token = Api("203.0.113.9").tokens(actor)["access_token"]
        return Api().post(f"users/{user.pk}/remove-second-factors", {"reason": reason}, token)

    def test_removes_those_of_another(self, api: Api, alice: User, head: User, token: str, app: TotpApp) -> None:
        alice.vouch()
        alice.save()
        challenge = api.login().json()["mfa_token"]
        with later(minutes=2):
            # A contact receives one message a minute.
            response = self.remove("head", alice)
        assert (response.status_code, response.json()["username"]) == (200, "alice")
        assert (SecondFactor.objects.count(), RecoveryCode.objects.count()) == (0, 0)
        assert outcome(api.get("me", token)) == (401, "session_ended")
        body = {"mfa_token": challenge, "method": "recovery_code", "code": app.recovery_codes[0]}
        assert outcome(api.post("login/second-factor", body)) == (401, "token_invalid")
        event = SecurityEvent.objects.filter(event="second_factor:removed").get()
        assert (event.user_id, event.actor_id, event.detail["reason"]) == (alice.pk, head.pk, "Lost phone")
        assert ("email", "alice@hospital.example", "second_factor_removed") in queued()
        assert api.login().status_code == 200

    def test_not_the_own_ones(self, head: User) -> None:
        token = Api().tokens("head")["access_token"]
        enrol_app(head)
        response = Api().post(f"users/{head.pk}/remove-second-factors", {"reason": "x"}, token)
        assert outcome(response) == (403, "own_account")
        assert SecondFactor.objects.count() == 1

    def test_needs_the_permission(self, bob: User, alice: User, app: TotpApp) -> None:
        assert outcome(self.remove("bob", alice)) == (403, "permission_denied")

    def test_with_separate_duties_is_a_security_officer(
        self, head: User, alice: User, app: TotpApp, settings: Any
    ) -> None:
        settings.SEPARATE_DUTIES = True
        assert outcome(self.remove("head", alice)) == (403, "permission_denied")

    @pytest.mark.parametrize("reason", ["", None, 5, "x" * 501, "\ud800"])
    def test_needs_a_reason(self, head: User, alice: User, app: TotpApp, reason: object) -> None:
        assert list(problems(self.remove("head", alice, reason))) == ["reason"]
        assert SecondFactor.objects.count() == 1
