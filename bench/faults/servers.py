"""A database server of this program's own, in a temporary folder, with what can happen to one."""

import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from authsvc.tests.server import free_port

DISK_MIB = 500
START_SECONDS = 60.0


class LoopDisk:
    """A file system of its own in a file, which can be filled; needs root, without which it is a plain folder."""

    def __init__(self, folder: Path, owner: str) -> None:
        self.folder = folder
        folder.mkdir()
        image = folder.with_suffix(".image")
        self.is_mounted = False
        if os.geteuid() == 0:
            with image.open("wb") as file:
                file.truncate(DISK_MIB * 2**20)
            subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
            self.is_mounted = (
                subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=False).returncode == 0
            )
            subprocess.run(["chown", f"{owner}:", str(folder)], check=True)

    @contextmanager
    def full(self) -> Iterator[None]:
        ballast = self.folder / "ballast"
        try:
            with suppress(OSError), ballast.open("wb", buffering=0) as file:
                for size in (2**20, 2**12):
                    with suppress(OSError):
                        while file.write(bytes(size)):
                            pass
            yield
        finally:
            ballast.unlink(missing_ok=True)

    def remove(self) -> None:
        """Unmount it, which may have to wait for the end of the last process."""
        for _ in range(50 * self.is_mounted):
            if subprocess.run(["umount", str(self.folder)], check=False, stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.1)


class Server(ABC):
    """One server process and its children. `url` is the service's DATABASE_URL."""

    name: str
    # Who the server runs as where this program runs as root.
    owner: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.disk = LoopDisk(folder / "disk", self.owner)
        self.data = self.disk.folder / "data"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str: ...

    @property
    def urls(self) -> list[str]:
        """Return the DATABASE_URL of each server that takes writes."""
        return [self.url]

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command that runs the server in the foreground."""

    @abstractmethod
    def connect(self, user: str = "") -> Any:
        """Return a connection of the administrator, or of a user, that commits each statement."""

    @abstractmethod
    def end_connections_of_the_service(self) -> None: ...

    @abstractmethod
    def lock_users(self, connection: Any) -> None:
        """Take an exclusive lock on the table of users, which the connection holds until it ends."""

    def run_as_owner(self, *command: str) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._identity())

    def _identity(self) -> dict[str, Any]:
        own = {"user": self.owner, "group": self.owner, "extra_groups": []}
        return (own if os.geteuid() == 0 else {}) | {"cwd": "/"}

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, **self._identity())
        deadline = time.monotonic() + START_SECONDS
        while True:
            with suppress(Exception):
                self.connect().close()
                return
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"{self.name} does not start: {self.folder / 'server.log'}")
            time.sleep(0.1)

    def start_if_stopped(self) -> bool:
        """Start the server unless it runs and accepts connections, which it may do by itself; say whether it had to."""
        with suppress(Exception):
            self.connect().close()
            return False
        self.kill()
        self.start()
        return True

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        connection = self.connect()
        try:
            cursor = connection.cursor()
            cursor.execute(statement)
            return [tuple(row) for row in cursor.fetchall()]
        finally:
            connection.close()

    def kill(self) -> None:
        """End every process of the server at once, as a power cut would."""
        self._signal(signal.SIGKILL)
        if self.process:
            self.process.wait()
            self.process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def stop(self) -> None:
        self._signal(signal.SIGCONT)
        self.kill()
        self.disk.remove()

    def _signal(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        for pid in (self.process.pid, *map(int, children.stdout.split())):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
