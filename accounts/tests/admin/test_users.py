"""The list of users, and the forms of a user."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AttemptBudget, User
from accounts.services import users
from accounts.tests.admin.conftest import logged_in, message_texts, result_names, run_action
from accounts.tests.tools import ELSEWHERE, Api
from audit.models import SecurityEvent
from audit.origin import Origin

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"


def page(user: User) -> str:
    return f"{USERS}{user.pk}/change/"


def form_data(client: Client, user: User) -> dict[str, Any]:
    """Return the form data of a user's page as a browser would send it."""
    form = client.get(page(user)).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value not in (None, False, "")}


class TestSearch:
    @pytest.mark.parametrize(
        "typed",
        [
            "ALICE",
            "alice zhang",
            "alice@",
            "13800138000",
            "138-0013-8000",
            "+86 138 0013 8000",
            "１３８００１３８０００",
            "0013-80",
            "药房",
        ],
    )
    def test_it_finds_by_name_number_address_or_department(
        self, staff_client: Client, alice: User, bob: User, typed: str
    ) -> None:
        User.objects.filter(pk=alice.pk).update(department="药房")
        assert result_names(staff_client.get(USERS, {"q": typed})) == ["alice"]

    def test_a_name_with_digits_is_found_by_its_prefix(self, staff_client: Client) -> None:
        User.objects.create_user("080-123", None, None)
        assert result_names(staff_client.get(USERS, {"q": "080-1"})) == ["080-123"]

    @pytest.mark.parametrize("typed", ["argon2", "pbkdf2"])
    def test_it_does_not_search_password_hashes(self, staff_client: Client, alice: User, typed: str) -> None:
        assert result_names(staff_client.get(USERS, {"q": typed})) == []


