"""`manage.py quickstart` writes a .env only when it runs."""

import io
import shutil
from pathlib import Path
from subprocess import CompletedProcess
from unittest import mock

import pytest
from django.conf import settings
from pytest_django.fixtures import Settings

from authsvc.management.commands import quickstart
from authsvc.tests import processes

pytestmark = pytest.mark.any_database


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project without a .env."""
    for name in ("authsvc", "accounts", "audit", "templates", "manage.py", "pyproject.toml"):
        source = settings.BASE_DIR / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    return tmp_path


# As `python manage.py` does.
RUN = """
import runpy, sys
sys.argv[0] = "manage.py"
runpy.run_path("manage.py", run_name="__main__")
"""


def manage(checkout: Path, *args: str) -> CompletedProcess[str]:
    return processes.run(RUN, *args, environment={"PYTHONDONTWRITEBYTECODE": "1"}, folder=checkout)


@pytest.mark.parametrize("args", [["quickstart", "-h"], ["help", "quickstart"]], ids=" ".join)
def test_its_help_writes_nothing(checkout: Path, args: list[str]) -> None:
    before = sorted(checkout.iterdir())
    done = manage(checkout, *args)
    assert done.stdout.startswith("usage: manage.py quickstart"), done.stderr
    assert sorted(checkout.iterdir()) == before


def test_an_unknown_option_writes_nothing(checkout: Path) -> None:
    before = sorted(checkout.iterdir())
    assert manage(checkout, "quickstart", "--nonsense").returncode == 2
    assert sorted(checkout.iterdir()) == before


def test_it_writes_a_development_file_before_it_reads_the_settings(checkout: Path) -> None:
    (checkout / "authsvc/settings.py").write_text("raise SystemExit('The settings are read.')", encoding="utf-8")
    assert manage(checkout, "quickstart", "-v", "0").stderr == "The settings are read.\n"
    assert (checkout / ".env").read_text(encoding="utf-8").splitlines()[1] == "DEBUG=true"


def test_it_says_who_is_asked_for_a_second_factor_at_the_first_login(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEBUG, settings.MFA_REQUIRED_ROLES = True, frozenset({"admin"})
    monkeypatch.setattr(quickstart, "call_command", lambda *args, **options: None)
    monkeypatch.setattr("authsvc.management.commands.quickstart.threading.Thread", mock.Mock())
    output = io.StringIO()
    quickstart.Command(stdout=output).handle()
    assert output.getvalue().count("MFA_REQUIRED_ROLES has the role admin") == 1
