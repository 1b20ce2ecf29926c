"""Checks of the service itself: its configuration, its keys, its delivery and the machine."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.checks import ERROR, INFO, WARNING, run_checks
from django.db import connection
from django.utils import timezone

from accounts.messaging.heartbeat import delivery_status
from accounts.models import SigningKey
from accounts.security import encryption
from accounts.security.keys import ENCRYPTED_FOR
from authsvc.configuration.mail import CONSOLE
from authsvc.doctor.findings import Finding, Status, failure, ok, warning

_GIB: Final = 2**30
_LITTLE_SPACE: Final = _GIB
_NO_SPACE: Final = 100 * 2**20
_OLD_KEY_DAYS: Final = 365
_START_DELIVERY: Final = "Start manage.py deliver, and let a service manager keep it running: deploy/ has a unit."


def configuration() -> Iterator[Finding]:
    """Run the checks of `manage.py check --deploy`."""
    found = [message for message in run_checks(include_deployment_checks=True) if not message.is_silenced()]
    if not any(message.level >= INFO for message in found):
        yield ok("configuration", "manage.py check --deploy finds nothing.")
    for message in found:
        if message.level < INFO:
            continue
        status = Status.FAILURE if message.level >= ERROR else Status.WARNING
        yield Finding(
            "configuration",
            status if message.level >= WARNING else Status.OK,
            f"({message.id}) {' '.join(str(message.msg).split())}",
            str(message.hint or ""),
        )


def keys() -> Iterator[Finding]:
    now = timezone.now()
    rows = list(SigningKey.objects.verifying(now))
    unreadable = [row for row in rows if not _is_readable(row)]
    if unreadable:
        yield failure(
            "keys",
            f"Encrypted with another SECRET_KEY: {', '.join(f'{row.kid} of {row.purpose}' for row in unreadable)}.",
            "Set the SECRET_KEY of the other nodes, or the former one; manage.py keys list shows every key.",
        )
        return
    oldest = max(((now - row.created_at).days for row in rows if row.verifies_until is None), default=0)
    text = f"{len(rows)} stored keys can be read; the oldest that signs is {oldest} days old."
    if oldest > _OLD_KEY_DAYS:
        yield warning("keys", text, "Run manage.py keys rotate --all; no session ends.")
    else:
        yield ok("keys", text)


def _is_readable(row: SigningKey) -> bool:
    try:
        encryption.decrypt(ENCRYPTED_FOR, row.encrypted)
    except encryption.DecryptionError:
        return False
    return True


def delivery() -> Iterator[Finding]:
    status = delivery_status(timezone.now())
    waiting = f"{status.pending} messages wait, the oldest for {status.oldest.total_seconds():.0f} s."
    if status.is_running:
        yield ok("delivery", f"A worker runs; {waiting}")
    elif {settings.EMAIL_URL, settings.SMS_URL} <= {"", CONSOLE}:
        yield ok("delivery", "No gateway is configured, so that no worker is needed.")
    else:
        state = failure if status.pending else warning
        yield state("delivery", f"No worker was seen for four minutes; {waiting}", _START_DELIVERY)


def disk() -> Iterator[Finding]:
    """Check the space for temporary files and, on SQLite, for the database."""
    folders = {Path(tempfile.gettempdir())}
    if connection.vendor == "sqlite":
        folders.add(Path(connection.settings_dict["NAME"]).parent)
    for folder in sorted(folders):
        free = shutil.disk_usage(folder).free
        text = f"{folder} has {free / _GIB:.1f} GiB left."
        if free >= _LITTLE_SPACE:
            yield ok("disk", text)
        else:
            state = failure if free < _NO_SPACE else warning
            yield state("disk", text, "Make space, or move it to a larger disk.")
