"""Stub servers: a mail server and an HTTP gateway whose answers a test sets."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

OK = "250 OK"
SILENT = "silent"
CLOSES = "closes"


class MailServer:
    """Receives mail; `to_recipient` and `to_text` are its answers, or SILENT or CLOSES."""

    def __init__(self) -> None:
        self.to_recipient = self.to_text = OK
        self.received: list[EmailMessage] = []
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}/?from=authsvc@hospital.example"

    async def handle_RCPT(  # noqa: N802 The library's name.
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return await self._answer(server, self.to_recipient)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 As above.
        answer = await self._answer(server, self.to_text)
        assert isinstance(envelope.content, bytes)
        message = BytesParser(policy=default).parsebytes(envelope.content)
        assert isinstance(message, EmailMessage)
        self.received.append(message)
        return answer

    async def _answer(self, server: SMTP, answer: str) -> str:
        if answer == SILENT:
            await asyncio.Event().wait()
        if answer == CLOSES:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            await asyncio.Event().wait()
        return answer


@contextmanager
def mail_server(handler: MailServer | None = None) -> Iterator[MailServer]:
    handler = handler or MailServer()
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port)
    controller.start()
    try:
        yield handler
    finally:
        controller.stop()


class HttpGateway:
    """Receives POSTs; `status` and `body` are its answer, or SILENT or CLOSES."""

    def __init__(self) -> None:
        self.status: int | str = 200
        self.body = b"{}"
        self.received: list[bytes] = []
        self.released = threading.Event()

        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                gateway.take(self)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"

    def take(self, request: BaseHTTPRequestHandler) -> None:
        self.received.append(request.rfile.read(int(request.headers["Content-Length"])))
        if self.status == SILENT:
            self.released.wait()
        elif self.status != CLOSES:
            request.send_response(int(self.status))
            request.send_header("Content-Length", str(len(self.body)))
            request.end_headers()
            request.wfile.write(self.body)

    @property
    def url(self) -> str:
        return f"json://{self.host}/sms?:to={{number}}"

    def json(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.received]

    def forms(self) -> list[dict[str, str]]:
        return [{name: values[0] for name, values in parse_qs(body.decode()).items()} for body in self.received]


@contextmanager
def http_gateway(gateway: HttpGateway | None = None) -> Iterator[HttpGateway]:
    gateway = gateway or HttpGateway()
    thread = threading.Thread(target=gateway.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield gateway
    finally:
        gateway.released.set()
        gateway.server.shutdown()
        gateway.server.server_close()
        thread.join()


def free_port() -> int:
    """Return an unused local port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
