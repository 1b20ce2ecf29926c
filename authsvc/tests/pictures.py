"""The pages that the documentation pictures, of fixed people at a fixed time, and their pictures by a real browser."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import time_machine
from django.contrib.staticfiles import finders
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import translation
from django.views.i18n import JavaScriptCatalog
from playwright.sync_api import Route

from accounts.management.commands.seed import PEOPLE
from accounts.models import AttemptBudget, Session, User
from accounts.tests import admin_client
from audit import trail_checks
from audit.models import LoginAttempt, SecurityEvent, TrailCheck
from authsvc.tests.browser import WIDTH, open_browser
from authsvc.tests.module_map import ROOT

FOLDER: Final = ROOT / "docs/pictures"
# Half past ten in Shanghai.
NOW: Final = datetime(2026, 3, 10, 2, 30, tzinfo=UTC)
MAX_BYTES: Final = 150_000
# The picture has the top of a long page.
_MAX_HEIGHT: Final = 780
_ADDRESS: Final = "http://localhost"
_CHROME: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
# Besides those of document 000: who awaits approval, who is locked, and who is here for half a year.
_OTHERS: Final[list[dict[str, Any]]] = [
    {"username": "nurse_chen", "full_name": "陈护士", "role": "viewer", "department": "呼吸科", "job_title": "护士"},
    {"username": "pharm_sun", "full_name": "孙药师", "role": "pharmacy", "department": "药剂科", "job_title": "药师"},
    {"username": "tech_zhao", "full_name": "赵技师", "role": "viewer", "department": "放射科", "job_title": "技师"},
]
_CONTRACTS: Final = {"dr_wang": "hospital", "dr_li": "portal"}
_STAFF_LIST: Final = """用户名,姓名,手机,部门,角色,职务,结束日期
nurse_lin,林护士,13800138001,呼吸科,只读用户,护士,
trainee_xu,许医生,13800138002,呼吸科,医生,进修医师,2026年8月31日
dr_wang,王医生,13800138003,呼吸科,医生,,
dr_he,何医生,1380013,急诊科,医生,,2026/12/31
"""
_HIDDEN: Final = re.compile(r"<(script|style|head|template)\b.*?</\1>|<!--.*?-->", re.DOTALL)
_INPUT: Final = re.compile(r'<input\b(?![^>]*type="(?:hidden|checkbox|password)")[^>]*?\bvalue="([^"]*)"[^>]*>')


def visible_text(page: str) -> str:
    """Return the text of an HTML page and of its fields, a line for each piece."""
    shown = re.sub(r"<[^>]*>", "\n", _INPUT.sub(r"\n\1\n", _HIDDEN.sub("", page)))
    return "".join(f"{line}\n" for line in map(str.strip, unescape(shown).splitlines()) if line)


def render() -> dict[str, HttpResponse]:
    """Return each pictured page by its name, of an otherwise empty database."""
    with time_machine.travel(NOW, tick=False):
        people = _people()
        _trail(people)
        _sessions(people)
        client = admin_client.logged_in(people["admin"], headers={"Accept-Language": "zh-CN"})
        staff_list = SimpleUploadedFile("staff.csv", _STAFF_LIST.encode())
        pages = {
            "first-page": "/admin/",
            "users": "/admin/accounts/user/",
            "person": f"/admin/accounts/user/{people['pharm_sun'].pk}/change/",
            "sessions": "/admin/accounts/session/",
            "locks": "/admin/accounts/attemptbudget/",
            "login-attempts": "/admin/audit/loginattempt/",
            "event": "/admin/audit/securityevent/2/change/",
        }
        return {
            **{name: _whole(client.get(path)) for name, path in pages.items()},
            "staff-import": _whole(client.post("/admin/accounts/user/import/", {"file": staff_list})),
            "password": _whole(Client(headers={"Accept-Language": "zh-CN"}).get("/password")),
        }


def save(pages: dict[str, HttpResponse], folder: Path = FOLDER) -> list[str]:
    """Write the picture and the text of each page; returns the faults that the browser reports of them."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()

    with translation.override("zh-hans"):
        catalogue = JavaScriptCatalog.as_view(packages=["django.contrib.admin"])(RequestFactory().get("/"))
    answers: dict[str, Any] = {**{f"/{name}": page for name, page in pages.items()}, "/admin/jsi18n/": catalogue}

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if page := answers.get(path):
            route.fulfill(status=page.status_code, headers=dict(page.items()), body=page.content)
        else:
            route.fulfill(path=finders.find(path.removeprefix("/static/")) or "")

    with open_browser(_ADDRESS, "zh-CN", folder) as checked:
        checked.page.route("**/*", answer)
        for name, page in pages.items():
            (folder / f"{name}.txt").write_text(visible_text(page.content.decode()), encoding="utf-8")
            checked.page.goto(f"/{name}")
            height = min(_MAX_HEIGHT, checked.page.evaluate("document.documentElement.scrollHeight"))
            clip: Any = {"x": 0, "y": 0, "width": WIDTH, "height": height}
            checked.page.screenshot(path=folder / f"{name}.png", full_page=True, clip=clip)
        return checked.faults


