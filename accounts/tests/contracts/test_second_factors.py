"""Second factors in the contracts whose clients have no field for a code: it follows the password in its field."""

import re
from collections.abc import Callable, Collection
from typing import Any

import pytest
from django.db.models import QuerySet

from accounts.models import AttemptBudget, SecondFactor, Session, User
from accounts.security import hashing
from accounts.security.hash_kinds import HashKind
from accounts.tests.authenticator import Authenticator
from accounts.tests.contracts.clients import CLIENTS, CLINIC, HOSPITAL, NATIVE, UNION, ContractClient
from accounts.tests.factors import TotpApp, enrol_app, enrol_key
from accounts.tests.tools import ELSEWHERE, PASSWORD, Api, captured_statements, later
from audit.models import LoginAttempt

pytestmark = pytest.mark.django_db

LEGACY = [client for client in CLIENTS if client is not NATIVE]
each_contract = pytest.mark.parametrize("client", LEGACY, ids=lambda client: client.name)
NEW = "correct horse battery staple"
# By case: a password, typed into the field for the password, that no client may tell from a wrong one.
REFUSED: dict[str, Callable[[TotpApp], str]] = {
    "the password alone": lambda app: PASSWORD,
    "a wrong code": lambda app: f"{PASSWORD}000000",
    "a used code": lambda app: PASSWORD + app.used_code,
    "a recovery code": lambda app: PASSWORD + app.recovery_codes[0],
    "a wrong password": lambda app: "wrong-password" + app.code(),
}


@pytest.fixture(autouse=True)
def doctor(alice: User) -> User:
    """Alice with a role that every document that asks for one has."""
    User.objects.filter(pk=alice.pk).update(role="doctor")
    alice.refresh_from_db()
    return alice


@pytest.fixture
def app(doctor: User) -> TotpApp:
    return enrol_app(doctor)


def whole(response: Any) -> tuple[int, Any, dict[str, str]]:
    """Return everything that a client gets, but for the id of the request."""
    headers = {name: value for name, value in response.headers.items() if name != "X-Request-ID"}
    return response.status_code, response.content, headers


def statements(client: ContractClient, password: str, **who: str) -> list[list[str]]:
    """Return the verb and the table of each statement of a login."""
    with captured_statements() as captured:
        client.login(password, **who)
    return [re.findall(r"^\w+|(?:accounts|audit)_\w+", sql)[:2] for sql in captured.sql]


def reasons() -> list[str]:
    rows: QuerySet[LoginAttempt, str] = LoginAttempt.objects.order_by("id").values_list("failure_reason", flat=True)
    return list(rows)


@each_contract
def test_the_code_follows_the_password(client: ContractClient, app: TotpApp) -> None:
    response = client.login(PASSWORD + app.code())
    assert client.get_me(client.token(response.json())).status_code == 200
    assert Session.objects.get().methods == "pwd otp mfa"


@each_contract
def test_the_longest_password_has_room_for_a_code(client: ContractClient, doctor: User) -> None:
    longest = "x" * (100 if client is UNION else 128)
    doctor.set_password(longest)
    doctor.save()
    app = enrol_app(doctor, longest)
    assert client.login(longest + app.code()).status_code == 200


