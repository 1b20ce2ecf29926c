"""The list of people, and the forms of one."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.models import AUDITORS, AttemptBudget, User
from accounts.services import users
from accounts.tests.admin.conftest import listed, logged_in, told
from accounts.tests.tools import ELSEWHERE, Api
from audit.models import SecurityEvent
from audit.origin import Origin

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"


def page(user: User) -> str:
    return f"{USERS}{user.pk}/change/"


def as_shown(client: Client, user: User) -> dict[str, Any]:
    """Return the form of an account as a browser would send it."""
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
    def test_it_finds_by_whatever_people_know(self, office: Client, alice: User, bob: User, typed: str) -> None:
        User.objects.filter(pk=alice.pk).update(department="药房")
        assert listed(office.get(USERS, {"q": typed})) == ["alice"]

    def test_a_name_with_digits_is_found_by_its_beginning(self, office: Client) -> None:
        User.objects.create_user("080-123", None, None)
        assert listed(office.get(USERS, {"q": "080-1"})) == ["080-123"]

    @pytest.mark.parametrize("typed", ["argon2", "pbkdf2"])
    def test_it_finds_nothing_by_a_hash(self, office: Client, alice: User, typed: str) -> None:
        assert listed(office.get(USERS, {"q": typed})) == []


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
            ("last_login=nonsense", ["alice", "bob", "head"]),
        ],
    )
    def test_it_shows(self, office: Client, query: str, found: list[str]) -> None:
        assert listed(office.get(f"{USERS}?{query}")) == found

    def test_whoever_has_never_logged_in(self, office: Client) -> None:
        User.objects.create_user("newcomer", None, None)
        assert listed(office.get(f"{USERS}?last_login=never")) == ["newcomer"]

    def test_a_department(self, office: Client, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(department="药房")
        assert listed(office.get(USERS, {"department": "药房"})) == ["alice"]

    def test_whoever_waits_and_was_rejected_waits_no_more(self, office: Client, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(is_active=False)
        assert listed(office.get(f"{USERS}?state=awaiting")) == []

    @pytest.mark.parametrize(("minutes", "found"), [(1, ["alice"]), (-1, [])])
    def test_a_lock_counts_until_it_is_over(self, office: Client, alice: User, minutes: int, found: list[str]) -> None:
        until = timezone.now() + timedelta(minutes=minutes)
        AttemptBudget.objects.create(
            purpose="login:unknown_addresses", account_id=alice.pk, locked_until=until, expires_at=until
        )
        assert listed(office.get(f"{USERS}?state=locked")) == found

    def test_a_lock_of_codes_is_no_lock_of_logins(self, office: Client, alice: User) -> None:
        until = timezone.now() + timedelta(minutes=1)
        AttemptBudget.objects.create(
            purpose="code:reset:check", account_id=alice.pk, locked_until=until, expires_at=until
        )
        assert listed(office.get(f"{USERS}?state=locked")) == []


class TestStaleForm:
    def test_it_undoes_nothing_and_says_so(self, office: Client, head: User, alice: User, origin: Origin) -> None:
        stale = as_shown(office, alice)
        users.change(user=alice, changes={"department": "Ward 3"}, actor=head, origin=origin)
        response = office.post(page(alice), {**stale, "full_name": "Alice Li"})
        assert "Somebody has changed this account since this page was opened." in response.content.decode()
        stored = User.objects.get(pk=alice.pk)
        assert (stored.department, stored.full_name) == ("Ward 3", "Alice Zhang")

    def test_a_form_that_is_as_new_as_the_account_is_saved(self, office: Client, alice: User) -> None:
        assert office.post(page(alice), {**as_shown(office, alice), "full_name": "Alice Li"}).status_code == 302
        assert User.objects.get(pk=alice.pk).full_name == "Alice Li"

    def test_a_change_between_the_look_and_the_leap_is_seen_too(
        self, office: Client, head: User, alice: User, origin: Origin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        form, real = as_shown(office, alice), users.save_changes

        def overtaken(**arguments: Any) -> bool:
            User.objects.filter(pk=alice.pk).update(department="Ward 3", updated_at=timezone.now())
            return real(**arguments)

        monkeypatch.setattr(users, "save_changes", overtaken)
        response = office.post(page(alice), {**form, "full_name": "Alice Li"}, follow=True)
        assert "Somebody has changed this account" in told(response)[0]
        assert User.objects.get(pk=alice.pk).full_name == "Alice Zhang"

    def test_a_login_meanwhile_is_no_change(self, office: Client, alice: User) -> None:
        form = as_shown(office, alice)
        Api().tokens()
        assert office.post(page(alice), {**form, "full_name": "Alice Li"}).status_code == 302


class TestPage:
    def test_it_shows_sessions_attempts_and_events(self, office: Client, alice: User) -> None:
        Api(ELSEWHERE).tokens()
        Api(ELSEWHERE).login(password="wrong")
        tables = {str(table["title"]): table["rows"] for table in office.get(page(alice)).context["tables"]}
        assert [row[3] for row in tables["Sessions going on"]] == [ELSEWHERE]
        assert [str(row[1]) for row in tables["Last login attempts"]] == ["failed", "success"]
        assert tables["Last events"] == []

    def test_at_most_20_attempts_are_shown(self, office: Client, alice: User) -> None:
        for number in range(5):
            for _ in range(5):
                Api(f"192.0.2.{50 + number}").login(password="wrong")
        tables = {str(table["title"]): table["rows"] for table in office.get(page(alice)).context["tables"]}
        assert len(tables["Last login attempts"]) == 20

    def test_the_full_lists_show_that_user_alone(self, office: Client, alice: User) -> None:
        Api().tokens()
        tables = office.get(page(alice)).context["tables"]
        shown = [office.get(table["all"]).context["cl"].result_count for table in tables]
        assert shown == [1, 1, 0]

    def test_it_shows_which_addresses_are_confirmed_and_which_wait(self, office: Client, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(verified_email=alice.email_key, pending_phone="+8613900139000")
        shown = office.get(page(alice)).content.decode()
        wanted = "e-mail address: confirmed; phone: not confirmed; waits to be confirmed: +8613900139000"
        assert wanted in shown

    def test_a_superusers_page_has_no_buttons_for_others(self, office: Client, root: User) -> None:
        assert office.get(page(root)).context["verbs"] == {}


class TestAdding:
    BODY = {"username": "newcomer", "role": "doctor", "email": "newcomer@hospital.example"}

    def test_an_account_is_made_with_its_event_and_without_a_password(self, office: Client, head: User) -> None:
        assert office.post(f"{USERS}add/", self.BODY).status_code == 302
        user = User.objects.get(username="newcomer")
        assert (user.role, user.has_usable_password()) == ("doctor", False)
        events = SecurityEvent.objects.filter(user=user.pk).values_list("event", "actor", "detail")
        assert list(events) == [("user:created", head.pk, {"role": "doctor"})]

    def test_the_form_asks_for_no_password(self, office: Client) -> None:
        assert 'type="password"' not in office.get(f"{USERS}add/").content.decode()

    @pytest.mark.parametrize(
        ("field", "value"), [("username", "ALICE"), ("username", "two words"), ("role", ""), ("email", "nonsense")]
    )
    def test_what_cannot_be_is_said_at_its_field(self, office: Client, alice: User, field: str, value: str) -> None:
        response = office.post(f"{USERS}add/", {**self.BODY, field: value})
        assert list(response.context["adminform"].form.errors) == [field]


class TestGroups:
    @pytest.fixture
    def auditors(self, db: None) -> Group:
        return Group.objects.get(name=AUDITORS)

    def test_a_superuser_grants_one_and_it_is_an_event(
        self, roots: Client, root: User, alice: User, auditors: Group
    ) -> None:
        roots.post(page(alice), {**as_shown(roots, alice), "groups": [auditors.pk]})
        events = SecurityEvent.objects.filter(event="user:groups:changed").values_list("user", "actor", "detail")
        assert list(events) == [(alice.pk, root.pk, {"old": [], "new": ["auditors"]})]

    def test_it_holds_from_the_next_request_on(self, roots: Client, auditor: User) -> None:
        site = logged_in(auditor)
        assert site.get("/admin/").status_code == 200
        roots.post(page(auditor), {**as_shown(roots, auditor), "groups": []})
        assert site.get("/admin/").status_code == 302

    def test_saving_without_a_change_of_groups_is_no_event(self, roots: Client, auditor: User) -> None:
        roots.post(page(auditor), {**as_shown(roots, auditor), "full_name": "Audrey"})
        assert not SecurityEvent.objects.filter(event="user:groups:changed").exists()
        assert auditor.groups.count() == 1

    def test_an_administrators_form_changes_none(self, office: Client, auditor: User) -> None:
        office.post(page(auditor), {**as_shown(office, auditor), "full_name": "Audrey", "groups": []})
        assert auditor.groups.count() == 1


class TestAdministrators:
    def test_an_administrator_does_not_change_their_own_role(self, office: Client, head: User, root: User) -> None:
        response = office.post(page(head), {**as_shown(office, head), "role": "doctor"}, follow=True)
        assert [str(message) for message in response.context["messages"]] == [
            "Nothing was saved: you cannot deactivate your own account or change its role."
        ]
        assert User.objects.get(pk=head.pk).role == "admin"

    def test_the_last_administrator_keeps_the_role(self, head: User, auditor: User) -> None:
        User.objects.filter(pk=auditor.pk).update(is_superuser=True)
        site = logged_in(auditor)
        response = site.post(page(head), {**as_shown(site, head), "role": "doctor"}, follow=True)
        assert [str(message) for message in response.context["messages"]] == [
            "Nothing was saved: the last active administrator cannot be deactivated or demoted."
        ]
        assert User.objects.get(pk=head.pk).role == "admin"
