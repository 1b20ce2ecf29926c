"""Keys change while people log in: on every database."""

import pytest

from accounts.contracts.native.tokens import ACCESS, REFRESH
from accounts.models import SigningKey
from accounts.security.keys import ring
from accounts.services import keys
from accounts.tests.races import Round, answered, race_rounds, statuses
from audit.origin import CONSOLE

pytestmark = pytest.mark.django_db(transaction=True)


@race_rounds(5)
def test_tokens_of_a_login_during_a_rotation_are_valid_on_every_node(each: Round) -> None:
    policy = ACCESS if each.number % 2 else REFRESH
    ring.signer(policy)
    before = SigningKey.objects.filter(purpose=policy.purpose).count()
    results = each.at_once(lambda n: each.log_in() if n else keys.rotate(purpose=policy.purpose, origin=CONSOLE))
    assert isinstance(results[0], keys.Rotation), results[0]
    assert statuses(results[1:]) == {200: 4}
    assert SigningKey.objects.filter(purpose=policy.purpose).count() == before + 1
    # Another node, which reads its keys after the rotation, takes the same tokens.
    for _node in range(2):
        for pair in (result.json() for result in answered(results[1:], 200)):
            assert each.api().get("me", pair["access_token"]).status_code == 200
            assert each.api().post("refresh", {"refresh_token": pair["refresh_token"]}).status_code == 200
        ring.forget()
