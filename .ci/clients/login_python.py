"""Logs in with the client of openapi-python-client."""

import sys

from generated import AuthenticatedClient, Client
from generated.api.native_account import native_get_me
from generated.api.native_login import native_post_login
from generated.models import NativeLogin, NativeLoginAnswer, NativeProblem, NativeUserAnswer, Role


def main(base_url: str) -> None:
    with Client(base_url=base_url) as client:
        wrong = native_post_login.sync(client=client, body=NativeLogin("dr_wang", "wrong"))
        assert isinstance(wrong, NativeProblem) and wrong.code == "invalid_credentials", wrong
        login = native_post_login.sync(client=client, body=NativeLogin("dr_wang", "123456"))
        assert isinstance(login, NativeLoginAnswer), login
    with AuthenticatedClient(base_url=base_url, token=login.access_token) as client:
        me = native_get_me.sync(client=client)
        assert isinstance(me, NativeUserAnswer) and me.role is Role.DOCTOR, me


main(sys.argv[1])
