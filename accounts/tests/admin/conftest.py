from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import AUDITORS, User
from accounts.tests.tools import HERE, PASSWORD
from audit.models import SecurityEvent


def logged_in(user: User) -> Client:
    client = Client(REMOTE_ADDR=HERE, headers={"Accept-Language": "en"})
    client.post("/admin/login/?next=/admin/", {"username": user.username, "password": PASSWORD})
    return client


@pytest.fixture
def staff_client(head: User) -> Client:
    """A client that is logged in as an administrator."""
    return logged_in(head)


@pytest.fixture
def superuser_client(root: User) -> Client:
    """A client that is logged in as a superuser."""
    return logged_in(root)


@pytest.fixture
def auditor(db: None) -> User:
    """A researcher in the auditors' group."""
    user: User = User.objects.create_user("audrey", None, PASSWORD, role="researcher")
    user.groups.add(Group.objects.get(name=AUDITORS))
    return user


def run_action(client: Client, action: str, *objects: Any, model: str = "user", **fields: str) -> Any:
    """Perform a confirmed action on some objects."""
    ids = ",".join(str(each.pk) for each in objects)
    body = {"ids": ids, "confirmed": "yes", **fields}
    return client.post(f"/admin/accounts/{model}/do/{action}/", body, follow=True)


def message_texts(response: Any) -> list[str]:
    """Return the texts of a page's messages."""
    return [str(message) for message in response.context["messages"]]


def result_names(response: Any) -> list[str]:
    """Return the names of the objects in a list, sorted."""
    return sorted(str(each) for each in response.context["cl"].result_list)


def events(*names: str) -> list[tuple[Any, ...]]:
    """Return the events of these names at the admin site: name, ids of the user and the actor, and detail."""
    found = SecurityEvent.objects.filter(contract="admin", event__in=names).order_by("id")
    return list(found.values_list("event", "user", "actor", "detail"))
