"""requirements*.in say what is needed and why; requirements*.txt pin all of it."""

import re
from itertools import pairwise

import pytest
from django.conf import settings

pytestmark = pytest.mark.any_database

PAIRS = [
    ("requirements.in", "requirements.txt"),
    ("requirements-tracing.in", "requirements-tracing.txt"),
    ("requirements-dev.in", "requirements-dev.txt"),
]


def lines(file: str) -> list[str]:
    return (settings.BASE_DIR / file).read_text(encoding="utf-8").splitlines()


def name(line: str) -> str:
    match = re.match(r"[a-z0-9._-]+", line)
    assert match, line
    return match[0]


def direct(file: str) -> list[str]:
    return [name(line) for line in lines(file) if line and not line.startswith(("#", "-"))]


@pytest.mark.parametrize("file", [source for source, _ in PAIRS])
def test_every_direct_dependency_or_group_follows_its_reason(file: str) -> None:
    unexplained = [
        line
        for before, line in pairwise(["", *lines(file)])
        if line and not line.startswith(("#", "-")) and (not before or before.startswith("-"))
    ]
    assert unexplained == []


@pytest.mark.parametrize(("source", "lock"), PAIRS)
def test_every_direct_dependency_is_pinned(source: str, lock: str) -> None:
    pinned = {name(line) for line in lines(lock) if re.match(r"[a-z0-9]", line)}
    assert set(direct(source)) <= pinned


@pytest.mark.parametrize("lock", [lock for _, lock in PAIRS])
def test_every_pin_is_one_version_with_its_hashes(lock: str) -> None:
    content = [line for line in lines(lock) if not line.lstrip().startswith("#")]
    for line, after in pairwise([*content, ""]):
        if line.startswith(" "):
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line)
        else:
            assert re.fullmatch(r"[a-z0-9.-]+(\[[a-z, -]+\])?==[0-9][0-9a-z.]*( ; .+)? \\", line), line
            assert after.startswith("    --hash="), line


def test_development_has_the_versions_of_production() -> None:
    production, tracing, development = (
        {line for line in lines(lock) if re.match(r"[a-z0-9]", line)} for _, lock in PAIRS
    )
    assert production | tracing <= development
