"""No password, token or key that was ever sent appears in a log, a report of a crash, or the trail.

Every operation that the description has is called, with secrets where they belong, where they do not, and while
something breaks. A new operation is called by itself; one that these requests do not make succeed fails its test.
"""

import json
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any
from unittest import mock

import pytest
from django.db import DataError, OperationalError, transaction
from django.db.backends.utils import CursorWrapper
from django.test import Client
from django.utils.log import AdminEmailHandler
from django.views import debug
from pytest_django.fixtures import Settings

from accounts.models import Session, User
from accounts.tests.contracts.clients import CLIENTS
from accounts.tests.messages import last
from accounts.tests.tools import HERE
from audit.models import LoginAttempt, SecurityEvent
from authsvc.endpoints.schema import document
from authsvc.observability.request_reports import reports
from authsvc.tests.factor_requests import prepared

pytestmark = [pytest.mark.any_database, pytest.mark.django_db]

# Joined here, because a report of a crash shows lines of source too.
WORD = "Xyz" + "zy"
CURRENT, CHOSEN, WRONG = f"{WORD}-current-7", f"{WORD}-chosen-8", f"{WORD}-mistaken-9"
TYPED, MISPLACED = f"{WORD}-typed-5", f"{WORD}-placed-4"
# The code that everybody is sent.
CODE = "918" + "273"

OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, operations in json.loads(document())["paths"].items()
    for method, operation in sorted(operations.items())
}
CLIENT_OF = {client.name: client for client in CLIENTS}
ME = {"username": "matron", "email": "matron@hospital.example", "phone": "13700137000", "userType": "ADMIN"}


class RecordingHandler(AdminEmailHandler):
    """Keeps every record of every logger: its line, its traceback, and the mails that it would make."""

    def __init__(self) -> None:
        super().__init__(include_html=True)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(logging.Formatter("%(name)s %(message)s %(args)s").format(record))
        if record.levelno >= logging.ERROR:
            super().emit(record)

    def send_mail(self, subject: Any, message: Any, *args: Any, **kwargs: Any) -> None:
        self.texts += [str(subject), str(message), kwargs["html_message"]]


# The templates of the reports are constants, and to parse them takes longer than to render them.
_parsed = cache(debug.DEBUG_ENGINE.from_string)


@pytest.fixture
def recorder(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingHandler]:
    settings.DEBUG = False
    monkeypatch.setattr(debug.DEBUG_ENGINE, "from_string", _parsed)
    recorder, loggers = RecordingHandler(), [logging.getLogger(), logging.getLogger("django")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    loggers[0].addHandler(recorder)
    yield recorder
    loggers[0].removeHandler(recorder)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture(autouse=True)
def _one_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.security.codes.secrets.randbelow", lambda bound: int(CODE))


# Administrators cannot do this to their own account.
OF_ANOTHER_USER = frozenset(
    {
        "native_patch_users_user_id",
        "native_post_users_user_id_deactivate",
        "native_post_users_user_id_remove_second_factors",
    }
)


@pytest.fixture(autouse=True)
def matron() -> User:
    """An administrator, who may do everything that is described."""
    return User.objects.create_user(ME["username"], ME["email"], CURRENT, phone=ME["phone"], role="admin")


class Caller:
    """One client, and every secret that it has sent or been given."""

    def __init__(self, user: User) -> None:
        self.user = self.subject = user
        self.client = Client(REMOTE_ADDR=HERE, raise_request_exception=False)
        self.secrets = {WORD, CODE}
        self.session_id = uuid.uuid4()
        self.factor_id = 0

    def tokens(self, contract: str) -> dict[str, Any]:
        """Return what a login at this contract contract answers."""
        client = CLIENT_OF.get(contract, CLIENT_OF["native"])
        answer = client.call("POST", "login", {**ME, "password": CURRENT}).json()
        found = {**answer, **(answer.get("data") or {})}
        tokens = {name: found[name] for name in ("access_token", "refresh_token", "token") if name in found}
        self.secrets |= {token.rpartition(".")[2] for token in tokens.values()}
        self.session_id = Session.objects.latest("created_at").pk
        return tokens

    def call(self, name: str, body: dict[str, Any] | None, token: str, query: str = "", **headers: str) -> Any:
        method, path, _ = OPERATIONS[name]
        response = self.client.generic(
            method,
            path.format(user_id=self.subject.pk, session_id=self.session_id, factor_id=self.factor_id) + query,
            b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}", **headers},
        )
        self.require_nothing_internal(response)
        return response

    def require_nothing_internal(self, response: Any) -> None:
        """Fail where an answer shows what it must not."""
        user, said = self.user, response.content.decode()
        for hidden in (
            CURRENT,
            CHOSEN,
            WRONG,
            MISPLACED,
            user.password,
            user.stamp,
            "argon2",
            "is_superuser",
            "Traceback",
            'File "',
        ):
            assert hidden not in said


