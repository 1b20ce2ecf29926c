import pytest

from authsvc.configuration.mounts import DEFAULT_MOUNTS, MountError, mount_table

pytestmark = pytest.mark.any_database


def test_without_overrides_every_contract_is_where_it_belongs() -> None:
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


def test_a_path_beside_what_is_taken_is_free() -> None:
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
        "native=api/schema",
        "native=api/docs",
        "native=api/docs/x",
    ],
)
def test_what_cannot_be_a_mount(overrides: str) -> None:
    with pytest.raises(MountError):
        mount_table(overrides)
