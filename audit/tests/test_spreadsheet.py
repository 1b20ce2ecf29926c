import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.admin.spreadsheet import csv_text, escape_formula, unescape_formula

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize("sign", list("=+-@\t\r\n＝＋－＠"))
def test_a_formula_is_escaped(sign: str) -> None:
    assert escape_formula(f"{sign}cmd|' /C calc'!A0") == f"'{sign}cmd|' /C calc'!A0"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("x;=cmd|' /C calc'!A0", "x;'=cmd|' /C calc'!A0"),
        (" =1+1", " '=1+1"),
        ("\u3000\u00a0=1+1", "\u3000\u00a0'=1+1"),
        ("\ufeff=1+1", "\ufeff'=1+1"),
        ('"=1+1', "\"'=1+1"),
        ("a\t=1", "a\t'=1"),
        ("a\n=1", "a\n'=1"),
        ("a,@x; +y | -z", "a,'@x; '+y | '-z"),
        (";;=1", ";;'=1"),
        ("'=1", "''=1"),
        ("a;b", "a;b"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0)", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)"),
        ("a - b", "a - b"),
        ("13800138000", "13800138000"),
    ],
)
def test_a_formula_after_a_separator_or_blanks_is_escaped(value: str, cell: str) -> None:
    assert escape_formula(value) == cell
    assert unescape_formula(cell) == value


@given(st.text(st.sampled_from(" \t\n\r'\";,|=+-@＝a\u3000\ufeff")))
def test_the_import_reads_what_the_export_wrote(value: str) -> None:
    assert unescape_formula(escape_formula(value)) == value


@pytest.mark.parametrize(("value", "cell"), [(None, ""), (0, "0"), ("王医生", "王医生"), ("a=b", "a=b"), (-1, "'-1")])
def test_other_values_are_unchanged(value: object, cell: str) -> None:
    assert escape_formula(value) == cell


def test_a_row_survives_a_round_trip() -> None:
    row = ['say "hello"', "two\nlines", "a,b", "药房", ""]
    assert list(csv.reader(io.StringIO(csv_text([row]), newline=""))) == [row]
