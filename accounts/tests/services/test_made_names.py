import pytest

from accounts.models import User
from accounts.services.registration import register_by_email
from audit.origin import Origin

pytestmark = pytest.mark.django_db


def made(origin: Origin, email: str) -> str:
    columns = {"email": email, "role": "patient"}
    return register_by_email(columns=columns, password="Secret123", roles={"patient"}, origin=origin).username


def test_a_name_is_made_from_the_local_part(origin: Origin) -> None:
    assert made(origin, "carol.li@a.cn") == "carol.li"


def test_a_name_that_is_taken_is_numbered(origin: Origin) -> None:
    assert [made(origin, f"carol@{host}.cn") for host in "abc"] == ["carol", "carol2", "carol3"]


def test_a_number_that_makes_a_phone_number_is_passed_over(origin: Origin) -> None:
    assert [made(origin, f"1391234567@{host}.cn") for host in "ab"] == ["1391234567", "139123456710"]


def test_a_local_part_that_cannot_be_a_name_gives_another(origin: Origin) -> None:
    assert made(origin, "13912345678@a.cn") == "user"


def test_when_the_numbers_run_out_one_is_drawn(origin: Origin) -> None:
    User.objects.bulk_create([User(username="carol"), *(User(username=f"carol{n}") for n in range(2, 50))])
    assert made(origin, "carol@a.cn").startswith("carol-")
