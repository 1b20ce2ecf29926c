import pytest

from accounts import names

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("Alice", "alice"),
        ("ALICE", "alice"),
        ("ａｌｉｃｅ", "alice"),
        ("straße", "strasse"),
        ("e\u0301lodie", "élodie"),
        ("王医生", "王医生"),
        ("dr_王", "dr_王"),
        ("工wang", "工wang"),
        ("080123", "080123"),
        ("a.b-c_d+e", "a.b-c_d+e"),
        ("кириллица", "кириллица"),
        ("a" * 150, "a" * 150),
    ],
)
def test_canonical_form_of_a_user_name(typed: str, canonical: str) -> None:
    assert names.canonical_username(typed) == canonical


@pytest.mark.parametrize("name", ["alice", "王医生", "strasse", "élodie"])
def test_a_canonical_user_name_is_its_own_canonical_form(name: str) -> None:
    assert names.canonical_username(names.canonical_username(name)) == names.canonical_username(name)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "a" * 151,
        "alice@hospital.example",
        "alice smith",
        "alice ",
        "al\u200bice",
        "क्\u200dष",
        "क्\u200cष",
        "al\u034fice",
        "al\ufe0fice",
        "\u3164",
        "al\u202eice",
        "alice\x00",
        "alice\n",
        "\ud800",
        "а" + "lice",  # The first letter is Cyrillic.
        "αlice",
        "alıce",  # No dot on the i.
        "ALİCE",  # Two dots on the i, in lower case.
        "ɑlice",
        "o\u0338le",  # Looks like øle.
        "a!b",
        "13912345678",
        "+8613912345678",
        "02112345678",
        "❤",
    ],
)
def test_what_cannot_be_a_user_name(typed: str) -> None:
    with pytest.raises(names.InvalidIdentifier):
        names.canonical_username(typed)


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("Alice@Hospital.Example", "alice@hospital.example"),
        ("a@b.com", "a@b.com"),
        ("wang@his.local", "wang@his.local"),
        ("用户@例子.公司", "用户@例子.公司"),
        # Another domain than strasse.example, and another mailbox than strasse@.
        ("Straße@xn--strae-oqa.example", "straße@straße.example"),
    ],
)
def test_canonical_form_of_an_email_address(typed: str, canonical: str) -> None:
    assert names.canonical_email(typed) == canonical


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "alice",
        "alice@",
        "@hospital.example",
        "a b@hospital.example",
        "a@b.cn\r\nBcc: x@y.cn",
        "a\u202e@b.cn",
        "a\u200b@b.cn",
        "a\x00@b.cn",
        "a\u034f@b.cn",
        "a\ufe0f@b.cn",
        "a\u3164@b.cn",
        "İ" * 32 + "@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 63 + ".cn",
        "\ud800@b.cn",
        "a" * 250 + "@b.cn",
    ],
)
def test_what_cannot_be_an_email_address(typed: str) -> None:
    with pytest.raises(names.InvalidIdentifier):
        names.canonical_email(typed)


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("13912345678", "+8613912345678"),
        ("139 1234 5678", "+8613912345678"),
        ("+86 139-1234-5678", "+8613912345678"),
        ("１３９１２３４５６７８", "+8613912345678"),
        ("+44 20 7946 0958", "+442079460958"),
    ],
)
def test_canonical_form_of_a_phone_number(typed: str, canonical: str) -> None:
    assert names.canonical_phone(typed) == canonical


@pytest.mark.parametrize("typed", ["", "110", "1391234567", "139123456789", "tel:13912345678", "+", "1" * 40, "abc"])
def test_what_cannot_be_a_phone_number(typed: str) -> None:
    with pytest.raises(names.InvalidIdentifier):
        names.canonical_phone(typed)


@pytest.mark.parametrize(("kept", "shown"), [("+8613912345678", "13912345678"), ("+442079460958", "+442079460958")])
def test_a_phone_number_is_shown_in_the_national_format(kept: str, shown: str) -> None:
    assert names.display_phone(kept) == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("alice@hospital.example", "a***@hospital.example"),
        ("a***@hospital.example", "a***@hospital.example"),
        ("+8613800138000", "138****8000"),
        ("138****8000", "138****8000"),
        ("+85261234567", "+85****4567"),
    ],
)
def test_an_address_is_masked(address: str, shown: str) -> None:
    assert names.masked(address) == shown
