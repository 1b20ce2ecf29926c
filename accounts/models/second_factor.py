"""Second factors, recovery codes, and the WebAuthn challenges that have served."""

from datetime import datetime
from typing import ClassVar, Final

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

# A credential id has at most 1023 bytes (WebAuthn Level 3, section 4); as base64url it is a third longer.
CREDENTIAL_ID_LENGTH: Final = 1364
NAME_LENGTH: Final = 60


class FactorType(models.TextChoices):
    """The kinds of second factors; the first two are enrolled, recovery codes come with the first of them."""

    TOTP = "totp", _("authenticator app")
    WEBAUTHN = "webauthn", _("passkey or security key")
    RECOVERY_CODE = "recovery_code", _("recovery code")


class SecondFactorQuerySet(models.QuerySet["SecondFactor"]):
    def in_force(self) -> "SecondFactorQuerySet":
        """Return the factors that their users have confirmed; the others have no effect."""
        return self.exclude(confirmed_at=None)

    def use_step(self, pk: int, step: int, now: datetime) -> bool:
        """Spend a time step of an authenticator app, and return whether it was unspent."""
        unspent = self.in_force().filter(pk=pk, last_step__lt=step)
        return bool(unspent.update(last_step=step, last_used_at=now))

    def use_signature(self, pk: int, former_count: int, count: int, now: datetime) -> bool:
        """Store the signature counter of a WebAuthn credential, and return whether nobody has used it meanwhile."""
        unchanged = self.in_force().filter(pk=pk, sign_count=former_count)
        return bool(unchanged.update(sign_count=count, last_used_at=now))


class SecondFactor(models.Model):
    """An authenticator app (TOTP, RFC 6238) or a WebAuthn credential of one account."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="second_factors"
    )
    type = models.CharField(
        _("type"), max_length=10, choices=[(each.value, each.label) for each in (FactorType.TOTP, FactorType.WEBAUTHN)]
    )
    name = models.CharField(_("name"), max_length=NAME_LENGTH, blank=True)
    created_at = models.DateTimeField(_("created"))
    # Until its user has entered a first code an authenticator app is not in force.
    confirmed_at = models.DateTimeField(_("in force since"), null=True)
    last_used_at = models.DateTimeField(_("last used"), null=True)
    # Of an authenticator app: its secret, and the last time step that has served.
    encrypted = models.TextField(editable=False, blank=True)
    last_step = models.BigIntegerField(default=0, editable=False)
    # Of a WebAuthn credential: its id and public key in base64url, and its signature counter.
    credential_id = models.CharField(max_length=CREDENTIAL_ID_LENGTH, blank=True, editable=False)
    # Unique in place of the id itself, which is longer than what every database indexes.
    credential_digest = models.CharField(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001 Absent is NULL: what is present is unique.
    public_key = models.TextField(editable=False, blank=True)
    sign_count = models.BigIntegerField(default=0, editable=False)
    transports = models.JSONField(default=list, editable=False)

    objects = SecondFactorQuerySet.as_manager()

    class Meta:
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")
        ordering: ClassVar = ["created_at", "id"]
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["user", "type", "confirmed_at"], name="second_factor_user")]

    def __str__(self) -> str:
        return f"{self.type} {self.name}"


class RecoveryCode(models.Model):
    """One of the codes that an account has for the loss of its factors, stored hashed; a used one is deleted."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes")
    # The first character of the code, so that one hash decides.
    number = models.PositiveSmallIntegerField()
    encoded = models.CharField(max_length=128, editable=False)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "number"], name="recovery_code_number")]

    def __str__(self) -> str:
        return f"recovery code {self.number}"


class SpentChallenge(models.Model):
    """A WebAuthn challenge that serves once, kept from its use until it expires."""

    id = models.CharField(max_length=64, primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.id

    def spend(self, now: datetime) -> bool:
        """Insert the row, and return whether it had neither served nor expired before. Inside a transaction."""
        if self.expires_at <= now:
            return False
        try:
            with transaction.atomic():
                self.save(force_insert=True)
        except IntegrityError:
            return False
        return True
