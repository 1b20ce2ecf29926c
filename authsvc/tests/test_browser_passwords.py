"""The link of an activation in a real browser: what its script does with the secret."""

from pathlib import Path

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.services import recovery
from accounts.tests.messages import last
from accounts.tests.tools import Api
from audit.origin import CONSOLE
from authsvc.tests.browser import in_thread, open_browser

pytestmark = [pytest.mark.any_database, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


def test_the_secret_goes_from_the_address_into_the_form_and_sets_a_password(
    live_server: LiveServer, root: User, tmp_path: Path
) -> None:
    nurse = User(username="nurse", email="nurse@hospital.example", role="viewer")
    nurse.set_unusable_password()
    nurse.vouch()
    nurse.save()
    recovery.send_code(user=nurse, actor=root, origin=CONSOLE)
    token = last()["link"]
    with open_browser(live_server.url, "zh-CN", tmp_path) as checked:
        page = checked.page
        page.goto("/password")
        checked.check("password-request", "[name=identifier]")
        page.get_by_role("link", name="已有验证码").click()
        checked.check("password-code", "[name=code]")
        page.goto("/password/link")
        checked.check("password-link-incomplete", ".link-note")
        # Only the fragment differs: the browser loads nothing.
        page.goto(f"/password/link#{token}")
        checked.check("password-link", "#link-form")
        assert token not in page.evaluate("location.href")
        page.set_viewport_size({"width": 390, "height": 800})
        page.locator("[name=new_password]").fill("Another-horse-8")
        page.locator("[name=repeated]").fill("Another-horse-8")
        page.get_by_role("button", name="设置密码").click()
        expect(page.get_by_text("nurse")).to_be_visible()
        checked.check("password-set", "[role=status]")
        assert checked.faults == []
    assert in_thread(lambda: Api().login("nurse", "Another-horse-8").status_code) == 200
