"""The load: people who register, log in, refresh and log out, and what was acknowledged to them."""

import json
import ssl
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection
from itertools import count
from typing import Any

import jwt

from accounts.policies import REFRESH_GRACE
from accounts.tests.tools import PASSWORD
from authsvc.tests.nodes import HOST, JSON

CLIENTS = 8
# Between two requests of a client, and before a request without a definite response is repeated.
PAUSE = 0.1
# In which a client gets a definite response after the load has ended.
PATIENCE = 60.0
REFRESHES = 6
# Longer than a request takes at most.
TIMEOUT = 40.0


@dataclass
class Session:
    """`doubtful` where a refresh of this generation, or the logout, had no definite response.

    `reused` where a refresh was repeated, or its copy was late, by more than the grace period: the session ends then.
    """

    id: str
    access: str
    refresh: str
    generation: int
    doubtful: bool = False
    logged_out: bool = False
    reused: bool = False


@dataclass
class SimulatedUser:
    """What was acknowledged to a person, and how many requests had no definite response."""

    number: int
    registered: bool = False
    logins: int = 0
    doubtful_logins: int = 0
    sessions: list[Session] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"person{self.number}"

    @property
    def address(self) -> str:
        """Return an address of this machine for this person alone, because the limits are of addresses."""
        return f"127.{1 + self.number // 62500}.{1 + self.number // 250 % 250}.{1 + self.number % 250}"


@dataclass(frozen=True)
class Response:
    """`status` is 0 where none came; `doubts` counts the responses before that were not definite."""

    status: int
    body: Any
    doubts: int = 0


class LoadGenerator:
    """Clients in threads of their own, and every response that they got."""

    _numbers = count(1)

    def __init__(self, port: int) -> None:
        self.port = port
        self.people: list[SimulatedUser] = []
        # When each came, after how many seconds, its status, and the code of an error.
        self.responses: list[tuple[float, float, int, str]] = []
        # What must not be, found while the clients run.
        self.lost: list[str] = []
        self.double: list[str] = []
        self.acknowledged = Counter[str]()
        self._context = ssl._create_unverified_context()  # noqa: S323 The certificate is of this program.
        self._stopped_at = 0.0
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]
        self._copies = ThreadPoolExecutor(CLIENTS)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped_at = time.monotonic()
        for thread in self._threads:
            thread.join()
        self._copies.shutdown()

    def send(self, person: SimulatedUser, method: str, path: str, body: object = None, token: str = "") -> Response:
        """Send one request from the person's address."""
        headers = {"Host": HOST, **JSON} | ({"Authorization": f"Bearer {token}"} if token else {})
        began, status, content = time.monotonic(), 0, b""
        source = (person.address, 0)
        connection = HTTPSConnection(
            "127.0.0.1", self.port, timeout=TIMEOUT, context=self._context, source_address=source
        )
        with suppress(OSError, HTTPException):
            connection.request(method, f"/api/auth/{path}", json.dumps(body) if body else b"", headers)
            response = connection.getresponse()
            content = response.read()
            status = response.status
        connection.close()
        ended = time.monotonic()
        body = json.loads(content) if content.startswith(b"{") else {}
        self.responses.append((ended, ended - began, status, body.get("code", "")))
        return Response(status, body)

    def ask(self, person: SimulatedUser, method: str, path: str, body: object = None, token: str = "") -> Response:
        """Send a request until its response is definite: neither none nor a server error."""
        doubts = 0
        while True:
            response = self.send(person, method, path, body, token)
            given_up = self._stopped_at and time.monotonic() > self._stopped_at + PATIENCE
            if 0 < response.status < 500 or given_up:
                return Response(response.status, response.body, doubts)
            doubts += 1
            time.sleep(PAUSE)

    def _run(self) -> None:
        while not self._stopped_at:
            person = SimulatedUser(next(self._numbers))
            self.people.append(person)
            self._live(person)

    def _live(self, person: SimulatedUser) -> None:
        if not self.register(person) or not (first := self.log_in(person)):
            return
        for number in range(REFRESHES):
            if self._stopped_at:
                return
            self.look(person, first)
            self.refresh(person, first, copies=2 if number % 3 == 0 else 1)
            time.sleep(PAUSE)
        second = self.log_in(person)
        self.log_out(person, first)
        if second:
            self.look(person, second)

    def register(self, person: SimulatedUser) -> bool:
        body = {"username": person.name, "email": f"{person.name}@hospital.example", "password": PASSWORD}
        response = self.ask(person, "POST", "register", body)
        # The first request had been committed where a repeated one is told that the name is taken.
        person.registered = response.status == 201 or (response.status == 409 and response.doubts > 0)
        self._note(person, "register", response, allowed=(201, 409) if response.doubts else (201,))
        return person.registered

    def log_in(self, person: SimulatedUser) -> Session | None:
        response = self.ask(person, "POST", "login", {"username": person.name, "password": PASSWORD})
        person.doubtful_logins += response.doubts
        self._note(person, "login", response)
        if response.status != 200:
            return None
        person.logins += 1
        body = response.body
        id_, generation = _claims(body["refresh_token"])
        session = Session(id_, body["access_token"], body["refresh_token"], generation)
        person.sessions.append(session)
        return session

    def look(self, person: SimulatedUser, session: Session) -> None:
        if not session.reused:
            self._note(person, "me", self.ask(person, "GET", "me", token=session.access))

    def refresh(self, person: SimulatedUser, session: Session, copies: int = 1) -> None:
        """Refresh the session, with two copies of the request at once where it is told to."""
        if session.reused:
            return
        given = (person, "POST", "refresh", {"refresh_token": session.refresh})
        others = [self._copies.submit(self.ask, *given) for _ in range(copies - 1)]
        began = time.monotonic()
        responses = [self.ask(*given), *(other.result() for other in others)]
        late = time.monotonic() - began >= REFRESH_GRACE.total_seconds()
        if late and any(response.status == 401 for response in responses):
            session.reused = True
            return
        for response in responses:
            self._note(person, "refresh", response)
        successors = [response.body["refresh_token"] for response in responses if response.status == 200]
        session.doubtful = not successors
        if not successors:
            return
        generations = {_claims(token)[1] for token in successors}
        if generations != {session.generation + 1}:
            self.double.append(f"generations {generations} after {session.generation} of {person.name}")
        session.generation, session.refresh = max(generations), successors[0]
        session.access = next(response.body["access_token"] for response in responses if response.status == 200)

    def log_out(self, person: SimulatedUser, session: Session) -> None:
        if session.reused:
            return
        response = self.ask(person, "POST", "logout", token=session.access)
        # A repeated one meets a session that has ended.
        self._note(person, "logout", response, allowed=(204, 401) if response.doubts else (204,))
        session.logged_out = response.status in {204, 401}

    def _note(self, person: SimulatedUser, verb: str, response: Response, allowed: tuple[int, ...] = (200,)) -> None:
        if response.status in allowed:
            self.acknowledged[verb] += 1
        elif response.status:
            self.lost.append(f"{verb} of {person.name}: {response.status} {response.body}")


def _claims(refresh_token: str) -> tuple[str, int]:
    claims = jwt.decode(refresh_token, options={"verify_signature": False})
    return claims["sid"], claims["generation"]