@each_contract
def test_a_longer_password_is_hashed_and_wrong(client: ContractClient, hashes: list[str]) -> None:
    response = client.login("x" * 134)
    assert (hashes, (response.status_code, response.json())) == (["x" * 134], client.errors.wrong_credentials)


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the passwords that are compared with a hash."""
    passwords: list[str] = []
    verify = hashing.verify

    def recorded(password: str, stored: str | None, alike: Collection[HashKind] = ()) -> hashing.Verdict:
        passwords.append(password)
        return verify(password, stored, alike)

    monkeypatch.setattr(hashing, "verify", recorded)
    return passwords


@each_contract
def test_a_refusal_is_the_answer_to_a_wrong_password(client: ContractClient, app: TotpApp) -> None:
    for case, password in REFUSED.items():
        AttemptBudget.objects.all().delete()
        assert whole(client.login(password(app))) == whole(client.login("wrong-password")), case


@each_contract
def test_a_role_that_must_enrol_gets_the_answer_to_a_wrong_password(client: ContractClient, settings: Any) -> None:
    settings.MFA_REQUIRED_ROLES = frozenset({"doctor"})
    assert whole(client.login(PASSWORD)) == whole(client.login("wrong-password"))
    assert reasons() == ["second_factor_not_enrolled", "wrong_password"]


@each_contract
def test_a_session_from_before_its_role_must_enrol_goes_on(client: ContractClient, settings: Any) -> None:
    token = client.log_in()
    settings.MFA_REQUIRED_ROLES = frozenset({"doctor"})
    assert client.get_me(token).status_code == 200


def refusal(client: ContractClient, password: str) -> list[list[str]]:
    """Return the statements of a first refusal, by a process that has read the keys and the kinds of hashes."""
    client.login("another-password")
    AttemptBudget.objects.all().delete()
    return statements(client, password)


@each_contract
def test_a_refusal_costs_the_statements_of_a_wrong_password(client: ContractClient, app: TotpApp) -> None:
    # The client chooses whether a password ends in six digits.
    wrong = {six: refusal(client, f"wrong-password{six}") for six in ("", "123456")}
    for case, password in REFUSED.items():
        tried = password(app)
        assert refusal(client, tried) == wrong["123456" if tried[-6:].isdigit() else ""], case


def test_a_refusal_costs_the_same_statements_whether_or_not_the_account_has_a_factor(doctor: User) -> None:
    before = refusal(HOSPITAL, "wrong-password123456")
    enrol_app(doctor)
    assert refusal(HOSPITAL, "wrong-password123456") == before


def test_a_refusal_costs_the_same_statements_whether_or_not_the_account_exists(doctor: User) -> None:
    def refused(name: str) -> list[list[str]]:
        return statements(HOSPITAL, "wrong-password123456", username=name)

    refused("alice")
    refused("nobody")
    assert refused("alice") == refused("nobody")


def test_a_login_with_a_code_costs_two_statements_more(bob: User, app: TotpApp) -> None:
    for later_login in (False, True):
        without = statements(HOSPITAL, PASSWORD, username="bob")
        with later(minutes=int(later_login)):
            HOSPITAL.login(PASSWORD, username="bob")
            with_code = statements(HOSPITAL, PASSWORD + app.code())
    extra = [[verb, "accounts_secondfactor"] for verb in ("SELECT", "UPDATE")]
    assert sorted(with_code) == sorted([*without, *extra])


def test_a_security_key_alone_opens_no_contract_without_a_field_for_a_code(doctor: User) -> None:
    enrol_key(doctor, Authenticator())
    assert whole(HOSPITAL.login(PASSWORD)) == whole(HOSPITAL.login("wrong-password"))
    assert reasons()[-2:] == ["second_factor_missing", "wrong_password"]


def test_the_trail_has_the_reason_of_each_refusal(app: TotpApp) -> None:
    for case in ("the password alone", "a wrong code", "a wrong password"):
        HOSPITAL.login(REFUSED[case](app))
    assert reasons()[-3:] == ["second_factor_missing", "second_factor_wrong", "wrong_password"]


def test_five_wrong_codes_lock_as_five_wrong_passwords_do(app: TotpApp) -> None:
    statuses = [HOSPITAL.login(f"{PASSWORD}000000").status_code for _ in range(5)]
    assert (statuses, HOSPITAL.login(PASSWORD + app.code()).status_code) == ([401] * 5, 429)
    assert Api(ELSEWHERE, "/hospital/api/auth").login(password=PASSWORD + app.code()).status_code == 200


def test_a_secret_of_another_secret_key_is_a_wrong_code_and_an_error_in_the_log(
    app: TotpApp, caplog: pytest.LogCaptureFixture
) -> None:
    SecondFactor.objects.update(encrypted="gAAAAA")
    response = HOSPITAL.login(PASSWORD + app.code())
    assert (response.status_code, response.json()) == HOSPITAL.errors.wrong_credentials
    (record,) = [each for each in caplog.records if each.name == "accounts.security.totp"]
    assert (record.levelname, app.secret in caplog.text) == ("ERROR", False)


class TestHospital:
    def test_a_new_password_in_the_profile_keeps_the_factor(self, app: TotpApp) -> None:
        token = HOSPITAL.token(HOSPITAL.login(PASSWORD + app.code()).json())
        assert HOSPITAL.call("PUT", "profile", {"password": NEW, "old_password": PASSWORD}, token).status_code == 200
        with later(minutes=1):
            assert HOSPITAL.login(NEW).status_code == 401
            assert HOSPITAL.login(NEW + app.code()).status_code == 200

    def test_a_registration_needs_none(self) -> None:
        assert HOSPITAL.register(PASSWORD + "123456").status_code == 200
        assert HOSPITAL.login(PASSWORD + "123456", username="carol").status_code == 200


class TestClinicsReset:
    def reset(self, old: str, new: str = NEW) -> Any:
        body = {**CLINIC.login_fields, "old_password": old, "new_password": new}
        return CLINIC.call("POST", "reset_password", body)

    def test_the_old_password_is_followed_by_the_code(self, app: TotpApp) -> None:
        assert self.reset(PASSWORD + app.code()).status_code == 200
        with later(minutes=1):
            assert CLINIC.login(NEW + app.code()).status_code == 200

    def test_the_old_password_alone_is_wrong(self, app: TotpApp) -> None:
        response = self.reset(PASSWORD)
        assert (response.status_code, response.json()) == CLINIC.errors.wrong_credentials

    def test_the_same_password_again_changes_nothing(self, app: TotpApp, doctor: User) -> None:
        before = User.objects.values("password", "stamp").get()
        assert self.reset(PASSWORD + app.code(), PASSWORD).status_code == 200
        assert User.objects.values("password", "stamp").get() == before

    def test_a_new_password_that_is_the_old_one_and_the_code_is_a_new_one(self, app: TotpApp) -> None:
        typed = PASSWORD + app.code()
        assert self.reset(typed, typed).status_code == 200
        with later(minutes=1):
            assert CLINIC.login(typed + app.code()).status_code == 200
