from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import AUDITORS, User
from accounts.tests.tools import HERE, PASSWORD


def logged_in(user: User) -> Client:
    client = Client(REMOTE_ADDR=HERE, headers={"Accept-Language": "en"})
    client.post("/admin/login/?next=/admin/", {"username": user.username, "password": PASSWORD})
    return client


@pytest.fixture
def office(head: User) -> Client:
    """An administrator at the screens."""
    return logged_in(head)


@pytest.fixture
def roots(root: User) -> Client:
    """A superuser at the screens."""
    return logged_in(root)


@pytest.fixture
def auditor(db: None) -> User:
    """A researcher whom a superuser has made an auditor."""
    user: User = User.objects.create_user("audrey", None, PASSWORD, role="researcher")
    user.groups.add(Group.objects.get(name=AUDITORS))
    return user


def do(client: Client, verb: str, *objects: Any, model: str = "user", **fields: str) -> Any:
    """Confirm a verb for some objects."""
    ids = ",".join(str(each.pk) for each in objects)
    body = {"ids": ids, "confirmed": "yes", **fields}
    return client.post(f"/admin/accounts/{model}/do/{verb}/", body, follow=True)


def told(response: Any) -> list[str]:
    """Return the messages of a page."""
    return [str(message) for message in response.context["messages"]]


def listed(response: Any) -> list[str]:
    """Return what a list shows, each as its name, in no order."""
    return sorted(str(each) for each in response.context["cl"].result_list)
