"""The facts about each contract that its tests need: a new contract declares one `ContractClient` and adds it here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.contracts.clinic.tokens import ACCESS as CLINIC_ACCESS
from accounts.contracts.hospital.tokens import ACCESS as HOSPITAL_ACCESS
from accounts.contracts.native.tokens import ACCESS as NATIVE_ACCESS
from accounts.contracts.portal.tokens import ACCESS as PORTAL_ACCESS
from accounts.contracts.union.tokens import ACCESS as UNION_ACCESS
from accounts.policies import TokenPolicy
from accounts.tests.tools import PASSWORD, Api

Token = Callable[[dict[str, Any]], str]
Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Errors:
    """The status and the whole body of each error that the contracts' shared code raises."""

    wrong_credentials: Answer
    malformed_body: Answer
    body_too_large: Answer
    unsupported_media_type: Answer
    # An `Authorization` header of another scheme, and a token that is none of this contract's.
    not_bearer: Answer
    invalid_token: Answer
    # The database is away or read-only, or the signing keys cannot be read.
    unavailable: Answer


@dataclass(frozen=True)
class ContractClient:
    """One contract, as a client that has read its document uses it.

    `login_fields` is the body of alice's login without the password, `unknown_login_fields` that of a login that finds
    no account. `registration` is a complete body without the password. `public_roles` are the roles that a
    registration may ask for; where it may ask for none, everybody becomes `default_role`. `token` finds the access
    token in the body of a login, `policy` signs it, and `refresh_path` is empty where the contract has no refresh.
    `lists` are the paths of its lists and the query parameter of each that sets the page's size.
    """

    name: str
    mount: str
    me: str
    policy: TokenPolicy
    token: Token
    login_fields: dict[str, Any]
    unknown_login_fields: dict[str, Any]
    registration: dict[str, Any]
    default_role: str
    errors: Errors
    public_roles: frozenset[str] = frozenset()
    refresh_path: str = ""
    lists: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    registered_status: int = 200
    # The status of an answer without content.
    done_status: int = 200
    taken_status: int = 400
    # After the right password of an account that is disabled or awaits approval.
    inactive_account_status: int = 403
    # With the token of an ended session, of a deleted user, and of a refresh that is refused.
    ended_session_status: int = 401
    deleted_user_status: int = 401
    refused_refresh_status: int = 401

    def call(self, method: str, path: str, body: object = None, token: str | None = None, **headers: str) -> Any:
        return Api().call(method, f"/{self.mount}/{path}", body, token, **headers)

    def send(self, path: str, body: bytes, content_type: str) -> Any:
        """Post a body as it is."""
        return Api().client.generic("POST", f"/{self.mount}/{path}", body, content_type=content_type)

    def login(self, password: str = PASSWORD, **changes: Any) -> Any:
        return self.call("POST", "login", {**self.login_fields, "password": password, **changes})

    def log_in(self) -> str:
        """Return a new access token of alice."""
        response = self.login()
        assert response.status_code == 200, response.content
        return self.token(response.json())

    def register(self, password: str = PASSWORD, **changes: Any) -> Any:
        return self.call("POST", "register", {**self.registration, "password": password, **changes})

    def get_me(self, token: str | None, **headers: str) -> Any:
        """Return the answer about the current user."""
        return self.call("GET", self.me, None, token, **headers)


def _data(name: str) -> Token:
    return lambda body: str(body["data"][name])


def _problem(status: int, title: str, code: str, detail: str) -> Answer:
    return status, {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}


def _message(status: int, message: str) -> Answer:
    return status, {"success": False, "message": message}


def _union(status: int, message: str, code: int = 0) -> Answer:
    return status, {"success": False, "code": code or status, "message": message, "data": None}


def _portal(status: int, message: str) -> Answer:
    return status, {"code": status, "message": message, "data": None}


def _detail(status: int, detail: str) -> Answer:
    return status, {"detail": detail}


