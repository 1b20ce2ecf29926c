"""README.md and the pages that hold what it leads to say what is true."""

import re
import subprocess

import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from authsvc.configuration.env import SECRETS, Environment
from authsvc.tests.module_map import PACKAGES, ROOT, module_map, modules, printed_map, summary

pytestmark = pytest.mark.any_database

README = (settings.BASE_DIR / "README.md").read_text(encoding="utf-8")
IN_CHINESE = (settings.BASE_DIR / "README.zh-hans.md").read_text(encoding="utf-8")
CONFIGURATION = (settings.BASE_DIR / "docs/configuration.md").read_text(encoding="utf-8")


def first_session() -> str:
    match = re.search(r"<!-- first session:.*?```sh\n(.*?)```", README, re.DOTALL)
    assert match
    return match[1]


@pytest.mark.django_db(transaction=True)
def test_the_first_session_runs_as_printed(live_server: LiveServer) -> None:
    script = first_session().replace("http://127.0.0.1:8000", live_server.url)
    done = subprocess.run(["bash", "-eu", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    promised = re.findall(r"\((\d{3})(?: each)?\)", first_session())
    assert promised == ["201", "200", "200", "200", "200", "204", "401"]
    answered = re.findall(r"^\d{3}$", done.stdout, re.MULTILINE)
    assert answered == ["201", "200", "200", "200", "200", "200", "200", "204", "401"], done.stdout


def test_the_environment_table_has_every_variable() -> None:
    named = re.findall(r"^\| `([A-Z_]+)` \|", CONFIGURATION, re.MULTILINE)
    assert sorted(named) == sorted(name.upper() for name in Environment.model_fields)


@pytest.mark.parametrize("name", SECRETS)
def test_the_secrets_that_may_be_files_are_named(name: str) -> None:
    assert f"`{name.upper()}`" in CONFIGURATION.split("may each be given as a file")[0].split("\n\n")[-1]


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"^(#+) ", id="headings"),
        pytest.param(r"^```sh\n(.*?)^```$", id="commands"),
        pytest.param(r"\]\((.*?)\)", id="links and pictures"),
        pytest.param(r"`([^`\n]+)`", id="names"),
    ],
)
def test_the_chinese_readme_has_what_the_english_one_has(pattern: str) -> None:
    english, chinese = (re.findall(pattern, text, re.MULTILINE | re.DOTALL) for text in (README, IN_CHINESE))
    assert chinese == english


def test_the_tables_of_the_chinese_readme_have_the_same_shape() -> None:
    english, chinese = ([line.count("|") for line in text.splitlines()] for text in (README, IN_CHINESE))
    assert [cells for cells in chinese if cells] == [cells for cells in english if cells]


def test_the_module_map_has_every_module_and_its_docstring() -> None:
    assert printed_map() == module_map(), "Write it anew: python -m authsvc.tests.module_map"


def test_every_module_has_a_docstring() -> None:
    assert [path for package in PACKAGES for path in modules(ROOT / package) if not summary(path)] == []
