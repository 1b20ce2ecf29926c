import pytest

from authsvc.configuration.mounts import DEFAULT_MOUNTS, MountError, mount_table

pytestmark = pytest.mark.any_database


def test_without_overrides_every_contract_has_its_default_path() -> None:
    assert mount_table("") == {
        "clinic": "api/users",
        "hospital": "hospital/api/auth",
        "native": "api/auth",
        "portal": "auth",
        "union": "api/v1/auth",
    }


@pytest.mark.parametrize("overrides", ["native=login", "native=/login/", " native = login ,"])
def test_an_override_moves_a_contract(overrides: str) -> None:
    assert mount_table(overrides) == {**DEFAULT_MOUNTS, "native": "login"}


def test_a_path_that_only_begins_like_a_reserved_one_is_valid() -> None:
    assert mount_table("native=api/schemas")["native"] == "api/schemas"


@pytest.mark.parametrize(
    "overrides",
    [
        "other=x",
        "native",
        "native=",
        "native=a b",
        "native=../x",
        "native=static/x",
        "native=password",
        "native=api/schema",
        "native=api/docs",
        "native=api/docs/x",
    ],
)
def test_an_invalid_mount_is_refused(overrides: str) -> None:
    with pytest.raises(MountError):
        mount_table(overrides)
