import threading
from datetime import timedelta
from typing import Any

import bcrypt
import pytest
from argon2 import PasswordHasher, Type

from accounts.errors import Overloaded
from accounts.security import hashing
from accounts.security.hash_kinds import Argon2
from accounts.security.hashers import Argon2id
from accounts.security.hashing import Verdict
from accounts.security.slots import Slots

pytestmark = pytest.mark.any_database

PASSWORD = "Correct-horse-7"
RIGHT_BUT_OLD = Verdict(correct=True, outdated=True)
WRONG = Verdict(correct=False)


def bcrypt_hash(kind: str) -> str:
    return bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", f"${kind}$")


def argon2_hash() -> str:
    return PasswordHasher(memory_cost=1024, time_cost=1, parallelism=1, type=Type.I).hash(PASSWORD)


@pytest.mark.usefixtures("true_cost")
def test_a_new_hash_is_argon2id_at_the_ruled_cost() -> None:
    assert hashing.make(PASSWORD).startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_new_hash_verifies() -> None:
    assert hashing.verify(PASSWORD, hashing.make(PASSWORD)) == Verdict(correct=True)


@pytest.mark.parametrize("kind", ["2a", "2b", "2y"])
@pytest.mark.parametrize("prefix", ["", "bcrypt$"])
def test_a_bcrypt_hash_of_an_old_system_verifies_and_is_outdated(kind: str, prefix: str) -> None:
    assert hashing.verify(PASSWORD, prefix + bcrypt_hash(kind)) == RIGHT_BUT_OLD


@pytest.mark.parametrize("prefix", ["", "argon2"])
def test_an_argon2i_hash_of_an_old_system_verifies_and_is_outdated(prefix: str) -> None:
    assert hashing.verify(PASSWORD, prefix + argon2_hash()) == RIGHT_BUT_OLD


def test_a_wrong_password_against_an_old_hash_is_not_outdated() -> None:
    assert hashing.verify("wrong", bcrypt_hash("2b")) == WRONG


@pytest.mark.parametrize(
    "stored",
    [
        None,
        "",
        "!unusable",
        "plain text",
        "argon2$",
        "argon2$argon2id$v=19$m=19456,t=2,p=1$%%%$%%%",
        "argon2$argon2id$v=19$m=19456,t=2,p=1$YQ$YQ",
        "argon2$argon2id$v=19$m=0,t=0,p=0$YWFhYWFhYWE$YWFhYWFhYWFhYWFhYWFhYQ",
        "$2b$12$tooshort",
        "$2b$99$" + "a" * 53,
        "bcrypt$",
        "md5$salt$0123456789abcdef",
    ],
)
def test_an_unusable_hash_costs_one_hash_and_never_matches(stored: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    derive = Argon2.derive

    def counted(self: Argon2, *args: Any) -> bytes:
        calls.append(self.name)
        return derive(self, *args)

    monkeypatch.setattr(Argon2, "derive", counted)
    assert hashing.verify(PASSWORD, stored) == WRONG
    assert calls == [hashing.default_kind().name]


def test_bcrypt_refuses_a_password_that_it_would_truncate() -> None:
    long = "x" * 73
    stored = bcrypt.hashpw(long[:72].encode(), bcrypt.gensalt(4)).decode()
    assert hashing.verify(long, stored) == WRONG


def test_a_password_over_128_characters_is_never_hashed() -> None:
    with pytest.raises(ValueError, match="refused before hashing"):
        hashing.make("x" * 129)


def test_hashes_are_made_in_threads_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []
    encode = Argon2id.encode

    def recorded(*args: Any) -> str:
        threads.append(threading.current_thread().name)
        return encode(*args)

    monkeypatch.setattr(Argon2id, "encode", recorded)
    for _ in range(3 * hashing.slots.size):
        hashing.verify(PASSWORD, hashing.make(PASSWORD))
    assert 1 <= len(set(threads)) <= hashing.slots.size
    assert all(name.startswith("hashing") for name in threads)


@pytest.mark.usefixtures("true_cost")
def test_no_more_hashes_run_at_once_than_there_are_slots() -> None:
    slots, running, most, lock = Slots(2), 0, 0, threading.Lock()
    started = threading.Barrier(6)

    def work() -> None:
        nonlocal running, most
        started.wait()
        with slots.take():
            with lock:
                running += 1
                most = max(most, running)
            hashing.make(PASSWORD)
            with lock:
                running -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_a_call_that_gets_no_slot_in_time_is_refused() -> None:
    slots = Slots(1)
    with slots.take(), pytest.raises(Overloaded), slots.take(timedelta(milliseconds=20)):
        pass


def test_a_call_that_would_wait_too_long_is_refused_at_once() -> None:
    slots = Slots(1)
    slots._seconds_each = 3.0
    with slots.take(), pytest.raises(Overloaded) as refused, slots.take():
        pass
    assert refused.value.retry_after == timedelta(seconds=3)


def test_a_slot_is_released_after_a_crash() -> None:
    slots = Slots(1)
    with pytest.raises(ZeroDivisionError), slots.take():
        raise ZeroDivisionError
    with slots.take() as waited:
        assert not waited
