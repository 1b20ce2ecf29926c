"""What the native contract reads and writes."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from accounts import names
from accounts.contracts.fields import Anything, Email, JSONObject, Password, Text
from accounts.contracts.native.contract import ACCESS, ROLES
from accounts.contracts.schema import Answer, Page, Shape
from accounts.models import Channel, Role, Session, User
from accounts.policies import CODE_LIFE, active_profile
from audit.events import FailureReason, Status
from audit.models import LoginAttempt

_CODE = "Stable: programs may rely on it."
_SENTENCE = "A sentence for people."
_GUARDED = not active_profile().addresses_at_once
_WAITING = ", ".join(sorted(ROLES & active_profile().on_approval))


class OwnRole(Text):
    """A role that somebody may register for."""

    openapi = {"enum": sorted(ROLES)}


class Login(Shape):
    username = Text(
        max_length=names.EMAIL_LENGTH, help_text="A user name, an e-mail address or a phone number, in any case."
    )
    password = Password(help_text="Exactly as it was set: nothing is trimmed.")

    example = {"username": "alice", "password": "Ward-7-by-the-lake"}


class Person(Shape):
    # What people may say of themselves.
    phone = Text(
        max_length=30, required=False, allow_null=True, help_text="With its country code, or of mainland China without."
    )
    full_name = Text(max_length=100, required=False, allow_blank=True)
    first_name = Text(max_length=100, required=False, allow_blank=True)
    last_name = Text(max_length=100, required=False, allow_blank=True)
    nickname = Text(max_length=50, required=False, allow_blank=True)
    department = Text(max_length=100, required=False, allow_blank=True)


class Registration(Person):
    username = Text(
        max_length=names.NAME_LENGTH,
        help_text="Letters and digits of one script and `. _ - +`; `Alice` and `alice` are one. No phone number.",
    )
    email = Email(max_length=names.EMAIL_LENGTH)
    password = Password(help_text=f"At least {active_profile().password.shortest} characters.")
    role = OwnRole(
        max_length=20, default="unauth", help_text=_WAITING and f"An administrator has to approve: {_WAITING}."
    )

    example = {
        "username": "alice",
        "email": "alice@hospital.example",
        "password": "Ward-7-by-the-lake",
        "phone": "13800138000",
        "role": "pharmacy",
        "full_name": "Alice Zhang",
        "department": "药房",
    }


class OwnChanges(Person):
    email = Email(max_length=names.EMAIL_LENGTH, required=False, allow_null=True)
    avatar_url = serializers.URLField(max_length=500, required=False, allow_blank=True)
    profile = JSONObject(required=False, allow_null=True, help_text="Whatever a program wants to keep of its user.")
    language = serializers.ChoiceField(
        choices=settings.LANGUAGES, required=False, help_text="The language of messages to this user."
    )

    example = {"nickname": "Ally", "profile": {"theme": "dark"}}


class OwnChangesAndProof(OwnChanges):
    old_password = Password(
        required=False, help_text=_GUARDED and "The current password, where `email` or `phone` changes."
    )


class UserCreation(Person):
    username = Text(max_length=names.NAME_LENGTH)
    password = Password(help_text=f"At least {active_profile().password.shortest} characters.")
    email = Email(max_length=names.EMAIL_LENGTH, required=False, allow_null=True)
    role = serializers.ChoiceField(choices=Role.choices)

    example = {"username": "080123", "password": "Ward-7-by-the-lake", "role": "doctor", "full_name": "王伟"}


class UserChanges(OwnChanges):
    username = Text(max_length=names.NAME_LENGTH, required=False)
    role = serializers.ChoiceField(choices=Role.choices, required=False)

    example = {"role": "doctor", "department": "心内科"}


class PasswordChange(Shape):
    old_password = Password()
    new_password = Password(help_text=f"At least {active_profile().native_change.shortest} characters.")

    example = {"old_password": "Ward-7-by-the-lake", "new_password": "Ward-8-on-the-hill"}


class Contact(Shape):
    identifier = Text(
        max_length=names.EMAIL_LENGTH, help_text="A user name, an e-mail address or a phone number, in any case."
    )
    channel = serializers.ChoiceField(choices=Channel.values)
    contact = Text(max_length=names.EMAIL_LENGTH, help_text="The account's e-mail address or phone number.")

    example = {"identifier": "alice", "channel": "email", "contact": "alice@hospital.example"}


class PasswordReset(Contact):
    code = Anything(help_text="The six digits that came. Whatever else is sent is a wrong code.")
    new_password = Password(help_text=f"At least {active_profile().native_change.shortest} characters.")

    example = {**Contact.example, "code": "048213", "new_password": "Ward-8-on-the-hill"}


class VerificationRequest(Shape):
    channel = serializers.ChoiceField(choices=Channel.values)

    example = {"channel": "email"}


class Verification(VerificationRequest):
    code = Anything(help_text="The six digits that came. Whatever else is sent is a wrong code.")

    example = {"channel": "email", "code": "048213"}


class CodeAnswer(Answer):
    expires_in = serializers.IntegerField(help_text="So many seconds a code is good for.")
    debug_code = serializers.CharField(required=False, help_text="The code itself, with `DEBUG=true` alone.")

    example = {"expires_in": int(CODE_LIFE.total_seconds())}


class Refresh(Shape):
    refresh_token = Text(help_text="The one that came with the last login or refresh; it serves once.")

    example = {"refresh_token": "eyJhbGciOiJIUzI1NiIs…"}


class UserAnswer(Answer):
    id = serializers.IntegerField()
    username = serializers.CharField(max_length=names.NAME_LENGTH)
    email = serializers.CharField(max_length=names.EMAIL_LENGTH, allow_null=True)
    phone = serializers.CharField(allow_null=True, help_text="Of mainland China without its country code.")
    role = serializers.ChoiceField(Role.choices)
    full_name = serializers.CharField(allow_blank=True)
    first_name = serializers.CharField(allow_blank=True)
    last_name = serializers.CharField(allow_blank=True)
    nickname = serializers.CharField(allow_blank=True)
    department = serializers.CharField(allow_blank=True)
    avatar_url = serializers.CharField(allow_null=True)
    profile = JSONObject(allow_null=True)
    language = serializers.ChoiceField(settings.LANGUAGES, help_text="The language of messages to this user.")
    email_verified = serializers.BooleanField(help_text="A code has proved that the address is this user's.")
    phone_verified = serializers.BooleanField(help_text="A code has proved that the number is this user's.")
    pending_email = serializers.CharField(allow_null=True, help_text="Takes the place of `email` once it is verified.")
    pending_phone = serializers.CharField(allow_null=True, help_text="Takes the place of `phone` once it is verified.")
    is_active = serializers.BooleanField()
    awaits_approval = serializers.BooleanField(help_text="Until an administrator has approved it, it cannot log in.")
    last_login = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()

    example = {
        "id": 7,
        "username": "alice",
        "email": "alice@hospital.example",
        "phone": "13800138000",
        "role": "pharmacy",
        "full_name": "Alice Zhang",
        "first_name": "",
        "last_name": "",
        "nickname": "",
        "department": "药房",
        "avatar_url": None,
        "profile": None,
        "language": "zh-hans",
        "email_verified": False,
        "phone_verified": False,
        "pending_email": None,
        "pending_phone": None,
        "is_active": True,
        "awaits_approval": False,
        "last_login": None,
        "created_at": "2026-11-20T06:30:00.123456Z",
    }


class UsersAnswer(Page):
    results = UserAnswer(many=True)

    example = Page.of(UserAnswer)


class TokensAnswer(Answer):
    access_token = serializers.CharField(help_text="Send it as `Authorization: Bearer <token>`.")
    refresh_token = serializers.CharField(help_text="Gives the next pair of tokens, once. For this service alone.")
    token_type = serializers.ChoiceField(["Bearer"])
    expires_in = serializers.IntegerField(help_text="So many seconds the access token lives.")

    example = {
        "access_token": "eyJhbGciOiJFUzI1NiIs…",
        "refresh_token": "eyJhbGciOiJIUzI1NiIs…",
        "token_type": "Bearer",
        "expires_in": int(ACCESS.lifetime.total_seconds()),
    }


class LoginAnswer(TokensAnswer):
    user = UserAnswer()

    example = {**TokensAnswer.example, "user": {**UserAnswer.example, "last_login": "2026-11-20T06:31:00.123456Z"}}


class SessionAnswer(Answer):
    id = serializers.UUIDField()
    contract = serializers.CharField(help_text="Through which contract its user logged in.")
    ip = serializers.CharField(allow_null=True)
    user_agent = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField(help_text="Exact to five minutes.")
    expires_at = serializers.DateTimeField(help_text="Unless it is used before.")
    current = serializers.BooleanField(help_text="Is it the one that asks?")

    example = {
        "id": "2c5fb28a-e64f-41ca-8868-d190f413080b",
        "contract": "native",
        "ip": "192.0.2.1",
        "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "created_at": "2026-11-20T06:31:00.123456Z",
        "last_seen_at": "2026-11-20T06:36:00.123456Z",
        "expires_at": "2026-12-04T06:36:00.123456Z",
        "current": True,
    }


class SessionsAnswer(Page):
    results = SessionAnswer(many=True)

    example = Page.of(SessionAnswer)


class AttemptAnswer(Answer):
    id = serializers.IntegerField()
    user = serializers.IntegerField(allow_null=True, help_text="The account's id, even where it is deleted by now.")
    identifier = serializers.CharField(allow_blank=True, help_text="As it was typed.")
    contract = serializers.CharField(help_text="The contract, or `admin` for the admin site.")
    ip = serializers.CharField(allow_null=True)
    user_agent = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField([status.value for status in Status])
    failure_reason = serializers.ChoiceField([reason.value for reason in FailureReason], allow_blank=True)
    request_id = serializers.CharField(allow_blank=True, help_text="The `X-Request-ID` of the answer to it.")
    at = serializers.DateTimeField()
    repeats = serializers.IntegerField(help_text="How many refusals of a locked account this row stands for.")

    example = {
        "id": 99,
        "user": 7,
        "identifier": "alice",
        "contract": "native",
        "ip": "192.0.2.1",
        "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "status": "failed",
        "failure_reason": "wrong_password",
        "request_id": "c7b0e0a3f7f24e0f9f0d7e6c1a2b3c4d",
        "at": "2026-11-20T06:31:00.123456Z",
        "repeats": 1,
    }


class AttemptsAnswer(Page):
    results = AttemptAnswer(many=True)

    example = Page.of(AttemptAnswer)


class FieldProblem(Answer):
    code = serializers.CharField(help_text=_CODE)
    detail = serializers.CharField(help_text=_SENTENCE)


class Problem(Answer):
    """Problem details (RFC 9457)."""

    type = serializers.ChoiceField(["about:blank"])
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text=_SENTENCE)
    code = serializers.CharField(help_text=_CODE)
    errors = serializers.DictField(  # type: ignore[assignment]  # A serializer's own `errors` is not asked for here.
        child=FieldProblem(many=True),
        required=False,
        help_text="Where fields are wrong: what is wrong with each, by its name.",
    )


def user_out(user: User) -> dict[str, Any]:
    """Return a user as the native contract shows one."""
    return {
        "id": user.pk,
        "username": user.username,
        "email": user.email,
        "phone": names.display_phone(user.phone),
        "role": user.role,
        "full_name": user.full_name,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "nickname": user.nickname,
        "department": user.department,
        "avatar_url": user.avatar_url or None,
        "profile": user.profile,
        "language": user.language or settings.LANGUAGE_CODE,
        "email_verified": user.email_verified,
        "phone_verified": user.phone_verified,
        "pending_email": user.pending_email or None,
        "pending_phone": names.display_phone(user.pending_phone or None),
        "is_active": user.is_active,
        "awaits_approval": user.awaits_approval,
        "last_login": user.last_login,
        "created_at": user.created_at,
    }


def code_out(code: str) -> dict[str, Any]:
    """Return what somebody who asked for a code is told, whether or not one was sent."""
    told: dict[str, Any] = {"expires_in": int(CODE_LIFE.total_seconds())}
    return {**told, "debug_code": code} if settings.DEBUG else told


def session_out(session: Session, current: Session) -> dict[str, Any]:
    """Return one of a user's own sessions; `current` is the one that asks."""
    return {
        "id": str(session.pk),
        "contract": session.contract,
        "ip": session.ip,
        "user_agent": session.user_agent,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "expires_at": session.expires_at,
        "current": session.pk == current.pk,
    }


def attempt_out(attempt: LoginAttempt) -> dict[str, Any]:
    """Return a row of the trail."""
    return {
        "id": attempt.pk,
        "user": attempt.user_id,
        "identifier": attempt.identifier,
        "contract": attempt.contract,
        "ip": attempt.ip,
        "user_agent": attempt.user_agent,
        "status": attempt.status,
        "failure_reason": attempt.failure_reason,
        "request_id": attempt.request_id,
        "at": attempt.at,
        "repeats": attempt.repeats,
    }
