"""The stream of the trail, against receivers on real sockets: every row arrives, in order, at least once."""

import datetime as dt
import io
import ipaddress
import json
import os
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management.base import CommandError, OutputWrapper
from django.db import transaction
from pytest_django.fixtures import Settings

from audit import seal
from audit.events import Event, FailureReason
from audit.models import Entry, LoginAttempt, SecurityEvent, StreamPosition
from audit.origin import Origin
from audit.record import record
from audit.streaming import receivers, rows
from audit.streaming.follower import Follower
from audit.streaming.receivers import destination_of, receiver_of
from audit.tests.log_servers import HEADER, SyslogServer, https_server
from audit.trail_commands import stream

pytestmark = pytest.mark.django_db


@pytest.fixture
def syslog() -> Iterator[Callable[..., SyslogServer]]:
    servers: list[SyslogServer] = []

    def start(**options: Any) -> SyslogServer:
        servers.append(SyslogServer(**options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(autouse=True)
def _settled_at_once() -> Iterator[None]:
    with mock.patch.object(receivers.Syslog, "settled_after", dt.timedelta(0)):
        yield


def write(count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        attempt = LoginAttempt.of(
            Origin("native", "192.0.2.1", "王's browser"),
            f"user{number}",
            user_id=None,
            failure_reason=FailureReason.UNKNOWN_USER if number % 2 else None,
        )
        event = SecurityEvent.of(Origin("admin"), Event.KEY_ROTATED, user_id=None, number=number)
        with transaction.atomic():
            record(attempt, event)


def follower_of(url: str) -> Follower:
    return Follower(destination_of(url), receiver_of(url))


def follow(url: str, steps: int = 20) -> None:
    """Send what there is to a receiver, as a follower that is started anew does."""
    follower = follower_of(url)
    follower._start()
    for _ in range(steps):
        if not follower.step():
            break
    follower._receiver.close()


def places(entries: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(entry["lane"], entry["number"]) for entry in entries]


def stored() -> list[tuple[int, int]]:
    """Return the places of all rows, lane by lane."""
    entries: list[Entry] = [*LoginAttempt.objects.all(), *SecurityEvent.objects.all()]
    return sorted((entry.lane or 0, entry.number or 0) for entry in entries)


@pytest.mark.parametrize("batch", [1, 3, 500])
def test_every_row_of_both_tables_arrives_once_in_the_order_of_its_lane(
    syslog: Callable[..., SyslogServer], batch: int
) -> None:
    write(5)
    server = syslog()
    with mock.patch.object(rows, "BATCH", batch):
        follow(f"syslog+tcp://127.0.0.1:{server.port}")
    assert places(server.wait_for(10)) == stored()


def test_a_message_is_of_rfc_5424_and_carries_the_row_and_its_mac(syslog: Callable[..., SyslogServer]) -> None:
    write(2)
    server = syslog()
    follow(f"syslog+tcp://127.0.0.1:{server.port}")
    server.wait_for(4)
    rejected = LoginAttempt.objects.get(identifier="user1")
    message = next(message.decode() for message in server.messages if b'"identifier":"user1"' in message)
    match = HEADER.fullmatch(message)
    assert match
    assert match.group(1, 2, 4, 5) == ("108", seal.moment(rejected.at), "authsvc", "attempt")
    assert json.loads(match[6]) == {
        "kind": "attempt",
        "lane": rejected.lane,
        "number": rejected.number,
        "id": rejected.pk,
        "at": seal.moment(rejected.at),
        "user_id": None,
        "contract": "native",
        "ip": "192.0.2.1",
        "user_agent": "王's browser",
        "request_id": "",
        "identifier": "user1",
        "status": "failed",
        "failure_reason": "unknown_user",
        "repeats": 1,
        "factor": "",
        "key_name": rejected.key_name,
        "mac": bytes(rejected.mac or b"").hex(),
    }


def test_a_follower_goes_on_from_the_stored_position(syslog: Callable[..., SyslogServer]) -> None:
    server = syslog()
    url = f"syslog+tcp://127.0.0.1:{server.port}"
    write(2)
    follow(url)
    server.wait_for(4)
    write(2, first=2)
    follow(url)
    assert sorted(places(server.wait_for(8))) == stored()


def test_another_receiver_gets_the_trail_from_its_beginning(syslog: Callable[..., SyslogServer]) -> None:
    write(2)
    first, second = syslog(), syslog()
    for server in (first, second):
        follow(f"syslog+tcp://127.0.0.1:{server.port}")
    assert first.wait_for(4) == second.wait_for(4)


def test_what_a_receiver_has_not_read_when_it_closes_is_sent_again(syslog: Callable[..., SyslogServer]) -> None:
    write(3)
    # The kernel takes the connection and the rows, and nobody reads them.
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    url = f"syslog+tcp://127.0.0.1:{port}"
    follower = follower_of(url)
    with mock.patch.object(receivers.Syslog, "settled_after", dt.timedelta(hours=1)):
        follower._start()
        assert follower.step()
        server.close()
        with pytest.raises(ConnectionError):
            _poll(follower)
    follower._receiver.close()
    assert not StreamPosition.objects.exists()
    again = syslog(port=port)
    follow(url)
    assert places(again.wait_for(6)) == stored()


def _poll(follower: Follower) -> None:
    for _ in range(1000):
        threading.Event().wait(0.01)
        follower.step()


@pytest.mark.django_db(transaction=True)
def test_the_stream_survives_the_absence_of_the_receiver(
    syslog: Callable[..., SyslogServer], caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    follower = follower_of(f"syslog+tcp://127.0.0.1:{port}")
    attempts: list[float] = []

    def wait(seconds: float) -> None:
        attempts.append(seconds)
        if len(attempts) == 3:
            write(3)
            servers.append(syslog(port=port))
        elif len(attempts) > 3:
            follower.stop()

    servers: list[SyslogServer] = []
    write(1)
    with mock.patch.object(follower._stopping, "wait", wait):
        follower.run()
    assert places(servers[0].wait_for(8)) == stored()
    assert attempts == [1, 2, 4, 1]
    assert "The trail was not sent; the next attempt is in 1 s" in caplog.text


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    start = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(start - dt.timedelta(days=1))
        .not_valid_after(start + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_syslog_over_tls(
    syslog: Callable[..., SyslogServer],
    server_side: ssl.SSLContext,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    write(2)
    server = syslog(tls=server_side)
    follow(f"syslog+tls://127.0.0.1:{server.port}")
    assert places(server.wait_for(4)) == stored()


def test_a_certificate_of_an_unknown_authority_is_refused(
    syslog: Callable[..., SyslogServer], server_side: ssl.SSLContext
) -> None:
    write(1)
    server = syslog(tls=server_side)
    with pytest.raises(ssl.SSLCertVerificationError):
        follow(f"syslog+tls://127.0.0.1:{server.port}")


def test_json_lines_over_https_are_sent_again_until_the_receiver_has_them(
    server_side: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    write(2)
    with https_server(server_side, [500, 204]) as (url, requests):
        with pytest.raises(ConnectionError, match=r"The receiver answered 500\."):
            follow(url)
        assert not StreamPosition.objects.exists()
        with mock.patch.object(rows, "BATCH", 500):
            follow(url, steps=1)
    first, second = requests[:2]
    assert first == second
    assert second[:3] == ("/trail?from=authsvc", "Basic cmVhZGVyOnNAY3JldA==", "application/x-ndjson")
    assert places([json.loads(line) for line in second[3].splitlines()])[0] == stored()[0]
    assert StreamPosition.objects.count() == 1


def test_the_password_of_a_receiver_is_not_in_its_destination() -> None:
    assert destination_of("https://reader:secret@siem.example.org/trail") == "https://siem.example.org:443/trail"


def run_command() -> str:
    out = OutputWrapper(io.StringIO())
    stream.run({}, out, out)
    return str(out.getvalue())


def test_the_command_requires_a_receiver() -> None:
    with pytest.raises(CommandError, match="AUDIT_STREAM_URL is not set"):
        run_command()


@pytest.mark.django_db(transaction=True)
def test_the_command_follows_until_it_is_stopped(syslog: Callable[..., SyslogServer], settings: Settings) -> None:
    server = syslog()
    settings.AUDIT_STREAM_URL = f"syslog+tcp://127.0.0.1:{server.port}"
    write(2)

    def stop() -> None:
        server.wait_for(4)
        os.kill(os.getpid(), signal.SIGTERM)

    stopper = threading.Thread(target=stop)
    stopper.start()
    assert run_command().startswith(f"Sending the trail to syslog+tcp://127.0.0.1:{server.port}.")
    stopper.join()
    assert places(server.rows()) == stored()
