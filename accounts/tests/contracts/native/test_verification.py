"""Confirmation of e-mail addresses and phone numbers: the code that proves one, and the change that waits for it."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.errors import Overloaded
from accounts.models import Message, User
from accounts.security.codes import Target
from accounts.tests.messages import last, queued
from accounts.tests.tools import HERE, PASSWORD, Api, later
from audit.models import LoginAttempt, SecurityEvent

pytestmark = pytest.mark.django_db

NEW_EMAIL, NEW_PHONE = "New@Hospital.Example", "139 1234 5678"
CHANNELS = pytest.mark.parametrize("channel", ["email", "phone"])
OLD = {"email": "alice@hospital.example", "phone": "+8613800138000"}


@pytest.fixture
def token(api: Api, alice: User) -> str:
    return str(api.tokens()["access_token"])


def request(token: str, channel: Any = "email") -> Any:
    return Api().post("request-verification", {"channel": channel}, token)


def verify(token: str, code: Any, channel: str = "email") -> Any:
    return Api().post("verify", {"channel": channel, "code": code}, token)


def patch(token: str, **changes: Any) -> Any:
    return Api().call("PATCH", "/api/auth/me", changes, token)


def me(token: str) -> dict[str, Any]:
    return dict(Api().get("me", token).json())


def codes(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 400, response.content
    return {field: [item["code"] for item in items] for field, items in response.json()["errors"].items()}


class TestPresentAddress:
    @CHANNELS
    def test_a_code_goes_to_it(self, token: str, channel: str) -> None:
        answer = request(token, channel)
        assert (answer.status_code, answer.json()) == (200, {"expires_in": 600})
        assert queued() == [(channel, OLD[channel], "verification_code")]

    @CHANNELS
    def test_its_code_proves_it(self, token: str, channel: str) -> None:
        request(token, channel)
        before = me(token)
        answer = verify(token, last()["code"], channel)
        assert (answer.status_code, answer.json()) == (200, {**before, f"{channel}_verified": True})
        assert me(token) == answer.json()

    @CHANNELS
    def test_the_trail_says_so(self, token: str, channel: str, alice: User) -> None:
        request(token, channel)
        verify(token, last()["code"], channel)
        events = SecurityEvent.objects.order_by("id").values_list("event", "user", "actor")
        assert list(events)[1:] == [(f"{channel}:verified", alice.pk, alice.pk)]

    def test_a_wrong_code_proves_nothing(self, token: str) -> None:
        request(token)
        answer = verify(token, "wrong")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_code")
        assert me(token)["email_verified"] is False

    def test_a_code_proves_its_own_channel_alone(self, token: str) -> None:
        request(token, "phone")
        assert verify(token, last()["code"], "email").json()["code"] == "invalid_code"

    def test_a_reset_code_proves_nothing(self, token: str) -> None:
        Api().post(
            "request-reset-code", {"identifier": "alice", "channel": "email", "contact": "alice@hospital.example"}
        )
        assert verify(token, last()["code"]).json()["code"] == "invalid_code"

    def test_another_users_code_proves_nothing(self, token: str, head: User) -> None:
        theirs = Api().tokens("head")["access_token"]
        request(theirs)
        assert verify(token, last()["code"]).json()["code"] == "invalid_code"

    def test_five_wrong_codes_lock_this_and_nothing_else(self, token: str) -> None:
        request(token)
        code = last()["code"]
        assert [verify(token, "wrong").status_code for _ in range(6)] == [400] * 5 + [429]
        assert verify(token, code).status_code == 429
        assert request(token, "phone").status_code == 200
        assert verify(token, last()["code"], "phone").status_code == 200

    def test_one_code_a_minute(self, token: str) -> None:
        assert [request(token).status_code for _ in range(2)] == [200, 429]

    def test_a_verified_address_requires_no_code(self, token: str) -> None:
        request(token)
        verify(token, last()["code"])
        with later(seconds=61):
            assert codes(request(token)) == {"channel": ["already_verified"]}

    def test_an_account_without_a_contact_is_refused(self, bob: User) -> None:
        token = Api().tokens("bob")["access_token"]
        assert codes(request(token)) == {"channel": ["no_address"]}
        assert codes(verify(token, "123456")) == {"channel": ["no_address"]}

    @CHANNELS
    def test_a_changed_address_is_not_proved_any_more(self, token: str, channel: str) -> None:
        request(token, channel)
        verify(token, last()["code"], channel)
        patch(token, **{channel: {"email": NEW_EMAIL, "phone": NEW_PHONE}[channel]})
        assert me(token)[f"{channel}_verified"] is False

    @pytest.mark.parametrize("verb", ["request-verification", "verify"])
    def test_without_a_token_nothing_is_proved(self, db: None, verb: str) -> None:
        assert Api().post(verb, {"channel": "email", "code": "123456"}).status_code == 401


class TestDocumented:
    @pytest.mark.parametrize(
        ("changes", "notice"),
        [
            ({"email": NEW_EMAIL}, ("email", "alice@hospital.example", "email_changed")),
            ({"email": None}, ("email", "alice@hospital.example", "email_changed")),
            ({"phone": NEW_PHONE}, ("phone", "+8613800138000", "phone_changed")),
        ],
        ids=str,
    )
    def test_a_change_is_made_at_once_and_the_old_address_is_notified(
        self, token: str, changes: dict[str, Any], notice: tuple[str, str, str]
    ) -> None:
        assert patch(token, **changes).status_code == 200
        assert queued() == [notice]

    def test_the_address_is_notified_of_a_first_number(self, db: None) -> None:
        User.objects.create_user("carol", "carol@hospital.example", PASSWORD)
        patch(Api().tokens("carol")["access_token"], phone=NEW_PHONE)
        assert queued() == [("email", "carol@hospital.example", "phone_changed")]

    def test_an_unchanged_contact_is_not_notified(self, token: str) -> None:
        patch(token, email="alice@hospital.example", full_name="Alice Li")
        assert queued() == []

    def test_an_administrators_change_is_notified_too(self, alice: User, head: User) -> None:
        token = Api().tokens("head")["access_token"]
        Api().call("PATCH", f"/api/auth/users/{alice.pk}", {"email": NEW_EMAIL}, token)
        assert queued() == [("email", "alice@hospital.example", "email_changed")]

    def test_every_contact_is_notified_of_a_changed_password(self, token: str) -> None:
        Api().post("change-password", {"old_password": PASSWORD, "new_password": "Another-horse-8"}, token)
        assert queued() == [
            ("email", "alice@hospital.example", "password_changed"),
            ("phone", "+8613800138000", "password_changed"),
        ]

    @pytest.mark.parametrize("language", ["zh-hans", "en"])
    def test_messages_are_in_the_users_language(self, token: str, language: str) -> None:
        assert patch(token, language=language).json()["language"] == language
        request(token)
        assert Message.objects.latest("id").language == language


class TestHardened:
    @pytest.fixture(autouse=True)
    def _hardened(self, settings: Settings, token: str) -> None:
        settings.PROFILE = "hardened"

    @pytest.fixture(params=["email", "phone"])
    def channel(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def new(self, channel: str) -> str:
        return {"email": NEW_EMAIL, "phone": NEW_PHONE}[channel]

    @pytest.fixture
    def pending(self, channel: str) -> str:
        """The new address as it is shown."""
        return {"email": NEW_EMAIL, "phone": "13912345678"}[channel]

    def propose(self, token: str, channel: str, new: str, **more: Any) -> Any:
        return patch(token, **{channel: new, "old_password": PASSWORD, **more})

    def test_a_change_requires_the_current_password(self, token: str, channel: str, new: str, alice: User) -> None:
        before = User.objects.values().get()
        assert codes(patch(token, **{channel: new, "full_name": "Alice Li"})) == {"old_password": ["required"]}
        assert (User.objects.values().get(), queued()) == (before, [])

    def test_a_wrong_password_changes_nothing_and_counts(self, token: str, channel: str, new: str) -> None:
        before = User.objects.values().get()
        assert codes(self.propose(token, channel, new, old_password="wrong")) == {"old_password": ["wrong_password"]}
        assert (User.objects.values().get(), queued()) == (before, [])
        assert LoginAttempt.objects.filter(failure_reason="wrong_password").count() == 1

    def test_a_change_waits_for_the_new_address(self, token: str, channel: str, new: str, pending: str) -> None:
        before = me(token)
        answer = self.propose(token, channel, new, full_name="Alice Li")
        expected = {**before, f"pending_{channel}": pending, "full_name": "Alice Li"}
        assert {**answer.json(), "last_login": None} == {**expected, "last_login": None}
        assert [(kind, where) for where, _address, kind in queued()] == [("verification_code", channel)]

    def test_the_code_makes_the_change_and_the_old_address_is_notified(
        self, token: str, channel: str, new: str, pending: str, alice: User
    ) -> None:
        self.propose(token, channel, new)
        answer = verify(token, last()["code"], channel)
        shown = {name: answer.json()[name] for name in (channel, f"{channel}_verified", f"pending_{channel}")}
        assert shown == {channel: pending, f"{channel}_verified": True, f"pending_{channel}": None}
        assert queued()[1:] == [(channel, OLD[channel], f"{channel}_changed")]
        events = SecurityEvent.objects.filter(user=alice.pk).order_by("id").values_list("event", "detail")
        assert list(events)[-2:] == [("user:changed", {"fields": [channel]}), (f"{channel}:verified", {})]

    def test_until_then_one_logs_in_by_the_old_address(self, token: str, channel: str, new: str) -> None:
        self.propose(token, channel, new)
        assert [Api().login(name).status_code for name in (OLD[channel], new)] == [200, 401]

    def test_a_lost_code_is_sent_again_to_the_new_address(self, token: str, channel: str, new: str) -> None:
        self.propose(token, channel, new)
        with later(seconds=61):
            request(token, channel)
            assert queued()[0] == queued()[1]
            assert verify(token, last()["code"], channel).status_code == 200

    def test_naming_the_old_address_again_withdraws_the_change(self, token: str, channel: str, new: str) -> None:
        self.propose(token, channel, new)
        code = last()["code"]
        assert patch(token, **{channel: OLD[channel]}).json()[f"pending_{channel}"] is None
        assert verify(token, code, channel).json()["code"] == "invalid_code"

    def test_an_address_that_was_taken_meanwhile_is_refused_and_nothing_changes(
        self, token: str, channel: str, new: str, bob: User
    ) -> None:
        self.propose(token, channel, new)
        User.objects.filter(pk=bob.pk).update(**{channel: new})
        before = me(token)
        assert verify(token, last()["code"], channel).status_code == 409
        assert me(token) == before

    def test_a_taken_address_is_reported_at_once(self, token: str, channel: str, new: str, bob: User) -> None:
        User.objects.filter(pk=bob.pk).update(**{channel: new})
        assert self.propose(token, channel, new).status_code == 409
        assert queued() == []

    def test_a_second_change_within_a_minute_is_refused_and_changes_nothing(
        self, token: str, channel: str, new: str
    ) -> None:
        self.propose(token, channel, new)
        before = me(token)
        other = {"email": "third@hospital.example", "phone": "13712345678"}[channel]
        assert self.propose(token, channel, other, full_name="Alice Li").status_code == 429
        assert {**me(token), "last_login": None} == {**before, "last_login": None}

    def test_removing_an_address_requires_the_password_and_is_notified_there(self, token: str, channel: str) -> None:
        assert codes(patch(token, **{channel: None})) == {"old_password": ["required"]}
        assert self.propose(token, channel, None).json()[channel] is None  # type: ignore[arg-type]
        assert queued() == [(channel, OLD[channel], f"{channel}_changed")]

    def test_a_malformed_address_is_named_before_the_password_is_required(self, token: str, channel: str) -> None:
        assert codes(patch(token, **{channel: "nothing of the kind"})) == {channel: ["invalid"]}

    def test_the_same_address_in_another_spelling_requires_no_password(self, token: str) -> None:
        assert patch(token, email="ALICE@hospital.example", phone="+86 138-0013-8000").status_code == 200
        assert queued() == []


def test_hardened_the_hospitals_profile_waits_too(settings: Settings, alice: User) -> None:
    settings.PROFILE = "hardened"
    api = Api(mount="/hospital/api/auth")
    token = api.login().json()["data"]["token"]
    body = {"email": NEW_EMAIL, "password": "xq7-zwkp-41", "old_password": PASSWORD}
    answer = api.call("PUT", "/hospital/api/auth/profile", body, token)
    assert (answer.status_code, answer.json()["data"]["user"]["email"]) == (200, "alice@hospital.example")
    assert [kind for _channel, _address, kind in queued()] == [
        "password_changed",
        "password_changed",
        "verification_code",
    ]
    access = Api().tokens(password="xq7-zwkp-41")["access_token"]
    assert verify(access, last()["code"]).json()["email"] == NEW_EMAIL


def test_a_proposal_ends_with_the_password_that_it_was_made_under(settings: Settings, token: str) -> None:
    settings.PROFILE = "hardened"
    patch(token, email=NEW_EMAIL, phone=NEW_PHONE, old_password=PASSWORD)
    Api().post("change-password", {"old_password": PASSWORD, "new_password": "Xq7-zwkp-41"}, token)
    shown = me(Api().tokens(password="Xq7-zwkp-41")["access_token"])
    assert (shown["pending_email"], shown["pending_phone"]) == (None, None)


def test_a_proposal_ends_with_an_administrators_change(settings: Settings, token: str, alice: User, head: User) -> None:
    settings.PROFILE = "hardened"
    patch(token, email=NEW_EMAIL, old_password=PASSWORD)
    admin = Api().tokens("head")["access_token"]
    Api().call("PATCH", f"/api/auth/users/{alice.pk}", {"email": "third@hospital.example"}, admin)
    shown = me(token)
    assert (shown["email"], shown["pending_email"]) == ("third@hospital.example", None)


@pytest.mark.parametrize(
    "meanwhile", [{"password": "!"}, {"email": "third@hospital.example"}, {"pending_email": "third@hospital.example"}]
)
def test_a_change_while_a_code_is_verified_invalidates_it(
    token: str, alice: User, meanwhile: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    request(token)
    code, check = last()["code"], Target.check

    def overtaken(*args: Any, **kwargs: Any) -> Any:
        row = check(*args, **kwargs)
        User.objects.filter(pk=alice.pk).update(**meanwhile)
        return row

    monkeypatch.setattr(Target, "check", overtaken)
    assert verify(token, code).json()["code"] == "invalid_code"
    assert User.objects.get(pk=alice.pk).verified_email == ""


def test_a_change_that_cannot_be_made_whole_is_not_made_at_all(
    settings: Settings, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PROFILE = "hardened"
    api = Api(mount="/hospital/api/auth")
    token = api.login().json()["data"]["token"]
    before = User.objects.values("password", "full_name", "pending_email").get()

    def overloaded(self: Target) -> None:
        raise Overloaded(timedelta(seconds=2))

    monkeypatch.setattr(Target, "make", overloaded)
    body = {"full_name": "Alice Li", "email": NEW_EMAIL, "password": "xq7-zwkp-41", "old_password": PASSWORD}
    assert api.call("PUT", "/hospital/api/auth/profile", body, token).status_code == 503
    assert User.objects.values("password", "full_name", "pending_email").get() == before


def test_the_former_contacts_are_notified_of_a_new_password(alice: User) -> None:
    api = Api(mount="/hospital/api/auth")
    token = api.login().json()["data"]["token"]
    body = {"email": NEW_EMAIL, "phone": NEW_PHONE, "password": "xq7-zwkp-41"}
    assert api.call("PUT", "/hospital/api/auth/profile", body, token).status_code == 200
    notified = [(channel, address) for channel, address, kind in queued() if kind == "password_changed"]
    assert notified == [("email", "alice@hospital.example"), ("phone", "+8613800138000")]


def test_a_notice_names_both_addresses_and_where_it_came_from(token: str) -> None:
    patch(token, email=NEW_EMAIL)
    assert last() == {"ip": HERE, "old": "alice@hospital.example", "new": NEW_EMAIL}


def test_a_change_whose_pending_contact_cannot_be_removed_is_rolled_back(
    settings: Settings, token: str, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PROFILE = "hardened"
    patch(token, email=NEW_EMAIL, old_password=PASSWORD)

    def crash(**arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("accounts.services.contacts.remove_pending", crash)
    assert patch(token, email=OLD["email"], full_name="Alice Li").status_code == 500
    expected = {"pending_email": "New@Hospital.Example", "full_name": "Alice Zhang"}
    assert User.objects.values("pending_email", "full_name").get() == expected
