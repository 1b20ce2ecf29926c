"""The request and response bodies of the native contract: users, tokens, sessions and problem details."""

from django.conf import settings
from rest_framework import serializers

from accounts import names
from accounts.contracts.fields import (
    Constant,
    ConvertedField,
    Email,
    JSONObject,
    NullableText,
    OptionalFactorCode,
    Password,
    PhoneNumber,
    StrictCharField,
)
from accounts.contracts.native.tokens import ACCESS, SESSION
from accounts.contracts.serializers import Page, RequestBody, ResponseBody
from accounts.models import Role
from accounts.policies import LONGEST_PROFILE, active_profile
from audit.origin import contract_choices

# The roles that document 003 names.
ROLES = frozenset({"pharmacy", "supplier", "logistics", "regulator", "unauth"})

# Of sessions and of the trail: the contracts, the admin site, the console, and `imported`.
CONTRACT_NAMES = [name for name, _ in contract_choices()]

_CODE = "A stable code, which programs may compare."
_DETAIL = "A message for people; its wording may change."
IDENTIFIER_HELP = "A user name, e-mail address or phone number; case-insensitive."
NEW_PASSWORD_HELP = f"At least {active_profile().native_change.shortest} characters."
_NEEDS_PASSWORD = not active_profile().addresses_at_once
_ON_APPROVAL = ", ".join(sorted(ROLES & active_profile().on_approval))


class RegistrationRole(StrictCharField):
    """A role that is open to registration."""

    openapi = {"enum": sorted(ROLES)}


class Login(RequestBody):
    username = StrictCharField(max_length=names.EMAIL_LENGTH, help_text=IDENTIFIER_HELP)
    password = Password(help_text="Leading and trailing spaces are part of it.")
    otp = OptionalFactorCode(
        help_text="Six digits of the authenticator app, or a recovery code; ignored without a second factor.",
    )

    example = {"username": "alice", "password": "Ward-7-by-the-lake"}


class ProfileFields(RequestBody):
    # The fields that users may set themselves.
    phone = StrictCharField(
        max_length=30,
        required=False,
        allow_null=True,
        help_text="With a country code, except for mainland China.",
    )
    full_name = StrictCharField(max_length=100, required=False, allow_blank=True)
    first_name = StrictCharField(max_length=100, required=False, allow_blank=True)
    last_name = StrictCharField(max_length=100, required=False, allow_blank=True)
    nickname = StrictCharField(max_length=50, required=False, allow_blank=True)
    department = StrictCharField(max_length=100, required=False, allow_blank=True)


