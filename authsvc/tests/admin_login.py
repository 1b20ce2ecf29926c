"""Logins by the form of the admin site, and what its pages have."""

import re
from typing import Any

from django.test import Client

from accounts.tests.tools import PASSWORD


def log_in(site: Client, username: str = "head", password: str = PASSWORD, **extra: Any) -> Any:
    return site.post("/admin/login/?next=/admin/", {"username": username, "password": password}, **extra)


def password_fields(page: Any) -> list[tuple[str, str]]:
    """Return the password fields of a page, each with its autocomplete attribute."""
    inputs = [
        dict(re.findall(r'([a-z]+)="([^"]*)"', tag)) for tag in re.findall(r"<input[^>]*>", page.content.decode())
    ]
    return [(tag["name"], tag["autocomplete"]) for tag in inputs if tag["type"] == "password"]
