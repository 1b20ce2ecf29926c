import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts import names

# The group whose permissions a user of role admin has.
ADMINISTRATORS = "administrators"
# The group, which a superuser grants, whose members read the trail in the admin site, whatever their role.
AUDITORS = "auditors"
# A change to any of these ends every session that was opened before it.
CREDENTIAL_FIELDS = frozenset({"password", "role", "is_active", "awaits_approval"})
_GUARDED_FIELDS = CREDENTIAL_FIELDS | {"stamp"}
# The column that a value is compared in, and the field that people know it by.
_UNIQUE = {"username_key": "username", "email_key": "email", "phone": "phone"}
_TRACKED_FIELDS = _GUARDED_FIELDS | frozenset(_UNIQUE.values())
_KEYS = {"username": "username_key", "email": "email_key"}


def new_stamp() -> str:
    """Return a value that no earlier or later state of any account has."""
    return secrets.token_hex(16)


class Role(models.TextChoices):
    ADMIN = "admin", _("administrator")
    DOCTOR = "doctor", _("doctor")
    RESEARCHER = "researcher", _("researcher")
    VIEWER = "viewer", _("viewer")
    PATIENT = "patient", _("patient")
    PHARMACY = "pharmacy", _("pharmacy")
    SUPPLIER = "supplier", _("supplier")
    LOGISTICS = "logistics", _("logistics")
    REGULATOR = "regulator", _("regulator")
    UNAUTH = "unauth", _("without a role")


def _require(read: Callable[[str], str], value: str) -> None:
    try:
        read(value)
    except names.InvalidIdentifier as error:
        raise ValidationError(_(error.sentence), code="invalid", params=error.values) from error


def validate_username(value: str) -> None:
    """Raise ValidationError for what cannot be a user name."""
    _require(names.canonical_username, value)


def validate_email(value: str) -> None:
    """Raise ValidationError for what cannot be an e-mail address."""
    _require(names.canonical_email, value)


def validate_phone(value: str) -> None:
    """Raise ValidationError for what cannot be a phone number."""
    _require(names.canonical_phone, value)


