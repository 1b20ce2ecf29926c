"""Which contacts receive messages: those that a code has proved or that an administrator has vouched for."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import AttemptBudget, Message, User
from accounts.security.codes import Target
from accounts.services import recovery, staff, users
from accounts.tests.contracts.clients import CLIENTS, ContractClient
from accounts.tests.messages import last, queued
from accounts.tests.tools import PASSWORD, Api, later
from audit.models import SecurityEvent
from audit.origin import CONSOLE, Origin

pytestmark = pytest.mark.django_db

CLIENT = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
NEW = "Another-horse-8"
CONTACTS = {"email": "carol@hospital.example", "phone": "+8613912345678"}


def vouched(user: User) -> dict[str, str]:
    return dict(User.objects.values("vouched_email", "vouched_phone").get(pk=user.pk))


def patch(user: User, token: str, **changes: Any) -> None:
    assert Api().call("PATCH", f"/api/auth/users/{user.pk}", changes, token).status_code == 200


@pytest.fixture
def carol(db: None) -> User:
    """A user who has registered with an e-mail address and a phone number."""
    body = {"username": "carol", "password": PASSWORD, **CONTACTS}
    assert Api().post("register", body).status_code == 201
    user: User = User.objects.get()
    return user


def request(channel: str) -> Any:
    return Api().post("request-reset-code", {"identifier": "carol", "channel": channel, "contact": CONTACTS[channel]})


class TestUnproved:
    @CLIENT
    def test_contacts_of_a_registration_receive_no_notice(self, db: None, client: ContractClient) -> None:
        client.register()
        user = User.objects.get()
        Api().post(
            "change-password",
            {"old_password": PASSWORD, "new_password": NEW},
            Api().tokens(user.username)["access_token"],
        )
        assert Api().login(user.username, NEW).status_code == 200
        assert queued() == []

    def test_a_contact_that_the_account_has_set_receives_no_notice(self, alice: User) -> None:
        token = Api().tokens()["access_token"]
        for email in ("first@hospital.example", "second@hospital.example"):
            Api().call("PATCH", "/api/auth/me", {"email": email}, token)
        assert [(contact, kind) for _channel, contact, kind in queued()] == [
            ("alice@hospital.example", "email_changed"),
            ("+8613800138000", "email_changed"),
        ]

    @pytest.mark.parametrize("channel", ["email", "phone"])
    def test_both_receive_reset_codes_while_none_is_proved(self, carol: User, channel: str) -> None:
        request(channel)
        assert queued() == [(channel, CONTACTS[channel], "reset_code")]

    @pytest.mark.parametrize("how", ["verified", "vouched"])
    def test_it_receives_no_reset_code_beside_a_trusted_contact(self, carol: User, how: str) -> None:
        User.objects.update(**{f"{how}_email": CONTACTS["email"]})
        answer = request("phone")
        assert (answer.status_code, answer.json(), queued()) == (200, {"expires_in": 600}, [])
        with later(seconds=61):
            request("email")
        assert queued() == [("email", CONTACTS["email"], "reset_code")]

    def test_its_reset_code_is_invalid_once_another_contact_is_proved(self, carol: User) -> None:
        request("phone")
        User.objects.update(verified_email=CONTACTS["email"])
        form = {"identifier": "carol", "channel": "phone", "contact": CONTACTS["phone"]}
        answer = Api().post("reset-password", {**form, "code": last()["code"], "new_password": NEW})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_code")

    def test_a_proved_contact_receives_notices(self, carol: User) -> None:
        token = Api().tokens("carol")["access_token"]
        Api().post("request-verification", {"channel": "phone"}, token)
        Api().post("verify", {"channel": "phone", "code": last()["code"]}, token)
        Message.objects.all().delete()
        AttemptBudget.objects.all().delete()
        Api().post("change-password", {"old_password": PASSWORD, "new_password": NEW}, token)
        assert queued() == [("phone", CONTACTS["phone"], "password_changed")]


class TestVouchedFor:
    def test_contacts_that_an_administrator_gives_a_new_account(self, head: User) -> None:
        body = {"username": "carol", "password": PASSWORD, "role": "viewer", **CONTACTS}
        assert Api().post("users", body, Api().tokens("head")["access_token"]).status_code == 201
        carol = User.objects.get(username="carol")
        assert vouched(carol) == {"vouched_email": CONTACTS["email"], "vouched_phone": CONTACTS["phone"]}
        assert (carol.email_verified, carol.phone_verified) == (False, False)

    def test_a_contact_that_an_administrator_changes(self, carol: User, head: User) -> None:
        patch(carol, Api().tokens("head")["access_token"], email="New@Hospital.Example")
        assert vouched(carol) == {"vouched_email": "new@hospital.example", "vouched_phone": ""}

    def test_a_contact_that_an_administrator_leaves_is_not_vouched_for(self, carol: User, head: User) -> None:
        patch(carol, Api().tokens("head")["access_token"], full_name="Carol Li", email=CONTACTS["email"])
        assert vouched(carol) == {"vouched_email": "", "vouched_phone": ""}

    def test_contacts_of_an_import(self, head: User, origin: Origin) -> None:
        columns = {"username": "carol", "role": "viewer", **CONTACTS}
        staff.add_all(candidates=[staff.Candidate(2, columns)], key="list", actor=head, origin=origin)
        carol = User.objects.get(username="carol")
        assert vouched(carol) == {"vouched_email": CONTACTS["email"], "vouched_phone": CONTACTS["phone"]}

    def test_contacts_that_a_command_gives(self, db: None) -> None:
        columns = {"username": "carol", "role": "viewer", **CONTACTS}
        carol = users.create(columns=columns, password=None, origin=CONSOLE)
        root = User.objects.create_superuser("root", "Root@Hospital.Example", PASSWORD)
        assert vouched(carol)["vouched_phone"] == CONTACTS["phone"]
        assert vouched(root)["vouched_email"] == "root@hospital.example"

    @pytest.mark.parametrize("contract", ["native", "hospital"])
    def test_a_contact_that_the_account_changes_is_not_vouched_for_any_more(self, alice: User, contract: str) -> None:
        client = next(client for client in CLIENTS if client.name == contract)
        method, path = ("PATCH", "me") if contract == "native" else ("PUT", "profile")
        for email in ("new@hospital.example", "alice@hospital.example"):
            assert client.call(method, path, {"email": email}, client.log_in()).status_code == 200
        assert vouched(alice) == {"vouched_email": "", "vouched_phone": "+8613800138000"}

    def test_another_spelling_stays_vouched_for(self, alice: User) -> None:
        Api().call("PATCH", "/api/auth/me", {"email": "ALICE@hospital.example"}, Api().tokens()["access_token"])
        assert vouched(alice)["vouched_email"] == "alice@hospital.example"

    def test_an_administrators_change_of_their_own_contact_is_the_accounts(self, head: User) -> None:
        patch(head, Api().tokens("head")["access_token"], email="new@hospital.example")
        assert vouched(head)["vouched_email"] == ""

    def test_an_administrator_has_the_code_sent_to_the_trusted_contact(self, carol: User, root: User) -> None:
        User.objects.filter(pk=carol.pk).update(vouched_phone=CONTACTS["phone"])
        recovery.send_code(user=User.objects.get(pk=carol.pk), actor=root, origin=CONSOLE)
        assert queued() == [("phone", CONTACTS["phone"], "reset_code")]


class TestProofBySession:
    """A user proves one contact of an account that also has one of somebody else."""

    def prove_email(self, settings: Settings, profile: str) -> Any:
        settings.PROFILE = profile
        token = Api().tokens("carol")["access_token"]
        Api().post("request-verification", {"channel": "email"}, token)
        return Api().post("verify", {"channel": "email", "code": last()["code"]}, token).json()

    def test_the_other_contact_becomes_pending_and_is_free(self, carol: User, settings: Settings) -> None:
        me = self.prove_email(settings, "hardened")
        assert (me["email_verified"], me["phone"], me["pending_phone"]) == (True, None, "13912345678")
        User.objects.create_user("dave", None, PASSWORD, phone=CONTACTS["phone"])
        events = SecurityEvent.objects.filter(user=carol.pk).order_by("-id").values_list("event", "detail")
        assert list(events[:2]) == [("contact:suspended", {"channel": "phone"}), ("email:verified", {})]

    def test_one_that_is_vouched_for_stays(self, carol: User, settings: Settings) -> None:
        User.objects.update(vouched_phone=CONTACTS["phone"])
        me = self.prove_email(settings, "hardened")
        assert (me["phone"], me["pending_phone"]) == ("13912345678", None)

    def test_where_contacts_need_no_proof_it_stays(self, carol: User, settings: Settings) -> None:
        assert self.prove_email(settings, "documented")["phone"] == "13912345678"


class TestFirstProof:
    """A reset by code proves a contact for the first time, and the account is its holder's."""

    @pytest.fixture(params=["documented", "hardened"], autouse=True)
    def _profile(self, request: pytest.FixtureRequest, settings: Settings) -> None:
        settings.PROFILE = request.param

    def recover(self, channel: str = "email") -> Any:
        request(channel)
        form = {"identifier": "carol", "channel": channel, "contact": CONTACTS[channel]}
        return Api().post("reset-password", {**form, "code": last()["code"], "new_password": "Xq7-zwkp-41"})

    def test_the_other_contact_gets_no_reset_code_any_more(self, carol: User) -> None:
        assert self.recover().status_code == 204
        with later(seconds=61):
            sent = len(queued())
            assert request("phone").status_code == 200
        assert len(queued()) == sent

    def test_another_contact_that_is_proved_while_the_code_is_checked_comes_first(
        self, carol: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        check = Target.check

        def overtaken(*args: Any, **kwargs: Any) -> Any:
            row = check(*args, **kwargs)
            User.objects.update(verified_phone=CONTACTS["phone"])
            return row

        monkeypatch.setattr(Target, "check", overtaken)
        answer = self.recover()
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_code")
        assert Api().login("carol").status_code == 200

    def test_the_other_contact_is_pending_and_shown_to_the_owner(self, carol: User) -> None:
        self.recover()
        me = Api().get("me", Api().tokens("carol", "Xq7-zwkp-41")["access_token"]).json()
        assert (me["email"], me["email_verified"]) == (CONTACTS["email"], True)
        assert (me["phone"], me["pending_phone"]) == (None, "13912345678")

    def test_it_holds_for_an_unproved_address_beside_a_number(self, carol: User) -> None:
        self.recover("phone")
        me = Api().get("me", Api().tokens("carol", "Xq7-zwkp-41")["access_token"]).json()
        assert (me["phone_verified"], me["email"], me["pending_email"]) == (True, None, CONTACTS["email"])

    def test_the_pending_contact_identifies_no_account_and_is_free_for_another(self, carol: User) -> None:
        self.recover()
        assert Api().login(CONTACTS["phone"], "Xq7-zwkp-41").status_code == 401
        User.objects.create_user("dave", None, PASSWORD, phone=CONTACTS["phone"])

    def test_a_code_makes_the_pending_contact_present_again(self, carol: User) -> None:
        self.recover()
        token = Api().tokens("carol", "Xq7-zwkp-41")["access_token"]
        Api().post("request-verification", {"channel": "phone"}, token)
        answer = Api().post("verify", {"channel": "phone", "code": last()["code"]}, token)
        assert (answer.json()["phone"], answer.json()["phone_verified"]) == ("13912345678", True)

    def test_the_sessions_of_before_end(self, carol: User) -> None:
        token = Api().tokens("carol")["access_token"]
        self.recover()
        assert Api().get("me", token).status_code == 401

    def test_a_contact_that_is_vouched_for_stays(self, carol: User) -> None:
        User.objects.update(vouched_email=CONTACTS["email"], vouched_phone=CONTACTS["phone"])
        self.recover()
        assert User.objects.values_list("email", "phone").get() == (CONTACTS["email"], CONTACTS["phone"])

    def test_a_later_reset_leaves_contacts_that_were_added_since(self, carol: User) -> None:
        User.objects.update(verified_email=CONTACTS["email"])
        self.recover()
        assert User.objects.values_list("phone", flat=True).get() == CONTACTS["phone"]

    def test_the_trail_has_the_proof_and_the_suspension(self, carol: User) -> None:
        self.recover()
        events = SecurityEvent.objects.filter(user=carol.pk).order_by("id").values_list("event", "detail")
        assert list(events)[2:] == [
            ("email:verified", {}),
            ("contact:suspended", {"channel": "phone"}),
            ("password:reset", {}),
        ]

    def test_the_notice_goes_to_trusted_contacts_only(self, carol: User) -> None:
        self.recover()
        assert [message for message in queued() if message[2] == "password_reset" and message[0] == "phone"] == []
