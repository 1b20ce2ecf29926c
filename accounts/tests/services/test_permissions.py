import pytest

from accounts.errors import LastAdministrator, OwnAccount, PermissionDenied
from accounts.models import User
from accounts.services import account_state, users
from audit.origin import CONSOLE

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(db: None) -> User:
    """A superuser whose role is not administrator."""
    operator: User = User.objects.create_user("operator", role="viewer", is_superuser=True)
    return operator


def stored(user: User) -> tuple[str, bool]:
    fresh = User.objects.get(pk=user.pk)
    return fresh.role, fresh.is_active


def test_the_last_administrator_cannot_be_deactivated(operator: User, head: User) -> None:
    with pytest.raises(LastAdministrator):
        account_state.deactivate(user=head, actor=operator, origin=CONSOLE)
    assert stored(head) == ("admin", True)


def test_the_last_administrator_cannot_be_demoted(operator: User, head: User) -> None:
    with pytest.raises(LastAdministrator):
        users.change(user=head, changes={"role": "doctor"}, actor=operator, origin=CONSOLE)
    assert stored(head) == ("admin", True)


@pytest.mark.parametrize("columns", [{"is_active": False}, {"awaits_approval": True}, {"role": "doctor"}], ids=str)
def test_an_administrator_who_cannot_log_in_is_not_counted(operator: User, head: User, columns: dict[str, str]) -> None:
    User.objects.create(**{"username": "second", "role": "admin", **columns})
    with pytest.raises(LastAdministrator):
        account_state.deactivate(user=head, actor=operator, origin=CONSOLE)


def test_one_of_two_administrators_can_be_deactivated(operator: User, head: User) -> None:
    User.objects.create(username="second", role="admin")
    assert account_state.deactivate(user=head, actor=operator, origin=CONSOLE)
    assert stored(head) == ("admin", False)


def test_a_deactivated_administrator_can_be_demoted(operator: User, head: User) -> None:
    User.objects.filter(pk=head.pk).update(is_active=False)
    head.refresh_from_db()
    users.change(user=head, changes={"role": "doctor"}, actor=operator, origin=CONSOLE)
    assert stored(head) == ("doctor", False)


def test_an_account_that_became_the_last_administrator_since_it_was_read_stays(operator: User, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(role="admin")
    with pytest.raises(LastAdministrator):
        account_state.deactivate(user=bob, actor=operator, origin=CONSOLE)


def test_a_superuser_cannot_deactivate_their_own_account(operator: User) -> None:
    with pytest.raises(OwnAccount):
        account_state.deactivate(user=operator, actor=operator, origin=CONSOLE)


def test_an_account_that_became_a_superusers_since_it_was_read_is_not_changed(head: User, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_superuser=True)
    with pytest.raises(PermissionDenied):
        account_state.deactivate(user=bob, actor=head, origin=CONSOLE)
    assert stored(bob) == ("doctor", True)
