"""Rows of files."""

import json
from pathlib import Path
from typing import Any

import pytest

from accounts.services.importing.errors import UnreadableSource
from accounts.services.importing.sources import opened, without_password
from accounts.services.importing.systems import SYSTEMS

pytestmark = pytest.mark.any_database

ROWS = [{"id": "1", "username": "王医生"}, {"id": "2", "username": '李, the "second"\nline'}]


def read(path: Path) -> list[Any]:
    with opened(str(path), SYSTEMS["portal"]) as source:
        return list(source.people())


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_is_read_in_the_charset_that_it_has(charset: str, tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_bytes('id,username\r\n1,王医生\r\n2,"李, the ""second""\nline"\r\n'.encode(charset))
    assert read(path) == ROWS


def test_json_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "users.jsonl"
    path.write_text("\n\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    assert read(path) == ROWS


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_is_read_whatever_parts_it_is_read_in(
    indent: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.services.importing.files._PART", 7)
    path = tmp_path / "users.json"
    path.write_text(f"\ufeff {json.dumps(ROWS, indent=indent)} ", encoding="utf-8")
    assert read(path) == ROWS


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.json", b'{"id": 1}', "is not an array of objects"),
        ("a.json", b'[{"id": 1}, {"id":', "after element 1, is not JSON"),
        ("a.json", b"[1]", "element 1, is not an object"),
        ("a.json", b"[" * 100_000, "is not JSON"),
        ("a.json", b"\xff", "is not JSON"),
        ("a.jsonl", b'{"id": 1}\nnonsense', "line 2, is not JSON"),
        ("a.jsonl", b"[1]", "line 1, is not an object"),
        ("a.jsonl", b" " * 1_100_000, "longer than a row can be"),
        ("a.csv", b"id\n" + b"x" * 140_000, "is not CSV"),
        ("a.csv", b"id\n\xff\xff\xff", "is not CSV"),
        ("a.xls", b"", "is neither a database URL nor a file named"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(
    name: str, content: bytes, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableSource, match=sentence):
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("oracle://a/b", "'oracle' is not a supported database"),
        ("sqlite:////nowhere/users.sqlite3", "is not a file"),
        ("mysql://nobody:secret@127.0.0.1:1/users", "cannot be opened"),
        ("postgres://nobody:secret@127.0.0.1:1/users", "cannot be opened"),
        ("postgres://127.0.0.1:none/users", "cannot be opened"),
    ],
)
def test_a_database_that_cannot_be_opened_is_refused_without_its_password(url: str, sentence: str) -> None:
    with pytest.raises(UnreadableSource, match=sentence) as refused, opened(url, SYSTEMS["portal"]):
        pass
    assert "secret" not in str(refused.value)


def test_the_trail_names_a_source_without_its_password() -> None:
    assert without_password("mysql://root:secret@db:3306/old") == "mysql://db:3306/old"
