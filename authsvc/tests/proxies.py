"""A proxy before a database server, which can freeze it or close its connections."""

import selectors
import socket
import threading
from contextlib import suppress


class Proxy:
    """Passes bytes between clients and a server; frozen, it accepts connections and passes nothing."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._running = threading.Event()
        self._running.set()
        self._ended = False
        self._peers: dict[socket.socket, socket.socket] = {}
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def freeze(self) -> None:
        self._running.clear()

    def thaw(self) -> None:
        self._running.set()

    def close_connections(self) -> None:
        """Close every connection, as a server does that is restarted."""
        for peer in list(self._peers):
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        self._ended = True
        self.thaw()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector, self._listening:
            selector.register(self._listening, selectors.EVENT_READ)
            while not self._ended:
                for key, _ in selector.select(0.02):
                    self._running.wait()
                    if key.fileobj is self._listening:
                        self._connect(selector)
                    else:
                        self._pass(key.fileobj, selector)  # type: ignore[arg-type]  # The others are sockets.
            for peer in self._peers:
                peer.close()

    def _connect(self, selector: selectors.BaseSelector) -> None:
        client, server = self._listening.accept()[0], socket.create_connection(self._server)
        self._peers |= {client: server, server: client}
        for each in (client, server):
            selector.register(each, selectors.EVENT_READ)

    def _pass(self, source: socket.socket, selector: selectors.BaseSelector) -> None:
        if source not in self._peers:
            return
        target, content = self._peers[source], b""
        with suppress(OSError):
            content = source.recv(65536)
        if content:
            with suppress(OSError):
                target.sendall(content)
                return
        for each in (source, target):
            del self._peers[each]
            selector.unregister(each)
            each.close()
