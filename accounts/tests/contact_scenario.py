"""What accounts, administrators and takers of foreign contacts do, at the service and in the model of contacts."""

from datetime import datetime
from typing import Any, Final

from django.db.models import Case, When
from django.utils import timezone

from accounts.contracts.native.tokens import ACCESS
from accounts.models import Session, User
from accounts.services import sessions
from accounts.tests.contact_model import CHANNELS, CODE_LIFE, Account, ModelState, SentCode
from accounts.tests.messages import last, queued
from accounts.tests.service_model import PASSWORDS
from accounts.tests.tools import Api, claims_of

# Fewer than lock anything.
MOST_FAILURES: Final = 4


def name_of(number: int) -> str:
    return f"user{number}"


def other(password: str) -> str:
    return PASSWORDS[password == PASSWORDS[0]]


class Scenario:
    """A sequence of requests to the service, and the state of the model after them; each answer is compared."""

    def __init__(self) -> None:
        self.state = ModelState()
        self.api = Api()
        # The last access token of each user, and when it expires.
        self.tokens: dict[str, tuple[str, datetime]] = {}
        User.objects.create_user("head", None, PASSWORDS[0], role="admin")

    def register(self, number: int, contacts: dict[str, str]) -> None:
        """Register with contacts that may be another person's."""
        body = {"username": name_of(number), "password": PASSWORDS[0], **contacts}
        self._keep(number, contacts, self.api.post("register", body), vouched=False)

    def create(self, number: int, contacts: dict[str, str]) -> None:
        """Have an administrator create an account, who vouches for its contacts."""
        body = {"username": name_of(number), "password": PASSWORDS[0], "role": "viewer", **contacts}
        self._keep(number, contacts, self.api.post("users", body, self._head()), vouched=True)

    def _keep(self, number: int, contacts: dict[str, str], response: Any, *, vouched: bool) -> None:
        taken = any(self.state.is_taken(channel, contact) for channel, contact in contacts.items())
        assert response.status_code == (409 if taken else 201), response.content
        if taken:
            return
        account = Account(number, response.json()["id"], PASSWORDS[0])
        for channel, contact in contacts.items():
            account.contacts[channel].present = contact
            account.contacts[channel].vouched = contact if vouched else ""
        self.state.accounts[number] = account

    def log_in(self, account: Account) -> None:
        account.sessions.add(claims_of(self._log_in(name_of(account.number), account.password))["sid"])

    def _log_in(self, name: str, password: str) -> str:
        token = str(self.api.tokens(name, password)["access_token"])
        self.tokens[name] = (token, timezone.now() + ACCESS.lifetime)
        return token

    def _token(self, account: Account) -> str:
        """Return the access token of a live session."""
        token, expires = self.tokens.get(name_of(account.number), ("", timezone.now()))
        if expires <= timezone.now() or claims_of(token)["sid"] not in account.sessions:
            self.log_in(account)
        return self.tokens[name_of(account.number)][0]

    def _head(self) -> str:
        token, expires = self.tokens.get("head", ("", timezone.now()))
        return token if expires > timezone.now() else self._log_in("head", PASSWORDS[0])

    def take_contact(self, account: Account, channel: str, contact: str) -> None:
        """Set one's own contact, without a proof."""
        response = self.api.call("PATCH", "/api/auth/me", {channel: contact}, self._token(account))
        if self._answers_taken(account, channel, contact, response):
            return
        self.state.replace(account, channel, contact, timezone.now(), vouched=False)
        # What is set directly replaces what waits for its code, the present contact again too.
        account.contacts[channel].pending = ""

    def give_contact(self, account: Account, channel: str, contact: str) -> None:
        """Have an administrator set a contact."""
        response = self.api.call("PATCH", f"/api/auth/users/{account.pk}", {channel: contact}, self._head())
        if not self._answers_taken(account, channel, contact, response):
            self.state.replace(account, channel, contact, timezone.now(), vouched=True)

    def _answers_taken(self, account: Account, channel: str, contact: str, response: Any) -> bool:
        taken = self.state.is_taken(channel, contact, by_other_than=account)
        assert response.status_code == (409 if taken else 200), response.content
        return taken

    def change_password(self, account: Account) -> None:
        new = other(account.password)
        body = {"old_password": account.password, "new_password": new}
        assert self.api.post("change-password", body, self._token(account)).status_code == 204
        self.state.change_password(account, new, "password_changed", timezone.now())

    def ask_for_reset(self, account: Account, channel: str, contact: str) -> None:
        """Ask for a reset code; the answer does not say whether it leaves."""
        now = timezone.now()
        form = {"identifier": name_of(account.number), "channel": channel, "contact": contact}
        response = self.api.post("request-reset-code", form)
        if not account.quotas["reset"].spend(now):
            assert response.status_code == 429, response.content
            return
        assert response.status_code == 200, response.content
        may_reset = account.may_reset_by(channel, contact)
        if may_reset and self.state.send_code(account, channel, contact, "reset_code", now):
            self._keep_code(account, "reset", channel, contact, now)

    def ask_for_verification(self, account: Account, channel: str) -> None:
        """Ask for a code that proves the pending contact, or else the present one."""
        now, contact = timezone.now(), account.contacts[channel].awaits_proof
        response = self.api.post("request-verification", {"channel": channel}, self._token(account))
        if contact is None:
            assert response.status_code == 400, response.content
            return
        quota = account.quotas[channel]
        kind = "verification_code"
        if not quota.has_one_left(now) or not self.state.send_code(account, channel, contact, kind, now):
            assert response.status_code == 429, response.content
            return
        assert response.status_code == 200, response.content
        quota.spend(now)
        self._keep_code(account, channel, channel, contact, now)

    def _keep_code(self, account: Account, purpose: str, channel: str, contact: str, now: datetime) -> None:
        code = SentCode(last()["code"], purpose, channel, contact, account.era, now + CODE_LIFE)
        account.codes.append(code)
        account.newest[purpose] = code

    def use_code(self, account: Account, code: SentCode) -> None:
        """Use a code that was sent for an account, by whoever reads what is sent to its contact."""
        if code.purpose == "reset":
            self._reset(account, code)
        elif awaited := account.contacts[code.channel].awaits_proof:
            self._verify(account, code, awaited)

    def use_good_code(self, account: Account, code: SentCode) -> None:
        """Use a code that is still good, which a random one rarely is."""
        self.use_code(account, code)

    def _reset(self, account: Account, code: SentCode) -> None:
        now, new = timezone.now(), other(account.password)
        good = account.is_good(code, now)
        if not good and self._is_near_a_lock(account, "reset"):
            return
        form = {"identifier": name_of(account.number), "channel": code.channel, "contact": code.contact}
        response = self.api.post("reset-password", {**form, "code": code.text, "new_password": new})
        assert response.status_code == (204 if good else 400), response.content
        if good:
            self.state.reset(account, code, new, now)

    def _verify(self, account: Account, code: SentCode, awaited: str) -> None:
        now = timezone.now()
        good = account.is_good(code, now)
        if not good and self._is_near_a_lock(account, code.purpose):
            return
        taken = good and self.state.is_taken(code.channel, awaited, by_other_than=account)
        body = {"channel": code.channel, "code": code.text}
        response = self.api.post("verify", body, self._token(account))
        assert response.status_code == (409 if taken else 200 if good else 400), response.content
        if good and not taken:
            self.state.prove(account, code, now)

    def _is_near_a_lock(self, account: Account, purpose: str) -> bool:
        """Count a wrong code, and return whether it is left out because it would come near to a lock."""
        account.failures[purpose] += 1
        return account.failures[purpose] > MOST_FAILURES

    def compare(self) -> None:
        """Compare what the service has with the model: contacts, messages and sessions."""
        accounts = self.state.accounts.values()
        users = User.objects.in_bulk([account.pk for account in accounts])
        for account in accounts:
            expected = {name: (each.present, each.state, each.pending) for name, each in account.contacts.items()}
            assert {name: _stored(users[account.pk], name) for name in CHANNELS} == expected, account
        assert queued() == self.state.messages
        live = {session for account in accounts for session in account.sessions}
        active = Case(When(sessions.is_active(timezone.now()), then=True), default=False)
        rows = Session.objects.filter(user__in=users).values_list("pk", "ended_at", active)
        assert {str(pk) for pk, ended_at, _ in rows if ended_at is None} == live
        assert {str(pk) for pk, _, is_active in rows if is_active} == live


def _stored(user: User, channel: str) -> tuple[str | None, str, str]:
    present = getattr(user, channel)
    state = "proved" if getattr(user, f"{channel}_verified") else "vouched" if user.is_trusted(channel) else "unproved"
    return present, state if present else "", getattr(user, f"pending_{channel}")
