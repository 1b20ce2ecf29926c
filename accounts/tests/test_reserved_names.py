"""Names that the public cannot register, in every disguise."""

import time

import pytest
from pytest_django.fixtures import Settings

from accounts import names
from accounts.reserved_names import is_reserved

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(
    "name",
    [
        "admin",
        "Administrator",
        "ROOT",
        "system",
        "support",
        "security",
        "postmaster",
        "webmaster",
        "authsvc",
        "null",
        "管理员",
        "系统管理员",
    ],
)
def test_a_reserved_name_is_reserved_in_any_case(name: str) -> None:
    assert [is_reserved(each) for each in (name, name.upper(), name.lower(), name.title())] == [True] * 4


@pytest.mark.parametrize(
    "name",
    [
        "ａｄｍｉｎ",
        "adm1n",
        "admln",
        "AdmlN",
        "adrnin",
        "r00t",
        "nu11",
        "R0OT",
        # Letters of the Fraser alphabet.
        "ꓮꓓꓟꓲꓠ",
        "ꓣꓳꓳꓔ",
        "webrnaster",
        "AUTHSVC",
        "ad-min",
        "admin.",
        "_r.o+o.t_",
        "4dmin",
        "5y5t3m",
        "he1p-d35k",
        "noreply.",
        "系统_管理员",
    ],
)
def test_a_name_that_looks_like_a_reserved_one_is_reserved(name: str) -> None:
    assert names.is_username(name)
    assert is_reserved(name)


@pytest.mark.parametrize(
    "name",
    [
        "alice",
        "admin2",
        "administration",
        "rooty",
        "dr_wang",
        "viewer_zhang",
        "王管理",
        "080245",
        "tim",
        "系",
        "admin-2",
        "3475",
    ],
)
def test_other_names_are_not_reserved(name: str) -> None:
    assert names.is_username(name)
    assert not is_reserved(name)


@pytest.mark.parametrize("name", ["cityhospital", "City-Hospital", "city_hospital", "city.hospital", "c1tyhospital"])
def test_the_name_of_the_service_is_reserved(name: str, settings: Settings) -> None:
    assert not is_reserved(name)
    settings.SERVICE_NAME = "City Hospital"
    assert is_reserved(name)


@pytest.mark.parametrize(
    ("pattern", "name", "reserved"),
    [
        (r"080\d{3}", "080245", True),
        (r"080\d{3}", "０８０２４５", True),
        (r"080\d{3}", "0802456", False),
        (r"080\d{3}", "x080245", False),
        (r"080\d{3}|zy\d+", "ZY7", True),
        (r"ZY\d+", "zy7", True),
        (r"", "080245", False),
    ],
)
def test_the_pattern_matches_whole_names(pattern: str, name: str, reserved: bool, settings: Settings) -> None:
    settings.RESERVED_USERNAMES = pattern
    assert is_reserved(name) is reserved


def test_a_pattern_that_backtracks_elsewhere_takes_no_time(settings: Settings) -> None:
    settings.RESERVED_USERNAMES = "(a|aa|a+)+b"
    is_reserved("a")
    started = time.perf_counter()
    assert not is_reserved("a" * names.NAME_LENGTH)
    assert time.perf_counter() - started < 0.5