def with_factors(name: str, caller: Caller, body: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the body with what the operation needs of second factors, which are made here."""
    found = prepared(name, caller.user, CURRENT)
    caller.factor_id = found.factor_id
    caller.secrets |= found.secrets
    return body and {**body, **{field: value for field, value in found.fields.items() if field in body}}


def good_body(name: str, tokens: dict[str, Any]) -> dict[str, Any] | None:
    """Return the description's example with our own people and secrets in it."""
    content = OPERATIONS[name][2].get("requestBody", {}).get("content", {})
    if not content:
        return None
    body = dict(content["application/json"]["example"])
    proves = "register" not in name and "users" not in name
    for key in body:
        if key in {"new_password"} or (key == "password" and not proves):
            body[key] = CHOSEN
        elif "password" in key:
            body[key] = CURRENT
        elif key == "refresh_token":
            body[key] = tokens["refresh_token"]
        elif key == "code":
            body[key] = CODE
        elif key in {"identifier", "contact"}:
            body[key] = ME["email"]
        elif key in ME and proves and "password" in str(list(body)) and "full_name" not in body:
            body[key] = ME[key]
    return body


def send_code(name: str, caller: Caller, tokens: dict[str, Any]) -> None:
    """Request the code that the operation requires, if it requires one."""
    sender = {
        "native_post_reset_password": "native_post_request_reset_code",
        "native_post_verify": "native_post_request_verification",
    }.get(name)
    if sender:
        caller.call(sender, good_body(sender, tokens), tokens["access_token"])


def with_values(body: dict[str, Any] | None, value: str, *keys: str) -> dict[str, Any] | None:
    """Return the body with this value wherever a key has one of these words in it."""
    if body is None:
        return None
    return {name: value if any(key in name for key in keys) else old for name, old in body.items()}


def trail() -> str:
    """Return all that the trail has, but for what was typed as a name.

    That is kept as it was typed, by decision, even where somebody has typed a password there.
    """
    # A time, and an id or a MAC, may have the digits of the code in it.
    blank = dict.fromkeys(("id", "at", "mac", "key_name"), "")
    attempts = [{**row, **blank, "identifier": ""} for row in LoginAttempt.objects.values()]
    events = [{**row, **blank, "detail": {**row["detail"], "identifier": ""}} for row in SecurityEvent.objects.values()]
    return repr(attempts + events)


def require_no_secret(recorder: RecordingHandler, caller: Caller) -> None:
    reports.flush()
    assert recorder.texts
    for text in [*recorder.texts, trail()]:
        for secret in caller.secrets:
            place = text.lower().find(secret.lower())
            assert place < 0, text[max(0, place - 300) : place + 100]


def crash(*args: object, **kwargs: object) -> None:
    raise ZeroDivisionError


@contextmanager
def statements_fail(error: type[Exception], *words: str) -> Iterator[None]:
    """Have the database fail at every statement that begins with one of these words."""
    real = CursorWrapper.execute

    def execute(self: CursorWrapper, sql: str, params: Any = None) -> Any:
        if str(sql).lstrip("( ").upper().startswith(words):
            raise error("the database fails")
        return real(self, sql, params)

    with mock.patch.object(CursorWrapper, "execute", execute):
        yield
    # No statement has really failed, so the transaction of the test is whole.
    transaction.set_rollback(False)


READING, WRITING = ("SELECT",), ("INSERT", "UPDATE", "DELETE")
FAILURES: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "hashing": lambda: mock.patch.multiple("accounts.security.hashing", verify=crash, make=crash),
    "tokens": lambda: mock.patch("accounts.security.tokens._backend", crash),
    "reading": lambda: statements_fail(OperationalError, *READING),
    "writing": lambda: statements_fail(OperationalError, *WRITING),
    "reading what is wrong": lambda: statements_fail(DataError, *READING),
    "writing what is wrong": lambda: statements_fail(DataError, *WRITING),
    "nothing": nullcontext,
}


