"""Runs the client programs that documents print, as they stand but for the address."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest


def run(program: str, *arguments: str) -> list[dict[str, Any]]:
    """Return the list of answers that the program prints as JSON on its last line.

    A runtime that is missing fails the test under CI and skips it elsewhere.
    """
    runtime = shutil.which(program)
    if runtime is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{program} is not installed.")
    done = subprocess.run([runtime, *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return list(json.loads(done.stdout.splitlines()[-1]))


# A browser resolves relative addresses by itself, and keeps what is stored.
_IN_A_BROWSER = """
const kept = {};
const localStorage = { setItem: (name, value) => { kept[name] = value; }, getItem: (name) => kept[name] };
const program = async (fetch) => {
%s
return %s;
};
program((path, options) => globalThis.fetch(process.argv[2] + path, options))
    .then((results) => console.log(JSON.stringify(results)));
"""


def run_in_a_browser(folder: Path, printed: str, results: str, base: str) -> list[dict[str, Any]]:
    """Return what the printed JavaScript comes to: `results` is an expression over its names, `base` the address."""
    script = folder / "client.js"
    script.write_text(_IN_A_BROWSER % (printed, results), encoding="utf-8")
    return run("node", str(script), base)
