"""The enrolment of a first second factor before a login: by whom a role obliges to have one."""

from accounts.errors import TokenInvalid
from accounts.models import SecondFactor, User
from accounts.security import mfa_tokens
from audit.origin import Origin


def authenticate(*, token: str, origin: Origin) -> User:
    """Return the user of an enrolment token, who has entered the password and has no second factor.

    The token ends with the first factor, and with every change that ends sessions. Raises TokenInvalid and
    TokenExpired.
    """
    mfa_token = mfa_tokens.read(mfa_tokens.ENROLLMENT, token, origin.contract)
    user: User | None = User.objects.filter(pk=mfa_token.user_id).first()
    if user is None or not mfa_token.is_of(user) or not user.may_log_in():
        raise TokenInvalid
    if SecondFactor.objects.in_force().filter(user=user).exists():
        raise TokenInvalid
    return user