EVERYWHERE_ELSE = f"?token={MISPLACED}&password={MISPLACED}&search={MISPLACED}&username={MISPLACED}"
IN_HEADERS = {
    "X-Password": MISPLACED,
    "Cookie": f"sessionid={MISPLACED}; token={MISPLACED}",
    "X-Request-ID": f"{MISPLACED}%",
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_secret_appears_in_a_log_or_the_trail(recorder: RecordingHandler, matron: User, name: str) -> None:
    caller = Caller(matron)
    contract = OPERATIONS[name][2]["tags"][0]
    tokens = caller.tokens(contract)
    token = tokens.get("access_token") or tokens["token"]
    body = with_factors(name, caller, good_body(name, tokens))
    send_code(name, caller, tokens)
    caller.call(name, with_values(body, WRONG, "password"), token)
    caller.call(name, with_values(body, TYPED, "name", "email", "phone", "role", "Type"), token)
    caller.call(name, with_values(body, f"{TYPED}.{TYPED}.{TYPED}", "token"), f"{MISPLACED}.{MISPLACED}.{MISPLACED}")
    for failure in FAILURES.values():
        # Who was registered before is so no longer, and each step is reached again.
        User.objects.exclude(pk=matron.pk).delete()
        with failure():
            caller.call(name, body, token, EVERYWHERE_ELSE, **IN_HEADERS)
    logging.getLogger("django.request").error("One line, so that there is always a record.")
    require_no_secret(recorder, caller)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_succeeds_once(matron: User, name: str) -> None:
    caller = Caller(matron)
    if name in OF_ANOTHER_USER:
        caller.subject = User.objects.create_user("porter", None, CURRENT, role="doctor")
    tokens = caller.tokens(OPERATIONS[name][2]["tags"][0])
    send_code(name, caller, tokens)
    body = with_factors(name, caller, good_body(name, tokens))
    response = caller.call(name, body, tokens.get("access_token") or tokens["token"])
    assert response.status_code < 300, response.content


@pytest.mark.parametrize("failure", FAILURES)
def test_no_secret_of_the_admin_site_appears_in_a_log_or_the_trail(
    recorder: RecordingHandler, matron: User, failure: str
) -> None:
    caller = Caller(matron)
    site = caller.client
    change = {"old_password": CURRENT, "new_password1": CHOSEN, "new_password2": WRONG}
    site.post("/admin/login/", {"username": ME["username"], "password": CURRENT})
    caller.secrets.add(site.cookies["sessionid"].value)
    with FAILURES[failure]():
        site.post("/admin/password_change/", change)
        site.get(f"/admin/accounts/user/?q={MISPLACED}&password={MISPLACED}")
        site.post(f"/admin/accounts/user/{matron.pk}/change/", {"username": TYPED, "password": MISPLACED})
        site.post("/admin/logout/")
        site.post(f"/admin/login/?token={MISPLACED}", {"username": ME["username"], "password": WRONG})
        site.post("/admin/login/", {"username": TYPED, "password": CURRENT})
        site.post("/admin/login/", {"username": ME["username"], "password": CURRENT})
    logging.getLogger("django.request").error("One line, so that there is always a record.")
    require_no_secret(recorder, caller)


@pytest.mark.parametrize("failure", FAILURES)
def test_no_secret_of_the_password_pages_appears_in_a_log_or_the_trail(
    recorder: RecordingHandler, matron: User, failure: str
) -> None:
    caller = Caller(matron)
    site, contact = caller.client, {"identifier": ME["email"]}
    site.post("/password", contact)
    link = last()["link"]
    caller.secrets.add(link.rpartition(".")[2])
    new = {"new_password": CHOSEN, "repeated": CHOSEN}
    with FAILURES[failure]():
        site.post("/password/link", {"token": TYPED, **new})
        site.post("/password/code", {**contact, "code": WRONG, **new})
        site.post(f"/password/link?token={MISPLACED}", {"token": link, "new_password": CHOSEN, "repeated": WRONG})
        site.post("/password/link", {"token": link, **new})
        site.post("/password/code", {**contact, "code": CODE, **new})
    logging.getLogger("django.request").error("One line, so that there is always a record.")
    require_no_secret(recorder, caller)


def test_a_password_typed_as_user_name_is_only_in_the_identifier_column(
    recorder: RecordingHandler, matron: User
) -> None:
    CLIENT_OF["native"].login("wrong", username=TYPED)
    assert LoginAttempt.objects.get().identifier == TYPED
    require_no_secret(recorder, Caller(matron))


def test_a_crash_is_logged_with_its_location(recorder: RecordingHandler, matron: User) -> None:
    with FAILURES["hashing"]():
        CLIENT_OF["native"].login(CURRENT, username=ME["username"])
    said = "\n".join(recorder.texts)
    assert "ZeroDivisionError" in said
    assert "in verify_password" in said
