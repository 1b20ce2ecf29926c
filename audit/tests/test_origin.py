"""What is escaped before it is logged or recorded."""

import sys
import unicodedata

import pytest

from audit.origin import escape_control_chars

pytestmark = pytest.mark.any_database

# Controls, formats (bidirectional, zero-width, tags), line and paragraph separators, surrogates.
ESCAPED = {"Cc", "Cf", "Zl", "Zp", "Cs"}


def test_exactly_the_characters_of_five_categories_are_escaped() -> None:
    for number in range(sys.maxunicode + 1):
        char = chr(number)
        is_escaped = escape_control_chars(char) != char
        assert is_escaped == (unicodedata.category(char) in ESCAPED), f"U+{number:04X}"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\u061cb", "a\\u061cb"),
        ("a\u2060b", "a\\u2060b"),
        ("a\ufeffb", "a\\ufeffb"),
        ("a\u00adb", "a\\u00adb"),
        ("a\nb", "a\\u000ab"),
        ("\U000e0041", "\\U000e0041"),
        ("王伟 😀", "王伟 😀"),
    ],
    ids=ascii,
)
def test_an_escape_names_the_code_point(text: str, escaped: str) -> None:
    assert escape_control_chars(text) == escaped


def test_no_two_characters_have_the_same_escape() -> None:
    assert escape_control_chars("\U000e0041") != escape_control_chars("\ue004") + "1"
    numbers = [number for number in range(sys.maxunicode + 1) if unicodedata.category(chr(number)) in ESCAPED]
    assert len({escape_control_chars(f"{chr(number)}1") for number in numbers}) == len(numbers)
