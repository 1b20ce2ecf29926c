"""The mount table: which contract answers at which path."""

import re
from collections.abc import Mapping
from typing import Final

ADMIN_PATH: Final = "/admin/"
# Where users choose a password by a code or a link.
PASSWORD_PATH: Final = "/password"  # noqa: S105 This is a path, not a password.
# What people read in a browser, and the description that these pages load.
_PAGES: Final = (ADMIN_PATH, "/api/docs", "/api/schema")
# Paths outside all mounts are answered as this contract answers.
DEFAULT_CONTRACT: Final = "native"

DEFAULT_MOUNTS = {
    "clinic": "api/users",
    "hospital": "hospital/api/auth",
    "native": "api/auth",
    "portal": "auth",
    "union": "api/v1/auth",
}
_PATH = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
_TAKEN = ("admin", "password", "static", "healthz", "readyz", "metrics", ".well-known", "api/schema", "api/docs")


def _is_free(path: str) -> bool:
    return not any(f"{path}/".startswith(f"{taken}/") for taken in _TAKEN)


class MountError(ValueError):
    """CONTRACT_MOUNTS names an unknown contract, an unusable path, or one path twice."""


def mount_table(overrides: str) -> dict[str, str]:
    """Return contract -> path, without slashes at the ends, the longest path first: one mount may lie inside another.

    `overrides` is CONTRACT_MOUNTS, such as `hospital=api/auth,native=native/api/auth`; what it does not name stays
    where it is. Raises MountError.
    """
    table = dict(DEFAULT_MOUNTS)
    for item in filter(None, (part.strip() for part in overrides.split(","))):
        name, _, path = (part.strip() for part in item.partition("="))
        path = path.strip("/")
        if name not in table:
            raise MountError(f"CONTRACT_MOUNTS names '{name}', which is not one of: {', '.join(sorted(table))}.")
        if not _PATH.fullmatch(path) or not _is_free(path):
            raise MountError(f"CONTRACT_MOUNTS gives {name} the path '{path}', which cannot be used.")
        table[name] = path
    for name, path in table.items():
        for other, other_path in table.items():
            if name < other and path == other_path:
                raise MountError(f"CONTRACT_MOUNTS puts {name} and {other} at one path, /{path}.")
    return dict(sorted(table.items(), key=lambda item: -len(item[1])))


def is_page(path: str) -> bool:
    """Return whether a path is one that people read in a browser, or of the API's description; no mount has one."""
    return path.startswith(_PAGES) or is_password_page(path)


def has_translations(path: str) -> bool:
    """Return whether a path is one of a page whose language follows the browser's, errors included."""
    return path.startswith(ADMIN_PATH) or is_password_page(path)


def is_password_page(path: str) -> bool:
    """Return whether users choose their password at a path."""
    return f"{path}/".startswith(f"{PASSWORD_PATH}/")


def mounted_contract(path: str, mounts: Mapping[str, str]) -> str:
    """Return the name of the contract that is mounted at a request's path; outside all mounts DEFAULT_CONTRACT."""
    path = f"{path}/"
    return next((name for name, prefix in mounts.items() if path.startswith(f"/{prefix}/")), DEFAULT_CONTRACT)
