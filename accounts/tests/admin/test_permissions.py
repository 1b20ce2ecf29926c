"""The admin site's permissions: the status code by user, method and page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import AUDITORS, Role, User
from accounts.tests.admin.conftest import logged_in
from accounts.tests.tools import ELSEWHERE, PASSWORD, Api
from audit.models import LoginAttempt, SecurityEvent

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

# The status codes for a superuser, an administrator, an auditor and any other user.
PAGES: dict[tuple[str, str], tuple[int, int, int, int]] = {
    ("GET", "accounts/user/"): (200, 200, 403, 302),
    ("GET", "accounts/user/{alice}/change/"): (200, 200, 403, 302),
    ("GET", "accounts/user/{root}/change/"): (200, 200, 403, 302),
    ("POST", "accounts/user/{root}/change/"): (200, 403, 403, 302),
    ("GET", "accounts/user/add/"): (200, 200, 403, 302),
    ("POST", "accounts/user/{alice}/delete/"): (403, 403, 403, 302),
    ("GET", "accounts/user/import/"): (200, 200, 403, 302),
    ("POST", "accounts/user/export/csv/"): (200, 200, 403, 302),
    ("POST", "accounts/user/export/xlsx/"): (200, 200, 403, 302),
    ("POST", "accounts/user/do/deactivate/"): (200, 200, 403, 302),
    ("POST", "accounts/user/do/end-sessions/"): (200, 200, 403, 302),
    ("POST", "accounts/user/do/remove-second-factors/"): (200, 200, 403, 302),
    ("POST", "accounts/user/do/send-code/"): (200, 200, 403, 302),
    ("GET", "second-factors/"): (200, 200, 200, 302),
    ("POST", "second-factors/add/"): (200, 200, 200, 302),
    ("POST", "accounts/user/do/nothing/"): (403, 403, 403, 302),
    ("GET", "accounts/session/"): (200, 200, 403, 302),
    ("GET", "accounts/session/add/"): (403, 403, 403, 302),
    ("GET", "accounts/message/"): (200, 200, 403, 302),
    ("GET", "audit/loginattempt/"): (200, 200, 200, 302),
    ("GET", "audit/loginattempt/{attempt}/change/"): (200, 200, 200, 302),
    ("POST", "audit/loginattempt/{attempt}/change/"): (403, 403, 403, 302),
    ("POST", "audit/loginattempt/{attempt}/delete/"): (403, 403, 403, 302),
    ("GET", "audit/loginattempt/add/"): (403, 403, 403, 302),
    ("POST", "audit/loginattempt/export/"): (200, 200, 200, 302),
    ("GET", "audit/securityevent/"): (200, 200, 200, 302),
    ("GET", "audit/securityevent/{event}/change/"): (200, 200, 200, 302),
    ("POST", "audit/securityevent/{event}/change/"): (403, 403, 403, 302),
    ("POST", "audit/securityevent/{event}/delete/"): (403, 403, 403, 302),
    ("POST", "audit/securityevent/export/"): (200, 200, 200, 302),
    ("GET", "auth/group/"): (404, 404, 404, 302),
    ("GET", "auth/group/add/"): (404, 404, 404, 302),
}
USERNAMES = ("root", "head", "audrey", "bob")


@pytest.fixture
def path_of(alice: User, root: User) -> Callable[[str], str]:
    tokens = Api().tokens()
    Api(ELSEWHERE).post("refresh", {"refresh_token": tokens["refresh_token"]})
    keys = {
        "alice": alice.pk,
        "root": root.pk,
        "attempt": LoginAttempt.objects.values_list("pk", flat=True)[0],
        "event": SecurityEvent.objects.values_list("pk", flat=True)[0],
    }
    return lambda path: f"/admin/{path.format(**keys)}"


def status(site: Client, method: str, path: str, selected: User) -> int:
    response = site.post(path, {"ids": str(selected.pk)}) if method == "POST" else site.get(path)
    # Reading a download to its end closes it.
    b"".join(response)
    return response.status_code


@pytest.mark.parametrize(("number", "who"), list(enumerate(USERNAMES)))
def test_each_user_gets_the_permitted_pages(
    path_of: Callable[[str], str], root: User, head: User, auditor: User, bob: User, alice: User, number: int, who: str
) -> None:
    site = logged_in(User.objects.get(username=who))
    got = {(method, path): status(site, method, path_of(path), alice) for method, path in PAGES}
    assert got == {key: statuses[number] for key, statuses in PAGES.items()}


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMIN])
def test_no_other_role_may_enter(db: None, role: str) -> None:
    user = User.objects.create_user("carol", None, PASSWORD, role=role)
    assert logged_in(user).get("/admin/").status_code == 302


def test_an_auditor_sees_only_the_trail(auditor: User) -> None:
    apps: Any = logged_in(auditor).get("/admin/").context["available_apps"]
    assert [(app["app_label"], [model["object_name"] for model in app["models"]]) for app in apps] == [
        ("audit", ["LoginAttempt", "SecurityEvent"])
    ]


def test_an_auditor_reads_the_trail_alone_through_the_api(auditor: User) -> None:
    token = Api().tokens("audrey")["access_token"]
    assert [Api().get(verb, token).status_code for verb in ("users", "login-attempts")] == [403, 200]


def test_an_auditor_sees_names_without_links(auditor: User, alice: User) -> None:
    Api().tokens()
    page = logged_in(auditor).get("/admin/audit/loginattempt/").content.decode()
    assert "alice" in page
    assert f"/admin/accounts/user/{alice.pk}/" not in page


def test_an_administrator_sees_names_with_links(staff_client: Client, alice: User) -> None:
    Api().tokens()
    page = staff_client.get("/admin/audit/loginattempt/").content.decode()
    assert f'<a href="/admin/accounts/user/{alice.pk}/change/">alice</a>' in page


def test_auditors_have_view_permissions_only(db: None) -> None:
    names = Group.objects.get(name=AUDITORS).permissions.values_list("codename", flat=True)
    assert sorted(names) == ["view_loginattempt", "view_securityevent"]
