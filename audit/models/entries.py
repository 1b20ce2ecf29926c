"""The trail's rows: login attempts and security events, insert-only and sealed."""

from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.events import Event, FailureReason, Status
from audit.labels import EVENTS, REASONS, STATUSES
from audit.models.lanes import KEY_NAME_LENGTH
from audit.origin import USER_AGENT_LENGTH, Origin, contract_choices, current_request_id, escape_control_chars
from audit.storable import storable_json, storable_text

IDENTIFIER_LENGTH = 150


class AppendOnly(TypeError):
    """Rows of the trail cannot be changed or deleted."""


class TrailQuerySet(models.QuerySet[Any]):
    def update(self, **kwargs: object) -> NoReturn:
        raise AppendOnly("Rows of the trail are never changed.")

    def delete(self) -> NoReturn:
        raise AppendOnly("Rows of the trail are never deleted.")

    def _raw_delete(self, using: str | None) -> NoReturn:
        raise AppendOnly("Rows of the trail are never deleted.")

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        if kwargs.get("update_conflicts"):
            raise AppendOnly("Rows of the trail are never changed.")
        return super().bulk_create(objs, *args, **kwargs)


class Entry(models.Model):
    """A row of the trail: when, who, and from where."""

    # The id stays as it was written when the user is deleted, so there is no constraint to break or to cascade.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    contract = models.CharField(_("contract"), max_length=20, choices=contract_choices)
    ip = models.GenericIPAddressField(_("address"), null=True, blank=True)
    user_agent = models.CharField(_("user agent"), max_length=USER_AGENT_LENGTH, blank=True)
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now, db_index=True)
    # The seal, see `audit.seal`. A row without one is from before the seal, or of a release that knows of none.
    # Never negative, but without a constraint that says so: to add one, PostgreSQL reads the whole table under a lock.
    lane = models.SmallIntegerField(null=True, editable=False)
    number = models.BigIntegerField(null=True, editable=False)
    key_name = models.CharField(max_length=KEY_NAME_LENGTH, db_default="", default="", editable=False)
    mac = models.BinaryField(max_length=32, null=True)

    objects = TrailQuerySet.as_manager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
        constraints: ClassVar = [models.UniqueConstraint(fields=["lane", "number"], name="%(class)s_place")]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly("Rows of the trail are never changed.")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly("Rows of the trail are never deleted.")

    def _local_time(self) -> str:
        return f"{timezone.localtime(self.at):%Y-%m-%d %H:%M:%S}"

    def truncate(self) -> None:
        """Make every text storable: no NUL, no lone surrogate, no longer than its column."""
        for field in self._meta.concrete_fields:
            value = getattr(self, field.attname)
            if isinstance(value, str):
                setattr(self, field.attname, storable_text(value)[: field.max_length])
            elif isinstance(value, dict):
                setattr(self, field.attname, storable_json(value))

    @staticmethod
    def origin_columns(origin: Origin) -> dict[str, Any]:
        """Return the columns that say where an entry came from."""
        return {
            "contract": origin.contract,
            "ip": origin.ip,
            "user_agent": origin.user_agent,
            "request_id": current_request_id.get(),
        }


class LoginAttempt(Entry):
    """One attempt to log in, through any contract or the admin site."""

    identifier = models.CharField(_("identifier"), max_length=IDENTIFIER_LENGTH)
    status = models.CharField(_("status"), max_length=10, choices=[(s.value, STATUSES[s]) for s in Status])
    failure_reason = models.CharField(
        _("failure reason"), max_length=30, blank=True, choices=[(r.value, REASONS[r]) for r in FailureReason]
    )
    repeats = models.PositiveIntegerField(_("repeats"), default=1)
    # The type of the second factor that was verified, with or without success; none is blank.
    factor = models.CharField(_("second factor"), max_length=20, blank=True, default="", db_default="")

    class Meta(Entry.Meta):
        verbose_name = _("login attempt")
        verbose_name_plural = _("login attempts")
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="attempt_user"),
            models.Index(fields=["ip", "-id"], name="attempt_ip"),
            models.Index(fields=["contract", "-id"], name="attempt_contract"),
            models.Index(fields=["failure_reason", "-id"], name="attempt_reason"),
            models.Index(fields=["request_id"], name="attempt_request"),
        ]

    def __str__(self) -> str:
        parts = (self.identifier, self.get_status_display(), self.get_failure_reason_display(), self._local_time())
        return " · ".join(filter(None, parts))

    @classmethod
    def of(
        cls,
        origin: Origin,
        identifier: str,
        *,
        user_id: int | None,
        failure_reason: FailureReason | None = None,
        status: Status | None = None,
        factor: str = "",
        repeats: int = 1,
    ) -> "LoginAttempt":
        """Return an entry for `record()`; without `status` it has failed if there is a reason, and else succeeded."""
        return cls(
            user_id=user_id,
            identifier=escape_control_chars(identifier),
            status=status or (Status.FAILED if failure_reason else Status.SUCCESS),
            failure_reason=failure_reason or "",
            factor=factor,
            repeats=repeats,
            **cls.origin_columns(origin),
        )


class SecurityEvent(Entry):
    """Every other security event: what happened to which account, and who did it."""

    event = models.CharField(_("event"), max_length=50, choices=[(e.value, EVENTS[e]) for e in Event])
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("done by"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    detail = models.JSONField(_("detail"), default=dict, blank=True)

    class Meta(Entry.Meta):
        verbose_name = _("security event")
        verbose_name_plural = _("security events")
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="event_user"),
            models.Index(fields=["actor", "-id"], name="event_actor"),
            models.Index(fields=["event", "-id"], name="event_kind"),
            models.Index(fields=["ip", "-id"], name="event_ip"),
            models.Index(fields=["contract", "-id"], name="event_contract"),
            models.Index(fields=["request_id"], name="event_request"),
        ]

    def __str__(self) -> str:
        # Only a user whom the list's query has joined: a deleted one has no row.
        user = self._state.fields_cache.get("user")
        return " · ".join(map(str, filter(None, (self.get_event_display(), user, self._local_time()))))

    @classmethod
    def of(
        cls,
        origin: Origin,
        event: Event,
        *,
        user_id: int | None,
        actor_id: int | None = None,
        **detail: object,
    ) -> "SecurityEvent":
        """Return an entry for `record()`; `detail` is what JSON can hold and never a secret."""
        return cls(user_id=user_id, actor_id=actor_id, event=event, detail=detail, **cls.origin_columns(origin))
