from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import AttemptBudget, User
from accounts.policies import ADDRESS_LIMIT
from accounts.security import hashing
from accounts.tests.tools import ELSEWHERE, HERE, Api
from audit.models import LoginAttempt, SecurityEvent

pytestmark = pytest.mark.django_db


class TestLockout:
    def test_five_failures_lock_the_account_at_that_address(self, api: Api, alice: User) -> None:
        assert [api.login(password="wrong").status_code for _ in range(6)] == [401] * 5 + [429]

    def test_a_locked_account_refuses_the_right_password_too(self, api: Api, alice: User) -> None:
        for _ in range(5):
            api.login(password="wrong")
        response = api.login()
        assert response.json() == {
            "type": "about:blank",
            "title": "Too Many Requests",
            "status": 429,
            "detail": "Too many failed attempts. Wait, then try again.",
            "code": "too_many_attempts",
        }
        assert 890 <= int(response["Retry-After"]) <= 900

    def test_a_locked_account_costs_no_hash(self, api: Api, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
        for _ in range(5):
            api.login(password="wrong")
        monkeypatch.setattr(hashing, "verify", lambda *args: pytest.fail("hashed"))
        assert api.login().status_code == 429

    def test_a_lock_is_an_event(self, api: Api, alice: User) -> None:
        for _ in range(5):
            api.login(password="wrong")
        event = SecurityEvent.objects.get()
        assert (event.event, event.user_id, event.detail) == (
            "account:locked",
            alice.pk,
            {"cause": "login", "address": HERE, "identifier": "alice"},
        )

    @pytest.mark.parametrize("spelling", ["alice", "ALICE", "alice@hospital.example", "13800138000"])
    def test_every_spelling_counts_against_one_budget(self, api: Api, alice: User, spelling: str) -> None:
        for name in ["alice", "Alice", "ALICE@hospital.example", "13800138000", "ａｌｉｃｅ"]:
            api.login(name, "wrong")
        assert api.login(spelling).status_code == 429

    def test_an_unknown_name_is_locked_like_a_known_one(self, api: Api, db: None) -> None:
        assert [api.login("nobody", "wrong").status_code for _ in range(6)] == [401] * 5 + [429]

    def test_a_success_resets_the_failures_before_it(self, api: Api, alice: User) -> None:
        for _ in range(3):
            for _ in range(4):
                api.login(password="wrong")
            assert api.login().status_code == 200

    def test_an_attacker_elsewhere_does_not_lock_out_the_user(self, api: Api, alice: User) -> None:
        for _ in range(6):
            Api(ELSEWHERE).login(password="wrong")
        assert api.login().status_code == 200

    def test_all_unknown_addresses_together_have_20_failures(self, alice: User) -> None:
        answers = [Api(f"203.0.113.{n}").login(password="wrong").status_code for n in range(22)]
        assert answers == [401] * 20 + [429] * 2

    def test_a_known_address_is_not_bound_by_failures_elsewhere(self, api: Api, alice: User) -> None:
        api.login()
        for n in range(22):
            Api(f"203.0.113.{n}").login(password="wrong")
        assert (api.login().status_code, Api(ELSEWHERE).login().status_code) == (200, 429)

    def test_an_address_is_forgotten_after_30_days(self, api: Api, alice: User) -> None:
        api.login()
        with time_machine.travel(timezone.now() + timedelta(days=31)):
            for n in range(20):
                Api(f"203.0.113.{n}").login(password="wrong")
            assert api.login().status_code == 429

    def test_an_address_has_100_failures_over_all_accounts(self, alice: User) -> None:
        rows = [
            AttemptBudget(purpose="address", address=HERE, count=99, expires_at=timezone.now() + timedelta(minutes=15))
        ]
        AttemptBudget.objects.bulk_create(rows)
        assert [Api().login(f"guess{n}", "wrong").status_code for n in range(2)] == [401, 429]
        assert Api().login().status_code == 429
        assert SecurityEvent.objects.get().event == "address:locked"

    def test_known_users_log_in_behind_a_locked_address(self, api: Api, alice: User) -> None:
        api.login()
        AttemptBudget.objects.create(
            purpose="address",
            address=HERE,
            locked_until=timezone.now() + timedelta(minutes=10),
            expires_at=timezone.now() + timedelta(minutes=15),
        )
        assert api.login().status_code == 200

    def test_one_ipv6_network_has_one_budget(self, alice: User) -> None:
        answers = [Api(f"2001:db8:1:2::{n}").login(password="wrong").status_code for n in range(1, 7)]
        assert answers == [401] * 5 + [429]

    def test_a_lock_lasts_15_minutes(self, api: Api, alice: User) -> None:
        for _ in range(5):
            api.login(password="wrong")
        with time_machine.travel(timezone.now() + timedelta(minutes=14)):
            assert api.login().status_code == 429
        with time_machine.travel(timezone.now() + timedelta(minutes=16)):
            assert api.login().status_code == 200

    def test_each_further_lock_is_twice_as_long_up_to_a_day(self, api: Api, alice: User) -> None:
        minutes, now = [], timezone.now()
        for _ in range(9):
            with time_machine.travel(now, tick=False):
                for _ in range(5):
                    api.login(password="wrong")
                seconds = int(api.login()["Retry-After"])
            minutes.append(seconds // 60)
            now += timedelta(seconds=seconds + 1)
        assert minutes == [15, 30, 60, 120, 240, 480, 960, 1440, 1440]

    def test_failures_are_forgotten_after_a_day(self, api: Api, alice: User) -> None:
        for _ in range(4):
            api.login(password="wrong")
        with time_machine.travel(timezone.now() + timedelta(hours=25)):
            assert [api.login(password="wrong").status_code for _ in range(5)] == [401] * 5

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("broken", ["accounts.security.hashing.verify", "accounts.services.settlement.record"])
    def test_an_attempt_that_crashes_is_given_back(
        self, api: Api, alice: User, monkeypatch: pytest.MonkeyPatch, broken: str
    ) -> None:
        def crash(*args: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(broken, crash)
        assert api.login().status_code == 500
        assert AttemptBudget.objects.get().in_flight == 0

    def test_a_reservation_that_a_kill_left_behind_expires(self, api: Api, alice: User) -> None:
        now = timezone.now()
        AttemptBudget.objects.create(
            purpose="login",
            account_id=alice.pk,
            address=HERE,
            in_flight=5,
            expires_at=now + timedelta(hours=1),
            claims_expire_at=now - timedelta(seconds=1),
        )
        assert api.login().status_code == 200
        assert AttemptBudget.objects.get(purpose="login").in_flight == 0

    def test_failures_during_a_lock_do_not_fill_the_budget_after_it(self, api: Api, alice: User) -> None:
        api.login()
        row = AttemptBudget.objects.get(purpose="login")
        now = timezone.now()
        for _ in range(5):
            assert row.count_failure(ADDRESS_LIMIT, now, claimed=False) is False
        row.locked_until = now + timedelta(minutes=15)
        assert row.count_failure(ADDRESS_LIMIT, now, claimed=False) is False
        assert row.count == 5

    def test_the_longest_of_several_locks_is_reported(self, api: Api, alice: User) -> None:
        now = timezone.now()
        for purpose, address, minutes in [("login", HERE, 100), ("login:unknown_addresses", "", 15)]:
            AttemptBudget.objects.create(
                purpose=purpose,
                account_id=alice.pk,
                address=address,
                locked_until=now + timedelta(minutes=minutes),
                expires_at=now + timedelta(days=1),
            )
        assert int(api.login()["Retry-After"]) > 5900

    def test_attempts_in_flight_that_do_not_settle_make_the_next_wait_and_then_give_up(
        self, api: Api, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("accounts.services.attempts.LONGEST_WAIT", timedelta(milliseconds=50))
        AttemptBudget.objects.create(
            purpose="login",
            account_id=alice.pk,
            address=HERE,
            in_flight=5,
            expires_at=timezone.now() + timedelta(hours=1),
            claims_expire_at=timezone.now() + timedelta(minutes=1),
        )
        response = api.login()
        assert (response.status_code, response["Retry-After"]) == (503, "1")

    def test_refusals_are_recorded_once_a_minute_with_their_number(self, api: Api, alice: User) -> None:
        now = timezone.now()
        with time_machine.travel(now, tick=False):
            for _ in range(15):
                api.login(password="wrong")
        with time_machine.travel(now + timedelta(seconds=61), tick=False):
            api.login()
        refused = LoginAttempt.objects.filter(failure_reason="locked").order_by("id")
        assert list(refused.values_list("repeats", flat=True)) == [1, 10]
        assert LoginAttempt.objects.count() == 7
