import pytest
from django.utils import translation

from accounts.models import User
from accounts.services import users


@pytest.mark.parametrize(
    ("columns", "problems"),
    [
        ({"username": "two words"}, {"username": "A user name may contain only letters, digits and . _ - +."}),
        ({"username": "x" * 151}, {"username": "A user name must have 1 to 150 characters."}),
        ({"email": "nonsense"}, {"email": "This is not an e-mail address."}),
        ({"phone": "12"}, {"phone": "This is not a phone number."}),
        ({"phone": "+86 (138) 0013-8000"}, {}),
        ({"email": None, "phone": ""}, {}),
    ],
    ids=str,
)
def test_wrong_columns_are_named_in_the_language_in_which_they_are_read(
    columns: dict[str, str], problems: dict[str, str]
) -> None:
    with translation.override("zh-hans"):
        errors = users.wrong_columns(User(**{"username": "carol", **columns}))
    with translation.override("en"):
        assert {field: str(problem.detail) for field, (problem,) in errors.items()} == problems
