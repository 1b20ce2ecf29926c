"""The three officers: what each sees and may do, how a superuser grants the groups, and their separation."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from pytest_django.fixtures import Settings

from accounts import errors
from accounts.models import AUDITORS, SECURITY_OFFICERS, SYSTEM_ADMINISTRATORS, User
from accounts.services import groups, users
from accounts.tests.admin.conftest import logged_in, message_texts, run_action
from accounts.tests.factors import enrol_app
from accounts.tests.tools import PASSWORD, Api
from audit.models import SecurityEvent
from audit.origin import Origin

pytestmark = pytest.mark.django_db

PEOPLE = {"accounts.view_user", "accounts.add_user", "accounts.change_user"}
PERMISSIONS = {
    SYSTEM_ADMINISTRATORS: PEOPLE | {"accounts.view_session", "accounts.view_message"},
    SECURITY_OFFICERS: {
        "accounts.view_user",
        "accounts.unlock_user",
        "accounts.remove_second_factors",
        "accounts.view_session",
        "accounts.end_session",
    },
    AUDITORS: {"audit.view_loginattempt", "audit.view_securityevent"},
}


@pytest.fixture
def separate(settings: Settings) -> None:
    settings.SEPARATE_DUTIES = True


def member(*names: str, role: str = "doctor") -> User:
    user: User = User.objects.create_user("carol", None, PASSWORD, role=role)
    user.groups.set(Group.objects.filter(name__in=names))
    return user


def permissions_of(user: User) -> set[str]:
    return set(User.objects.get(pk=user.pk).get_all_permissions())


@pytest.mark.parametrize("name", list(PERMISSIONS))
@pytest.mark.parametrize("separated", [True, False])
def test_each_officer_has_permissions_of_their_own(settings: Settings, name: str, separated: bool) -> None:
    settings.SEPARATE_DUTIES = separated
    officer = member(name)
    assert (officer.is_staff, permissions_of(officer)) == (True, PERMISSIONS[name])


@pytest.mark.parametrize("name", list(PERMISSIONS))
def test_the_groups_have_the_same_permissions_in_the_database(name: str) -> None:
    stored = Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename")
    assert {f"{label}.{codename}" for label, codename in stored} == PERMISSIONS[name]


@pytest.mark.usefixtures("separate")
@pytest.mark.parametrize("names", [(), (AUDITORS,), (SECURITY_OFFICERS, AUDITORS)], ids=str)
def test_with_separate_duties_role_admin_is_a_system_administrator_and_nothing_more(names: tuple[str, ...]) -> None:
    assert permissions_of(member(*names, role="admin")) == PERMISSIONS[SYSTEM_ADMINISTRATORS]


@pytest.mark.usefixtures("separate")
def test_with_separate_duties_the_auditors_group_has_no_effect_beside_another() -> None:
    assert permissions_of(member(AUDITORS, SECURITY_OFFICERS)) == PERMISSIONS[SECURITY_OFFICERS]


def test_without_them_groups_add_up() -> None:
    both = PERMISSIONS[SECURITY_OFFICERS] | PERMISSIONS[AUDITORS]
    assert permissions_of(member(AUDITORS, SECURITY_OFFICERS)) == both


def test_the_former_administrators_group_has_no_effect() -> None:
    carol = member("administrators")
    assert (carol.is_staff, permissions_of(carol)) == (False, set())


class TestGrants:
    def test_a_superuser_grants_a_group_and_it_is_recorded(
        self, superuser_client: Client, root: User, alice: User
    ) -> None:
        result = run_action(superuser_client, "grant-group", alice, choice=AUDITORS)
        assert message_texts(result) == ["The group was granted to 1 account."]
        events = SecurityEvent.objects.filter(event="user:groups:changed").values_list("user", "actor", "detail")
        assert list(events) == [(alice.pk, root.pk, {"old": [], "new": ["auditors"]})]

    def test_a_revoked_group_has_no_effect_at_the_next_request(self, superuser_client: Client, auditor: User) -> None:
        site = logged_in(auditor)
        assert site.get("/admin/").status_code == 200
        run_action(superuser_client, "revoke-group", auditor, choice=AUDITORS)
        assert site.get("/admin/").status_code == 302

    @pytest.mark.parametrize(
        ("action", "group", "why"),
        [
            ("grant-group", AUDITORS, "is in this group already"),
            ("revoke-group", SECURITY_OFFICERS, "is not in this group"),
        ],
    )
    def test_no_change_is_no_event(
        self, superuser_client: Client, auditor: User, action: str, group: str, why: str
    ) -> None:
        result = run_action(superuser_client, action, auditor, choice=group)
        assert message_texts(result) == [f"1 was skipped (audrey): {why}."]
        assert not SecurityEvent.objects.filter(event="user:groups:changed").exists()

    @pytest.mark.parametrize("choice", ["", "administrators"])
    def test_a_group_must_be_chosen(self, superuser_client: Client, alice: User, choice: str) -> None:
        assert "Choose a value." in run_action(superuser_client, "grant-group", alice, choice=choice).content.decode()
        assert not alice.groups.exists()

    def test_an_administrator_grants_none(self, staff_client: Client, alice: User) -> None:
        assert run_action(staff_client, "grant-group", alice, choice=AUDITORS).status_code == 403

    def test_the_service_grants_for_superusers_alone(self, head: User, alice: User, origin: Origin) -> None:
        with pytest.raises(errors.PermissionDenied):
            groups.grant(user=alice, group=AUDITORS, actor=head, origin=origin)

    @pytest.mark.usefixtures("separate")
    @pytest.mark.parametrize(
        ("held", "role", "group"),
        [
            ((AUDITORS,), "doctor", SECURITY_OFFICERS),
            ((SYSTEM_ADMINISTRATORS,), "doctor", AUDITORS),
            ((), "admin", AUDITORS),
            ((), "admin", SECURITY_OFFICERS),
        ],
    )
    def test_with_separate_duties_nobody_is_an_auditor_beside_another_duty(
        self, superuser_client: Client, held: tuple[str, ...], role: str, group: str
    ) -> None:
        result = run_action(superuser_client, "grant-group", member(*held, role=role), choice=group)
        assert message_texts(result) == [
            "1 was skipped (carol): duties are separated: an auditor holds no other group and not the role admin."
        ]

    @pytest.mark.usefixtures("separate")
    def test_with_separate_duties_an_auditor_does_not_become_an_administrator(
        self, auditor: User, root: User, origin: Origin
    ) -> None:
        with pytest.raises(errors.SeparatedDuties):
            users.change(user=auditor, changes={"role": "admin"}, actor=root, origin=origin)


class TestPages:
    def test_a_security_officer_unlocks_and_logs_out_and_changes_nothing_else(self, alice: User) -> None:
        site = logged_in(member(SECURITY_OFFICERS))
        Api().tokens()
        enrol_app(alice)
        Api().login(password="wrong")
        page = site.get(f"/admin/accounts/user/{alice.pk}/change/")
        assert list(page.context["confirmed_actions"]) == ["unlock", "end-sessions", "remove-second-factors"]
        assert 'name="_save"' not in page.content.decode()

    def test_a_phone_number_is_shown_as_it_is_dialled_to_those_who_may_not_change_it(self, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(phone="+8613800138001")
        page = logged_in(member(SECURITY_OFFICERS)).get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()
        assert '<div class="readonly">13800138001</div>' in page
        assert "+8613800138001" not in page

    @pytest.mark.parametrize(("language", "shown"), [("", "服务默认"), ("en", "English")])
    def test_the_language_of_messages_is_named_to_those_who_may_not_change_it(
        self, alice: User, language: str, shown: str
    ) -> None:
        User.objects.filter(pk=alice.pk).update(language=language)
        site = logged_in(member(SECURITY_OFFICERS))
        page = site.get(f"/admin/accounts/user/{alice.pk}/change/", headers={"Accept-Language": "zh-CN"})
        assert f'<div class="readonly">{shown}</div>' in page.content.decode()

    def test_a_security_officer_reads_the_policies_in_force(self, settings: Settings) -> None:
        settings.TRAIL_RETENTION_DAYS = 222
        site = logged_in(member(SECURITY_OFFICERS))
        assert 'href="/admin/policies/"' in site.get("/admin/").content.decode()
        page = site.get("/admin/policies/").content.decode()
        assert "<td>Wrong passwords that lock an account at an address</td><td>5</td>" in page
        assert "<td>First lock; each further one lasts twice as long</td><td>15 minutes</td>" in page
        assert "<td>Longest lock</td><td>24 hours</td>" in page
        assert "<td>The trail is kept for</td><td>222 days</td>" in page

    @pytest.mark.parametrize(
        ("profile", "named", "everywhere", "by_code"),
        [
            (
                "documented",
                "as the documents of the former systems say",
                "at least 6 characters",
                "at least 8 characters; with upper and lower case letters and a digit",
            ),
            (
                "hardened",
                "hardened",
                "at least 8 characters; not common or breached, and not similar to the user's own data",
                "at least 8 characters; with upper and lower case letters and a digit;"
                " not common or breached, and not similar to the user's own data",
            ),
        ],
    )
    def test_the_policies_name_the_profile_and_its_rule_of_passwords_for_each_way_to_set_one(
        self, settings: Settings, profile: str, named: str, everywhere: str, by_code: str
    ) -> None:
        settings.PROFILE = profile
        page = logged_in(member(SECURITY_OFFICERS)).get("/admin/policies/")
        values = [str(value) for _name, value in page.context["rows"]]
        assert (values[0], values[2:4]) == (named, [everywhere, by_code])

    def test_an_auditor_does_not_read_the_policies(self, auditor: User) -> None:
        assert logged_in(auditor).get("/admin/policies/").status_code == 403

    @pytest.mark.usefixtures("separate")
    def test_with_separate_duties_an_administrator_does_not_see_the_trail(self, staff_client: Client) -> None:
        paths = ("audit/loginattempt/", "audit/securityevent/", "accounts/user/")
        assert [staff_client.get(f"/admin/{path}").status_code for path in paths] == [403, 403, 200]

    def test_the_page_of_a_user_shows_groups_and_offers_no_field_for_them(
        self, superuser_client: Client, auditor: User
    ) -> None:
        page = superuser_client.get(f"/admin/accounts/user/{auditor.pk}/change/")
        assert {"groups", "role"}.isdisjoint(page.context["adminform"].form.fields)
        assert '<div class="readonly">auditors</div>' in page.content.decode()

    @pytest.mark.parametrize("path", ["accounts/user/", "accounts/session/?state=all", "accounts/message/"])
    def test_lists_of_people_mark_superusers_and_auditors(
        self, superuser_client: Client, auditor: User, alice: User, path: str
    ) -> None:
        Api().tokens("audrey")
        page = superuser_client.get(f"/admin/{path}").content.decode()
        expected = (0, 0) if "message" in path else (1, 1)
        assert tuple(page.count(f'<span class="mark">{mark}</span>') for mark in ("superuser", "auditor")) == expected


class TestApi:
    VERBS = ("users", "login-attempts")

    def statuses(self, name: str, alice: User) -> list[int]:
        token = Api().tokens(name)["access_token"]
        unlocked = Api().post(f"users/{alice.pk}/unlock", {}, token)
        return [*(Api().get(verb, token).status_code for verb in self.VERBS), unlocked.status_code]

    def test_without_separate_duties_an_administrator_may_all(self, head: User, alice: User) -> None:
        assert self.statuses("head", alice) == [200, 200, 200]

    @pytest.mark.usefixtures("separate")
    def test_with_them_an_administrator_manages_people_alone(self, head: User, alice: User) -> None:
        assert self.statuses("head", alice) == [200, 403, 403]

    @pytest.mark.usefixtures("separate")
    def test_with_them_a_security_officer_unlocks(self, alice: User) -> None:
        member(SECURITY_OFFICERS)
        assert self.statuses("carol", alice) == [200, 403, 200]

    @pytest.mark.usefixtures("separate")
    def test_an_auditor_does_not_become_an_administrator(self, head: User, auditor: User) -> None:
        token = Api().tokens("head")["access_token"]
        answer: Any = Api().call("PATCH", f"/api/auth/users/{auditor.pk}", {"role": "admin"}, token)
        assert (answer.status_code, answer.json()["code"]) == (403, "duties_separated")