class Registration(ProfileFields):
    username = StrictCharField(
        max_length=names.NAME_LENGTH,
        help_text="Letters and digits of one script and `. _ - +`, case-insensitive. Not a phone number.",
    )
    email = Email(max_length=names.EMAIL_LENGTH)
    password = Password(help_text=f"At least {active_profile().password.shortest} characters.")
    role = RegistrationRole(
        max_length=20, default="unauth", help_text=_ON_APPROVAL and f"An administrator must approve: {_ON_APPROVAL}."
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


class ProfileUpdate(ProfileFields):
    email = Email(max_length=names.EMAIL_LENGTH, required=False, allow_null=True)
    avatar_url = serializers.URLField(max_length=500, required=False, allow_blank=True)
    profile = JSONObject(
        required=False,
        allow_null=True,
        help_text=f"Data that a client program stores with its user, at most {LONGEST_PROFILE:,} bytes as JSON.",
    )
    language = serializers.ChoiceField(
        choices=settings.LANGUAGES, required=False, help_text="The language of messages to this user."
    )

    example = {"nickname": "Ally", "profile": {"theme": "dark"}}


class ProfileChange(ProfileUpdate):
    old_password = Password(
        required=False, help_text=_NEEDS_PASSWORD and "The current password; required if `email` or `phone` changes."
    )


class PasswordChange(RequestBody):
    old_password = Password()
    new_password = Password(help_text=NEW_PASSWORD_HELP)

    example = {"old_password": "Ward-7-by-the-lake", "new_password": "Ward-8-on-the-hill"}


class ExpiredPasswordChange(RequestBody):
    password_token = StrictCharField(help_text="Of the `password_expired` of a login.")
    new_password = Password(help_text=NEW_PASSWORD_HELP)

    example = {"password_token": "eyJhbGciOiJIUzI1NiIs…", "new_password": "Ward-8-on-the-hill"}


class Refresh(RequestBody):
    refresh_token = StrictCharField(help_text="The refresh token of the last login or refresh; it can be used once.")

    # With `X-Refresh-Cookie` the body is not read.
    is_optional = True
    example = {"refresh_token": "eyJhbGciOiJIUzI1NiIs…"}


class Language(ConvertedField, serializers.ChoiceField):
    """A user's language, or the deployment's where the user has chosen none."""

    def convert(self, value: str) -> str:
        return value or settings.LANGUAGE_CODE


class UserAnswer(ResponseBody):
    id = serializers.IntegerField()
    username = serializers.CharField(max_length=names.NAME_LENGTH)
    email = serializers.CharField(max_length=names.EMAIL_LENGTH, allow_null=True)
    phone = PhoneNumber()
    role = serializers.ChoiceField(Role.choices)
    full_name = serializers.CharField(allow_blank=True)
    first_name = serializers.CharField(allow_blank=True)
    last_name = serializers.CharField(allow_blank=True)
    nickname = serializers.CharField(allow_blank=True)
    department = serializers.CharField(allow_blank=True)
    job_title = serializers.CharField(allow_blank=True)
    avatar_url = NullableText()
    profile = JSONObject(allow_null=True)
    language = Language(settings.LANGUAGES, help_text="The language of messages to this user.")
    email_verified = serializers.BooleanField(help_text="Whether a code confirmed the e-mail address.")
    phone_verified = serializers.BooleanField(help_text="Whether a code confirmed the phone number.")
    pending_email = NullableText(help_text="Replaces `email` once it is verified.")
    pending_phone = PhoneNumber(help_text="Replaces `phone` once it is verified.")
    is_active = serializers.BooleanField()
    awaits_approval = serializers.BooleanField(help_text="Whether an administrator must approve it before a login.")
    valid_from = serializers.DateField(allow_null=True, help_text="The first day on which it may log in.")
    valid_until = serializers.DateField(allow_null=True, help_text="The last day on which it may log in.")
    last_login = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()

    example = {
        "id": 7,
        "username": "alice",
        "email": "alice@hospital.example",
        "phone": "13800138000",
        "role": "pharmacy",
        "full_name": "Alice Zhang",
        "department": "药房",
        "language": "zh-hans",
        "email_verified": False,
        "phone_verified": False,
        "is_active": True,
        "awaits_approval": False,
        "created_at": "2026-11-20T06:30:00.123456Z",
    }


class TokensAnswer(ResponseBody):
    access_token = serializers.CharField(help_text="Send it as `Authorization: Bearer <token>`.")
    refresh_token = serializers.CharField(
        required=False,
        help_text="Send it to `refresh`, once, for the next pair of tokens. Absent with `X-Refresh-Cookie`.",
    )
    token_type = Constant("Bearer")
    expires_in = serializers.IntegerField(help_text="Lifetime of the access token in seconds.")
    refresh_expires_in = serializers.IntegerField(help_text="Seconds until the refresh token expires.")

    example = {
        "access_token": "eyJhbGciOiJFUzI1NiIs…",
        "refresh_token": "eyJhbGciOiJIUzI1NiIs…",
        "expires_in": int(ACCESS.lifetime.total_seconds()),
        "refresh_expires_in": int(SESSION.idle_timeout.total_seconds()),
    }


class LoginAnswer(TokensAnswer):
    user = UserAnswer()

    example = {"user": {**UserAnswer.example, "last_login": "2026-11-20T06:31:00.123456Z"}}


class SessionAnswer(ResponseBody):
    id = serializers.UUIDField()
    contract = serializers.ChoiceField(CONTRACT_NAMES, help_text="The contract of the login.")
    ip = serializers.CharField(allow_null=True)
    user_agent = serializers.CharField(allow_blank=True)
    from_new_address = serializers.BooleanField(
        help_text="Whether the user had not logged in from the address before the login, or not for 30 days."
    )
    from_new_device = serializers.BooleanField(
        help_text="Whether the login's browser or system was none of the user's last 10; versions are not compared."
    )
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField(help_text="Accurate to five minutes.")
    expires_at = serializers.DateTimeField(help_text="Every refresh moves it, up to the session's absolute timeout.")
    current = serializers.BooleanField(help_text="Whether the request has a token of it.")

    example = {
        "id": "2c5fb28a-e64f-41ca-8868-d190f413080b",
        "contract": "native",
        "ip": "192.0.2.1",
        "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "from_new_address": False,
        "from_new_device": False,
        "created_at": "2026-11-20T06:31:00.123456Z",
        "last_seen_at": "2026-11-20T06:36:00.123456Z",
        "expires_at": "2026-12-04T06:36:00.123456Z",
        "current": True,
    }


class SessionsAnswer(Page):
    results = SessionAnswer(many=True)


class FieldProblem(ResponseBody):
    code = serializers.CharField(help_text=_CODE)
    detail = serializers.CharField(help_text=_DETAIL)


class Problem(ResponseBody):
    """Problem details (RFC 9457)."""

    type = Constant("about:blank")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text=_DETAIL)
    code = serializers.CharField(help_text=_CODE)
    errors = serializers.DictField(  # type: ignore[assignment]  # It hides the serializer's own `errors`, which is not used.
        child=FieldProblem(many=True),
        required=False,
        help_text="The problems of each invalid field, by its name.",
    )
