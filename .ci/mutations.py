#!/usr/bin/env python3
"""Takes one guard after another out of a copy of the checkout, and reports those that no test misses.

`.ci/mutations.toml` names the guards and, for each, the tests that must fail without it. Nothing is changed but the
copies, which are gone at the end, an interruption included. Exits with 1 where a guard is not missed, where a text is
not found exactly once, or where the tests fail with every guard in place.

To import Django and to migrate a database takes longer than most of the tests. This process imports once what the
application imports from elsewhere, and forks a child for each guard, which imports the application itself. The tests
of a child start on a copy of a database that is migrated once, unless the guard may change how it is made.
"""

import argparse
import contextlib
import gc
import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import connection, context
from pathlib import Path
from unittest import mock

import django.db
import django.test.utils
import pytest

ROOT = Path(__file__).resolve().parent.parent
CORES = os.cpu_count() or 1
# Without the plugins that most tests do not need, and whose imports take longer than most of these tests.
PYTEST = ("-x", "-q", "-o", "addopts=", "-p", "no:cacheprovider", "-p", "pytest_django.plugin")
IN_PARALLEL = ("-p", "xdist.plugin", "-n", str(CORES), "--maxschedchunk", "1")
# In seconds; a guard whose absence makes its tests hang should have another test.
LONGEST_RUN = 180
# The files that say which tables and columns a migrated database has. Models do not: their migrations do.
MAKES_DATABASE = "/migrations/"
# Migrates the database of DATABASE_URL, compiles the application and the tests, and writes which modules of other
# packages they import. pytest rewrites its plugins when it imports them, so those are left to it.
PREPARE = """
import json, sys
import django, pytest
django.setup()
from django.core.management import call_command
from django.db import connections
call_command("migrate", verbosity=0, run_syncdb=True)
# Then all of it is in the one file that is copied.
connections.close_all()
import authsvc.urls
own = {"accounts", "audit", "authsvc", "conftest", "__main__"}
others = [name for name in sys.modules if name.partition(".")[0] not in own and "pytest" not in name]
open(sys.argv[1], "w").write(json.dumps(others))
sys.exit(pytest.main(["--collect-only", *sys.argv[2:]]))
"""


NOT_MISSED = "NOT MISSED"


