#!/usr/bin/env python3
"""Runs a command behind PgBouncer: DATABASE_URL=postgres://… .ci/pgbouncer.py COMMAND…

PgBouncer is in its transaction mode, on a free port of this machine, with its configuration in a temporary folder. The
command finds it in DATABASE_URL, with DATABASE_POOLER=transaction, and the server in UNPOOLED_DATABASE_URL; PgBouncer
ends with the command.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

# A transaction gets another of the server's connections than the one before, so that what one leaves in its session is
# missing in the next. What the service's role has in production comes with the connection.
SESSION = "SET statement_timeout = 15000; SET synchronous_commit = off"
CONFIGURATION = """\
[databases]
* = host={host} port={port} user={user}{password} connect_query='{session}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
logfile = {folder}/pgbouncer.log
auth_type = any
pool_mode = transaction
server_round_robin = 1
min_pool_size = 3
default_pool_size = 30
max_client_conn = 300
"""
START_SECONDS = 10


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def start(folder: Path, url: str, port: int) -> subprocess.Popen[bytes]:
    """Start PgBouncer in front of the server of a URL, and wait until it accepts connections."""
    parts = urlsplit(url)
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        CONFIGURATION.format(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 5432,
            user=unquote(parts.username or ""),
            password=f" password='{unquote(parts.password)}'" if parts.password else "",
            listen_port=port,
            folder=folder,
            session=SESSION,
        ),
        encoding="utf-8",
    )
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        sys.exit("pgbouncer is not installed.")
    # It refuses to run as root.
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "nobody")
        shutil.chown(configuration, "nobody")
    process = subprocess.Popen([program, "-q", *user, str(configuration)])
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return process
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                sys.exit("PgBouncer does not start.")
            time.sleep(0.05)


def main() -> int:
    # A lane that .ci/run ends takes its folder and PgBouncer along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    url = os.environ["DATABASE_URL"]
    parts = urlsplit(url)
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        pgbouncer = start(Path(folder), url, port)
        try:
            own = parts._replace(netloc=f"{parts.netloc.rpartition('@')[0] or 'any'}@127.0.0.1:{port}").geturl()
            variables = {**os.environ, "DATABASE_URL": own, "DATABASE_POOLER": "transaction"}
            variables["UNPOOLED_DATABASE_URL"] = url
            return subprocess.run(sys.argv[1:], env=variables, check=False).returncode
        finally:
            pgbouncer.terminate()
            pgbouncer.wait()


if __name__ == "__main__":
    sys.exit(main())
