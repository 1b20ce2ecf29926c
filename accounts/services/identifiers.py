"""The identifiers that a user may log in with."""

from dataclasses import dataclass

from accounts import names
from accounts.models import User


@dataclass(frozen=True, slots=True)
class Identifier:
    """A typed identifier, and the column and canonical value to search for; no column where no user can match."""

    typed: str
    column: str | None
    value: str


def any_of_three(typed: str) -> Identifier:
    """Read a user name, an e-mail address or a phone number: with `@` it is an address, else a name, else a number.

    No name is a valid phone number, so at most one of the three can match.
    """
    if "@" in typed:
        return _read(typed, "email")
    by_name = _read(typed, "username")
    return by_name if by_name.column else _read(typed, "phone")


def username(typed: str) -> Identifier:
    """Read a user name, and nothing else."""
    return _read(typed, "username")


def email(typed: str) -> Identifier:
    """Read an e-mail address, and nothing else."""
    return _read(typed, "email")


def phone(typed: str) -> Identifier:
    """Read a phone number, and nothing else."""
    return _read(typed, "phone")


def of_user(user: User) -> Identifier:
    """Return the identifier of an authenticated user who enters the password again."""
    return Identifier(user.username, "username_key", user.username_key)


def named(typed: str) -> int | None:
    """Return the id of the user who has this name, address or number, or None."""
    return user_id(any_of_three(typed))


def user_id(identifier: Identifier) -> int | None:
    """Return the id of the user that the identifier matches, or None."""
    found = user(identifier)
    return found.pk if found else None


def user(identifier: Identifier) -> User | None:
    """Return the user that the identifier matches, or None."""
    return User.objects.filter(**{identifier.column: identifier.value}).first() if identifier.column else None


def _read(typed: str, field: str) -> Identifier:
    identifier = names.IDENTIFIERS[field]
    try:
        return Identifier(typed, identifier.column, identifier.canonical(typed))
    except names.InvalidIdentifier:
        return Identifier(typed, None, typed)
