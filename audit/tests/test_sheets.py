import csv
import io

import pytest

from audit.admin.sheets import csv_text, defused


@pytest.mark.parametrize("sign", list("=+-@\t\r\n＝＋－＠"))
def test_what_looks_like_a_formula_is_text(sign: str) -> None:
    assert defused(f"{sign}cmd|' /C calc'!A0") == f"'{sign}cmd|' /C calc'!A0"


@pytest.mark.parametrize(("value", "cell"), [(None, ""), (0, "0"), ("王医生", "王医生"), ("a=b", "a=b"), (-1, "'-1")])
def test_anything_else_is_as_it_is(value: object, cell: str) -> None:
    assert defused(value) == cell


def test_a_row_is_read_back_as_it_was() -> None:
    row = ['say "hello"', "two\nlines", "a,b", "药房", ""]
    assert list(csv.reader(io.StringIO(csv_text([row]), newline=""))) == [row]
