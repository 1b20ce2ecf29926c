"""Every page and message of the admin site is in Chinese where the browser asks for it."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from accounts.models import AttemptBudget, Message, Session, User
from accounts.tests import admin_client
from accounts.tests.admin.conftest import message_texts
from accounts.tests.tools import ELSEWHERE, PASSWORD, Api
from audit.events import Event, FailureReason
from audit.models import LoginAttempt, SecurityEvent

pytestmark = pytest.mark.django_db

# Three words of Latin letters in a row are a sentence; names of programs and of columns in files are not.
SENTENCE = re.compile(r"[A-Za-z]{2,}(?:,? [a-z]{2,}){2,}")
# What is shown as it was received or stored.
RAW = re.compile(r"<(script|style|pre|head)\b.*?</\1>|<[^>]*>|Firefox on a ward computer", re.DOTALL)
ATTRIBUTE = re.compile(r'\b(?:title|alt|aria-label|placeholder|value)="([^"]*)"')
# Pages that need a state of their own, which tests of second factors render; or that are no pages.
OTHERS = re.compile(
    r"login/|logo$|jsi18n|language|second-factors/.+|logout|export|/do/|autocomplete|^r/|delete|template"
)


def english(page: str) -> list[str]:
    """Return the sentences in Latin letters that a page shows, or has in its attributes."""
    return SENTENCE.findall(RAW.sub("\n", page)) + [
        found for value in ATTRIBUTE.findall(page) for found in SENTENCE.findall(value)
    ]


def paths(resolver: URLResolver, prefix: str = "") -> list[str]:
    """Return the paths of the admin site, with a placeholder for the key of an object."""
    found: list[str] = []
    for pattern in resolver.url_patterns:
        path = prefix + re.sub(r"<[^>]*>", "KEY", str(pattern.pattern))
        found += paths(pattern, path) if isinstance(pattern, URLResolver) else [path]
    return found


@pytest.fixture
def site(root: User, alice: User) -> Client:
    """A superuser's browser, with a row in every list."""
    Api().tokens()
    for _ in range(5):
        Api(ELSEWHERE).login(password="wrong")
        Api(ELSEWHERE).login("nobody", password="wrong")
    Api().post("request-reset-code", {"identifier": "alice", "channel": "email", "contact": "alice@hospital.example"})
    for event in Event:
        SecurityEvent.objects.create(event=event, user=alice, actor=root, contract="admin", detail={})
    for reason in FailureReason:
        LoginAttempt.objects.create(identifier="x", status="failed", failure_reason=reason, contract="union")
    return admin_client.logged_in(root, headers={"Accept-Language": "zh-CN"})


def keys() -> dict[str, Any]:
    models = (User, Session, AttemptBudget, Message, LoginAttempt, SecurityEvent)
    held = {model._meta.model_name: model._default_manager.order_by("pk") for model in models}
    locked = AttemptBudget.objects.filter(locked_until__gt=timezone.now()).order_by("pk")
    return {str(name): rows.values_list("pk", flat=True)[0] for name, rows in {**held, "attemptbudget": locked}.items()}


def test_no_page_has_an_english_sentence(site: Client) -> None:
    of_site = next(
        each for each in get_resolver().url_patterns if isinstance(each, URLResolver) and str(each.pattern) == "admin/"
    )
    objects, seen, faults = keys(), [], {}
    for path in sorted({path for path in paths(of_site) if not OTHERS.search(path) and "(" not in path}):
        model = path.split("/")[1] if "KEY" in path else ""
        answer = site.get(f"/admin/{path.replace('KEY', str(objects.get(model, 1)))}")
        if answer.status_code != 200:
            continue
        seen.append(path)
        if found := english(answer.content.decode()):
            faults[path] = found
    assert (faults, len(seen) >= 20) == ({}, True)


def post(site: Client, path: str, **fields: Any) -> Any:
    return site.post(f"/admin/{path}", fields, follow=True)


def test_no_message_is_an_english_sentence(site: Client, alice: User, root: User) -> None:
    users, ids = "accounts/user", {"ids": f"{alice.pk},{root.pk}", "confirmed": "yes", "reason": "误报"}
    answers = [post(site, f"{users}/do/{name}/", **ids) for name in ("approve", "reject", "deactivate", "activate")]
    answers += [post(site, f"{users}/do/{name}/", **ids) for name in ("unlock", "send-code", "send-code")]
    answers += [post(site, f"{users}/do/end-sessions/", **{**ids, "ids": str(alice.pk)})]
    answers += [post(site, f"{users}/do/remove-second-factors/", **ids)]
    answers += [post(site, f"{users}/do/change-role/", **ids, choice=role) for role in ("viewer", "doctor", "")]
    answers += [post(site, f"{users}/do/{name}-group/", **ids, choice="auditors") for name in ("grant", "revoke")]
    wrong = {"username": "a b", "email": "zhang@hospital", "phone": "1", "role": "boss", "full_name": "x" * 200}
    answers += [post(site, f"{users}/add/", **wrong), post(site, f"{users}/add/")]
    answers += [post(site, f"{users}/add/", username="alice", role="doctor")]
    answers += [post(site, f"{users}/add/", username="newcomer", role="doctor")]
    for old, new in [("wrong", "x"), (PASSWORD, "short"), (PASSWORD, "password"), ("", "")]:
        fields = {"old_password": old, "new_password1": new, "new_password2": f"{new}y"}
        answers.append(post(site, "password_change/", **fields))
    answers += [site.get(f"/admin/{path}", follow=True) for path in (f"{users}/999999/change/", f"{users}/?e=1")]
    for rows in ("用户名,角色\nalice,护士\na b,医生\n,", "姓名\n李", "x"):
        answers.append(post(site, f"{users}/import/", file=SimpleUploadedFile("staff.csv", rows.encode())))
    texts = [text for answer in answers for text in message_texts(answer)]
    assert len(texts) > 12
    faults = [found for answer in answers for found in english(answer.content.decode())]
    assert faults + [text for text in texts if SENTENCE.search(text.replace("alice", ""))] == []
