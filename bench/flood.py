"""Floods a service that delivers over gateways of 0.3 s a message, and prints what left and how late a reset code was.

    .venv/bin/python bench/flood.py

It starts gunicorn, a delivery worker and both gateways, over a temporary SQLite database.

First, an account that was registered with another person's e-mail address and number asks 60 times for a password that
equals its own, and then changes its password 20 times. Then 40 accounts with vouched contacts change theirs, which
queues real notices. After each, a stranger asks for a reset code.
"""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["DJANGO_SETTINGS_MODULE"] = "authsvc.tests.settings"

import django

django.setup()

from django.conf import settings  # noqa: E402

from accounts.tests.messaging.stub_servers import HttpGateway, MailServer, http_gateway, mail_server  # noqa: E402
from accounts.tests.tools import PASSWORD  # noqa: E402
from authsvc.tests.servers import Server  # noqa: E402
from authsvc.tests.test_deployment import RUN  # noqa: E402

# Of a gateway, for a message, in seconds.
LATENCY = 0.3
REQUESTS = 60
CHANGES = 20
NOTIFIED = 40
# Within which a code must leave, in seconds.
LIMIT = 2.0
VICTIM = {"email": "victim@hospital.example", "phone": "+8613900139000"}
NEW = "Another-horse-"


class SlowMailServer(MailServer):
    """Notes the time and the recipient of each mail, and answers slowly."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[tuple[float, str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 The library's name.
        self.log.append((time.monotonic(), envelope.rcpt_tos[0]))
        await asyncio.sleep(LATENCY)
        return await super().handle_DATA(server, session, envelope)


class SlowGateway(HttpGateway):
    """Answers each text message slowly."""

    def take(self, request: Any) -> None:
        time.sleep(LATENCY)
        super().take(request)


@contextmanager
def delivering(server: Server) -> Iterator[None]:
    command = [sys.executable, "-c", RUN, "deliver"]
    with server.log.open("ab") as log:
        worker = subprocess.Popen(  # noqa: S603 The command is a constant.
            command, cwd=settings.BASE_DIR, env=server.environment, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(30)


def manage(server: Server, *arguments: str, **variables: str) -> None:
    command = [sys.executable, "-c", RUN, *arguments]
    environment = {**server.environment, **variables}
    subprocess.run(command, cwd=settings.BASE_DIR, env=environment, check=True)  # noqa: S603 As above.


def expect(status: int, answer: tuple[int, Any]) -> Any:
    if answer[0] != status:
        raise SystemExit(f"{answer} instead of {status}")
    return answer[1]


def reset(server: Server, email: str, old: str, new: str) -> int:
    body = {"email": email, "old_password": old, "new_password": new}
    return server.call("POST", "/api/users/reset_password", body, address="203.0.113.9")[0]


def flood_the_victim(server: Server) -> Counter[str]:
    """Register the victim's contacts and cause what used to be notices; return the answers."""
    body = {"username": "attacker", "password": PASSWORD, **VICTIM}
    expect(201, server.call("POST", "/api/auth/register", body, address="203.0.113.9"))
    answers = Counter(f"unchanged {reset(server, VICTIM['email'], PASSWORD, PASSWORD)}" for _ in range(REQUESTS))
    passwords = [PASSWORD, *(f"{NEW}{number}" for number in range(CHANGES))]
    for old, new in pairwise(passwords):
        answers[f"changed {reset(server, VICTIM['email'], old, new)}"] += 1
    return answers


def queue_notices(server: Server, token: str) -> Counter[str]:
    """Change the passwords of accounts whose contacts an administrator has given."""
    people = [f"person{number}" for number in range(NOTIFIED)]
    for number, name in enumerate(people):
        contacts = {"email": f"{name}@hospital.example", "phone": f"+861380013{number:04}"}
        body = {"username": name, "password": PASSWORD, "role": "viewer", **contacts}
        expect(201, server.call("POST", "/api/auth/users", body, token, address="203.0.113.1"))
    return Counter(f"changed {reset(server, f'{name}@hospital.example', PASSWORD, NEW)}" for name in people)


def seconds_to_the_code(server: Server, mail: SlowMailServer, name: str) -> float:
    """Have a stranger ask for a reset code, and return when the mail server has been given it."""
    email = f"{name}@hospital.example"
    expect(201, server.call("POST", "/api/auth/register", {"username": name, "email": email, "password": PASSWORD}))
    form = {"identifier": name, "channel": "email", "contact": email}
    started = time.monotonic()
    expect(200, server.call("POST", "/api/auth/request-reset-code", form, address="203.0.113.77"))
    while time.monotonic() < started + 60:
        for at, recipient in list(mail.log):
            if recipient == email:
                return at - started
        time.sleep(0.01)
    raise SystemExit("No code came within a minute.")


def run(server: Server, mail: SlowMailServer, texts: HttpGateway) -> bool:
    head = {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    manage(server, "createsuperuser", "--noinput", "--username", "root", "--email", "root@a.example", **head)
    token = expect(200, server.call("POST", "/api/auth/login", {"username": "root", "password": PASSWORD}))
    started = time.monotonic()
    answers = flood_the_victim(server)
    print(f"flood from one account: {dict(answers)} in {time.monotonic() - started:.1f} s")
    first = seconds_to_the_code(server, mail, "stranger1")
    to_victim = sum(recipient == VICTIM["email"] for _, recipient in mail.log)
    to_number = sum("13900139000" in body.decode() for body in texts.received)
    print(f"  to the unproved contacts: {to_victim} mails, {to_number} text messages")
    print(f"  a stranger's reset code left after {first:.2f} s")
    answers = queue_notices(server, token["access_token"])
    sent = len(mail.log) + len(texts.received)
    second = seconds_to_the_code(server, mail, "stranger2")
    print(f"notices to vouched contacts: {dict(answers)}, {sent} messages sent, the others wait")
    print(f"  a stranger's reset code left after {second:.2f} s")
    return not to_victim and not to_number and max(first, second) <= LIMIT


def main() -> None:
    # Otherwise a SIGTERM would leave gunicorn and the worker behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # The mail server logs every line of its protocol.
    logging.disable(logging.INFO)
    with (
        tempfile.TemporaryDirectory() as folder,
        mail_server(SlowMailServer()) as mail,
        http_gateway(SlowGateway()) as texts,
    ):
        server = Server(Path(folder) / "db.sqlite3", Path(folder) / "log")
        server.environment |= {"EMAIL_URL": mail.url, "SMS_URL": texts.url}
        server.migrate()
        server.start()
        try:
            with delivering(server):
                good = run(server, mail, texts)
        finally:
            server.kill()
    if not good:
        raise SystemExit(f"A notice reached an unproved contact, or a code took more than {LIMIT} s.")


if __name__ == "__main__":
    main()