def _whole(response: Any) -> HttpResponse:
    assert response.status_code == 200, response.status_code
    return response  # type: ignore[no-any-return]


def _people() -> dict[str, User]:
    """Create everybody, with numbers that no other test changes."""
    found = {}
    for number, person in enumerate([*PEOPLE, *_OTHERS], start=1):
        user = User(pk=number, **person, created_at=NOW - timedelta(days=number), password_changed_at=NOW)
        user.last_login = NOW - timedelta(hours=number)
        user.set_unusable_password()
        found[user.username] = user
    found["admin"].is_superuser = True
    found["tech_zhao"].awaits_approval, found["tech_zhao"].last_login = True, None
    found["pharm_sun"].email, found["pharm_sun"].phone = "sun@hospital.com", "13800138009"
    found["pharm_sun"].valid_until = (NOW + timedelta(days=10)).date()
    for user in found.values():
        user.save()
    return found


def _trail(people: dict[str, User]) -> None:
    def attempt(username: str, hours: float, reason: str = "") -> None:
        LoginAttempt.objects.create(
            user=people.get(username),
            identifier=username,
            status="failed" if reason else "success",
            failure_reason=reason,
            contract=_CONTRACTS.get(username, "native"),
            ip=f"10.0.8.{10 + len(username)}",
            user_agent=_CHROME if username in _CONTRACTS else "",
            at=NOW - timedelta(hours=hours),
        )

    for day in range(13, 0, -1):
        for hour in range(2 + day * 5 % 4):
            attempt("dr_li" if day % 2 else "nurse_chen", day * 24 + hour)
        if day % 3 == 0:
            attempt("dr_li", day * 24 + 1, "wrong_password")
    for hours in (20, 19, 3, 2.5, 2, 1.5):
        attempt("dr_li", hours)
    attempt("old_name", 1.2, "unknown_user")
    attempt("dr_wang", 0.2)
    attempt("nurse_chen", 0.1)
    for minutes in range(5, 0, -1):
        attempt("pharm_sun", minutes / 60, "wrong_password")
    until = NOW + timedelta(minutes=14)
    budget = {"count": 5, "locked_until": until, "expires_at": until}
    AttemptBudget.objects.create(
        pk=1, purpose="login", account_id=people["pharm_sun"].pk, address="10.0.8.19", **budget
    )
    AttemptBudget.objects.create(pk=2, purpose="address", address="203.0.113.9", **{**budget, "count": 50})
    _event(1, "user:locked", people["pharm_sun"], None, {"cause": "login", "address": "10.0.8.19"})
    changes = {
        "old": {"department": "呼吸科", "job_title": "", "phone": "138****8000"},
        "new": {"department": "药剂科", "job_title": "药师", "phone": "138****8009"},
    }
    _event(2, "user:changed", people["pharm_sun"], people["admin"], {"fields": list(changes["new"]), **changes})
    trail_checks.store(TrailCheck.Kind.VERIFIED, at=NOW - timedelta(hours=7), intact=True, result={})


def _event(number: int, event: str, user: User, actor: User | None, detail: dict[str, Any]) -> None:
    origin = {"contract": "admin" if actor else "native", "ip": "10.0.8.15", "user_agent": _CHROME}
    at = NOW - timedelta(minutes=number)
    SecurityEvent.objects.create(pk=number, event=event, user=user, actor=actor, detail=detail, at=at, **origin)


def _sessions(people: dict[str, User]) -> None:
    for username, minutes, new in (
        ("dr_wang", 12, False),
        ("nurse_chen", 6, True),
        ("dr_li", 90, False),
    ):
        since = NOW - timedelta(minutes=minutes)
        Session.objects.create(
            user=people[username],
            stamp=people[username].stamp,
            contract=_CONTRACTS.get(username, "native"),
            ip=f"10.0.8.{10 + len(username)}",
            from_new_address=new,
            user_agent=_CHROME,
            created_at=since,
            last_seen_at=NOW - timedelta(minutes=1),
            rotated_at=since,
            expires_at=NOW + timedelta(hours=1),
            latest_end_at=NOW + timedelta(hours=1),
        )
