"""Everything that is marked for translation has its Chinese, and what runs is what the catalogues say."""

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
# The command that CONTRIBUTING.md prints.
REMAKE = re.search(
    r"^\.venv/bin/python (manage\.py makemessages .*)$",
    (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)

EMPTY = re.compile(r'^msgstr(\[0\])? ""$(?!\n")', re.MULTILINE)


def require_gettext() -> None:
    """Skip where GNU gettext is not installed; under CI fail."""
    if shutil.which("msgfmt") is None or shutil.which("xgettext") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("GNU gettext is not installed.")


def said(compiled: Path) -> dict[object, str]:
    """Return a compiled catalogue's sentences, without the header and the time in it."""
    with compiled.open("rb") as file:
        sentences = dict(vars(gettext.GNUTranslations(file))["_catalog"])
    sentences.pop("", None)
    return sentences


def sentences(catalogue: Path) -> list[str]:
    """Return what a catalogue holds, sentence by sentence, without its header."""
    return catalogue.read_text(encoding="utf-8").strip().split("\n\n")[1:]


@pytest.fixture(scope="module")
def remade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project whose catalogues have just been made from its strings."""
    require_gettext()
    assert REMAKE
    copy = tmp_path_factory.mktemp("remade")
    for name in (*APPS, "templates"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", "pyproject.toml"):
        shutil.copy(ROOT / name, copy / name)
    environment = {"PATH": os.environ["PATH"], "DEBUG": "true"}
    subprocess.run(
        [sys.executable, *REMAKE[1].split()], cwd=copy, env=environment, check=True, capture_output=True, text=True
    )
    return copy


@pytest.mark.parametrize("app", APPS)
def test_the_catalogue_holds_every_marked_string(remade: Path, app: str) -> None:
    assert sentences(ROOT / app / CATALOGUE / "django.po") == sentences(remade / app / CATALOGUE / "django.po")


@pytest.mark.parametrize("app", APPS)
def test_every_sentence_has_its_chinese(app: str) -> None:
    held = sentences(ROOT / app / CATALOGUE / "django.po")
    assert held
    assert [
        part for part in held if "fuzzy" in part or re.search(r'^msgstr(\[0\])? ""$(?!\n")', part, re.MULTILINE)
    ] == []


@pytest.mark.parametrize("app", APPS)
def test_what_runs_is_what_the_catalogue_says(tmp_path: Path, app: str) -> None:
    require_gettext()
    folder = ROOT / app / CATALOGUE
    subprocess.run(["msgfmt", "--check-format", "-o", tmp_path / "made.mo", folder / "django.po"], check=True)
    assert said(folder / "django.mo") == said(tmp_path / "made.mo")
