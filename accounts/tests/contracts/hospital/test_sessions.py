from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.contracts.hospital.tokens import ACCESS
from accounts.models import Session, User
from accounts.security.keys import ring
from accounts.tests.tools import ELSEWHERE, PASSWORD, Api
from audit.models import LoginAttempt, SecurityEvent

pytestmark = pytest.mark.django_db

NEW = "Another-horse-8"
PROFILE = "/hospital/api/auth/profile"


@pytest.fixture
def token(api: Api, alice: User) -> str:
    return str(api.login().json()["data"]["token"])


def said(response: Any) -> tuple[int, str]:
    body = response.json()
    assert body == {"success": False, "message": body["message"]}
    return response.status_code, body["message"]


def put(token: str, **changes: Any) -> Any:
    return Api().call("PUT", PROFILE, changes, token)


class TestTokens:
    @pytest.mark.parametrize(
        ("header", "message"),
        [
            (None, "Token is missing"),
            ("", "Invalid token format"),
            ("Bearer", "Invalid token format"),
            ("abc", "Invalid token format"),
            ("Basic YTpi", "Invalid token format"),
            ("Bearer ", "Token is missing"),
            ("Bearer abc", "Invalid token"),
            ("Bearer a b", "Invalid token"),
            ("Bearer é.é.é", "Invalid token"),
        ],
    )
    def test_a_header_without_a_good_token(self, api: Api, header: str | None, message: str) -> None:
        response = api.get("profile", **({} if header is None else {"Authorization": header}))
        assert said(response) == (401, message)

    def test_the_case_of_the_scheme_does_not_matter(self, api: Api, token: str) -> None:
        assert api.get("profile", Authorization=f"bEaReR {token}").status_code == 200

    @pytest.mark.parametrize("claims", [{"sid": "x"}, {"sid": 1}, {"sid": None}, {"exp": "tomorrow"}], ids=str)
    def test_a_token_with_a_wrong_claim_is_invalid(self, api: Api, token: str, claims: dict[str, Any]) -> None:
        key = ring.signer(ACCESS)
        payload = {**jwt.decode(token, key.signing, algorithms=["HS256"]), **claims}
        forged = jwt.encode(payload, key.signing, "HS256", headers={"kid": key.kid, "typ": "JWT"})
        assert said(api.get("profile", forged)) == (401, "Invalid token")

    def test_a_token_of_another_contract_is_invalid(self, api: Api, alice: User) -> None:
        native = Api().tokens()["access_token"]
        assert said(api.get("profile", native)) == (401, "Invalid token")

    def test_a_token_is_refused_by_another_contract(self, token: str) -> None:
        assert Api().get("me", token).status_code == 401


