"""Errors of the admin site: pages in its own looks and in the language of the browser."""

from typing import Any

import pytest
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import OperationalError
from django.http import Http404
from django.test import Client

from accounts.models import User
from accounts.tests import admin_client

pytestmark = [pytest.mark.any_database, pytest.mark.django_db]

CHINESE = {"Accept-Language": "zh-CN"}


@pytest.mark.parametrize(
    ("error", "status", "heading"),
    [
        (BadRequest("a secret"), 400, "请求无法处理"),
        (PermissionDenied("a secret"), 403, "您无权访问此页"),
        (Http404("a secret"), 404, "页面不存在"),
        (ZeroDivisionError("a secret"), 500, "系统出错"),
        (OperationalError("a secret"), 503, "服务暂不可用"),
    ],
)
def test_an_error_is_a_page(monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, heading: str) -> None:
    def fail(*args: Any) -> None:
        raise error

    monkeypatch.setattr("authsvc.middleware.form_charset.FormCharsetMiddleware.__call__", fail)
    answer = Client(raise_request_exception=False, headers=CHINESE).get("/admin/accounts/user/")
    page = answer.content.decode()
    assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (
        status,
        "text/html; charset=utf-8",
        "no-store",
    )
    assert f"<h1>{heading}</h1>" in page
    assert answer["X-Request-ID"] in page
    assert "secret" not in page


def test_a_page_without_permission_and_one_that_does_not_exist(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(role="admin")
    site = admin_client.logged_in(User.objects.get(pk=alice.pk), headers=CHINESE)
    forbidden, missing = site.get("/admin/accounts/session/add/"), site.get("/admin/nothing/")
    assert [(page.status_code, "<h1>" in page.content.decode()) for page in (forbidden, missing)] == [
        (403, True),
        (404, True),
    ]


def test_a_form_without_its_csrf_token_says_that_the_page_has_expired() -> None:
    answer = Client(enforce_csrf_checks=True, headers=CHINESE).post("/admin/login/?next=/admin/accounts/user/")
    page = answer.content.decode()
    assert (answer.status_code, "<h1>页面已过期</h1>" in page) == (403, True)
    assert 'href="/admin/login/?next=/admin/accounts/user/"' in page
