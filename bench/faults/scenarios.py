"""The faults, each as a function that returns when the fault is over; the load runs meanwhile."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bench.faults.cluster import Cluster
from bench.faults.postgresql import PostgreSQL
from bench.faults.servers import Server

LOAD_SECONDS: Final = 15
FROZEN_SECONDS: Final = 20
FULL_SECONDS: Final = 20
LOCKED_SECONDS: Final = 30
TAKEN_SECONDS: Final = 15
AHEAD_FOR_SECONDS: Final = 20
# What systemd waits before it starts a service again that has been killed, and an operator's supervisor a database.
RESTART_SECONDS: Final = 2
_CLOCK_AHEAD: Final = """
import time
import time_machine
time_machine.travel(time.time() + 300).start()
"""


class FaultNotSupported(Exception):
    """This machine lacks what the fault needs."""


@dataclass
class FaultContext:
    cluster: Cluster
    server: Server


def no_fault(context: FaultContext) -> None:
    time.sleep(LOAD_SECONDS)


def worker_killed(context: FaultContext) -> None:
    for node in context.cluster.nodes:
        assert node.process
        command = ["pgrep", "-P", str(node.process.pid)]
        workers = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        os.kill(int(workers[0]), signal.SIGKILL)
        time.sleep(RESTART_SECONDS)


def master_killed(context: FaultContext) -> None:
    node = context.cluster.nodes[0]
    assert node.process
    node.process.kill()
    node.process.wait()
    time.sleep(RESTART_SECONDS)
    node.start()
    context.cluster.wait(node)


def database_killed(context: FaultContext) -> None:
    context.server.kill()
    time.sleep(RESTART_SECONDS)
    context.server.start()


def database_frozen(context: FaultContext) -> None:
    with context.server.frozen():
        time.sleep(FROZEN_SECONDS)


def disk_full(context: FaultContext) -> None:
    if not context.server.disk.is_mounted:
        raise FaultNotSupported("no file system can be mounted here")
    with context.server.disk.full():
        time.sleep(FULL_SECONDS)
    if context.server.start_if_stopped():
        print(f"{context.server.name} had stopped, and was started.", file=sys.stderr)


def lock_held(context: FaultContext) -> None:
    connection = context.server.connect("authsvc")
    try:
        context.server.lock_users(connection)
        time.sleep(LOCKED_SECONDS)
    finally:
        connection.close()


def connections_taken(context: FaultContext) -> None:
    """Have another program take every connection that the server has, and end those of the service meanwhile."""
    taken: list[Any] = []
    try:
        ends = time.monotonic() + TAKEN_SECONDS
        while time.monotonic() < ends:
            try:
                taken.append(context.server.connect("other"))
            except Exception:  # The server refuses: it has no connection left, or only those of the service.
                context.server.end_connections_of_the_service()
    finally:
        for connection in taken:
            connection.close()


def clock_ahead(context: FaultContext) -> None:
    """Move the clock of one node's processes; libfaketime would break the waits of Python's threads.

    The node is not ready meanwhile, and gets its share of the requests nevertheless, because nginx asks no probe.
    """
    node = context.cluster.nodes[1]
    node.preparation = _CLOCK_AHEAD
    node.stop()
    node.start()
    time.sleep(AHEAD_FOR_SECONDS)
    node.preparation = ""
    context.cluster.restart(node)


def rolling_restart(context: FaultContext) -> None:
    context.cluster.restart_each()


def rolling_upgrade(context: FaultContext) -> None:
    """Follow docs/upgrading.md; the nodes run 0.1.0 before."""
    context.cluster.migrate()
    for node in context.cluster.nodes:
        context.cluster.run_this_release(node)
        context.cluster.restart(node)
    done = context.cluster.manage("trail", "accept", "--noinput")
    if done.returncode:
        raise RuntimeError(done.stderr)


def promotion(context: FaultContext) -> None:
    """End the primary, promote the standby, and restart the nodes with its address."""
    if not isinstance(context.server, PostgreSQL):
        raise FaultNotSupported("only PostgreSQL has a standby here")
    context.server = context.server.fail_over()
    context.cluster.urls = context.server.urls
    context.cluster.restart_each()


# The first starts from 0.1.0, and the last leaves no standby.
FAULTS: Final[dict[str, Callable[[FaultContext], None]]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        rolling_upgrade,
        no_fault,
        rolling_restart,
        worker_killed,
        master_killed,
        database_killed,
        database_frozen,
        lock_held,
        connections_taken,
        clock_ahead,
        disk_full,
        promotion,
    )
}