class TestEnds:
    def test_a_token_is_valid_for_24_hours(self, api: Api, token: str) -> None:
        now = timezone.now()
        with time_machine.travel(now + timedelta(hours=24, seconds=-3)):
            assert api.get("profile", token).status_code == 200
        with time_machine.travel(now + timedelta(hours=24)):
            assert said(api.get("profile", token)) == (401, "Token has expired")

    def test_after_a_logout_the_token_is_invalid(self, api: Api, token: str) -> None:
        api.post("logout", token=token)
        assert said(api.get("profile", token)) == (401, "Invalid token")
        assert Session.objects.get().end_reason == "logout"

    def test_a_logout_leaves_other_sessions_alone(self, api: Api, token: str) -> None:
        other = api.login().json()["data"]["token"]
        api.post("logout", token=token)
        assert api.get("profile", other).status_code == 200

    @pytest.mark.parametrize("change", [{"is_active": False}, {"awaits_approval": True}], ids=str)
    def test_the_token_of_a_disabled_user(self, api: Api, token: str, alice: User, change: dict[str, Any]) -> None:
        User.objects.filter(pk=alice.pk).update(**change)
        assert said(api.get("profile", token)) == (401, "User not found or inactive")

    def test_the_token_of_a_deleted_user(self, api: Api, token: str, alice: User) -> None:
        alice.delete()
        assert said(api.get("profile", token)) == (401, "User not found or inactive")

    def test_a_new_role_ends_the_session(self, api: Api, token: str, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(role="viewer")
        assert said(api.get("profile", token)) == (401, "Invalid token")


class TestProfile:
    def test_a_new_password_ends_every_session_this_one_too(self, api: Api, token: str) -> None:
        other = Api(ELSEWHERE, "/hospital/api/auth").login().json()["data"]["token"]
        answer = put(token, password=NEW)
        assert (answer.status_code, answer.json()["data"]["message"]) == (200, "Profile updated successfully")
        assert [api.get("profile", each).status_code for each in (token, other)] == [401, 401]
        assert (api.login().status_code, api.login(password=NEW).status_code) == (401, 200)

    def test_a_new_password_and_columns_come_together(self, token: str, alice: User) -> None:
        put(token, password=NEW, department="药房")
        alice.refresh_from_db()
        assert (alice.department, alice.check_password(NEW)) == ("药房", True)
        assert set(SecurityEvent.objects.values_list("event", flat=True)) == {"password:changed", "user:changed"}

    @pytest.mark.parametrize("changes", [{"password": "12345"}, {"password": NEW, "email": "nonsense"}], ids=str)
    def test_where_one_of_both_is_wrong_nothing_changes(self, token: str, alice: User, changes: dict[str, str]) -> None:
        before = User.objects.values().get()
        assert put(token, full_name="New Name", **changes).status_code == 400
        assert User.objects.values().get() == before

    @pytest.mark.parametrize("password", ["", None])
    def test_an_empty_password_is_no_change(self, api: Api, token: str, password: str | None) -> None:
        assert put(token, password=password).status_code == 200
        assert api.get("profile", token).status_code == 200

    @pytest.mark.parametrize("field", ["email", "phone", "full_name", "department", "avatar_url"])
    @pytest.mark.parametrize("value", [None, ""])
    def test_a_column_may_be_emptied(self, token: str, field: str, value: str | None) -> None:
        assert put(token, **{field: value}).json()["data"]["user"][field] is None

    def test_what_another_account_has_is_refused(self, token: str, head: User) -> None:
        assert said(put(token, email="HEAD@hospital.example")) == (400, "Email already exists")

    @pytest.mark.parametrize("field", ["role", "username", "is_active", "user_id", "last_login"])
    def test_read_only_fields_are_ignored(self, token: str, field: str) -> None:
        before = User.objects.values().get()
        assert put(token, **{field: "admin"}).status_code == 200
        assert User.objects.values().get() == before

    @pytest.mark.parametrize("value", ["javascript:alert(1)", "//x", 7, "https://a.example/" + "x" * 500], ids=str)
    def test_an_avatar_is_an_address_in_the_web(self, token: str, value: Any) -> None:
        assert said(put(token, avatar_url=value))[1].startswith("Field avatar_url is invalid: ")


class TestHardened:
    @pytest.fixture(autouse=True)
    def _hardened(self, settings: Settings) -> None:
        settings.PROFILE = "hardened"

    def test_a_new_password_requires_the_old_one(self, api: Api, token: str) -> None:
        assert said(put(token, password=NEW)) == (400, "Field old_password is required")
        assert api.login().status_code == 200

    def test_a_new_password_with_the_old_one_is_taken(self, api: Api, token: str) -> None:
        assert put(token, password=NEW, old_password=PASSWORD).status_code == 200
        assert api.login(password=NEW).status_code == 200

    def test_a_wrong_old_password_changes_nothing_and_counts(self, token: str) -> None:
        before = User.objects.values().get()
        answer = put(token, password=NEW, old_password="wrong", department="药房")
        assert said(answer) == (400, "Field old_password is invalid: This is not the current password.")
        assert User.objects.values().get() == before
        assert LoginAttempt.objects.filter(failure_reason="wrong_password").count() == 1

    @pytest.mark.parametrize("changes", [{"email": "n@b.cn"}, {"phone": "13912345678"}], ids=str)
    def test_an_address_or_a_number_is_not_changed_without_a_confirmation(
        self, token: str, changes: dict[str, str]
    ) -> None:
        assert said(put(token, **changes)) == (400, "Field old_password is required")
        before = User.objects.values(*changes).get()
        assert put(token, **changes, old_password=PASSWORD).status_code == 200
        assert User.objects.values(*changes).get() == before
