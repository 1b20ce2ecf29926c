"""The operations of the native contract that send and accept codes: password reset and verification."""

from typing import Any

from accounts import errors
from accounts.contracts.native import code_wire, wire
from accounts.contracts.native.views import NativeViewSet
from accounts.contracts.operations import operation
from accounts.models import Channel, User
from accounts.services import (
    contacts,
    identifiers,
    recovery,
)


class RecoveryViewSet(NativeViewSet):
    area = "login"
    public = frozenset({"request_code", "reset_password"})

    @operation(
        request=code_wire.Contact, response=code_wire.CodeAnswer, errors=(errors.TooManyCodes, errors.Overloaded)
    )
    def request_code(self, data: dict[str, Any]) -> dict[str, Any]:
        """Send a code for a new password.

        The response is the same whether or not the account exists, has this contact and is sent a code there. An
        account is sent at most one code a minute and ten a day. If one of its contacts is verified or was given by an
        administrator, no other contact receives codes. The first reset by code makes the other contacts pending: see
        `verify`.
        """
        code = recovery.request_code(
            identifier=identifiers.any_of_three(data["identifier"]),
            channel=Channel(data["channel"]),
            contact=data["contact"],
            origin=self.origin,
        )
        return code_wire.sent_code(code)

    @operation(
        request=code_wire.PasswordReset,
        status=204,
        errors=(errors.InvalidCode, errors.TooManyAttempts, errors.Overloaded),
    )
    def reset_password(self, data: dict[str, Any]) -> None:
        """Set a new password with a code.

        Every session ends: log in next. An account accepts five wrong codes a day; a new code does not reset the count.
        """
        recovery.reset_password(
            identifier=identifiers.any_of_three(data["identifier"]),
            channel=Channel(data["channel"]),
            contact=data["contact"],
            code=data["code"],
            new=data["new_password"],
            origin=self.origin,
        )


class VerificationViewSet(NativeViewSet):
    @operation(
        request=code_wire.VerificationRequest,
        response=code_wire.CodeAnswer,
        errors=(errors.TooManyChanges, errors.TooManyCodes, errors.Overloaded),
    )
    def request_code(self, data: dict[str, Any]) -> dict[str, Any]:
        """Send a code that verifies the current user's e-mail address or phone number.

        It is sent to the pending address or number if there is one, otherwise to the current one. A contact receives at
        most one message a minute, five an hour and ten a day. Only mobile numbers of the deployment's regions receive
        text messages; any other is refused with `no_text_messages`.
        """
        channel = Channel(data["channel"])
        code = contacts.request_verification(user=self.session.user, channel=channel, origin=self.origin)
        return code_wire.sent_code(code)

    @operation(
        request=code_wire.Verification,
        response=wire.UserAnswer,
        errors=(errors.InvalidCode, errors.AlreadyTaken, errors.TooManyAttempts, errors.Overloaded),
    )
    def verify(self, data: dict[str, Any]) -> User:
        """Verify the current user's e-mail address or phone number with a code.

        A pending address or number then replaces the current one.
        """
        return contacts.verify(
            user=self.session.user, channel=Channel(data["channel"]), code=data["code"], origin=self.origin
        )
