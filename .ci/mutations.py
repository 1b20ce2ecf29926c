#!/usr/bin/env python3
"""Takes one guard after another out of a copy of the checkout, and reports those that no test misses.

`.ci/mutations.toml` names the guards and, for each, the tests that must fail without it. Nothing is changed but the
copies, which are gone at the end, an interruption included. Exits with 1 where a guard is not missed, where a text is
not found exactly once, or where the tests fail with every guard in place.
"""

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORES = os.cpu_count() or 1
# Without the plugins that most tests do not need, and whose imports take longer than most of these tests.
PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "-o", "addopts=", "-p", "no:cacheprovider")
PLUGINS = ("-p", "pytest_django.plugin")
IN_PARALLEL = ("-p", "xdist.plugin", "-n", str(CORES), "--maxschedchunk", "1")
# In seconds; a guard whose absence makes its tests hang should have another test.
LONGEST_RUN = 180


@dataclass(frozen=True)
class Guard:
    name: str
    file: str
    was: str
    becomes: str
    tests: tuple[str, ...]

    def remove_from(self, copy: Path) -> str:
        """Write the file without the guard and return it as it was."""
        path = copy / self.file
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(self.was, self.becomes), encoding="utf-8")
        return text


def guards() -> list[Guard]:
    entries = tomllib.loads((ROOT / ".ci/mutations.toml").read_text(encoding="utf-8"))["guard"]
    found = [Guard(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]
    lost = [guard for guard in found if (ROOT / guard.file).read_text(encoding="utf-8").count(guard.was) != 1]
    if lost:
        lines = (f"{guard.name}: {guard.file} does not have this exactly once: {guard.was!r}" for guard in lost)
        raise SystemExit("\n".join(lines))
    return found


def copy_to(folder: Path) -> Path:
    """Copy what is or would be committed."""
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
            shutil.copy(ROOT / name, target)
    return folder


def run(copy: Path, tests: tuple[str, ...], *options: str) -> tuple[int, str]:
    """Return pytest's exit status and output, or -1 where the tests take too long."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        done = subprocess.run(
            [*PYTEST, *PLUGINS, *options, *tests],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LONGEST_RUN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, "The tests took too long."
    return done.returncode, done.stdout + done.stderr


def verdict(copy: Path, guard: Guard) -> str:
    """Return `missed` where a test fails without the guard; anything else is wrong."""
    text = guard.remove_from(copy)
    try:
        code, output = run(copy, guard.tests)
    finally:
        (copy / guard.file).write_text(text, encoding="utf-8")
    if code == 1 and re.search(r"^FAILED ", output, re.MULTILINE):
        return "missed"
    if code == 0:
        return "NOT MISSED"
    return f"BROKEN: {output.strip().splitlines()[-1]}"


def judge(found: list[Guard], folder: Path) -> dict[Guard, str]:
    """Return the verdict on each guard, as many at once as there are cores."""
    copies: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for number in range(CORES):
        copies.put(copy_to(folder / str(number)))

    def one(guard: Guard) -> str:
        copy = copies.get()
        started = time.monotonic()
        try:
            result = verdict(copy, guard)
        finally:
            copies.put(copy)
        print(f"{time.monotonic() - started:5.1f} s  {result:10}  {guard.name}", flush=True)
        return result

    with ThreadPoolExecutor(CORES) as pool:
        try:
            return dict(zip(found, pool.map(one, found), strict=True))
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise


def main() -> int:
    found = guards()
    with tempfile.TemporaryDirectory(prefix="mutations-") as name:
        folder = Path(name)
        tests = tuple(sorted({test for guard in found for test in guard.tests}))
        print(f"With every guard in place: {len(tests)} tests and files of tests", flush=True)
        code, output = run(copy_to(folder / "whole"), tests, *IN_PARALLEL)
        if code:
            print(output)
            return 1
        print(f"Without one guard each: {len(found)}", flush=True)
        verdicts = judge(found, folder)
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