def derived(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that follow from those given: canonical forms, and NULL for what is blank.

    Raises InvalidIdentifier, a ValueError.
    """
    result: dict[str, Any] = {}
    if "username" in columns:
        result["username_key"] = names.canonical_username(columns["username"])
    if "email" in columns:
        email = columns["email"] or None
        result |= {"email": email, "email_key": names.canonical_email(email) if email else None}
    if "phone" in columns:
        result["phone"] = names.canonical_phone(columns["phone"]) if columns["phone"] else None
    return result


def _is_expression(value: object) -> bool:
    return hasattr(value, "resolve_expression")


class UserQuerySet(models.QuerySet["User"]):
    def update(self, **kwargs: Any) -> int:
        """Update as Django does; canonical columns follow, and a changed credential renews the stamp."""
        for field, key in _KEYS.items():
            if _is_expression(kwargs.get(field)) and key not in kwargs:
                raise ValueError(f"{field} cannot be set from an expression: its canonical form is made in Python.")
        kwargs |= derived({name: value for name, value in kwargs.items() if not _is_expression(value)})
        if CREDENTIAL_FIELDS & kwargs.keys() and "stamp" not in kwargs:
            kwargs["stamp"] = new_stamp()
        return super().update(**kwargs)

    def bulk_update(self, objs: Iterable["User"], fields: Iterable[str], batch_size: int | None = None) -> int:
        objs, fields = list(objs), set(fields)
        for user in objs:
            user.derive()
        fields |= {key for field, key in _KEYS.items() if field in fields}
        return super().bulk_update(objs, sorted(fields), batch_size)

    def bulk_create(self, objs: Iterable["User"], *args: Any, **kwargs: Any) -> list["User"]:
        objs = list(objs)
        for user in objs:
            user.derive()
        if update_fields := set(kwargs.get("update_fields") or ()):
            update_fields |= {key for field, key in _KEYS.items() if field in update_fields}
            if update_fields & CREDENTIAL_FIELDS:
                update_fields.add("stamp")
            kwargs["update_fields"] = sorted(update_fields)
        return super().bulk_create(objs, *args, **kwargs)

    def taken(self, user: "User") -> list[str]:
        """Return which of a user's name, address and number another account has."""
        columns = derived({name: getattr(user, name) for name in _UNIQUE.values()})
        wanted = {column: columns[column] for column in _UNIQUE if columns[column] is not None}
        either = models.Q()
        for column, value in wanted.items():
            either |= models.Q(**{column: value})
        others = list(self.filter(either).exclude(pk=user.pk).values(*_UNIQUE))
        return [_UNIQUE[column] for column, value in wanted.items() if any(other[column] == value for other in others)]

    def active_administrators(self) -> "UserQuerySet":
        """Return the administrators who may log in."""
        return self.filter(role=Role.ADMIN, is_active=True, awaits_approval=False)

    def rehash(self, verified: str, encoded: str) -> int:
        """Replace the hash that was just verified by a stronger one of the same password; sessions live on.

        The condition keeps a copy that was read before a password change from bringing the old password back.
        """
        return super(UserQuerySet, self.filter(password=verified)).update(password=encoded)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)["User"]):  # type: ignore[misc]
    def get_by_natural_key(self, username: str | None) -> "User":
        try:
            key = names.canonical_username(username or "")
        except names.InvalidIdentifier:
            raise self.model.DoesNotExist from None
        user: User = self.get(username_key=key)
        return user

    def create_user(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> "User":
        user: User = self.model(username=names.display_username(username), email=email or None, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> "User":
        fields |= {"role": Role.ADMIN, "is_superuser": True}
        return self.create_user(username, email, password, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """One person, whichever contract they came by."""

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
    avatar_url = models.URLField(_("avatar"), max_length=500, blank=True)
    profile = models.JSONField(_("profile"), null=True, blank=True)
    # Of the messages to this person; blank is the service's own.
    language = models.CharField(_("language"), max_length=10, blank=True, default="", choices=settings.LANGUAGES)
    is_active = models.BooleanField(_("active"), default=True)
    awaits_approval = models.BooleanField(_("awaits approval"), default=False)
    # The canonical address or number that a code has proved: it says nothing of any other that follows.
    verified_email = models.CharField(max_length=names.EMAIL_LENGTH, blank=True, default="", editable=False)
    verified_phone = models.CharField(max_length=names.PHONE_LENGTH, blank=True, default="", editable=False)
    # What takes the present one's place once a code has proved it.
    pending_email = models.CharField(max_length=names.EMAIL_LENGTH, blank=True, default="", editable=False)
    pending_phone = models.CharField(max_length=names.PHONE_LENGTH, blank=True, default="", editable=False)
    last_login_ip = models.GenericIPAddressField(_("last login from"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    stamp = models.CharField(max_length=32, default=new_stamp, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["email"]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["-id"]
        # A fixture is loaded past every method of this class; without its key a user must not be.
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(username_key=""), name="user_has_a_canonical_name")
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What the database is known to hold, and what a transaction that has yet to commit has put there.
        self._as_read: dict[str, Any] = {}
        self._uncommitted: dict[str, Any] = {}

    def __str__(self) -> str:
        return self.username

    @property
    def is_administrator(self) -> bool:
        """Whether this user looks after others, here and in every contract."""
        return self.role == Role.ADMIN

    @property
    def is_staff(self) -> bool:
        """Whether the admin site lets this user in; what they may do there is their permissions' to say."""
        return self.is_administrator or (self.pk is not None and self.groups.filter(name=AUDITORS).exists())

    @property
    def email_verified(self) -> bool:
        return bool(self.email_key) and self.verified_email == self.email_key

    @property
    def phone_verified(self) -> bool:
        return bool(self.phone) and self.verified_phone == self.phone

    def check_password(self, raw_password: str | None) -> bool:
        """Return whether this is the password; unlike Django's, an upgraded hash does not renew the stamp."""
        verified = self.password

        def upgrade(password: str) -> None:
            self.password = make_password(password)
            self._as_read = {**self._as_read, "password": self.password}
            type(self).objects.filter(pk=self.pk).rehash(verified, self.password)

        return check_password(raw_password, verified, upgrade)

    def may_log_in(self) -> bool:
        return self.is_active and not self.awaits_approval

    @classmethod
    def from_db(  # type: ignore[override]  # The stubs are of a later Django.
        cls, db: str | None, field_names: Collection[str], values: Collection[Any]
    ) -> "User":
        user = super().from_db(db, field_names, values)
        user._as_read = user._values(_TRACKED_FIELDS)
        return user

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        super().refresh_from_db(*args, **kwargs)
        fields = kwargs.get("fields") or (args[1] if len(args) > 1 else None)
        read = _TRACKED_FIELDS if fields is None else _TRACKED_FIELDS & set(fields)
        self._as_read = {**self._as_read, **self._values(read)}

    def _values(self, names_: Iterable[str]) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in names_ if name in self.__dict__}

    def _changed(self, name: str, since: Mapping[str, Any]) -> bool:
        return name in self.__dict__ and (name not in since or since[name] != self.__dict__[name])

    def derive(self) -> None:
        """Bring the canonical columns in line with what they are made from. Raises InvalidIdentifier, a ValueError.

        What was read from the database and left alone is not judged again: the rules may have changed since.
        """
        changed = {name: self.__dict__[name] for name in _UNIQUE.values() if self._changed(name, self._as_read)}
        for name, value in derived(changed).items():
            setattr(self, name, value)

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        """Save, however it was asked for: keys derived, credentials written only if this copy changed them.

        A copy that was read before a password change must not bring the old password, role or state back. A changed
        credential renews the stamp, which ends the sessions that carry the old one.
        """
        self.derive()
        update_fields = kwargs.get("update_fields")
        if not self._state.adding and not kwargs.get("force_insert"):
            written = {**self._as_read, **self._uncommitted}
            if any(self._changed(name, written) for name in CREDENTIAL_FIELDS) and not self._changed("stamp", written):
                self.stamp = new_stamp()
            columns = set(update_fields or self._writable())
            columns |= {key for field, key in _KEYS.items() if field in columns}
            if columns & CREDENTIAL_FIELDS:
                columns.add("stamp")
            # What an open transaction has written is written again: it may have been rolled back since.
            columns -= {name for name in _GUARDED_FIELDS if not self._changed(name, self._as_read)}
            if not columns:
                return
            kwargs["update_fields"] = frozenset(columns)
        super().save_base(*args, **kwargs)
        self._uncommitted = self._values(_TRACKED_FIELDS)
        transaction.on_commit(self._note_commit, using=self._state.db)

    save_base.alters_data = True  # type: ignore[attr-defined]

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            # Whoever logs in just now waits for this and is refused; their session would keep the row from going.
            type(self).objects.select_for_update().filter(pk=self.pk).first()
            return super().delete(*args, **kwargs)

    delete.alters_data = True  # type: ignore[attr-defined]

    def _note_commit(self) -> None:
        self._as_read = {**self._as_read, **self._uncommitted}
        self._uncommitted = {}

    def _writable(self) -> set[str]:
        fields = (field for field in self._meta.concrete_fields if not field.primary_key)
        return {field.attname for field in fields if field.attname in self.__dict__}

    def get_session_auth_hash(self) -> str:
        """Return what ties a login of the admin site to the stamp, so that both end together."""
        return self._get_session_auth_hash()

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        return salted_hmac("accounts.stamp", self.stamp, secret=secret, algorithm="sha256").hexdigest()
