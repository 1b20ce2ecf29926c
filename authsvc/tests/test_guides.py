"""What the README in both languages, CONTRIBUTING.md and docs/ refer to exists."""

import re
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.any_database

ROOT: Path = settings.BASE_DIR
PAGES = [*sorted(ROOT.glob("README*.md")), ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
# The recipe of docs/contracts.md names files of a contract that does not exist.
OF_THE_TREE = [page for page in PAGES if page.name != "contracts.md"]
RECORDS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_has_a_section_twice(page: Path) -> None:
    headings = re.findall(r"^## .+$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(set(headings))


def anchors(page: Path) -> set[str]:
    """Return the fragments of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_fragment_names_a_heading(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#\s]*)#([^)\s]+)\)", page.read_text(encoding="utf-8"))
    assert [(file, name) for file, name in links if name not in anchors(page.parent / file if file else page)] == []


def test_the_readme_leads_to_every_page_of_the_documentation() -> None:
    linked = re.findall(r"\]\((docs/[\w.-]+\.md)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert sorted(set(linked)) == sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", OF_THE_TREE, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_in_code_spans_exists(page: Path) -> None:
    """A path begins with a folder of the project and has no placeholder in angle brackets."""
    spans = re.findall(r"`((?:accounts|audit|authsvc|bench|docs|templates|\.ci)/[\w./*-]+)`", page.read_text("utf-8"))
    assert [span for span in spans if not any(ROOT.glob(span.rstrip("/")))] == []


def test_the_index_lists_every_decision_under_its_title() -> None:
    titles = [path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ") for path in RECORDS]
    index = re.findall(r"^- \[(.+)\]\((.+)\)$", (ROOT / "docs/decisions/README.md").read_text("utf-8"), re.MULTILINE)
    assert index == [(title, path.name) for title, path in zip(titles, RECORDS, strict=True)]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_decision_has_context_decision_and_consequences(record: Path) -> None:
    headings = re.findall(r"^## (.+)$", record.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences"]
