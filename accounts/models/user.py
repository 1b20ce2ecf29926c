"""Accounts: columns, canonical forms, and the stamp that ties sessions to credentials."""

from collections.abc import Collection
from contextlib import suppress
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.models.role import Role
from accounts.models.tracking import TrackedModel
from accounts.models.user_queryset import CREDENTIAL_FIELDS, UserManager, canonical_columns, new_stamp, with_canonical
from accounts.models.validators import validate_email, validate_phone, validate_username
from accounts.names import CONTACTS, IDENTIFIERS
from audit.people import OFFICERS
from audit.validity import Validity, today

PASSWORD_LENGTH = 255


class User(TrackedModel, AbstractBaseUser, PermissionsMixin):
    """An account; all contracts share it."""

    # Longer than Django's: werkzeug's hashes by scrypt have 162 characters.
    password = models.CharField(_("password"), max_length=PASSWORD_LENGTH)
    username = models.CharField(_("user name"), max_length=names.NAME_LENGTH, validators=[validate_username])
    username_key = models.CharField(max_length=names.NAME_LENGTH, unique=True, editable=False)
    email = models.CharField(  # noqa: DJ001 Absent is NULL and never blank: what is present is unique.
        _("e-mail address"), max_length=names.EMAIL_LENGTH, null=True, blank=True, validators=[validate_email]
    )
    email_key = models.CharField(max_length=names.EMAIL_LENGTH, unique=True, null=True, editable=False)  # noqa: DJ001 As above.
    phone = models.CharField(
        _("phone"), max_length=names.PHONE_LENGTH, unique=True, null=True, blank=True, validators=[validate_phone]
    )
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.UNAUTH)
    full_name = models.CharField(_("full name"), max_length=100, blank=True)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    nickname = models.CharField(_("nickname"), max_length=50, blank=True)
    department = models.CharField(_("department"), max_length=100, blank=True)
    # What the person does, such as nurse or technician; `role` alone decides what the account may do.
    job_title = models.CharField(_("job title"), max_length=100, blank=True, default="", db_default="")
    avatar_url = models.URLField(_("avatar"), max_length=500, blank=True)
    profile = models.JSONField(_("profile"), null=True, blank=True)
    # Of the messages to this person; blank is the service's own.
    language = models.CharField(_("language"), max_length=10, blank=True, default="", choices=settings.LANGUAGES)
    is_active = models.BooleanField(_("active"), default=True)
    awaits_approval = models.BooleanField(_("awaits approval"), default=False)
    # The first and the last day on which the account may log in; NULL is without limit.
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    # The canonical address or number that a code has proved: it says nothing of any other that follows.
    verified_email = models.CharField(max_length=names.EMAIL_LENGTH, blank=True, default="", editable=False)
    verified_phone = models.CharField(max_length=names.PHONE_LENGTH, blank=True, default="", editable=False)
    # The canonical address or number that an administrator, an import or a command has given the account.
    vouched_email = models.CharField(
        max_length=names.EMAIL_LENGTH, blank=True, default="", db_default="", editable=False
    )
    vouched_phone = models.CharField(
        max_length=names.PHONE_LENGTH, blank=True, default="", db_default="", editable=False
    )
    # What replaces the current one once a code has proved it.
    pending_email = models.CharField(max_length=names.EMAIL_LENGTH, blank=True, default="", editable=False)
    pending_phone = models.CharField(max_length=names.PHONE_LENGTH, blank=True, default="", editable=False)
    # When a decision or an import last let the user log in, and when administrators were warned of dormancy.
    activated_at = models.DateTimeField(null=True, editable=False)
    dormancy_warned_at = models.DateTimeField(null=True, editable=False)
    last_login_ip = models.GenericIPAddressField(_("last login from"), null=True, blank=True)
    # The devices of the last logins, as accounts.security.devices writes them.
    known_devices = models.CharField(max_length=90, blank=True, default="", db_default="", editable=False)
    # An import keeps the time that the former system has.
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    # The age of a password from before this column counts from the upgrade, that of an imported one from the import.
    password_changed_at = models.DateTimeField(
        _("password changed"), default=timezone.now, db_default=Now(), editable=False
    )
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    stamp = models.CharField(max_length=32, default=new_stamp, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    guarded_fields = CREDENTIAL_FIELDS | {"stamp", "password_changed_at"}
    tracked_fields = guarded_fields | IDENTIFIERS.keys()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["email"]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["-id"]
        permissions: ClassVar = [
            ("unlock_user", _("Can unlock users")),
            ("remove_second_factors", _("Can remove second factors of users")),
            # No group has it: superusers alone grant groups.
            ("grant_group", _("Can grant groups")),
        ]
        indexes: ClassVar = [
            models.Index(fields=["department"], name="user_department"),
            models.Index(fields=["job_title"], name="user_job_title"),
        ]
        # A fixture is loaded past every method of this class; without its key a user must not be.
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(username_key=""), name="user_has_a_canonical_name")
        ]

    def __str__(self) -> str:
        return self.username

    @property
    def is_administrator(self) -> bool:
        """Whether this user has the administrators' role; permissions say what that allows."""
        return self.role == Role.ADMIN

    @property
    def is_staff(self) -> bool:
        """Whether the admin site lets this user in; permissions say what they may do there."""
        return self.is_administrator or (self.pk is not None and self.groups.filter(name__in=OFFICERS).exists())

    @property
    def email_verified(self) -> bool:
        return bool(self.email_key) and self.verified_email == self.email_key

    @property
    def phone_verified(self) -> bool:
        return bool(self.phone) and self.verified_phone == self.phone

    def is_trusted(self, contact: str) -> bool:
        """Return whether `email` or `phone`, whichever is asked for, is proved by a code or vouched for."""
        value = getattr(self, IDENTIFIERS[contact].column)
        return bool(value) and value in (getattr(self, f"verified_{contact}"), getattr(self, f"vouched_{contact}"))

    def trusted_contacts(self) -> dict[str, str]:
        """Return the contacts that are proved or vouched for, which are those that receive notices."""
        return {contact: getattr(self, contact) for contact in CONTACTS if self.is_trusted(contact)}

    def vouch(self) -> None:
        """Mark the current contacts as vouched for. The caller saves; raises InvalidIdentifier."""
        self.derive()
        for contact in CONTACTS:
            setattr(self, f"vouched_{contact}", getattr(self, IDENTIFIERS[contact].column) or "")

    def check_password(self, raw_password: str | None) -> bool:
        """Return whether this is the password; unlike Django's, an upgraded hash does not renew the stamp."""
        verified = self.password

        def upgrade(password: str) -> None:
            self.password = make_password(password)
            self.remember({"password"})
            type(self).objects.filter(pk=self.pk).rehash(verified, self.password)

        return check_password(raw_password, verified, upgrade)

    def may_log_in(self) -> bool:
        return self.is_active and not self.awaits_approval and self.validity() is Validity.CURRENT

    def validity(self) -> Validity:
        """Return where today is with regard to the dates of the account."""
        if self.valid_from is None and self.valid_until is None:
            return Validity.CURRENT
        day = today()
        if self.valid_from and day < self.valid_from:
            return Validity.NOT_YET
        return Validity.ENDED if self.valid_until and day > self.valid_until else Validity.CURRENT

    def derive(self) -> None:
        """Bring the canonical columns in line with what they are made from. Raises InvalidIdentifier, a ValueError.

        What was read from the database and not changed is not validated again: the rules may have changed since.
        """
        changed = {name: getattr(self, name) for name in self.changed_since_read(IDENTIFIERS)}
        for name, value in canonical_columns(changed).items():
            setattr(self, name, value)

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Validate as Django does; a phone number may be longer than its canonical form, which is what is stored.

        Identifiers that were read and not changed are not validated again: the rules may have changed since.
        """
        if self.phone and "phone" not in (exclude or ()):
            with suppress(names.InvalidIdentifier):
                self.phone = names.canonical_phone(self.phone)
        unchanged = IDENTIFIERS.keys() - self.changed_since_read(IDENTIFIERS)
        super().clean_fields({*(exclude or ()), *unchanged})
        if "valid_until" in (exclude or ()) or not (self.valid_from and self.valid_until):
            return
        if self.valid_until < self.valid_from:
            detail = _("The last day is before the first one.")
            raise ValidationError({"valid_until": ValidationError(detail, code="invalid")})

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        """Save; canonical columns follow, and a changed credential renews the stamp, which ends former sessions."""
        self.derive()
        if not self.is_insert(kwargs):
            if self.changed_since_saved(CREDENTIAL_FIELDS) and not self.changed_since_saved({"stamp"}):
                self.stamp = new_stamp()
            if self.changed_since_saved({"password"}) and not self.changed_since_saved({"password_changed_at"}):
                self.password_changed_at = timezone.now()
            if update_fields := kwargs.get("update_fields"):
                fields = with_canonical(update_fields)
                if "password" in fields:
                    fields.add("password_changed_at")
                kwargs["update_fields"] = fields | {"stamp"} if fields & CREDENTIAL_FIELDS else fields
        super().save_base(*args, **kwargs)

    save_base.alters_data = True  # type: ignore[attr-defined]

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            # A login at the same moment waits for this lock and is refused; its session row would block the deletion.
            type(self).objects.select_for_update().filter(pk=self.pk).first()
            return super().delete(*args, **kwargs)

    delete.alters_data = True  # type: ignore[attr-defined]

    def get_session_auth_hash(self) -> str:
        """Return what ties a login of the admin site to the stamp, so that both end together."""
        return self._get_session_auth_hash()

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        return salted_hmac("accounts.stamp", self.stamp, secret=secret, algorithm="sha256").hexdigest()
