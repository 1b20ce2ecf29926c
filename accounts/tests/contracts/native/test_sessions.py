from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from django.db.models import F
from django.test import Client
from django.utils import timezone

from accounts.contracts.native.tokens import ACCESS, REFRESH
from accounts.models import Session, User
from accounts.security.keys import ring
from accounts.tests.databases import count_by_database
from accounts.tests.tools import ELSEWHERE, Api
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db


def move_back(**ago: float) -> None:
    """Let the last rotation lie so far back, by the database's clock."""
    Session.objects.update(rotated_at=F("rotated_at") - timedelta(**ago))


def refresh(token: str) -> Any:
    return Api().post("refresh", {"refresh_token": token})


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


class TestMe:
    def test_me_is_the_user_of_the_token(self, api: Api, alice: User) -> None:
        tokens = api.tokens()
        assert api.get("me", tokens["access_token"]).json() == tokens["user"]

    def test_me_takes_one_statement(self, api: Api, alice: User, statements: Any) -> None:
        token = api.tokens()["access_token"]
        with statements() as captured:
            api.get("me", token)
        assert len(captured.sql) == 1, captured.sql

    def test_the_first_request_after_five_minutes_writes_when_the_session_was_last_seen(
        self, api: Api, alice: User, statements: Any
    ) -> None:
        token, now = api.tokens()["access_token"], timezone.now()
        with time_machine.travel(now + timedelta(minutes=6), tick=False), statements() as captured:
            api.get("me", token)
            api.get("me", token)
        assert len(captured.sql) == 3, captured.sql
        assert Session.objects.get().last_seen_at == now + timedelta(minutes=6)

    def test_an_answer_with_personal_data_is_not_stored(self, api: Api, alice: User) -> None:
        assert api.get("me", api.tokens()["access_token"])["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_the_case_of_the_scheme_does_not_matter(self, api: Api, alice: User, scheme: str) -> None:
        token = api.tokens()["access_token"]
        assert api.get("me", Authorization=f"{scheme} {token}").status_code == 200

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token x", "\x00", "Bearer\x00x"])
    def test_a_missing_token_is_said_to_be_missing(self, api: Api, db: None, header: str) -> None:
        response = api.get("me", Authorization=header)
        assert (code(response), response["WWW-Authenticate"]) == ((401, "token_missing"), "Bearer")

    def test_a_token_in_the_address_is_not_looked_at(self, api: Api, alice: User) -> None:
        token = api.tokens()["access_token"]
        assert code(api.get(f"me?token={token}&access_token={token}")) == (401, "token_missing")


def signed(good: str, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Return a token signed with the right key; a header or a claim that is given as `...` is left out."""
    key = ring.signer(ACCESS)
    headers = {**jwt.get_unverified_header(good), **(header or {})}
    payload = {**jwt.decode(good, options={"verify_signature": False}), **claims}
    headers, payload = ({k: v for k, v in part.items() if v is not ...} for part in (headers, payload))
    return jwt.encode(payload, key.signing, algorithm="ES256", headers=headers)


def signed_otherwise(good: str, key: Any, algorithm: str) -> str:
    """Return the good token's claims and header, signed with another key or algorithm."""
    header = {name: jwt.get_unverified_header(good)[name] for name in ("kid", "typ")}
    return jwt.encode(jwt.decode(good, options={"verify_signature": False}), key, algorithm=algorithm, headers=header)


def signed_by_a_stranger(good: str, **header: Any) -> str:
    """Return the good token's claims under its own header and `header`, which says where the attacker's key is."""
    names = {**jwt.get_unverified_header(good), **header}
    return jwt.encode(
        jwt.decode(good, options={"verify_signature": False}), OTHER_KEY, algorithm="ES256", headers=names
    )


def published() -> str:
    return ring.signer(ACCESS).public_jwk()["x"]


OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
# Each is wrong in one way, made from a good token.
FORGERIES: dict[str, Callable[[str], str]] = {
    "alg none": lambda good: signed_otherwise(good, "", "none"),
    "the public key as a secret": lambda good: signed_otherwise(good, published(), "HS256"),
    "the refresh key": lambda good: signed_otherwise(good, ring.signer(REFRESH).signing, "HS256"),
    "kid of another set": lambda good: signed(good, {"kid": ring.signer(REFRESH).kid}),
    "no sid": lambda good: signed(good, sid=...),
    "sid as a list": lambda good: signed(good, sid=[]),
    "sid as a number": lambda good: signed(good, sid=1),
}


class TestTokens:
    def test_a_downstream_service_verifies_an_access_token_with_the_published_keys(
        self, api: Api, alice: User, client: Client
    ) -> None:
        token = api.tokens()["access_token"]
        keys = jwt.PyJWKSet.from_dict(client.get("/.well-known/jwks.json").json())
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, keys[header["kid"]].key, algorithms=["ES256"])
        assert header == {"alg": "ES256", "kid": header["kid"], "typ": "at+jwt"}
        assert claims == {
            "iss": "http://127.0.0.1:8000",
            "sub": str(alice.pk),
            "username": "alice",
            "role": "pharmacy",
            "sid": str(Session.objects.get().pk),
            "amr": ["pwd"],
            "auth_time": int(Session.objects.get().created_at.timestamp()),
            "jti": claims["jti"],
            "iat": claims["iat"],
            "exp": claims["iat"] + 900,
        }

    def test_a_refresh_token_does_not_pass_at_a_downstream_service(self, api: Api, alice: User, client: Client) -> None:
        token = api.tokens()["refresh_token"]
        for key in jwt.PyJWKSet.from_dict(client.get("/.well-known/jwks.json").json()).keys:
            with pytest.raises(jwt.InvalidTokenError):
                jwt.decode(token, key.key, algorithms=["ES256"])

    def test_a_refresh_token_follows_from_its_row(self, api: Api, alice: User) -> None:
        token = api.tokens()["refresh_token"]
        session = Session.objects.get()
        assert jwt.get_unverified_header(token)["typ"] == "refresh+jwt"
        assert jwt.decode(token, options={"verify_signature": False}) == {
            "sid": str(session.pk),
            "generation": 0,
            "iat": int(session.rotated_at.timestamp()),
            "exp": int(session.expires_at.timestamp()),
        }

    def test_every_access_token_has_an_id_of_its_own(self, api: Api, alice: User) -> None:
        ids = [jwt.decode(api.tokens()["access_token"], options={"verify_signature": False})["jti"] for _ in range(2)]
        assert len(set(ids)) == 2
        assert all(len(token_id) >= 22 for token_id in ids)

    def test_an_access_token_is_valid_for_15_minutes(self, api: Api, alice: User) -> None:
        token, now = api.tokens()["access_token"], timezone.now()
        with time_machine.travel(now + timedelta(seconds=898)):
            assert api.get("me", token).status_code == 200
        with time_machine.travel(now + timedelta(seconds=901)):
            assert code(api.get("me", token)) == (401, "token_expired")

    def test_a_token_of_a_clock_that_is_a_little_ahead_is_taken(self, api: Api, alice: User) -> None:
        with time_machine.travel(timezone.now() + timedelta(seconds=50)):
            token = api.tokens()["access_token"]
        assert api.get("me", token).status_code == 200

    def test_a_token_of_a_clock_that_is_far_ahead_is_not(self, api: Api, alice: User) -> None:
        with time_machine.travel(timezone.now() + timedelta(minutes=10)):
            token = api.tokens()["access_token"]
        assert code(api.get("me", token)) == (401, "token_invalid")

    def test_a_refresh_token_is_no_access_token(self, api: Api, alice: User) -> None:
        assert code(api.get("me", api.tokens()["refresh_token"])) == (401, "token_invalid")

    def test_an_access_token_is_no_refresh_token(self, api: Api, alice: User) -> None:
        assert code(refresh(api.tokens()["access_token"])) == (401, "token_invalid")

    @pytest.mark.parametrize("forgery", FORGERIES)
    def test_a_forged_token_is_invalid(self, api: Api, alice: User, forgery: str) -> None:
        token = FORGERIES[forgery](api.tokens()["access_token"])
        assert code(api.get("me", token)) == (401, "token_invalid")


class TestRefresh:
    def test_the_answer_to_a_refresh(self, api: Api, alice: User) -> None:
        body = refresh(api.tokens()["refresh_token"]).json()
        assert body == {
            "access_token": body["access_token"],
            "refresh_token": body["refresh_token"],
            "token_type": "Bearer",
            "expires_in": 900,
            "refresh_expires_in": 1209600,
        }

    def test_a_refresh_takes_one_statement_on_postgresql(self, api: Api, alice: User, statements: Any) -> None:
        token = api.tokens()["refresh_token"]
        with statements() as captured:
            refresh(token)
        assert len(captured.sql) == count_by_database(postgresql=1, others=2), captured.sql

    def test_a_new_access_token_is_accepted(self, api: Api, alice: User) -> None:
        token = refresh(api.tokens()["refresh_token"]).json()["access_token"]
        assert api.get("me", token).status_code == 200

    def test_a_spent_token_gives_the_same_successor_for_ten_seconds(self, api: Api, alice: User) -> None:
        spent = api.tokens()["refresh_token"]
        first = refresh(spent).json()
        move_back(seconds=9)
        again = refresh(spent).json()
        assert jwt.decode(again["refresh_token"], options={"verify_signature": False})["generation"] == 1
        assert again["access_token"] != first["access_token"]

    def test_a_successor_given_twice_is_the_same_byte_for_byte(self, api: Api, alice: User) -> None:
        spent = api.tokens()["refresh_token"]
        assert refresh(spent).json()["refresh_token"] == refresh(spent).json()["refresh_token"]

    def test_a_token_spent_more_than_ten_seconds_ago_ends_its_session(self, api: Api, alice: User) -> None:
        tokens = api.tokens()
        successor = refresh(tokens["refresh_token"]).json()
        move_back(seconds=11)
        assert code(refresh(tokens["refresh_token"])) == (401, "token_reused")
        assert code(refresh(successor["refresh_token"])) == (401, "session_ended")
        assert code(api.get("me", tokens["access_token"])) == (401, "session_ended")

    def test_a_token_of_an_older_generation_ends_its_session_at_once(self, api: Api, alice: User) -> None:
        first = api.tokens()["refresh_token"]
        second = refresh(first).json()["refresh_token"]
        refresh(second)
        assert code(refresh(first)) == (401, "token_reused")

    def test_a_reuse_leaves_other_sessions_alone(self, api: Api, alice: User) -> None:
        other = Api(ELSEWHERE).tokens()
        spent = api.tokens()["refresh_token"]
        refresh(spent)
        move_back(seconds=11)
        refresh(spent)
        assert api.get("me", other["access_token"]).status_code == 200

    def test_a_reuse_is_an_event_with_its_session(self, api: Api, alice: User) -> None:
        spent = api.tokens()["refresh_token"]
        refresh(spent)
        move_back(seconds=11)
        refresh(spent)
        session = Session.objects.get()
        event = SecurityEvent.objects.get(event="session:refresh:reuse")
        assert (event.user_id, event.detail) == (alice.pk, {"session": str(session.pk), "generation": 0})
        assert session.end_reason == "reuse"

    def test_a_generation_never_reached_is_refused_and_ends_nothing(self, api: Api, alice: User) -> None:
        tokens = api.tokens()
        Session.objects.update(generation=5)
        later = refresh_token_of(Session.objects.get())
        Session.objects.update(generation=0)
        assert code(refresh(later)) == (401, "session_ended")
        assert api.get("me", tokens["access_token"]).status_code == 200

    def test_a_session_unused_for_14_days_is_over(self, api: Api, alice: User) -> None:
        token, now = api.tokens()["refresh_token"], timezone.now()
        with time_machine.travel(now + timedelta(days=14, seconds=1)):
            assert code(refresh(token)) == (401, "token_expired")

    def test_a_session_in_use_is_over_after_30_days(self, api: Api, alice: User) -> None:
        token, now = api.tokens()["refresh_token"], timezone.now()
        for day in (10, 20, 29):
            with time_machine.travel(now + timedelta(days=day)):
                token = refresh(token).json()["refresh_token"]
        with time_machine.travel(now + timedelta(days=30, seconds=1)):
            assert code(refresh(token)) == (401, "token_expired")

    def test_the_refresh_token_of_a_deleted_user_is_refused(self, api: Api, alice: User) -> None:
        token = api.tokens()["refresh_token"]
        alice.delete()
        assert code(refresh(token)) == (401, "session_ended")

    def test_the_refresh_token_of_a_disabled_user_is_refused_and_not_spent(self, api: Api, alice: User) -> None:
        token = api.tokens()["refresh_token"]
        User.objects.filter(pk=alice.pk).update(is_active=False)
        assert code(refresh(token)) == (401, "session_ended")
        assert Session.objects.get().generation == 0


def refresh_token_of(session: Session) -> str:
    from accounts.contracts.native.tokens import token_pair

    return str(token_pair(session)["refresh_token"])


class TestEnds:
    def test_a_logout_says_nothing(self, api: Api, alice: User) -> None:
        response = api.post("logout", token=api.tokens()["access_token"])
        assert (response.status_code, response.content) == (204, b"")

    def test_after_a_logout_no_token_of_the_session_is_accepted(self, api: Api, alice: User) -> None:
        tokens = api.tokens()
        api.post("logout", token=tokens["access_token"])
        assert code(api.get("me", tokens["access_token"])) == (401, "session_ended")
        assert code(refresh(tokens["refresh_token"])) == (401, "session_ended")

    def test_a_logout_ends_its_own_session_alone(self, api: Api, alice: User) -> None:
        one, other = api.tokens(), api.tokens()
        api.post("logout", token=one["access_token"])
        assert api.get("me", other["access_token"]).status_code == 200

    def test_a_logout_is_an_event(self, api: Api, alice: User) -> None:
        api.post("logout", token=api.tokens()["access_token"])
        event = SecurityEvent.objects.get(event="session:ended")
        assert (event.user_id, event.detail["reason"]) == (alice.pk, "logout")

    @pytest.mark.parametrize(
        "change", [{"password": "!"}, {"role": "viewer"}, {"is_active": False}, {"awaits_approval": True}], ids=str
    )
    def test_a_change_of_credentials_ends_every_session(self, api: Api, alice: User, change: dict[str, Any]) -> None:
        tokens = [api.tokens()["access_token"], Api(ELSEWHERE).tokens()["access_token"]]
        User.objects.filter(pk=alice.pk).update(**change)
        assert [api.get("me", token).status_code for token in tokens] == [401, 401]

    def test_a_password_set_in_a_shell_ends_every_session(self, api: Api, alice: User) -> None:
        token = api.tokens()["access_token"]
        user = User.objects.get(username="alice")
        user.set_password("Another-horse-8")
        user.save()
        assert api.get("me", token).status_code == 401

    def test_a_deleted_user_has_no_session(self, api: Api, alice: User) -> None:
        token = api.tokens()["access_token"]
        alice.delete()
        assert api.get("me", token).status_code == 401

    def test_enabling_an_account_restores_no_session(self, api: Api, alice: User) -> None:
        token = api.tokens()["access_token"]
        for active in (False, True):
            User.objects.filter(pk=alice.pk).update(is_active=active)
        assert api.get("me", token).status_code == 401

    def test_approving_an_account_restores_no_session(self, api: Api, alice: User) -> None:
        token = api.tokens()["access_token"]
        for waits in (True, False):
            User.objects.filter(pk=alice.pk).update(awaits_approval=waits)
        assert api.get("me", token).status_code == 401

    def test_a_login_in_the_second_of_a_password_change_is_valid(self, api: Api, alice: User) -> None:
        with time_machine.travel(timezone.now(), tick=False):
            alice.set_password("Another-horse-8")
            alice.save()
            token = api.tokens(password="Another-horse-8")["access_token"]
            assert api.get("me", token).status_code == 200
