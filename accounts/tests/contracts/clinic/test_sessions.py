from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.db.models import F
from django.utils import timezone

from accounts.contracts.clinic.tokens import ACCESS
from accounts.models import Session, User
from accounts.security.keys import ring
from accounts.tests.contracts.clinic.tools import answered, refresh, token
from accounts.tests.tools import Api

pytestmark = pytest.mark.django_db

ENDED = "The session has ended."


def move_back(**ago: float) -> None:
    """Let the last rotation lie so far back, by the database's clock."""
    Session.objects.update(rotated_at=F("rotated_at") - timedelta(**ago))


def claims(signed: str) -> dict[str, Any]:
    return dict(jwt.decode(signed, options={"verify_signature": False}))


def forged(good: str, **changes: Any) -> str:
    """Return a token signed with the right key, some of its claims changed."""
    key = ring.signer(ACCESS)
    return jwt.encode({**claims(good), **changes}, key.signing, "HS256", headers={"kid": key.kid, "typ": "JWT"})


NO_TOKEN = [None, "Basic YTpi", "Bearer a.b.c"]


class TestTokens:
    @pytest.mark.parametrize("header", NO_TOKEN)
    @pytest.mark.parametrize(("method", "verb"), [("GET", "me"), ("POST", "logout"), ("POST", "refresh_token")])
    def test_a_missing_or_invalid_token_is_401(self, api: Api, method: str, verb: str, header: str | None) -> None:
        headers = {} if header is None else {"Authorization": header}
        response = api.call(method, f"/api/users/{verb}", **headers)
        assert answered(response)[0] == 401

    @pytest.mark.parametrize("changes", [{"sid": "x"}, {"sid": 1}, {"generation": "0"}, {"generation": None}], ids=str)
    def test_a_token_with_an_invalid_claim_is_invalid(self, api: Api, alice: User, changes: dict[str, Any]) -> None:
        bad = forged(token(), **changes)
        assert answered(api.get("me", bad)) == (401, "Could not validate credentials")
        assert answered(refresh(bad)) == (401, "Could not validate credentials")

    def test_a_token_of_another_contract_is_not_refreshed(self, api: Api, alice: User) -> None:
        native = Api().tokens()["access_token"]
        assert (api.get("me", native).status_code, refresh(native).status_code) == (401, 401)

    def test_a_token_is_valid_for_three_hours(self, api: Api, alice: User) -> None:
        good, now = token(), timezone.now()
        with time_machine.travel(now + timedelta(hours=3, seconds=-3)):
            assert api.get("me", good).status_code == 200
        with time_machine.travel(now + timedelta(hours=3)):
            assert answered(api.get("me", good)) == (401, "The token has expired.")
            assert answered(refresh(good)) == (403, "The token has expired.")


class TestRefresh:
    def test_a_successor_is_accepted_and_names_the_next_generation(self, api: Api, alice: User) -> None:
        fresh = refresh(token()).json()["access_token"]
        assert (api.get("me", fresh).status_code, claims(fresh)["generation"]) == (200, 1)

    def test_for_ten_seconds_a_spent_token_is_accepted(self, api: Api, alice: User) -> None:
        spent = token()
        refresh(spent)
        move_back(seconds=9)
        assert api.get("me", spent).status_code == 200

    def test_after_ten_seconds_a_spent_token_is_refused(self, api: Api, alice: User) -> None:
        spent = token()
        refresh(spent)
        move_back(seconds=11)
        assert answered(api.get("me", spent)) == (401, ENDED)

    def test_for_ten_seconds_a_spent_token_gives_the_same_successor_byte_for_byte(self, alice: User) -> None:
        spent = token()
        assert refresh(spent).content == refresh(spent).content
        assert Session.objects.get().generation == 1

    def test_after_ten_seconds_its_refresh_is_refused_and_ends_nothing(self, api: Api, alice: User) -> None:
        spent = token()
        fresh = refresh(spent).json()["access_token"]
        move_back(seconds=11)
        assert answered(refresh(spent)) == (403, ENDED)
        assert api.get("me", fresh).status_code == 200

    def test_a_token_of_two_generations_ago_is_refused_at_once(self, api: Api, alice: User) -> None:
        first = token()
        refresh(refresh(first).json()["access_token"])
        assert (api.get("me", first).status_code, answered(refresh(first))) == (401, (403, ENDED))

    def test_a_generation_never_reached_is_refused(self, api: Api, alice: User) -> None:
        later = forged(token(), generation=5)
        assert (api.get("me", later).status_code, answered(refresh(later))) == (401, (403, ENDED))

    def test_the_sessions_end_does_not_move(self, alice: User) -> None:
        good = token()
        Session.objects.update(
            expires_at=F("expires_at") - timedelta(days=6), latest_end_at=F("latest_end_at") - timedelta(days=6)
        )
        before = Session.objects.get().expires_at
        refresh(good)
        assert Session.objects.get().expires_at == before

    def test_a_session_lasts_seven_days(self, alice: User) -> None:
        token()
        session = Session.objects.get()
        assert session.expires_at == session.created_at + timedelta(days=7)

    def test_a_token_does_not_outlive_its_session(self, alice: User) -> None:
        good = token()
        end = timezone.now() + timedelta(hours=1)
        Session.objects.update(expires_at=end, latest_end_at=end)
        body = refresh(good).json()
        assert claims(body["access_token"])["exp"] == int(end.timestamp())
        assert body["expires_in"] in {59, 60}

    def test_a_token_of_an_expired_session_is_refused(self, api: Api, alice: User) -> None:
        good, now = token(), timezone.now()
        Session.objects.update(expires_at=now, latest_end_at=now)
        assert (answered(api.get("me", good)), answered(refresh(good))) == ((401, ENDED), (403, ENDED))

    def test_after_a_logout_no_token_is_accepted_or_refreshed(self, api: Api, alice: User) -> None:
        spent = token()
        fresh = refresh(spent).json()["access_token"]
        api.post("logout", token=fresh)
        for each in (spent, fresh):
            assert (answered(api.get("me", each)), answered(refresh(each))) == ((401, ENDED), (403, ENDED))

    @pytest.mark.parametrize("change", [{"is_active": False}, {"awaits_approval": True}, {"role": "viewer"}], ids=str)
    def test_after_a_change_of_the_account_nothing_is_refreshed(self, alice: User, change: dict[str, Any]) -> None:
        good = token()
        User.objects.filter(pk=alice.pk).update(**change)
        assert answered(refresh(good)) == (403, ENDED)

    def test_the_token_of_a_deleted_user(self, api: Api, alice: User) -> None:
        good = token()
        alice.delete()
        assert (answered(api.get("me", good)), answered(refresh(good))) == ((401, ENDED), (403, ENDED))
