"""The language of the native contract's messages: the one that `Accept-Language` prefers."""

import re
from typing import Any

import pytest
from django.utils import translation

from accounts.contracts.error_answers import error_answer
from accounts.contracts.native.contract import CONTRACT
from accounts.contracts.schema.errors import sample
from accounts.errors import InvalidInput
from accounts.models import User
from accounts.tests.contracts.clients import CLIENTS, NATIVE, ContractClient
from accounts.tests.tools import Api

pytestmark = [pytest.mark.any_database, pytest.mark.django_db]

CHINESE = re.compile(r"[\u4e00-\u9fff]")
CHINESE_BROWSER = "zh-CN,zh;q=0.9,en;q=0.8"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("en-GB", "en"),
        (CHINESE_BROWSER, "zh-hans"),
        ("zh-Hans", "zh-hans"),
        ("fr, en;q=0.4, zh;q=0.5", "zh-hans"),
        ("zh;q=0, en;q=0.1", "en"),
        ("fr", "en"),
        ("*", "en"),
        ("rubbish;;q=x", "en"),
        ("", "en"),
    ],
)
def test_an_error_is_in_the_preferred_language_and_says_so(api: Api, accepted: str, language: str) -> None:
    response = api.post("login", {}, **{"Accept-Language": accepted})
    details = {"en": "Some fields are missing or invalid; see errors.", "zh-hans": "部分字段缺失或无效，详见 errors。"}
    assert (response["Content-Language"], response["Vary"], response.json()["detail"]) == (
        language,
        "Accept-Language, origin",
        details[language],
    )


def test_a_whole_problem_in_chinese(api: Api) -> None:
    assert api.post("login", {"username": 7}, **{"Accept-Language": "zh"}).json() == {
        "type": "about:blank",
        "title": "请求有误",
        "status": 400,
        "detail": "部分字段缺失或无效，详见 errors。",
        "code": "invalid_input",
        "errors": {
            "username": [{"code": "invalid", "detail": "不是有效的字符串。"}],
            "password": [{"code": "required", "detail": "该字段是必填项。"}],
        },
    }


@pytest.mark.parametrize("error", CONTRACT.errors, ids=lambda error: error.__name__)
def test_every_error_has_a_chinese_message(error: type[BaseException]) -> None:
    occurred = InvalidInput({}) if error is InvalidInput else sample(error)
    body = error_answer(CONTRACT, occurred, "zh").body
    assert [text for text in (body["title"], body["detail"]) if not CHINESE.search(text)] == []


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("register", {"username": "a b", "email": "a@b", "password": "1", "phone": "x", "role": "admin"}),
        ("register", {"username": "administrator", "email": "x" * 255, "password": "x" * 129, "full_name": None}),
        ("register", {"username": "", "email": "\0", "password": [], "role": "\ud800"}),
        ("request-reset-code", {"identifier": "alice", "channel": "pigeon", "contact": ""}),
        ("request-reset-code", {"identifier": "alice", "channel": "phone", "contact": "1"}),
        ("login/second-factor", {"mfa_token": "x", "method": "totp"}),
        ("login", b"[1,]"),
        ("login", b"[]"),
    ],
    ids=str,
)
def test_every_problem_of_a_field_is_in_chinese(api: Api, verb: str, body: Any) -> None:
    problem = api.post(verb, body, **{"Accept-Language": CHINESE_BROWSER}).json()
    details = [item["detail"] for items in problem.get("errors", {}).values() for item in items]
    assert [text for text in (problem["detail"], *details) if not CHINESE.search(text)] == []


def test_a_message_with_a_bound_does_not_keep_the_language_of_its_first_reader(api: Api) -> None:
    answers = [api.post("login", {"username": "x" * 300}, **{"Accept-Language": each}) for each in ("en", "zh", "en")]
    assert [answer.json()["errors"]["username"][0]["detail"] for answer in answers] == [
        "Ensure this field has no more than 254 characters.",
        "请确保这个字段不能超过 254 个字符。",
        "Ensure this field has no more than 254 characters.",
    ]


def test_every_problem_of_a_query_is_in_chinese(api: Api, head: User) -> None:
    token = api.tokens("head")["access_token"]
    queries = [
        "users?role=?&is_active=?&ordering=?",
        "users?page=x",
        "login-attempts?since=x&ip=x&contract=x&username=%00",
    ]
    problems = [api.get(query, token, **{"Accept-Language": "zh"}).json() for query in queries]
    details = [item["detail"] for problem in problems for items in problem["errors"].values() for item in items]
    assert (len(details), [text for text in details if not CHINESE.search(text)]) == (8, [])


def test_a_success_activates_no_language(api: Api, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    token = api.tokens()["access_token"]
    monkeypatch.setattr(translation, "activate", lambda language: pytest.fail(language))
    changed = api.call("PATCH", "/api/auth/me", {"nickname": "Ally"}, token, **{"Accept-Language": "zh"})
    read = api.get("sessions", token, **{"Accept-Language": "zh"})
    assert [(each.status_code, each.get("Content-Language"), each["Vary"]) for each in (changed, read)] == [
        (200, None, "origin"),
        (200, None, "origin"),
    ]


@pytest.mark.parametrize("caller", [client for client in CLIENTS if client is not NATIVE], ids=lambda each: each.name)
def test_the_messages_of_a_document_depend_on_no_header(caller: ContractClient, alice: User) -> None:
    answers = [
        caller.call("POST", verb, body, None, **{"Accept-Language": accepted})
        for accepted in ("en", CHINESE_BROWSER)
        for verb, body in (("login", {**caller.login_fields, "password": "wrong"}), ("register", {}))
    ]
    assert [answer.content for answer in answers[:2]] == [answer.content for answer in answers[2:]]
    assert {(answer.get("Content-Language"), answer["Vary"]) for answer in answers} == {(None, "origin")}
