"""How tests are run in parallel, and the users that every test of the project may ask for."""

import gc
from collections.abc import Callable, Generator, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations
from django.utils import translation
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import SigningKey, User
from accounts.security import clock, former_kinds
from accounts.security.hashers import Argon2id
from accounts.security.keys import Key, KeySet, ring
from accounts.tests.tools import BROWSER, HERE, PASSWORD, Api, captured_statements, later
from audit import guards
from audit.origin import Origin
from audit.start import create_lanes
from audit.tests.damage import switchable, unguarded
from authsvc.observability.request_reports import reports

# The keys that the database has before each test, by purpose.
_first_keys: dict[str, tuple[Key, ...]] = {}
_TRUE_COST: dict[str, Any] = {"memory_cost": Argon2id.memory_cost, "time_cost": Argon2id.time_cost}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Return 0 for a few chosen tests, which end before workers would have started; None is a worker for each core."""
    chosen = config.args_source is pytest.Config.ArgsSource.ARGS
    return 0 if chosen or config.option.keyword or config.option.lf else None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave requests that schemathesis generates to runs with its plugin, because they take long."""
    generated = collection_path.name == "test_conformance.py"
    return True if generated and not config.pluginmanager.has_plugin("schemathesis") else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put slow tests first, and those last that leave the database without what migrations wrote.

    Within each group pytest-django's order stays. A test that restores what migrations wrote cannot run after one that
    does not: Django has given the content types other ids meanwhile.
    """
    items.sort(key=lambda item: (item.get_closest_marker("slow") is None, _empties_the_database(item)))


def _empties_the_database(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    return bool(marker and marker.kwargs.get("transaction") and not marker.kwargs.get("serialized_rollback"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Escape lone surrogates in what was captured: a worker cannot send them."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


def pytest_collection_finish() -> None:
    """Search no longer through what collecting has made, which stays, and less often through what tests make.

    A tenth of the processor time of the tests went into it.
    """
    gc.freeze()
    gc.set_threshold(10_000)


@pytest.fixture(autouse=True, scope="session")
def _cheap_hashes() -> Iterator[None]:
    """Hash at a thousandth of the cost, because nearly every test hashes."""
    with mock.patch.multiple(Argon2id, memory_cost=16, time_cost=1):
        yield


@pytest.fixture(autouse=True, scope="session")
def _equal_clocks() -> Iterator[None]:
    """Measure no difference from the database's clock, which does not move with the clock of a test."""
    with mock.patch.object(clock, "ahead", return_value=None):
        yield


@pytest.fixture
def stopped_clock() -> Iterator[None]:
    """Let no time pass within a test: a second of a busy machine would decide which key signs."""
    with later():
        yield


@pytest.fixture(autouse=True, scope="session")
def _emptied_trail() -> Iterator[None]:
    """Let Django empty the trail's tables after a test with transactions of its own, which triggers refuse."""
    execute = BaseDatabaseOperations.execute_sql_flush

    def flush(self: BaseDatabaseOperations, sql_list: list[str]) -> None:
        with unguarded():
            execute(self, sql_list)
        # Where the next test restores what migrations wrote, the flush sends no signal that would do this.
        create_lanes()
        _first_keys.clear()

    with mock.patch.object(BaseDatabaseOperations, "execute_sql_flush", flush):
        yield


@pytest.fixture(autouse=True, scope="session")
def _quick_flush() -> Iterator[None]:
    """Delete the rows on PostgreSQL: TRUNCATE writes new files for every table, which takes half a second."""

    def sql_flush(self: BaseDatabaseOperations, style: Any, tables: list[str], **_: bool) -> list[str]:
        return [f"DELETE FROM {self.quote_name(table)}" for table in tables]

    patched = mock.patch.object(type(connection.ops), "sql_flush", sql_flush)
    with patched if connection.vendor == "postgresql" else nullcontext():
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> Iterator[None]:
    """Give MariaDB's triggers a way past them for `unguarded()`: it cannot drop and create them in a transaction."""
    with mock.patch.dict(guards._CREATE, mysql=switchable(guards._CREATE["mysql"])):
        yield


@pytest.fixture(autouse=True, scope="session")
def _reported_requests() -> Iterator[None]:
    """Write the last lines of the log while output is captured, not when the process ends."""
    yield
    reports.flush()


@pytest.fixture
def true_cost() -> Iterator[None]:
    """Hash at the cost of production."""
    with mock.patch.multiple(Argon2id, **_TRUE_COST):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Make the first key of each set once, as a service's first logins do, and not in each test that logs in."""
    # Loaded here, because the process that hands out the tests has no use for them.
    from accounts.contracts.native.tokens import REFRESH
    from accounts.security.mfa_tokens import LOGIN
    from accounts.tests.contracts.clients import CLIENTS

    with django_db_blocker.unblock():
        for policy in (*(client.policy for client in CLIENTS), REFRESH, LOGIN):
            _first_keys[policy.purpose] = ring.all(policy)


@pytest.fixture(autouse=True)
def _english() -> None:
    """Begin each test in one language: a page leaves that of its reader active, as Django's middleware does."""
    translation.activate("en")


@pytest.fixture(autouse=True)
def _fresh_keys() -> Iterator[None]:
    """Remember of the database what it has before the test, and nothing of the previous test's, which is undone."""
    ring.forget()
    ring._sets.update({purpose: (KeySet(keys), ring._clock()) for purpose, keys in _first_keys.items()})
    former_kinds.forget()
    yield
    ring.forget()


@pytest.fixture
def no_keys(db: None) -> None:
    """A database whose first token is still to be signed."""
    SigningKey.objects.all().delete()
    ring.forget()


@pytest.fixture
def origin() -> Origin:
    return Origin(contract="native", ip=HERE, user_agent=BROWSER)


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def alice(db: None) -> User:
    """A pharmacist with e-mail address, phone number and full name."""
    return User.objects.create_user(
        "alice", "alice@hospital.example", PASSWORD, phone="13800138000", role="pharmacy", full_name="Alice Zhang"
    )


@pytest.fixture
def bob(db: None) -> User:
    """A doctor with a user name only."""
    return User.objects.create_user("bob", None, PASSWORD, role="doctor")


@pytest.fixture
def head(db: None) -> User:
    """An administrator who is not a superuser."""
    return User.objects.create_user("head", "head@hospital.example", PASSWORD, role="admin")


@pytest.fixture
def root(db: None) -> User:
    """A superuser."""
    return User.objects.create_superuser("root", "root@hospital.example", PASSWORD)


@pytest.fixture
def statements() -> Callable[[], Any]:
    return captured_statements