NATIVE = ContractClient(
    name="native",
    mount="api/auth",
    me="me",
    policy=NATIVE_ACCESS,
    token=lambda body: str(body["access_token"]),
    login_fields={"username": "alice"},
    unknown_login_fields={"username": "nobody"},
    registration={"username": "carol", "email": "carol@hospital.example", "phone": "13912345678", "full_name": "Carol"},
    default_role="unauth",
    public_roles=frozenset({"pharmacy", "supplier", "logistics", "regulator", "unauth"}),
    errors=Errors(
        wrong_credentials=_problem(
            401, "Unauthorized", "invalid_credentials", "The user name or the password is wrong."
        ),
        malformed_body=_problem(400, "Bad Request", "malformed_body", "The JSON is not an object."),
        body_too_large=_problem(
            413,
            "Request Entity Too Large",
            "body_too_large",
            "The body is larger than this service accepts.",
        ),
        unsupported_media_type=_problem(
            415, "Unsupported Media Type", "unsupported_media_type", "Send the body as application/json."
        ),
        not_bearer=_problem(
            401, "Unauthorized", "token_missing", "Send the access token as Authorization: Bearer <token>."
        ),
        invalid_token=_problem(401, "Unauthorized", "token_invalid", "This token is not valid here. Log in again."),
        unavailable=_problem(
            503, "Service Unavailable", "unavailable", "The service is unavailable. Try again in a moment."
        ),
    ),
    refresh_path="refresh",
    lists={"users": "page_size", "login-attempts": "page_size", "sessions": "page_size"},
    media_type="application/problem+json",
    registered_status=201,
    done_status=204,
    taken_status=409,
)
HOSPITAL = ContractClient(
    name="hospital",
    mount="hospital/api/auth",
    me="profile",
    policy=HOSPITAL_ACCESS,
    token=_data("token"),
    login_fields={"username": "alice"},
    unknown_login_fields={"username": "nobody"},
    registration={
        "username": "carol",
        "email": "carol@hospital.example",
        "phone": "13912345678",
        "full_name": "Carol Li",
        "department": "药房",
    },
    default_role="doctor",
    public_roles=frozenset({"doctor", "researcher", "viewer"}),
    errors=Errors(
        wrong_credentials=_message(401, "Invalid username or password"),
        malformed_body=_message(400, "Invalid JSON"),
        body_too_large=_message(413, "Request body is too large"),
        unsupported_media_type=_message(415, "Content-Type must be application/json"),
        not_bearer=_message(401, "Invalid token format"),
        invalid_token=_message(401, "Invalid token"),
        unavailable=_message(503, "Service is unavailable, try again in a moment"),
    ),
    lists={"users": "per_page"},
    inactive_account_status=401,
)
UNION = ContractClient(
    name="union",
    mount="api/v1/auth",
    me="user/info",
    policy=UNION_ACCESS,
    token=_data("token"),
    login_fields={"phone": "13800138000", "userType": "DOCTOR"},
    unknown_login_fields={"phone": "13900139000"},
    registration={"username": "carol", "phone": "13912345678", "role": "DOCTOR"},
    default_role="doctor",
    public_roles=frozenset({"patient", "doctor"}),
    errors=Errors(
        wrong_credentials=_union(401, "用户名或密码错误", 1002),
        malformed_body=_union(400, "请求参数错误：请求体不是有效的JSON对象"),
        body_too_large=_union(413, "请求体过大"),
        unsupported_media_type=_union(415, "请求体类型必须是application/json"),
        not_bearer=_union(401, "未授权访问"),
        invalid_token=_union(401, "未授权访问"),
        unavailable=_union(503, "服务暂时不可用，请稍后再试"),
    ),
    taken_status=409,
    inactive_account_status=401,
    deleted_user_status=404,
)
PORTAL = ContractClient(
    name="portal",
    mount="auth",
    me="profile",
    policy=PORTAL_ACCESS,
    token=_data("token"),
    login_fields={"username": "alice"},
    unknown_login_fields={"username": "nobody"},
    registration={"username": "carol", "email": "carol@hospital.example", "nickname": "Carol"},
    default_role="viewer",
    errors=Errors(
        wrong_credentials=_portal(401, "用户名或密码错误"),
        malformed_body=_portal(400, "请求参数错误：请求体不是有效的JSON对象"),
        body_too_large=_portal(413, "请求体过大"),
        unsupported_media_type=_portal(415, "请求体类型必须是application/json"),
        not_bearer=_portal(401, "未认证或token无效"),
        invalid_token=_portal(401, "未认证或token无效"),
        unavailable=_portal(503, "服务暂时不可用，请稍后再试"),
    ),
    refresh_path="refresh",
)
CLINIC = ContractClient(
    name="clinic",
    mount="api/users",
    me="me",
    policy=CLINIC_ACCESS,
    token=lambda body: str(body["access_token"]),
    login_fields={"email": "alice@hospital.example"},
    unknown_login_fields={"email": "nobody@hospital.example"},
    registration={
        "email": "carol@hospital.example",
        "first_name": "Carol",
        "last_name": "Li",
        "phone_number": "13912345678",
    },
    default_role="patient",
    errors=Errors(
        wrong_credentials=_detail(400, "Incorrect email or password."),
        malformed_body=_detail(400, "The body is not JSON."),
        body_too_large=_detail(413, "The body is too large."),
        unsupported_media_type=_detail(415, "Unsupported Media Type"),
        not_bearer=_detail(401, "Not authenticated"),
        invalid_token=_detail(401, "Could not validate credentials"),
        unavailable=_detail(503, "The service is unavailable. Try again in a moment."),
    ),
    refresh_path="refresh_token",
    refused_refresh_status=403,
)

CLIENTS = [NATIVE, HOSPITAL, UNION, PORTAL, CLINIC]
CLIENT_BY_NAME = {client.name: client for client in CLIENTS}
