"""What requests about second factors need beside the description's examples: factors, tokens and answers to options."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyotp
from django.utils import timezone

from accounts.models import User
from accounts.security import mfa_tokens
from accounts.services import second_factors
from accounts.tests.authenticator import Authenticator
from accounts.tests.factors import ORIGIN, enrol_app, enrol_key
from accounts.tests.tools import Api


@dataclass
class PreparedRequest:
    """The fields of a request's body, the id of the factor in its path, and the secrets that were made for it."""

    fields: dict[str, Any] = field(default_factory=dict)
    factor_id: int = 0
    secrets: set[str] = field(default_factory=set)


def prepared(name: str, user: User, password: str) -> PreparedRequest:
    """Return what the operation needs in order to succeed, which may be nothing."""
    prepare = _PREPARE.get(name)
    return prepare(user, password) if prepare else PreparedRequest()


def _with_app(user: User, password: str) -> PreparedRequest:
    app = enrol_app(user, password)
    return PreparedRequest({"code": app.recovery_codes[0]}, app.factor_id, {app.secret, *app.recovery_codes})


def _second_step(user: User, password: str) -> PreparedRequest:
    app = _with_app(user, password)
    token = Api().login(user.username, password).json()["mfa_token"]
    app.fields |= {"mfa_token": token, "method": "recovery_code"}
    app.secrets.add(token.rpartition(".")[2])
    return app


def _expired_password(user: User, password: str) -> PreparedRequest:
    token = mfa_tokens.issue(mfa_tokens.PASSWORD_CHANGE, user, "native")
    return PreparedRequest({"password_token": token}, secrets={token.rpartition(".")[2]})


def _passkey(user: User, password: str) -> PreparedRequest:
    key = Authenticator()
    enrol_key(user, key, password)
    options = Api().post("login/passkey/options").json()["publicKey"]
    return PreparedRequest({"credential": key.get(options)})


def _new_app(user: User, password: str) -> PreparedRequest:
    new = second_factors.begin_app(user=user, password=password, origin=ORIGIN)
    return PreparedRequest({"code": pyotp.TOTP(new.secret).at(timezone.now())}, new.id, {new.secret})


def _new_credential(user: User, password: str) -> PreparedRequest:
    options = second_factors.creation_options(user=user, password=password, origin=ORIGIN)
    return PreparedRequest({"credential": Authenticator().create(options)})


_PREPARE: dict[str, Callable[[User, str], PreparedRequest]] = {
    "native_post_login_second_factor": _second_step,
    "native_post_login_second_factor_options": _second_step,
    "native_post_login_change_password": _expired_password,
    "native_post_login_passkey": _passkey,
    "native_post_mfa_totp_factor_id_confirm": _new_app,
    "native_post_mfa_webauthn": _new_credential,
    "native_post_mfa_recovery_codes": _with_app,
    "native_delete_mfa_factor_id": _with_app,
}
