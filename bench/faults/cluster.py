"""Two nodes behind nginx with TLS, by the files in deploy/, on one database server."""

import io
import os
import subprocess
import sys
import tarfile
import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from authsvc.tests.nodes import HOST, MAIN, Node, installed, nginx_configuration
from authsvc.tests.server import free_port
from authsvc.tests.test_upgrade import PREVIOUS

READY_SECONDS = 60.0
_PROBE = {"Host": HOST, "X-Forwarded-Proto": "https"}
# How the guide of 0.1.0 starts it.
_PREVIOUS_ARGUMENTS = ("--threads", "24", "authsvc.wsgi:application")


class Cluster:
    """`urls` are those of the database with which nodes start from now on; each node has one, in their order.

    There are two nodes, or as many as URLs.
    """

    def __init__(self, folder: Path, urls: list[str]) -> None:
        self.folder = folder
        self.urls = urls
        self.plain, self.tls = free_port(), free_port()
        self.nodes: list[Node] = []
        for number in range(max(2, len(urls))):
            self.nodes.append(Node(self.variables(number), folder / f"node{number + 1}.log"))
        self._nginx: subprocess.Popen[bytes] | None = None

    def variables(self, number: int = 0) -> dict[str, str]:
        """Return the environment of a node, and of commands."""
        return {
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "authsvc.settings",
            "SECRET_KEY": "wJ4x-9fTqLz2VbN8sRk6YpHd3MgCe7UaXo5Wi1Qr0EtBvKyZhGu2",
            "AUDIT_KEY": "9fK2-vQz7Lm_Xc4Rb8Tn1Wd6Hs3Jp5YgEuAoIiOeUaMqZwVx",
            "ALLOWED_HOSTS": HOST,
            "DATABASE_URL": self.urls[number % len(self.urls)],
            "TRUSTED_PROXIES": "1",
            "WEB_CONCURRENCY": "2",
            "RUNTIME_DIRECTORY": str(self.folder),
        }

    def start(self) -> None:
        certificate = self.folder / "certificate.pem"
        own = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}"]
        files = ["-keyout", str(certificate), "-out", str(self.folder / "public.pem")]
        subprocess.run(["openssl", "req", *own, *files], check=True, capture_output=True)
        with certificate.open("ab") as file:
            file.write((self.folder / "public.pem").read_bytes())
        ports = [node.port for node in self.nodes]
        configuration = nginx_configuration(self.folder, certificate, ports, self.plain, self.tls)
        second = f"server 127.0.0.1:{ports[1]} max_fails=0;\n"
        others = "".join(f"server 127.0.0.1:{port} max_fails=0;\n" for port in ports[2:])
        configuration.write_text(configuration.read_text("utf-8").replace(second, second + others), encoding="utf-8")
        command = [installed("nginx"), "-c", str(configuration), "-p", str(self.folder)]
        self._nginx = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            self.wait(node)

    def wait(self, node: Node) -> None:
        """Wait until a node is ready."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            with suppress(OSError):
                if node.get("/readyz", _PROBE, timeout=10)[0] == 200:
                    return
            if time.monotonic() > deadline:
                raise RuntimeError(f"A node is not ready: {node.log}")
            time.sleep(0.1)

    def restart(self, node: Node) -> None:
        """Restart a node with the present variables, and wait until it is ready."""
        node.stop()
        node.variables = self.variables(self.nodes.index(node))
        node.start()
        self.wait(node)

    def restart_each(self) -> None:
        for node in self.nodes:
            self.restart(node)

    def manage(self, *arguments: str, release: Path = settings.BASE_DIR) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", MAIN, "manage.py", *arguments]
        return subprocess.run(command, cwd=release, env=self.variables(), capture_output=True, text=True, check=False)

    def migrate(self, release: Path = settings.BASE_DIR) -> None:
        done = self.manage("migrate", "--verbosity", "0", release=release)
        if done.returncode:
            raise RuntimeError(done.stderr)

    def run_previous_release(self, folder: Path) -> None:
        """Have the nodes run 0.1.0 from their next start on; its code is written to the folder."""
        archive = subprocess.run(["git", "archive", PREVIOUS], cwd=settings.BASE_DIR, capture_output=True, check=True)
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as content:
            content.extractall(folder, filter="data")
        for node in self.nodes:
            node.release, node.arguments = folder, _PREVIOUS_ARGUMENTS

    def run_this_release(self, node: Node) -> None:
        node.release, node.arguments = Node.release, Node.arguments

    def stop(self) -> None:
        for node in self.nodes:
            if node.process:
                node.process.terminate()
        for node in self.nodes:
            if node.process:
                with suppress(subprocess.TimeoutExpired):
                    node.process.wait(timeout=40)
                node.process.kill()
            node.listening.close()
        if self._nginx:
            self._nginx.terminate()
            self._nginx.wait()
