"""The pictures of the documentation are those of the pages as they are now."""

import os
import re

import pytest
from pytest_django.fixtures import Settings

from authsvc.tests import pictures
from authsvc.tests.module_map import ROOT

pytestmark = [pytest.mark.any_database, pytest.mark.django_db]


def test_the_pictured_pages_say_what_they_said(settings: Settings) -> None:
    settings.SERVICE_NAME = "authsvc"
    pages = pictures.render()
    if os.environ.get("PICTURES") == "write":
        assert pictures.save(pages) == []
    now = {name: pictures.visible_text(page.content.decode()) for name, page in pages.items()}
    pictured = {path.stem: path.read_text(encoding="utf-8") for path in pictures.FOLDER.glob("*.txt")}
    assert now == pictured, "Run `make pictures`, and look at those that changed."


def test_each_picture_is_small_and_is_shown() -> None:
    text = (ROOT / "docs/administration.md").read_text(encoding="utf-8")
    files = {f"pictures/{path.name}": path.stat().st_size for path in pictures.FOLDER.glob("*.png")}
    assert sorted(re.findall(r"!\[[^\]]+\]\((.+?)\)", text)) == sorted(files)
    assert {name: size for name, size in files.items() if size > pictures.MAX_BYTES} == {}
    assert sorted(path.stem for path in pictures.FOLDER.glob("*.txt")) == sorted(name[9:-4] for name in files)
