"""Second factors of test users: enrolled by the services, and the codes that go with them."""

from dataclasses import dataclass
from datetime import timedelta

import pyotp
import pytest
from django.utils import timezone

from accounts.contracts.native.tokens import SESSION
from accounts.errors import SecondFactorRequired
from accounts.models import SecondFactor, User
from accounts.services import identifiers, second_factors, sign_in
from accounts.services.factor_check import FactorStep
from accounts.services.token_issuer import TokenIssuer
from accounts.tests.authenticator import Authenticator
from accounts.tests.tools import PASSWORD
from audit.origin import Origin

ORIGIN = Origin("native", "192.0.2.1")
# Opens sessions as the native contract does, and returns them instead of tokens.
SESSIONS = TokenIssuer(SESSION, (), lambda session: session)


@dataclass
class TotpApp:
    """An authenticator app in force, and the recovery codes that came with it."""

    factor_id: int
    secret: str
    recovery_codes: list[str]
    used_code: str = ""

    def code(self, steps: int = 1) -> str:
        """Return the code of a later time step than that of the enrolment, which has served."""
        return pyotp.TOTP(self.secret).at(timezone.now() + timedelta(seconds=30 * steps))


def challenge(user: User, origin: Origin = ORIGIN) -> SecondFactorRequired:
    """Log in by the password alone, and return the challenge."""
    with pytest.raises(SecondFactorRequired) as raised:
        sign_in.sign_in(
            identifier=identifiers.of_user(user),
            password=PASSWORD,
            issuer=SESSIONS,
            origin=origin,
            step=FactorStep.SEPARATE,
        )
    return raised.value


def enrol_app(user: User, password: str = PASSWORD) -> TotpApp:
    new = second_factors.begin_app(user=user, password=password, origin=ORIGIN)
    code = pyotp.TOTP(new.secret).at(timezone.now())
    enrolled = second_factors.confirm_app(user=user, factor_id=new.id, code=code, first=False, origin=ORIGIN)
    return TotpApp(new.id, new.secret, enrolled.recovery_codes or [], code)


def enrol_key(user: User, authenticator: Authenticator, password: str = PASSWORD) -> SecondFactor:
    options = second_factors.creation_options(user=user, password=password, origin=ORIGIN)
    credential = authenticator.create(options)
    return second_factors.add_credential(
        user=user, credential=credential, name="Key", first=False, origin=ORIGIN
    ).factor
