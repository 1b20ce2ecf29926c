"""The numbers that receive text messages: mobile ones of the regions in `SMS_REGIONS`."""

from typing import Any

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from pytest_django.fixtures import Settings

from accounts.errors import NoContact
from accounts.models import User
from accounts.services import recovery
from accounts.tests.contracts.clients import HOSPITAL, NATIVE
from accounts.tests.messages import queued
from accounts.tests.tools import PASSWORD, Api
from audit.origin import CONSOLE

pytestmark = [pytest.mark.any_database, pytest.mark.django_db]


def example(region: str, kind: int) -> str:
    number = phonenumbers.example_number_for_type(region, kind)
    assert number
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def satellite(country_code: int) -> str:
    number = phonenumbers.example_number_for_non_geo_entity(country_code)
    assert number
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


NOT_REACHED = {
    "another region": example("US", PhoneNumberType.FIXED_LINE_OR_MOBILE),
    "fixed line": example("CN", PhoneNumberType.FIXED_LINE),
    "premium rate": example("CN", PhoneNumberType.PREMIUM_RATE),
    "premium rate abroad": example("GB", PhoneNumberType.PREMIUM_RATE),
    "Inmarsat": satellite(870),
    "Iridium": satellite(881),
}
NUMBER = pytest.mark.parametrize("number", NOT_REACHED.values(), ids=NOT_REACHED)


@pytest.fixture
def carol(number: str) -> User:
    """A user with this number and no e-mail address."""
    return User.objects.create_user("carol", None, PASSWORD, phone=number)


def codes(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 400, response.content
    return {field: [item["code"] for item in items] for field, items in response.json()["errors"].items()}


@NUMBER
class TestNotReached:
    def test_a_verification_code_is_refused(self, carol: User) -> None:
        response = Api().post("request-verification", {"channel": "phone"}, Api().tokens("carol")["access_token"])
        assert (codes(response), queued()) == ({"channel": ["no_text_messages"]}, [])

    def test_a_reset_code_is_answered_alike_and_not_sent(self, carol: User, number: str) -> None:
        form = {"identifier": "carol", "channel": "phone", "contact": number}
        response = Api().post("request-reset-code", form)
        assert (response.status_code, response.json(), queued()) == (200, {"expires_in": 600}, [])

    def test_a_notice_is_not_sent(self, carol: User) -> None:
        body = {"old_password": PASSWORD, "new_password": "Another-horse-8"}
        assert Api().post("change-password", body, Api().tokens("carol")["access_token"]).status_code == 204
        assert queued() == []

    def test_an_administrator_cannot_have_a_code_sent(self, carol: User, root: User) -> None:
        with pytest.raises(NoContact):
            recovery.send_code(user=carol, actor=root, origin=CONSOLE)

    def test_it_identifies_its_account(self, carol: User, number: str) -> None:
        assert Api().login(number).status_code == 200

    def test_native_refuses_it_as_a_number_that_a_code_must_prove(
        self, alice: User, settings: Settings, number: str
    ) -> None:
        settings.PROFILE = "hardened"
        response = NATIVE.call("PATCH", "me", {"phone": number, "old_password": PASSWORD}, NATIVE.log_in())
        assert codes(response) == {"phone": ["no_text_messages"]}

    def test_hospital_refuses_it_as_a_number_that_a_code_must_prove(
        self, alice: User, settings: Settings, number: str
    ) -> None:
        settings.PROFILE = "hardened"
        response = HOSPITAL.call("PUT", "profile", {"phone": number, "old_password": PASSWORD}, HOSPITAL.log_in())
        assert response.status_code == 400
        assert User.objects.values_list("pending_phone", flat=True).get() == ""


def test_a_number_of_another_region_is_reached_where_the_deployment_says_so(db: None, settings: Settings) -> None:
    settings.SMS_REGIONS = ("CN", "US")
    number = NOT_REACHED["another region"]
    User.objects.create_user("carol", None, PASSWORD, phone=number)
    Api().post("request-verification", {"channel": "phone"}, Api().tokens("carol")["access_token"])
    assert queued() == [("phone", number, "verification_code")]
