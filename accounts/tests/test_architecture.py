"""The shape of the code, held by machines."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from django.conf import settings

from accounts import errors
from accounts.contracts.base import Contract
from accounts.policies import TokenPolicy

pytestmark = pytest.mark.any_database

ROOT: Path = settings.BASE_DIR
BIN = Path(sys.executable).parent
CHECKS: dict[str, list[str | Path]] = {
    "style": [BIN / "ruff", "check", "."],
    "format": [BIN / "ruff", "format", "--check", "."],
    "layers": [BIN / "lint-imports"],
    "migrations": [sys.executable, "manage.py", "makemigrations", "--check", "--settings", "authsvc.tests.settings"],
}


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
def test_the_code_passes(check: str) -> None:
    done = subprocess.run(CHECKS[check], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


CORE = [
    path
    for pattern in (
        "accounts/services/*.py",
        "accounts/messaging/**/*.py",
        "accounts/security/*.py",
        "accounts/models/*.py",
        "accounts/*.py",
    )
    for path in sorted(ROOT.glob(pattern))
]
HTTP = ("django.http", "django.urls", "django.views", "django.shortcuts", "rest_framework.")


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_the_core_knows_no_http() -> None:
    of_http = [
        (str(path.relative_to(ROOT)), module)
        for path in CORE
        for module in imported(path)
        if f"{module}.".startswith(HTTP)
    ]
    assert of_http == []


def outcomes(kind: type[errors.IdentityError] = errors.IdentityError) -> set[type[errors.IdentityError]]:
    return {kind} | {found for child in kind.__subclasses__() for found in outcomes(child)}


# These are never raised themselves; their children are.
ABSTRACT = {errors.IdentityError, errors.RetryLater}


def modules(name: str) -> list[ModuleType]:
    """Return the modules of this name, one of each contract."""
    folders = sorted(path.parent.name for path in ROOT.glob("accounts/contracts/*/contract.py"))
    return [import_module(f"accounts.contracts.{folder}.{name}") for folder in folders]


def contracts() -> list[Contract]:
    return [module.CONTRACT for module in modules("contract")]


@pytest.mark.parametrize("contract", contracts(), ids=lambda contract: contract.name)
def test_every_outcome_is_in_the_error_table(contract: Contract) -> None:
    assert outcomes() - ABSTRACT - set(contract.errors) == set()


def test_every_kind_of_token_has_a_key_set_of_its_own() -> None:
    kinds = [
        (module.NAME, value.purpose)
        for module in modules("tokens")
        for value in vars(module).values()
        if isinstance(value, TokenPolicy)
    ]
    assert [purpose.partition(":")[0] for _, purpose in kinds] == [name for name, _ in kinds]
    assert len({purpose for _, purpose in kinds}) == len(kinds)
    assert {name for name, _ in kinds} == {contract.name for contract in contracts()}
