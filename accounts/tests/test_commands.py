import io
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django.fixtures import Settings

from accounts.models import RecoveryCode, SecondFactor, Session, User
from accounts.services import identifiers, sign_in
from accounts.tests.factors import ORIGIN, SESSIONS, enrol_app
from accounts.tests.tools import ELSEWHERE, PASSWORD, Api
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _development(settings: Settings) -> None:
    settings.DEBUG = True


def run(name: str, *args: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(name, *args, stdout=out, **options)
    return out.getvalue()


def test_seed_creates_the_four_users_of_document_000() -> None:
    run("seed")
    assert set(User.objects.values_list("username", "email", "full_name", "role", "department")) == {
        ("admin", "admin@hospital.com", "系统管理员", "admin", "信息科"),
        ("dr_wang", "wang@hospital.com", "王医生", "doctor", "呼吸科"),
        ("dr_li", "li@hospital.com", "李研究员", "researcher", "科研部"),
        ("viewer_zhang", "zhang@hospital.com", "张医生", "viewer", "放射科"),
    }


def test_the_seeded_users_log_in_with_the_documents_password() -> None:
    run("seed")
    names = ["admin", "dr_wang", "dr_li", "viewer_zhang"]
    assert [Api().login(name, "123456").status_code for name in names] == [200] * 4


def test_seed_may_be_run_again() -> None:
    run("seed")
    before = list(User.objects.values_list("pk", "password", "stamp"))
    assert run("seed").splitlines() == [
        "admin exists already.",
        "dr_wang exists already.",
        "dr_li exists already.",
        "viewer_zhang exists already.",
    ]
    assert list(User.objects.values_list("pk", "password", "stamp")) == before


def test_seed_takes_another_password() -> None:
    run("seed", "--password", "Correct-horse-7")
    assert Api().login("admin", "Correct-horse-7").status_code == 200


def test_seed_refuses_a_password_that_the_rule_refuses() -> None:
    with pytest.raises(CommandError, match="at least 6 characters"):
        run("seed", "--password", "12345")


def test_seed_is_for_development_only(settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="set DEBUG=true"):
        run("seed")


def test_createsuperuser_makes_a_superuser_of_role_admin_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "Correct-horse-7")
    run("createsuperuser", "--noinput", "--username", "chief", "--email", "chief@hospital.example")
    user = User.objects.get(username="chief")
    event = SecurityEvent.objects.get()
    assert (user.role, user.is_superuser) == ("admin", True)
    assert (event.event, event.contract, event.user_id) == ("user:created", "console", user.pk)
    assert event.detail == {"role": "admin", "superuser": True}


@pytest.mark.parametrize(("roles", "said"), [({"admin"}, True), (set(), False)])
def test_createsuperuser_says_that_the_first_login_asks_for_a_second_factor(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, roles: set[str], said: bool
) -> None:
    settings.MFA_REQUIRED_ROLES = frozenset(roles)
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "Correct-horse-7")
    output = run("createsuperuser", "--noinput", "--username", "chief", "--email", "chief@hospital.example")
    assert ("The first login at the admin site asks to set up a second factor" in output) is said


def test_createsuperuser_refuses_a_name_that_is_taken_in_another_spelling(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "Correct-horse-7")
    with pytest.raises(CommandError):
        run("createsuperuser", "--noinput", "--username", "ALICE", "--email", "chief@hospital.example")


@pytest.mark.django_db(transaction=True)
def test_createsuperuser_holds_no_transaction_while_it_waits_for_input(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def handle(*args: Any, **options: Any) -> None:
        seen.append(connection.in_atomic_block)

    monkeypatch.setattr("django.contrib.auth.management.commands.createsuperuser.Command.handle", handle)
    run("createsuperuser", "--noinput")
    assert seen == [False]


def test_djangos_own_commands_obey_the_rule_for_passwords() -> None:
    with pytest.raises(ValidationError):
        validate_password("1")


def test_end_sessions_ends_those_of_one_user(alice: User, bob: User) -> None:
    hers = [Api().tokens()["access_token"], Api(ELSEWHERE).tokens()["access_token"]]
    his = Api().tokens("bob")["access_token"]
    assert run("end_sessions", "--user", "Alice") == "2 sessions of alice were ended.\n"
    assert [Api().get("me", token).status_code for token in [*hers, his]] == [401, 401, 200]


def test_end_sessions_asks_before_it_ends_all(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    token = Api().tokens()["access_token"]
    monkeypatch.setattr("builtins.input", lambda prompt: "no")
    with pytest.raises(CommandError, match="No session was ended"):
        run("end_sessions", "--all")
    assert Api().get("me", token).status_code == 200


# Behind PgBouncer a cursor of the server would be there in a transaction, and the command has none around it.
@pytest.mark.django_db(transaction=True)
def test_end_sessions_ends_those_of_all_users(alice: User, bob: User) -> None:
    Api().tokens()
    Api().tokens("bob")
    assert run("end_sessions", "--all", "--noinput") == "2 sessions were ended.\n"
    assert not Session.objects.filter(ended_at=None).exists()


def test_end_sessions_refuses_an_unknown_user() -> None:
    with pytest.raises(CommandError, match="There is no user named nobody"):
        run("end_sessions", "--user", "nobody")


def test_ended_sessions_are_recorded(alice: User) -> None:
    Api().tokens()
    run("end_sessions", "--user", "alice")
    event = SecurityEvent.objects.get(event="session:ended")
    assert (event.contract, event.user_id, event.detail) == (
        "console",
        alice.pk,
        {"reason": "ended_by_administrator", "count": 1},
    )


def test_remove_second_factors_removes_them_and_ends_the_sessions(root: User) -> None:
    app = enrol_app(root)
    code = app.code()
    session = sign_in.sign_in(
        identifier=identifiers.of_user(root), password=f"{PASSWORD}{code}", issuer=SESSIONS, origin=ORIGIN
    )
    printed = run("remove_second_factors", "Root", "--reason", "lost\nphone", "--noinput")
    assert printed == "The second factors of root were removed.\n"
    assert (SecondFactor.objects.count(), RecoveryCode.objects.count()) == (0, 0)
    session.refresh_from_db()
    assert session.end_reason == "ended_by_administrator"
    event = SecurityEvent.objects.get(event="second_factor:removed")
    assert (event.contract, event.user_id, event.actor_id, event.detail) == (
        "console",
        root.pk,
        None,
        {"types": ["totp"], "reason": r"lost\u000aphone"},
    )


def test_remove_second_factors_asks_first(root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    enrol_app(root)
    monkeypatch.setattr("builtins.input", lambda prompt: "no")
    with pytest.raises(CommandError, match="No second factor was removed"):
        run("remove_second_factors", "root")
    assert SecondFactor.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "message"), [("nobody", "There is no user named nobody"), ("root", "root has no second factor")]
)
def test_remove_second_factors_fails_where_there_is_nothing_to_remove(root: User, name: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("remove_second_factors", name, "--noinput")
