"""The request and response bodies of the native contract's operations for administrators."""

from rest_framework import serializers

from accounts import names
from accounts.contracts.fields import Email, Password, StrictCharField
from accounts.contracts.native.wire import CONTRACT_NAMES, ProfileFields, ProfileUpdate, UserAnswer
from accounts.contracts.serializers import Page, RequestBody, ResponseBody
from accounts.models import FactorType, Role
from accounts.policies import active_profile
from audit.events import Event, FailureReason, Status

_DATES_HELP = "The first and the last day of logins, in the service's time zone; null is without limit."


class StaffFields(RequestBody):
    # The fields that administrators set beside those that users may set themselves.
    job_title = StrictCharField(max_length=100, required=False, allow_blank=True, help_text="Grants nothing.")
    valid_from = serializers.DateField(required=False, allow_null=True, help_text=_DATES_HELP)
    valid_until = serializers.DateField(required=False, allow_null=True, help_text=_DATES_HELP)


class UserCreation(StaffFields, ProfileFields):
    username = StrictCharField(max_length=names.NAME_LENGTH)
    password = Password(help_text=f"At least {active_profile().password.shortest} characters.")
    email = Email(max_length=names.EMAIL_LENGTH, required=False, allow_null=True)
    role = serializers.ChoiceField(choices=Role.choices)

    example = {"username": "080123", "password": "Ward-7-by-the-lake", "role": "doctor", "full_name": "王伟"}


class UserChanges(StaffFields, ProfileUpdate):
    username = StrictCharField(max_length=names.NAME_LENGTH, required=False)
    role = serializers.ChoiceField(choices=Role.choices, required=False)

    example = {"role": "doctor", "department": "心内科", "job_title": "护士", "valid_until": "2027-06-30"}


class FactorRemoval(RequestBody):
    reason = StrictCharField(max_length=500, help_text="Recorded in the trail; the user does not see it.")

    example = {"reason": "Lost phone, identified in person."}


class UsersAnswer(Page):
    results = UserAnswer(many=True)


class AttemptAnswer(ResponseBody):
    id = serializers.IntegerField()
    user = serializers.IntegerField(
        source="user_id", allow_null=True, help_text="The account's id, even if the account has been deleted."
    )
    identifier = serializers.CharField(allow_blank=True, help_text="The identifier as it was entered.")
    contract = serializers.ChoiceField(CONTRACT_NAMES, help_text="The contract, or `admin` for the admin site.")
    ip = serializers.CharField(allow_null=True)
    user_agent = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField([status.value for status in Status])
    failure_reason = serializers.ChoiceField([reason.value for reason in FailureReason], allow_blank=True)
    factor = serializers.ChoiceField(
        FactorType.values, allow_blank=True, help_text="The second factor that was entered."
    )
    request_id = serializers.CharField(allow_blank=True, help_text="The `X-Request-ID` of the response.")
    at = serializers.DateTimeField()
    repeats = serializers.IntegerField(help_text="Number of refused logins to a locked account that this row counts.")

    example = {
        "id": 99,
        "user": 7,
        "identifier": "alice",
        "contract": "native",
        "ip": "192.0.2.1",
        "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "status": "failed",
        "failure_reason": "wrong_password",
        "factor": "",
        "request_id": "c7b0e0a3f7f24e0f9f0d7e6c1a2b3c4d",
        "at": "2026-11-20T06:31:00.123456Z",
        "repeats": 1,
    }


class EventAnswer(ResponseBody):
    id = serializers.IntegerField()
    event = serializers.ChoiceField([event.value for event in Event])
    user = serializers.IntegerField(
        source="user_id", allow_null=True, help_text="The id of the account that the event concerns."
    )
    actor = serializers.IntegerField(
        source="actor_id", allow_null=True, help_text="The id of the account that did it; null for the service itself."
    )
    detail = serializers.DictField(help_text="What else the event records; its keys depend on the event.")
    contract = serializers.CharField(help_text="The contract, `admin` for the admin site or `console` for a command.")
    ip = serializers.CharField(allow_null=True)
    user_agent = serializers.CharField(allow_blank=True)
    request_id = serializers.CharField(allow_blank=True, help_text="The `X-Request-ID` of the response.")
    at = serializers.DateTimeField()

    example = {
        "id": 412,
        "event": "user:role:changed",
        "user": 7,
        "actor": 1,
        "detail": {"old": "pharmacy", "new": "doctor"},
        "contract": "native",
        "ip": "192.0.2.1",
        "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "request_id": "c7b0e0a3f7f24e0f9f0d7e6c1a2b3c4d",
        "at": "2026-11-20T06:31:00.123456Z",
    }


class EventsAnswer(Page):
    results = EventAnswer(many=True)


class AttemptsAnswer(Page):
    results = AttemptAnswer(many=True)
