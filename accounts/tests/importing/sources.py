"""Databases and hashes of former systems, as their documents describe them."""

import sqlite3
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import bcrypt
from argon2 import PasswordHasher, Type
from django.core.management import CommandError, call_command
from werkzeug.security import generate_password_hash

from accounts.tests.tools import PASSWORD

# The least costs that each library takes: costs are not what these tests are about.
BCRYPT = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
PHP_BCRYPT = BCRYPT.replace("$2b$", "$2y$")
PBKDF2 = generate_password_hash(PASSWORD, "pbkdf2:sha256:1000")
SCRYPT = generate_password_hash(PASSWORD, "scrypt:1024:8:1")
ARGON2I = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1, type=Type.I).hash(PASSWORD)

SUPPLY = """
CREATE TABLE users (id INTEGER PRIMARY KEY, username VARCHAR(80) NOT NULL, email VARCHAR(120), phone VARCHAR(20),
    password_hash VARCHAR(255) NOT NULL, role VARCHAR(20));
CREATE TABLE password_reset_codes (id INTEGER PRIMARY KEY, user_id INTEGER, code VARCHAR(6));
"""
CLINIC = """
CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR NOT NULL, hashed_password VARCHAR, disabled BOOLEAN);
CREATE TABLE user_info (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id), first_name VARCHAR,
    last_name VARCHAR, phone_number VARCHAR);
"""


def sqlite_source(path: Path, schema: str, **tables: Sequence[Mapping[str, Any]]) -> str:
    """Return the URL of a new SQLite database with these rows."""
    database = sqlite3.connect(path)
    database.executescript(schema)
    for table, rows in tables.items():
        for row in rows:
            marks = ", ".join("?" * len(row))
            database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))  # noqa: S608
    database.commit()
    database.close()
    return f"sqlite:///{path}"


def import_users(*arguments: str) -> str:
    """Return what the command prints, an error last."""
    out = StringIO()
    try:
        call_command("import_users", *arguments, stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}{error}"
    return out.getvalue()
