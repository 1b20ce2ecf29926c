"""What was answered is kept, whatever happens to the process that answered it: a server is killed under load."""

import http.client
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import jwt
import pytest

from authsvc.tests.servers import Server

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

KILLS = 2
CLIENTS = 6
# At least so many clients have finished their calls when the server is killed, however slow the machine.
MIN_ROUNDS = 6
API = "/api/auth"
# The calls of one client, in order.
CALLS = ("register", "login", "refresh", "refresh", "change-password", "login", "logout", "login", "refresh")


@dataclass
class Session:
    """One login, as far as its client knows: every pair of tokens that came, and whether it was ended."""

    pairs: list[dict[str, Any]]
    refreshes_asked_for: int = 0
    over: bool = False

    @property
    def id(self) -> str:
        claims = jwt.decode(self.pairs[0]["access_token"], options={"verify_signature": False})
        return str(claims["sid"]).replace("-", "")


@dataclass
class Person:
    """A client that notes each acknowledgement as it comes; `unanswered` is what it still waits for."""

    server: Server
    number: int
    password: str = ""
    logins_asked_for: int = 0
    sessions: list[Session] = field(default_factory=list)
    unanswered: str = ""

    @property
    def name(self) -> str:
        return f"person{self.number}"

    def call_all(self) -> None:
        for verb in CALLS:
            self.unanswered = verb
            getattr(self, verb.replace("-", "_"))()
            self.unanswered = ""

    def ask(self, verb: str, body: object = None, token: str = "") -> tuple[int, Any]:
        return self.server.call("POST", f"{API}/{verb}", body, token, address=f"2001:db8:{self.number:x}::1")

    def acknowledged(self, status: int, verb: str, body: object = None, token: str = "") -> Any:
        answer = self.ask(verb, body, token)
        assert answer[0] == status, (verb, answer)
        return answer[1]

    def register(self) -> None:
        body = {"username": self.name, "email": f"{self.name}@hospital.example", "password": "Secret123"}
        self.acknowledged(201, "register", body)
        self.password = "Secret123"

    def login(self) -> None:
        self.logins_asked_for += 1
        answer = self.acknowledged(200, "login", {"username": self.name, "password": self.password})
        self.sessions.append(Session([answer]))

    def refresh(self) -> None:
        session = self.sessions[-1]
        session.refreshes_asked_for += 1
        body = {"refresh_token": session.pairs[-1]["refresh_token"]}
        session.pairs.append(self.acknowledged(200, "refresh", body))

    def change_password(self) -> None:
        body = {"old_password": self.password, "new_password": "Secret456"}
        self.acknowledged(204, "change-password", body, self.sessions[-1].pairs[-1]["access_token"])
        self.password = "Secret456"
        self.sessions[-1].over = True

    def logout(self) -> None:
        self.acknowledged(204, "logout", None, self.sessions[-1].pairs[-1]["access_token"])
        self.sessions[-1].over = True


def load(server: Server, numbers: Iterator[int]) -> list[Person]:
    """Kill the server while clients write as fast as they can; return them all."""
    people: list[Person] = []
    killed, finished = threading.Event(), threading.Semaphore(0)

    def run_clients(_client: int) -> None:
        while not killed.is_set():
            person = Person(server, next(numbers))
            people.append(person)
            try:
                person.call_all()
                finished.release()
            except (OSError, http.client.HTTPException):
                # No answer, or half of one: this is what the kill looks like from here.
                assert killed.wait(5)

    with ThreadPoolExecutor(CLIENTS) as clients:
        going = [clients.submit(run_clients, client) for client in range(CLIENTS)]
        enough = [finished.acquire(timeout=20) for _ in range(MIN_ROUNDS)]
        server.kill()
        killed.set()
    for client in going:
        client.result()
    assert all(enough)
    return people


def require_kept(person: Person) -> None:
    """Hold what the restarted service does against what it has acknowledged to a client."""
    for session in person.sessions:
        uncertain = session is person.sessions[-1] and bool(person.unanswered)
        require_kept_session(person, session, uncertain=uncertain)
    if person.password:
        passwords = [person.password]
        if person.unanswered == "change-password":
            passwords.append("Secret456")
        logins = [person.ask("login", {"username": person.name, "password": one})[0] for one in passwords]
        assert sorted(logins) == [200, 401][: len(logins)], (person.unanswered, logins)


def require_kept_session(person: Person, session: Session, *, uncertain: bool) -> None:
    newest = session.pairs[-1]
    opened = person.server.call("GET", f"{API}/me", token=newest["access_token"])[0]
    refreshed = person.ask("refresh", {"refresh_token": newest["refresh_token"]})[0]
    if session.over:
        assert (opened, refreshed) == (401, 401)
    elif not uncertain:
        assert (opened, refreshed) == (200, 200)
    # Two generations back nothing is given any more: a spent token has one successor at most.
    for spent in session.pairs[:-1]:
        assert person.ask("refresh", {"refresh_token": spent["refresh_token"]})[0] == 401


def require_recorded(file: Path, people: list[Person]) -> None:
    """Hold the rows against what was acknowledged: no fewer, and no more than was asked for."""
    with closing(sqlite3.connect(file)) as store:
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        generations = dict(store.execute("SELECT id, generation FROM accounts_session"))
        logins = Counter(
            identifier
            for (identifier,) in store.execute("SELECT identifier FROM audit_loginattempt WHERE status = 'success'")
        )
    for person in people:
        for session in person.sessions:
            assert len(session.pairs) - 1 <= generations[session.id] <= session.refreshes_asked_for
        # A change of the password is recorded as a login too, because it proves the old one.
        assert len(person.sessions) <= logins[person.name] <= person.logins_asked_for + 1


def test_a_killed_server_loses_no_acknowledged_change(tmp_path: Path) -> None:
    file, numbers = tmp_path / "db.sqlite3", count(1)
    server = Server(file, tmp_path / "log")
    server.migrate()
    everyone: list[Person] = []
    try:
        server.start()
        for _ in range(KILLS):
            people = load(server, numbers)
            require_recorded(file, people)
            server.start()
            for person in people:
                require_kept(person)
            everyone += people
        logins = [
            person.ask("login", {"username": person.name, "password": person.password})[0]
            for person in everyone
            if not person.unanswered
        ]
    finally:
        server.kill()
    assert set(logins) == {200}
    unanswered = Counter(person.unanswered for person in everyone)
    # Otherwise nothing is proved: some clients had every call acknowledged, and others were interrupted.
    assert unanswered[""] >= KILLS
    assert unanswered.total() - unanswered[""] >= KILLS
