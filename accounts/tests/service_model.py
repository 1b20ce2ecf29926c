"""What users, administrators and attackers do, at the service and in the model; the answers are compared."""

from datetime import timedelta
from typing import Any, Final

import jwt
from django.utils import timezone

from accounts.models import User
from accounts.security import tokens as signing
from accounts.tests.contracts.clients import CLIENT_BY_NAME, CLINIC, HOSPITAL, NATIVE, PORTAL, UNION, ContractClient
from accounts.tests.token_model import SINGLE_USE, Person, Spent, Token, Worth, issued, open_login
from accounts.tests.tools import Api

PASSWORDS: Final = ("Correct-horse-7", "Battery-staple-8")
WRONG: Final = "Wrong-horse-9"
# Fewer than lock anything.
MOST_FAILURES: Final = 4
# Through the service, or around it as the admin site or a shell does.
WAYS: Final = ("api", "save", "update", "bulk_update")
# What ends every login of a user.
ENDS_LOGINS: Final = ("disable_or_enable", "change_role", "reset_password", "delete")
NEW_ROLES: Final = ("doctor", "pharmacy")
UNION_ROLES: Final = ("doctor", "patient", "admin")
HTTP: Final = Api().client


def name_of(number: int) -> dict[str, str]:
    return {"username": f"user{number}", "email": f"user{number}@hospital.example", "phone": f"1380013800{number}"}


def claims_of(token: Token) -> dict[str, Any]:
    return dict(jwt.decode(token.text, options={"verify_signature": False}))


def get_me(token: Token, client: ContractClient) -> Any:
    """Return the answer about the current user."""
    return HTTP.get(f"/{client.mount}/{client.me}", headers={"Authorization": f"Bearer {token.text}"})


def spend(token: Token, at: ContractClient) -> Any:
    """Refresh with a token."""
    path = f"/{at.mount}/{at.refresh_path}"
    if at is NATIVE:
        return HTTP.post(path, {"refresh_token": token.text}, content_type="application/json")
    return HTTP.post(path, headers={"Authorization": f"Bearer {token.text}"})


def status_of(client: ContractClient, worth: Worth, valid: int = 200) -> int:
    return {Worth.VALID: valid, Worth.INVALID: client.ended_session_status, Worth.DELETED: client.deleted_user_status}[
        worth
    ]


def change_in_the_shell(pk: int, way: str, **columns: Any) -> None:
    user = User.objects.get(pk=pk)
    if "password" in columns:
        user.set_password(columns["password"])
        columns = {"password": user.password}
    for name, value in columns.items():
        setattr(user, name, value)
    if way == "save":
        user.save()
    elif way == "bulk_update":
        User.objects.bulk_update([user], list(columns))
    else:
        User.objects.filter(pk=pk).update(**columns)