class TestFilters:
    @pytest.fixture(autouse=True)
    def _some_of_each(self, alice: User, bob: User, head: User) -> None:
        User.objects.filter(pk=alice.pk).update(awaits_approval=True, last_login=timezone.now() - timedelta(days=100))
        User.objects.filter(pk=bob.pk).update(is_active=False, last_login=timezone.now() - timedelta(days=10))

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("role__exact=pharmacy", ["alice"]),
            ("state=active", ["head"]),
            ("state=disabled", ["bob"]),
            ("state=awaiting", ["alice"]),
            ("last_login=today", ["head"]),
            ("last_login=7", ["head"]),
            ("last_login=30", ["bob", "head"]),
            ("last_login=over90", ["alice"]),
        ],
    )
    def test_it_shows(self, staff_client: Client, query: str, found: list[str]) -> None:
        assert result_names(staff_client.get(f"{USERS}?{query}")) == found

    def test_users_who_have_never_logged_in(self, staff_client: Client) -> None:
        User.objects.create_user("newcomer", None, None)
        assert result_names(staff_client.get(f"{USERS}?last_login=never")) == ["newcomer"]

    def test_a_department(self, staff_client: Client, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(department="药房")
        assert result_names(staff_client.get(USERS, {"department": "药房"})) == ["alice"]

    def test_people_without_a_department(self, staff_client: Client, alice: User, bob: User) -> None:
        User.objects.exclude(pk=alice.pk).update(department="药房")
        answer = staff_client.get(USERS, {"department": ""})
        assert result_names(answer) == ["alice"]
        assert [(each.label, each.value) for each in answer.context["filters"]] == [("Department", "not given")]

    def test_a_rejected_account_does_not_await_approval(self, staff_client: Client, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(is_active=False)
        assert result_names(staff_client.get(f"{USERS}?state=awaiting")) == []

    @pytest.mark.parametrize(("minutes", "found"), [(1, ["alice"]), (-1, [])])
    def test_an_account_is_locked_until_its_lock_expires(
        self, staff_client: Client, alice: User, minutes: int, found: list[str]
    ) -> None:
        until = timezone.now() + timedelta(minutes=minutes)
        AttemptBudget.objects.create(
            purpose="login:unknown_addresses", account_id=alice.pk, locked_until=until, expires_at=until
        )
        assert result_names(staff_client.get(f"{USERS}?state=locked")) == found

    def test_a_lock_of_codes_does_not_count(self, staff_client: Client, alice: User) -> None:
        until = timezone.now() + timedelta(minutes=1)
        AttemptBudget.objects.create(
            purpose="code:reset:check", account_id=alice.pk, locked_until=until, expires_at=until
        )
        assert result_names(staff_client.get(f"{USERS}?state=locked")) == []


class TestStaleForm:
    def test_it_is_refused_and_nothing_is_saved(
        self, staff_client: Client, head: User, alice: User, origin: Origin
    ) -> None:
        stale = form_data(staff_client, alice)
        users.change(user=alice, changes={"department": "Ward 3"}, actor=head, origin=origin)
        response = staff_client.post(page(alice), {**stale, "full_name": "Alice Li"})
        assert "This account has been changed since you opened the page" in response.content.decode()
        stored = User.objects.get(pk=alice.pk)
        assert (stored.department, stored.full_name) == ("Ward 3", "Alice Zhang")

    def test_a_current_form_is_saved(self, staff_client: Client, alice: User) -> None:
        assert (
            staff_client.post(page(alice), {**form_data(staff_client, alice), "full_name": "Alice Li"}).status_code
            == 302
        )
        assert User.objects.get(pk=alice.pk).full_name == "Alice Li"

    def test_a_change_between_validation_and_save_is_detected(
        self, staff_client: Client, head: User, alice: User, origin: Origin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        form, real = form_data(staff_client, alice), users.save_changes

        def overtaken(**arguments: Any) -> bool:
            User.objects.filter(pk=alice.pk).update(department="Ward 3", updated_at=timezone.now())
            return real(**arguments)

        monkeypatch.setattr(users, "save_changes", overtaken)
        response = staff_client.post(page(alice), {**form, "full_name": "Alice Li"}, follow=True)
        assert "This account has been changed" in message_texts(response)[0]
        assert User.objects.get(pk=alice.pk).full_name == "Alice Zhang"

    def test_a_login_does_not_make_a_form_stale(self, staff_client: Client, alice: User) -> None:
        form = form_data(staff_client, alice)
        Api().tokens()
        assert staff_client.post(page(alice), {**form, "full_name": "Alice Li"}).status_code == 302


class TestPage:
    def test_it_shows_sessions_attempts_and_events(self, staff_client: Client, alice: User) -> None:
        Api(ELSEWHERE).tokens()
        Api(ELSEWHERE).login(password="wrong")
        tables = {str(table["title"]): table["rows"] for table in staff_client.get(page(alice)).context["tables"]}
        assert [row[3] for _key, row in tables["Active sessions"]] == [ELSEWHERE]
        assert [str(row[1]) for _key, row in tables["Latest login attempts"]] == ["failed", "success"]
        assert tables["Latest security events"] == []

    def test_at_most_20_attempts_are_shown(self, staff_client: Client, alice: User) -> None:
        for number in range(5):
            for _ in range(5):
                Api(f"192.0.2.{50 + number}").login(password="wrong")
        tables = {str(table["title"]): table["rows"] for table in staff_client.get(page(alice)).context["tables"]}
        assert len(tables["Latest login attempts"]) == 20

    def test_the_full_lists_show_only_that_user(self, staff_client: Client, alice: User) -> None:
        Api().tokens()
        tables = staff_client.get(page(alice)).context["tables"]
        shown = [staff_client.get(table["url"]).context["cl"].result_count for table in tables]
        assert shown == [1, 1, 0]

    def test_it_shows_which_addresses_are_verified_or_pending(self, staff_client: Client, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(verified_email=alice.email_key, pending_phone="+8613900139000")
        shown = staff_client.get(page(alice)).content.decode()
        wanted = "e-mail address: verified · phone: given by an administrator · awaiting verification: 13900139000"
        assert wanted in shown

    def test_a_superusers_page_offers_administrators_no_actions(self, staff_client: Client, root: User) -> None:
        assert staff_client.get(page(root)).context["confirmed_actions"] == {}


class TestAdding:
    BODY = {"username": "newcomer", "role": "doctor", "email": "newcomer@hospital.example"}

    def test_an_account_is_created_without_a_password_and_recorded(self, staff_client: Client, head: User) -> None:
        assert staff_client.post(f"{USERS}add/", self.BODY).status_code == 302
        user = User.objects.get(username="newcomer")
        assert (user.role, user.has_usable_password()) == ("doctor", False)
        events = SecurityEvent.objects.filter(user=user.pk).values_list("event", "actor", "detail")
        assert list(events) == [("user:created", head.pk, {"role": "doctor"})]

    def test_the_form_has_no_password_field(self, staff_client: Client) -> None:
        assert 'type="password"' not in staff_client.get(f"{USERS}add/").content.decode()

    @pytest.mark.parametrize(
        ("field", "value"), [("username", "ALICE"), ("username", "two words"), ("role", ""), ("email", "nonsense")]
    )
    def test_an_invalid_value_is_reported_at_its_field(
        self, staff_client: Client, alice: User, field: str, value: str
    ) -> None:
        response = staff_client.post(f"{USERS}add/", {**self.BODY, field: value})
        assert list(response.context["adminform"].form.errors) == [field]


class TestAdministrators:
    def test_an_administrator_does_not_change_their_own_role(
        self, staff_client: Client, head: User, root: User
    ) -> None:
        assert message_texts(run_action(staff_client, "change-role", head, choice="doctor")) == [
            "1 was skipped (head): you cannot do this to your own account."
        ]
        assert User.objects.get(pk=head.pk).role == "admin"

    def test_the_last_administrator_keeps_the_role(self, head: User, auditor: User) -> None:
        User.objects.filter(pk=auditor.pk).update(is_superuser=True)
        assert message_texts(run_action(logged_in(auditor), "change-role", head, choice="doctor")) == [
            "1 was skipped (head): the last active administrator cannot be deactivated or demoted."
        ]
        assert User.objects.get(pk=head.pk).role == "admin"


def test_a_form_saves_beside_an_address_that_a_former_release_accepted(staff_client: Client) -> None:
    zhang = User.objects.create_user("zhang", "zhang@hospital", None, role="doctor")
    response = staff_client.post(page(zhang), {**form_data(staff_client, zhang), "full_name": "Zhang San"})
    assert response.status_code == 302
    assert User.objects.values_list("full_name", "email").get(pk=zhang.pk) == ("Zhang San", "zhang@hospital")


class TestNewNames:
    """A department or a job title that nobody has yet is confirmed once."""

    def save(self, client: Client, user: User, **fields: str) -> Any:
        return client.post(page(user), {**form_data(client, user), **fields})

    def test_a_name_that_nobody_has_is_stored_once_it_is_confirmed(self, staff_client: Client, alice: User) -> None:
        refused = self.save(staff_client, alice, department="心內科")
        assert list(refused.context["adminform"].form.errors) == ["department"]
        assert 'type="checkbox" name="new_names" value="心內科"' in refused.content.decode()
        # The box confirms the name that it was shown for, and no other.
        self.save(staff_client, alice, department="心内", new_names="心內科")
        assert User.objects.get(pk=alice.pk).department == ""
        self.save(staff_client, alice, department="心内科", new_names="心内科")
        assert User.objects.get(pk=alice.pk).department == "心内科"

    def test_names_in_use_are_offered_and_need_no_confirmation(
        self, staff_client: Client, alice: User, bob: User
    ) -> None:
        User.objects.filter(pk=bob.pk).update(department="心内科")
        assert '<option value="心内科">' in staff_client.get(page(alice)).content.decode()
        self.save(staff_client, alice, department="心内科", job_title="nurse")
        stored = User.objects.get(pk=alice.pk)
        assert (stored.department, stored.job_title, stored.role) == ("心内科", "nurse", "pharmacy")

    def test_a_new_account_asks_too(self, staff_client: Client) -> None:
        new = {"username": "wang", "role": "doctor", "job_title": "麻醉医师"}
        asked = staff_client.post(f"{USERS}add/", new)
        assert list(asked.context["adminform"].form.errors) == ["job_title"]
        staff_client.post(f"{USERS}add/", {**new, "new_names": "麻醉医师"})
        assert User.objects.get(username="wang").job_title == "麻醉医师"


class TestDates:
    def test_an_administrator_sets_them_and_sees_the_state(self, staff_client: Client, alice: User) -> None:
        yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()
        staff_client.post(page(alice), {**form_data(staff_client, alice), "valid_until": yesterday})
        assert result_names(staff_client.get(USERS, {"validity": "ended"})) == ["alice"]
        assert result_names(staff_client.get(USERS, {"state": "active"})) == ["head"]
        assert "no longer valid" in staff_client.get(USERS).content.decode()

    def test_the_own_ones_are_refused(self, staff_client: Client, head: User) -> None:
        answer = staff_client.post(
            page(head), {**form_data(staff_client, head), "valid_until": "2099-01-01"}, follow=True
        )
        assert message_texts(answer) == ["Nothing was saved: you cannot do this to your own account."]


def test_the_form_says_what_no_language_is(staff_client: Client, alice: User) -> None:
    page = staff_client.get(f"{USERS}{alice.pk}/change/").content.decode()
    assert '<option value="" selected>the service&#x27;s own</option>' in page


def test_invalid_filters_are_said_to_be_invalid(staff_client: Client) -> None:
    page = staff_client.get(f"{USERS}?role__exact__x=1&e=1").content.decode()
    assert "The filters in the address of this page are invalid." in page
    assert "database" not in page


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("user/?validity=nonsense", "validity"),
        ("user/?state=", "state"),
        ("session/?seen=2h", "last seen"),
        ("attemptbudget/?subject=x", "what is locked"),
        ("message/?waiting=no", "delivery"),
    ],
)
def test_a_value_that_a_filter_does_not_have_is_said_on_the_list(staff_client: Client, path: str, title: str) -> None:
    answer = staff_client.get(f"/admin/accounts/{path}", follow=True)
    value = path.rpartition("=")[2]
    assert message_texts(answer) == [
        f"The filter “{title}” has no choice “{value}”. The list is shown without filters."
    ]
    assert answer.redirect_chain == [(f"/admin/accounts/{path.partition('?')[0]}", 302)]


@pytest.mark.parametrize("query", ["unknown=1", "role__exact__x=1", "valid_until=soon"])
def test_a_filter_or_page_that_the_list_does_not_have_is_said_there(staff_client: Client, query: str) -> None:
    answer = staff_client.get(f"{USERS}?{query}", follow=True)
    assert message_texts(answer) == ["The address asked for a filter or a page that this list does not have."]


def test_the_flag_of_invalid_filters_is_explained(staff_client: Client) -> None:
    page = staff_client.get(f"{USERS}?e=1").content.decode()
    assert "The address asked for a filter or a page that this list does not have." in page


def test_a_department_that_nobody_has_is_shown_as_the_filter_that_it_is(staff_client: Client, head: User) -> None:
    User.objects.filter(pk=head.pk).update(department="Surgery")
    answer = staff_client.get(f"{USERS}?department=Astrology&role__exact=boss")
    shown = [(each.label, each.value) for each in answer.context["filters"]]
    assert shown == [("Role", "boss (no such choice)"), ("Department", "Astrology (no such choice)")]
    assert answer.context["cl"].result_count == 0
