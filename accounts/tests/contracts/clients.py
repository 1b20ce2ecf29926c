"""How a client of each contract logs in and asks who it is; what holds for all of them is tested through these."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.tests.tools import PASSWORD, Api

Tokens = Callable[[dict[str, Any]], str]


@dataclass(frozen=True)
class ContractClient:
    """One contract, as a client that has read its document uses it.

    `account` is the body of a login without the password; `wrong` the status and body after a wrong password; `closed`
    the status after the right password of a disabled account; `dead` the status of a token that is no longer good, and
    `gone` that of a deleted user's.
    """

    name: str
    mount: str
    me: str
    account: dict[str, Any]
    unknown: dict[str, Any]
    token: Tokens
    wrong: tuple[int, dict[str, Any]]
    closed: int = 403
    dead: int = 401
    gone: int = 401
    media_type: str = "application/json"

    def call(self, method: str, path: str, body: object = None, token: str | None = None, **headers: str) -> Any:
        return Api().call(method, f"/{self.mount}/{path}", body, token, **headers)

    def login(self, password: str = PASSWORD, **changes: Any) -> Any:
        return self.call("POST", "login", {**self.account, "password": password, **changes})

    def log_in(self) -> str:
        response = self.login()
        assert response.status_code == 200, response.content
        return self.token(response.json())

    def ask(self, token: str | None, **headers: str) -> Any:
        return self.call("GET", self.me, None, token, **headers)


def _data(name: str) -> Tokens:
    return lambda body: str(body["data"][name])


NATIVE = ContractClient(
    name="native",
    mount="api/auth",
    me="me",
    account={"username": "alice"},
    unknown={"username": "nobody"},
    token=lambda body: str(body["access_token"]),
    wrong=(
        401,
        {
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "detail": "The user name or the password is wrong.",
            "code": "invalid_credentials",
        },
    ),
    media_type="application/problem+json",
)
HOSPITAL = ContractClient(
    name="hospital",
    mount="hospital/api/auth",
    me="profile",
    account={"username": "alice"},
    unknown={"username": "nobody"},
    token=_data("token"),
    wrong=(401, {"success": False, "message": "Invalid username or password"}),
    closed=401,
)
UNION = ContractClient(
    name="union",
    mount="api/v1/auth",
    me="user/info",
    account={"phone": "13800138000", "userType": "DOCTOR"},
    unknown={"phone": "13900139000"},
    token=_data("token"),
    wrong=(401, {"success": False, "code": 1002, "message": "用户名或密码错误", "data": None}),
    closed=401,
    gone=404,
)
PORTAL = ContractClient(
    name="portal",
    mount="auth",
    me="profile",
    account={"username": "alice"},
    unknown={"username": "nobody"},
    token=_data("token"),
    wrong=(401, {"code": 401, "message": "用户名或密码错误", "data": None}),
)
CLINIC = ContractClient(
    name="clinic",
    mount="api/users",
    me="me",
    account={"email": "alice@hospital.example"},
    unknown={"email": "nobody@hospital.example"},
    token=lambda body: str(body["access_token"]),
    wrong=(400, {"detail": "Incorrect email or password."}),
)

CLIENTS = [NATIVE, HOSPITAL, UNION, PORTAL, CLINIC]