class Scenario:
    """A sequence of requests to the service, and the state of the model after them.

    `attempts` is what the trail must have: contract, user and reason of every attempt to log in.
    """

    def __init__(self) -> None:
        self.people: dict[int, Person] = {}
        self.tokens: list[Token] = []
        self.failures: dict[int, int] = {}
        self.attempts: list[tuple[str, int | None, str]] = []
        self.head = User.objects.create_user("head", None, PASSWORDS[0], role="admin")

    def keep(self, tokens: list[Token]) -> None:
        """Remember tokens that the service gave, each once."""
        known = {token.text for token in self.tokens}
        self.tokens += [token for token in tokens if token.text not in known]

    def access_tokens(self, *clients: ContractClient) -> list[Token]:
        """Return the valid access tokens of these clients, and the last invalid one where there is a valid one."""
        now = timezone.now()
        tokens = [
            token for token in self.tokens if token.is_access_token and CLIENT_BY_NAME[token.login.contract] in clients
        ]
        valid = [token for token in tokens if token.worth(now) is Worth.VALID]
        invalid = [token for token in tokens if token not in valid]
        return valid + invalid[-1:] if valid else []

    def unspent(self) -> list[Token]:
        return [token for token in self._of_active_logins() if token.generation == token.login.generation]

    def spent(self) -> list[Token]:
        return [token for token in self._of_active_logins() if token.generation != token.login.generation]

    def _of_active_logins(self) -> list[Token]:
        now = timezone.now()
        return [token for token in self.tokens if token.refreshes and token.login.is_active(now)]

    def register(self, number: int, client: ContractClient) -> None:
        name = name_of(number)
        rest = {"phone_number": name["phone"], "full_name": "A", "first_name": "A", "last_name": "B"}
        role = {"role": "DOCTOR"} if client is UNION else {}
        response = client.call("POST", "register", {**name, **rest, **role, "password": PASSWORDS[0]})
        if number in self.people and not self.people[number].deleted:
            assert response.status_code == client.taken_status, response.content
            return
        assert response.status_code == client.registered_status, response.content
        self.people[number] = Person(
            number,
            User.objects.get(username=name["username"]).pk,
            client.default_role,
            PASSWORDS[0],
            has_email=client is not UNION,
            has_phone=client is not PORTAL,
        )

    def end_by(self, person: Person, what: str, way: str) -> None:
        getattr(self, what)(person, way)

    def disable_or_enable(self, person: Person, way: str) -> None:
        person.active = not person.active
        if way == "api":
            self.administer(f"users/{person.pk}/{'activate' if person.active else 'deactivate'}")
        else:
            change_in_the_shell(person.pk, way, is_active=person.active)
        person.end_logins()

    def change_role(self, person: Person, way: str) -> None:
        person.role = NEW_ROLES[person.role == NEW_ROLES[0]]
        if way == "api":
            self.administer(f"users/{person.pk}", {"role": person.role})
        else:
            change_in_the_shell(person.pk, way, role=person.role)
        person.end_logins()

    def delete(self, person: Person, way: str) -> None:
        User.objects.get(pk=person.pk).delete()
        person.deleted = True

    def reset_password(self, person: Person, way: str) -> None:
        new = PASSWORDS[person.password == PASSWORDS[0]]
        if way != "api":
            change_in_the_shell(person.pk, way, password=new)
        elif person.has_email and person.active:
            body = {**name_of(person.number), "old_password": person.password, "new_password": new}
            assert CLINIC.call("POST", "reset_password", body).status_code == 200
            self.attempts.append((CLINIC.name, person.pk, ""))
        else:
            return
        person.password = new
        person.end_logins()

    def administer(self, path: str, changes: dict[str, str] | None = None) -> None:
        token = Api().tokens("head", PASSWORDS[0])["access_token"]
        self.attempts.append(("native", self.head.pk, ""))
        response = NATIVE.call("PATCH" if changes else "POST", path, changes, token)
        assert response.status_code == 200, response.content

    def log_in(self, person: Person, clients: list[ContractClient], password: str | None = None) -> None:
        for client in clients:
            if (client is UNION and not person.has_phone) or (client is CLINIC and not person.has_email):
                continue
            body = self.try_to_log_in(person, client, password or person.password)
            if body:
                now = timezone.now()
                login = open_login(person, client.name, now)
                self.keep(issued(login, client.token(body), body.get("refresh_token"), now))

    def try_to_log_in(self, person: Person, client: ContractClient, password: str) -> Any:
        """Log in, compare the answer with the model, and return its body, or None.

        A failure that would come near to a lock is left out.
        """
        status, reason = self.verdict(person, client, password)
        if reason in {"unknown_user", "wrong_password", "wrong_role"}:
            if self.failures.get(person.number, 0) == MOST_FAILURES:
                return None
            self.failures[person.number] = self.failures.get(person.number, 0) + 1
        name = name_of(person.number)
        user_type = person.role if person.role in UNION_ROLES else "patient"
        body = {**name, "userType": user_type.upper(), "password": password}
        response = client.call("POST", "login", body)
        assert response.status_code == status, response.content
        self.attempts.append((client.name, None if person.deleted else person.pk, reason))
        return response.json() if status == 200 else None

    def verdict(self, person: Person, client: ContractClient, password: str) -> tuple[int, str]:
        if person.deleted:
            return client.errors.wrong_credentials[0], "unknown_user"
        if password != person.password:
            return client.errors.wrong_credentials[0], "wrong_password"
        if not person.active:
            return client.inactive_account_status, "inactive"
        if client is UNION and person.role not in UNION_ROLES:
            return client.errors.wrong_credentials[0], "wrong_role"
        return 200, ""

    def refresh(self, token: Token) -> None:
        login, now = token.login, timezone.now()
        client, outcome = CLIENT_BY_NAME[login.contract], token.spend(now)
        response = spend(token, client)
        if outcome in {Spent.NEXT, Spent.AGAIN}:
            assert response.status_code == 200, response.content
            access = client.token(response.json())
            refresh = response.json().get("refresh_token")
            if outcome is Spent.AGAIN:
                assert (refresh or access) == login.newest
            self.keep(issued(login, access, refresh, now))
        else:
            assert response.status_code == client.refused_refresh_status, response.content
            if client is NATIVE:
                assert (response.json()["code"] == "token_reused") is (outcome is Spent.REUSED)

    def refresh_again(self, token: Token) -> None:
        """Refresh with a spent token: another tab, a lost answer, or a stolen copy."""
        self.refresh(token)

    def log_out(self, token: Token) -> None:
        client, worth = CLIENT_BY_NAME[token.login.contract], token.worth(timezone.now())
        response = client.call("POST", "logout", None, token.text)
        assert response.status_code == status_of(client, worth, valid=client.done_status)
        if worth is Worth.VALID:
            token.login.ended = True

    def log_out_everywhere(self, token: Token) -> None:
        worth = token.worth(timezone.now())
        response = NATIVE.call("POST", "logout-all", None, token.text)
        assert response.status_code == status_of(NATIVE, worth, valid=NATIVE.done_status)
        if worth is Worth.VALID:
            token.login.person.end_logins()

    def end_one(self, token: Token, other: Token) -> None:
        """End the session of another token: an active one of the same user is ended, any other is not found."""
        now = timezone.now()
        worth, found = token.worth(now), other.login in token.login.person.logins and other.login.is_active(now)
        response = NATIVE.call("DELETE", f"sessions/{claims_of(other)['sid']}", None, token.text)
        assert response.status_code == status_of(NATIVE, worth, valid=204 if found else 404)
        if worth is Worth.VALID and found:
            other.login.ended = True

    def change_password(self, token: Token) -> None:
        person, client, worth = token.login.person, CLIENT_BY_NAME[token.login.contract], token.worth(timezone.now())
        new = PASSWORDS[person.password == PASSWORDS[0]]
        if client is HOSPITAL:
            response = client.call("PUT", "profile", {"password": new}, token.text)
        else:
            body = {"old_password": person.password, "new_password": new}
            response = client.call("POST", "change-password", body, token.text)
        assert response.status_code == status_of(client, worth, valid=client.done_status), response.content
        if worth is Worth.VALID:
            if client is NATIVE:
                self.attempts.append((client.name, person.pk, ""))
            person.password = new
            person.end_logins()

    def send_to_another_contract(self, token: Token, client: ContractClient) -> None:
        """Send a token to another contract, and one that is signed there but names a session of this one.

        A refresh token is refused by its own contract too.
        """
        if not token.is_access_token or client.name != token.login.contract:
            assert get_me(token, client).status_code == client.ended_session_status
        if client.name == token.login.contract:
            return
        tomorrow = int((timezone.now() + timedelta(days=1)).timestamp())
        claims = {**claims_of(token), "generation": token.login.generation, "exp": tomorrow}
        forged = Token(signing.sign(client.policy, claims), token.login, token.expires)
        assert get_me(forged, client).status_code == client.deleted_user_status
        if client.name in SINGLE_USE:
            assert spend(forged, client).status_code == client.refused_refresh_status
