"""A day of faults: two nodes behind nginx under load while something fails, and a table of what was lost.

    .venv/bin/python -m bench.faults [--database postgresql|mariadb|galera] [FAULT ...]

It starts servers of its own in a temporary folder: PostgreSQL with a synchronous standby, then MariaDB; nginx and two
nodes of two processes by the files in deploy/. With galera, three nodes write to three servers. Clients register, log
in, refresh (some with two copies of the request at once), read themselves and log out, and repeat what is not answered.
After each fault every acknowledged registration must log in, every token that was logged out must be refused, every
other one must be accepted, the generation of each session and the number of its logins in the trail must be those that
were acknowledged, and the trail must verify. The exit status is 1 if something was lost or double, or answered 500.

As root on Debian, with postgresql, mariadb-server, nginx and openssl; a full disk needs a loop device, and is left out
without. With every fault it takes about ten minutes.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "authsvc.tests.settings"

import django

django.setup()

from bench.faults import checks  # noqa: E402
from bench.faults.cluster import Cluster  # noqa: E402
from bench.faults.galera import Galera  # noqa: E402
from bench.faults.load import LoadGenerator  # noqa: E402
from bench.faults.mariadb import MariaDB  # noqa: E402
from bench.faults.postgresql import PostgreSQL  # noqa: E402
from bench.faults.scenarios import FAULTS, FaultContext, FaultNotSupported  # noqa: E402

SERVERS = {"postgresql": PostgreSQL, "mariadb": MariaDB, "galera": Galera}
# Galera needs a package beside MariaDB's.
USUAL = ("postgresql", "mariadb")
# Of load before a fault and after it.
BEFORE, AFTER = 3.0, 4.0
HEAD = (
    "| database | fault | acknowledged | lost | double | longest outage (s) | slowest (s) | responses | trail |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Result:
    """`line` is the row of the table."""

    line: str
    good: bool


def measure(context: FaultContext, name: str) -> Result:
    """Run a fault under load, check what is left of it, and return the row of the table."""
    head = f"| {context.server.name} | {name.replace('-', ' ')} |"
    load = LoadGenerator(context.cluster.tls)
    load.start()
    began = time.monotonic()
    try:
        time.sleep(BEFORE)
        FAULTS[name](context)
        for node in context.cluster.nodes:
            context.cluster.wait(node)
        time.sleep(AFTER)
    except FaultNotSupported as error:
        return Result(f"{head} left out: {error} |", good=True)
    finally:
        load.stop()
    ended = time.monotonic()
    responses = list(load.responses)
    checks.check(load, context.server)
    verified = context.cluster.manage("trail", "verify")
    for finding in (load.lost + load.double)[:10]:
        print(f"{name}: {finding}", file=sys.stderr)
    if verified.returncode:
        print(verified.stdout, verified.stderr, file=sys.stderr)
    statuses = Counter(f"{status or 'none'} {code * (status >= 500)}".strip() for _, _, status, code in responses)
    slowest = max((seconds for _, seconds, _, _ in responses), default=0.0)
    cells = (
        str(sum(load.acknowledged.values())),
        str(len(load.lost)),
        str(len(load.double)),
        f"{_longest_outage(responses, began, ended):.1f}",
        f"{slowest:.1f}",
        ", ".join(f"{number} × {status}" for status, number in sorted(statuses.items())),
        "NOT intact" if verified.returncode else "intact",
    )
    faulty = [status for status in statuses if status.startswith("500")]
    good = not (load.lost or load.double or verified.returncode or faulty)
    return Result(f"{head} {' | '.join(cells)} |", good)


def _longest_outage(responses: list[tuple[float, float, int, str]], began: float, ended: float) -> float:
    """Return the longest time in seconds in which no client got a definite response."""
    definite = sorted(at for at, _, status, _ in responses if 0 < status < 500)
    times = [began, *definite, ended]
    return max(later - earlier for earlier, later in pairwise(times))


def run(database: str, faults: list[str]) -> list[Result]:
    results: list[Result] = []
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    # The servers run as users of their own.
    folder.chmod(0o755)
    server = SERVERS[database](folder)
    cluster = Cluster(folder, server.urls)
    try:
        server.create()
        context = FaultContext(cluster, server)
        if "rolling-upgrade" in faults:
            cluster.run_previous_release(folder / "previous")
            cluster.migrate(folder / "previous")
        else:
            cluster.migrate()
        cluster.start()
        for name in faults:
            results.append(measure(context, name))
            print(results[-1].line, flush=True)
    finally:
        cluster.stop()
        server.stop()
        if all(result.good for result in results) and len(results) == len(faults):
            shutil.rmtree(folder)
        else:
            print(f"The logs are in {folder}.", file=sys.stderr)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=SERVERS, action="append")
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=", ".join(FAULTS))
    options = parser.parse_args()
    if unknown := set(options.faults) - FAULTS.keys():
        parser.error(f"unknown faults: {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
    # Otherwise a SIGTERM would leave the servers behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    faults = [name for name in FAULTS if name in options.faults or not options.faults]
    print(HEAD)
    results = [result for database in options.database or USUAL for result in run(database, faults)]
    if not all(result.good for result in results):
        raise SystemExit("Something was lost, double or answered 500.")


if __name__ == "__main__":
    main()
