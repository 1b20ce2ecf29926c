"""Programs in processes of their own, forked from one that has imported the packages of the service.

To import the packages takes longer than most of what these programs do. Each program imports the application by itself,
and with it the settings from its environment.
"""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from socket import socket
from subprocess import CompletedProcess

ROOT = Path(__file__).resolve().parent.parent.parent
LONGEST_RUN = 60.0
# Those that need no settings when they are imported.
_PACKAGES = [
    "argon2",
    "confusable_homoglyphs.confusables",
    "corsheaders.middleware",
    "cryptography.x509",
    "dj_database_url",
    "django.contrib.admin.templatetags.admin_list",
    "django.contrib.staticfiles.finders",
    "django.core.management.commands.migrate",
    "django.db.backends.sqlite3.base",
    "django.test",
    "email_validator",
    "gunicorn.app.wsgiapp",
    "jwt",
    "phonenumbers",
    "precis_i18n",
    "psycopg",
    "pydantic_settings",
    "requests",
    "rest_framework.serializers",
    "whitenoise.middleware",
    "yaml",
]
_OWN = frozenset({"accounts", "audit", "authsvc"})


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PACKAGES)
    return context


def start(
    code: str,
    *arguments: str,
    environment: Mapping[str, str],
    output: Path,
    errors: Path,
    folder: Path = ROOT,
    listening: socket | None = None,
) -> ForkServerProcess:
    """Start a program, as `python -c CODE ARGUMENTS` would in that folder and environment.

    What it prints is appended to the two files. For a socket it gets `--bind fd://NUMBER` as its last arguments. It
    leads a process group of its own.
    """
    environment = {"PATH": os.environ["PATH"], **environment}
    # Not the umask of the process that it is forked from.
    umask = os.umask(0)
    os.umask(umask)
    program = (code, arguments, environment, umask, folder, output, errors, listening)
    process = _context().Process(target=_run, args=program, daemon=True)
    process.start()
    return process


def run(
    code: str, *arguments: str, environment: Mapping[str, str], folder: Path = ROOT, timeout: float = LONGEST_RUN
) -> CompletedProcess[str]:
    """Run a program as `start` does until it ends. `timeout` is in seconds; raises TimeoutError."""
    with tempfile.TemporaryDirectory() as name:
        output, errors = Path(name, "output"), Path(name, "errors")
        process = start(code, *arguments, environment=environment, output=output, errors=errors, folder=folder)
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(errors.read_text(encoding="utf-8"))
        texts = [path.read_text(encoding="utf-8") for path in (output, errors)]
    return CompletedProcess(arguments, process.exitcode, *texts)


def _run(
    code: str,
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    umask: int,
    folder: Path,
    output: Path,
    errors: Path,
    listening: socket | None,
) -> None:
    os.setsid()
    os.umask(umask)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, output), (2, errors)):
        with path.open("ab") as file:
            os.dup2(file.fileno(), number)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in environment
    # The folder may hold a copy of the project.
    sys.path = ["", *(place for place in sys.path if place not in {"", str(ROOT)})]
    for name in [name for name in sys.modules if name.partition(".")[0] in _OWN]:
        del sys.modules[name]
    bind = ["--bind", f"fd://{listening.detach()}"] if listening else []
    sys.argv = ["-c", *arguments, *bind]
    exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102
