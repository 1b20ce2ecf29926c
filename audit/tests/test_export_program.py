import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import Settings

from audit.events import Event
from audit.models import LoginAttempt, SecurityEvent
from audit.origin import Origin
from audit.record import record
from audit.tests.damage import run

DOCS = Path(settings.BASE_DIR) / "docs"
PROGRAM = DOCS / "verify_trail.py"
KEY = "9fK2-vQz7Lm_Xc4Rb8Tn1Wd6Hs3Jp5YgEuAoIiOeUaMqZwVx"

pytestmark = pytest.mark.django_db


def export() -> str:
    """Return the lines that the SQL in the documentation makes."""
    language = "postgresql" if connection.vendor == "postgresql" else "mysql"
    (sql, *_) = re.findall(
        rf"```{language}\n(SELECT.*?)```", (DOCS / "trail.md").read_text(encoding="utf-8"), re.DOTALL
    )
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for (line,) in cursor.fetchall())


def verify(tmp_path: Path) -> tuple[int, list[str]]:
    file = tmp_path / "key"
    file.write_text(f"{KEY}, another\n", encoding="utf-8")
    done = subprocess.run([sys.executable, PROGRAM, file], input=export(), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines() or done.stderr.splitlines()


@pytest.fixture(autouse=True)
def _rows(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.chain.secrets.randbelow", lambda _: 0)
    settings.AUDIT_KEYS = [KEY]
    for number, ip in enumerate((None, "192.0.2.1", "2001:db8::ffff:1.2.3.4", "::ffff:192.0.2.1")):
        origin = Origin("native", ip, 'Fire"\\🦊\u2028\x7f')
        attempt = LoginAttempt.of(origin, "王医生", user_id=number or None)
        attempt.at = attempt.at.replace(microsecond=0) + timedelta(seconds=number)
        record(attempt, SecurityEvent.of(origin, Event.USER_CHANGED, user_id=None, b=[1, {"ü": None}], a="\n\u2028é"))


def test_the_program_without_the_service_finds_the_trail_intact(tmp_path: Path) -> None:
    assert verify(tmp_path) == (0, ["8 rows, 0 faults"])


def test_it_names_a_changed_row_and_a_gap(tmp_path: Path) -> None:
    first, second = LoginAttempt.objects.order_by("id")[:2]
    run("UPDATE audit_loginattempt SET identifier = 'x' WHERE id = %s", first.pk)
    run("DELETE FROM audit_loginattempt WHERE id = %s", second.pk)
    event = SecurityEvent.objects.get(number=4)
    assert verify(tmp_path) == (
        1,
        [
            f"attempt {first.pk} (lane 0, number 1): its MAC is false",
            f"before event {event.pk} (lane 0, number 4): the row before it is number 2",
            "7 rows, 2 faults",
        ],
    )


def test_the_program_has_at_most_sixty_lines_of_code() -> None:
    lines = PROGRAM.read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) <= 60
