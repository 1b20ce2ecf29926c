import csv
import io

import pytest

from audit.admin.spreadsheet import csv_text, escape_formula


@pytest.mark.parametrize("sign", list("=+-@\t\r\n＝＋－＠"))
def test_a_formula_is_escaped(sign: str) -> None:
    assert escape_formula(f"{sign}cmd|' /C calc'!A0") == f"'{sign}cmd|' /C calc'!A0"


@pytest.mark.parametrize(("value", "cell"), [(None, ""), (0, "0"), ("王医生", "王医生"), ("a=b", "a=b"), (-1, "'-1")])
def test_other_values_are_unchanged(value: object, cell: str) -> None:
    assert escape_formula(value) == cell


def test_a_row_survives_a_round_trip() -> None:
    row = ['say "hello"', "two\nlines", "a,b", "药房", ""]
    assert list(csv.reader(io.StringIO(csv_text([row]), newline=""))) == [row]
