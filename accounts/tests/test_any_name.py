"""What holds of every name, address and number that there is."""

import re
import unicodedata

import pytest
from hypothesis import given

from accounts import names
from accounts.tests.strategies import EMAILS, EVERY_RUN_THE_SAME, NAMES, PHONES

pytestmark = pytest.mark.any_database

# Control and format characters, lone surrogates, and what separates.
_NEVER = {"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"}


def categories(text: str) -> set[str]:
    return {unicodedata.category(char) for char in text}


@EVERY_RUN_THE_SAME
@given(NAMES)
def test_any_text_is_a_user_name_in_one_form_or_is_refused(typed: str) -> None:
    try:
        canonical = names.canonical_username(typed)
    except names.InvalidIdentifier:
        return
    assert names.canonical_username(canonical) == canonical
    assert names.canonical_username(names.display_username(typed)) == canonical
    assert 0 < len(canonical) <= names.NAME_LENGTH
    assert "@" not in canonical
    assert categories(canonical) & _NEVER == set()


@EVERY_RUN_THE_SAME
@given(NAMES | PHONES)
def test_no_text_is_both_a_user_name_and_a_phone_number(typed: str) -> None:
    if names.is_username(typed):
        with pytest.raises(names.InvalidIdentifier):
            names.canonical_phone(typed)


@EVERY_RUN_THE_SAME
@given(EMAILS)
def test_any_text_is_an_email_address_in_one_form_or_is_refused(typed: str) -> None:
    try:
        kept, canonical = names.clean_email(typed), names.canonical_email(typed)
    except names.InvalidIdentifier:
        return
    assert names.clean_email(kept) == kept
    assert names.canonical_email(kept) == canonical
    assert names.canonical_email(canonical) == canonical
    assert len(canonical) <= names.EMAIL_LENGTH
    assert categories(canonical) & _NEVER == set()


@EVERY_RUN_THE_SAME
@given(PHONES)
def test_any_text_is_a_phone_number_in_one_form_or_is_refused(typed: str) -> None:
    try:
        canonical = names.canonical_phone(typed)
    except names.InvalidIdentifier:
        return
    assert re.fullmatch(r"\+[1-9][0-9]{4,14}", canonical)
    assert names.canonical_phone(canonical) == canonical


@EVERY_RUN_THE_SAME
@given(PHONES)
def test_a_phone_number_as_it_is_shown_is_the_same_number(typed: str) -> None:
    try:
        canonical = names.canonical_phone(typed)
    except names.InvalidIdentifier:
        return
    assert names.canonical_phone(names.display_phone(canonical) or "") == canonical
