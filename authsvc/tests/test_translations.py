"""Every marked string has a Chinese translation, and the compiled catalogues match their sources."""

import ast
import gettext
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.any_database

ROOT: Path = settings.BASE_DIR
APPS = ("accounts", "audit", "authsvc")
CATALOGUE = Path("locale/zh_Hans/LC_MESSAGES")
# The command in CONTRIBUTING.md.
REMAKE = re.search(
    r"^\.venv/bin/python (manage\.py makemessages .*)$",
    (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)

# The functions that mark a string.
_MARKS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}

EMPTY = re.compile(r'^msgstr(\[0\])? ""$(?!\n")', re.MULTILINE)


def require_gettext() -> None:
    """Skip where GNU gettext is not installed; under CI fail."""
    if shutil.which("msgfmt") is None or shutil.which("xgettext") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("GNU gettext is not installed.")


def compiled_messages(compiled: Path) -> dict[object, str]:
    """Return a compiled catalogue's messages without its header, which contains the time."""
    with compiled.open("rb") as file:
        entries = dict(vars(gettext.GNUTranslations(file))["_catalog"])
    entries.pop("", None)
    return entries


def entries(catalogue: Path) -> list[str]:
    """Return a catalogue's entries without its header."""
    return catalogue.read_text(encoding="utf-8").strip().split("\n\n")[1:]


@pytest.fixture
def remade(tmp_path: Path) -> Path:
    """A copy of the project with catalogues newly made from its strings."""
    require_gettext()
    assert REMAKE
    for name in (*APPS, "templates"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    environment = {"PATH": os.environ["PATH"], "DEBUG": "true"}
    subprocess.run(
        [sys.executable, *REMAKE[1].split()], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    return tmp_path


def test_the_catalogues_hold_every_marked_string(remade: Path) -> None:
    catalogues = [app / CATALOGUE / "django.po" for app in map(Path, APPS)]
    assert [entries(ROOT / path) for path in catalogues] == [entries(remade / path) for path in catalogues]


@pytest.mark.parametrize("app", APPS)
def test_every_string_is_translated(app: str) -> None:
    held = entries(ROOT / app / CATALOGUE / "django.po")
    assert held
    assert [
        part for part in held if "fuzzy" in part or re.search(r'^msgstr(\[0\])? ""$(?!\n")', part, re.MULTILINE)
    ] == []


@pytest.mark.parametrize("app", APPS)
def test_the_compiled_catalogue_matches_its_source(tmp_path: Path, app: str) -> None:
    require_gettext()
    folder = ROOT / app / CATALOGUE
    subprocess.run(["msgfmt", "--check-format", "-o", tmp_path / "made.mo", folder / "django.po"], check=True)
    assert compiled_messages(folder / "django.mo") == compiled_messages(tmp_path / "made.mo")


def test_no_string_is_marked_inside_an_f_string() -> None:
    """`xgettext` does not look there, so that the string would stay English."""
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        for text in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _MARKS
    ]
    assert found == []


def test_no_two_catalogues_translate_a_string_differently() -> None:
    """Django merges the catalogues: the first app's translation would stand on the pages of the others."""
    found: dict[object, set[str]] = {}
    for app in APPS:
        for message, translation in compiled_messages(ROOT / app / CATALOGUE / "django.mo").items():
            found.setdefault(message, set()).add(translation)
    assert {message: texts for message, texts in found.items() if len(texts) > 1} == {}