@dataclass(frozen=True)
class Guard:
    name: str
    file: str
    was: str
    becomes: str
    tests: tuple[str, ...]

    @contextlib.contextmanager
    def removed_from(self, copy: Path) -> Iterator[None]:
        """Replace the text in the copy; the time of the file's last change is restored too, which bytecode records."""
        path = copy / self.file
        text, stat = path.read_text(encoding="utf-8"), path.stat()
        path.write_text(text.replace(self.was, self.becomes), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(text, encoding="utf-8")
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def guards(parts: list[str]) -> list[Guard]:
    """Return the guards whose name contains one of the parts, or all; every text must be found exactly once."""
    entries = tomllib.loads((ROOT / ".ci/mutations.toml").read_text(encoding="utf-8"))["guard"]
    found = [Guard(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]
    lost = [guard for guard in found if (ROOT / guard.file).read_text(encoding="utf-8").count(guard.was) != 1]
    if lost:
        lines = (f"{guard.name}: {guard.file} does not have this exactly once: {guard.was!r}" for guard in lost)
        raise SystemExit("\n".join(lines))
    chosen = [guard for guard in found if not parts or any(part in guard.name for part in parts)]
    return chosen or sys.exit("No guard has such a name.")


def copy_to(folder: Path) -> Path:
    """Copy what is or would be committed, with the times of the last changes."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        target = folder / name
        if (ROOT / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    return folder


def prepare(copy: Path, template: Path, tests: tuple[str, ...]) -> None:
    """Migrate the template, and import what the application and the tests import from elsewhere and what can be."""
    names = template.with_suffix(".json")
    in_copy(
        copy,
        *("-c", PREPARE, str(names), *PYTEST, *tests),
        DJANGO_SETTINGS_MODULE="authsvc.tests.settings",
        DATABASE_URL=f"sqlite:///{template}",
    )
    for name in json.loads(names.read_text(encoding="utf-8")):
        # Where a module needs the settings, which are the application's, it is left to the children.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.freeze()


def in_copy(copy: Path, *arguments: str, **environment: str) -> None:
    """Run Python in the copy; print what it printed and exit if it fails."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout)
        raise SystemExit(1)


def use_template(template: Path) -> None:
    """Let pytest-django copy the template, in this process, instead of migrating a database."""

    def copy_template(**_: object) -> list[object]:
        settings = django.db.connection.settings_dict
        settings["NAME"] = shutil.copy(template, settings["TEST"]["NAME"])
        return []

    mock.patch.object(django.test.utils, "setup_databases", copy_template).start()


def run_tests(guard: Guard, copy: Path, template: Path, output: Path) -> None:
    """Run the guard's tests in this process, a child, and exit with pytest's status."""
    os.setpgid(0, 0)
    with output.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(copy)
    sys.path[0] = str(copy)
    # Bytecode without the guard would stay in the copy.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    tempfile.tempdir = os.environ["TMPDIR"] = str(output.parent)
    if MAKES_DATABASE not in guard.file:
        use_template(template)
    sys.exit(pytest.main([*PYTEST, *guard.tests]))


class GuardRun:
    """The tests of one guard, in a process group of their own."""

    def __init__(self, guard: Guard, copy: Path, template: Path) -> None:
        self.guard, self.copy, self.started = guard, copy, time.monotonic()
        self._output = copy.with_suffix(".txt")
        self._removed = contextlib.ExitStack()
        self._removed.enter_context(guard.removed_from(copy))
        self.process = context.ForkProcess(target=run_tests, args=(guard, copy, template, self._output))
        self.process.start()

    def end(self) -> None:
        """Kill what still runs and put the guard back."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid or 0, signal.SIGKILL)
        self.process.join()
        self._removed.close()

    def verdict(self) -> str:
        """Return `missed` where a test failed without the guard; anything else is wrong."""
        output = self._output.read_text(encoding="utf-8", errors="replace")
        if self.process.exitcode == 1 and re.search(r"^FAILED ", output, re.MULTILINE):
            return "missed"
        if self.process.exitcode == 0:
            return NOT_MISSED
        if self.process.exitcode == -signal.SIGKILL:
            return "BROKEN: the tests took too long"
        last = (output.strip() or "no output").splitlines()[-1]
        return f"BROKEN: exit status {self.process.exitcode}, {last}"


def ended(running: list[GuardRun]) -> list[GuardRun]:
    """Wait, and return the runs that have ended or have taken too long."""
    oldest = min(run.started for run in running)
    connection.wait([run.process.sentinel for run in running], oldest + LONGEST_RUN - time.monotonic())
    now = time.monotonic()
    return [run for run in running if run.process.exitcode is not None or now - run.started >= LONGEST_RUN]


def judge(found: list[Guard], copies: list[Path], template: Path) -> dict[Guard, str]:
    """Return the verdict on each guard, with one child at a time for each copy."""
    verdicts, waiting, running = {}, list(reversed(found)), list[GuardRun]()
    try:
        while waiting or running:
            while waiting and copies:
                running.append(GuardRun(waiting.pop(), copies.pop(), template))
            for run in ended(running):
                run.end()
                running.remove(run)
                copies.append(run.copy)
                is_first = run.guard not in verdicts
                verdicts[run.guard] = run.verdict()
                if is_first and verdicts[run.guard] == NOT_MISSED:
                    # Without its guard a race may end well by chance.
                    waiting.append(run.guard)
                took = time.monotonic() - run.started
                print(f"{took:5.1f} s  {verdicts[run.guard]:10}  {run.guard.name}", flush=True)
    finally:
        for run in running:
            run.end()
    return verdicts


def main() -> int:
    parser = argparse.ArgumentParser(description="Report the guards that no test misses.")
    parser.add_argument("name", nargs="*", help="part of a guard's name; without one, every guard")
    parser.add_argument("--tests-have-passed", action="store_true", help="do not run them with every guard in place")
    options = parser.parse_args()
    found = guards(options.name)
    os.environ.pop("DATABASE_URL", None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with tempfile.TemporaryDirectory(prefix="mutations-") as name:
        folder = Path(name)
        template = folder / "template.sqlite3"
        tests = tuple(sorted({test for guard in found for test in guard.tests}))
        first = copy_to(folder / "0")
        if not options.tests_have_passed:
            print(f"With every guard in place: {len(tests)} tests and files of tests", flush=True)
            in_copy(first, "-m", "pytest", *PYTEST, *IN_PARALLEL, *tests)
        prepare(first, template, tests)
        copies = [first, *(Path(shutil.copytree(first, folder / str(number))) for number in range(1, CORES))]
        print(f"Without one guard each: {len(found)}", flush=True)
        verdicts = judge(found, copies, template)
    wrong = [f"{result}  {guard.name} ({guard.file})" for guard, result in verdicts.items() if result != "missed"]
    print(f"\n{len(found) - len(wrong)} of {len(found)} guards are missed by their tests.", *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    # A job that is stopped from outside cleans up as one that is interrupted does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
