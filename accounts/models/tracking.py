"""Which fields of a model's instance differ from its row."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar, Self

from django.db import models, transaction


class TrackedModel(models.Model):
    """Saves a guarded field only where this instance has changed it.

    An instance that was read before another change must not write the former value of such a field back.
    `tracked_fields` are those whose stored values are remembered, the guarded ones among them.
    """

    tracked_fields: ClassVar[frozenset[str]] = frozenset()
    guarded_fields: ClassVar[frozenset[str]] = frozenset()

    class Meta:
        abstract = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What the row is known to hold, and what a transaction that has yet to commit has written there.
        self._as_read: dict[str, Any] = {}
        self._uncommitted: dict[str, Any] = {}

    @classmethod
    def from_db(  # type: ignore[override]  # The stubs are of a later Django.
        cls, db: str | None, field_names: Collection[str], values: Collection[Any]
    ) -> Self:
        instance = super().from_db(db, field_names, values)
        instance._as_read = instance._values(cls.tracked_fields)
        return instance

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        super().refresh_from_db(*args, **kwargs)
        fields = kwargs.get("fields") or (args[1] if len(args) > 1 else None)
        read = self.tracked_fields if fields is None else self.tracked_fields & set(fields)
        self.remember(read)

    def remember(self, fields: Iterable[str]) -> None:
        """Take the present values of these fields for those of the row."""
        self._as_read = {**self._as_read, **self._values(fields)}

    def changed_since_read(self, fields: Iterable[str]) -> set[str]:
        """Return which of these fields differ from the row as it was read or committed."""
        return self._changed(fields, self._as_read)

    def changed_since_saved(self, fields: Iterable[str]) -> set[str]:
        """Return which of these fields differ from the row as it was read or saved, committed or not."""
        return self._changed(fields, {**self._as_read, **self._uncommitted})

    def is_insert(self, save_options: Mapping[str, Any]) -> bool:
        """Return whether a call of `save_base` with these keyword arguments inserts a row."""
        return self._state.adding or bool(save_options.get("force_insert"))

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        """Save all fields, or `update_fields`, but for guarded ones that have not changed."""
        if not self.is_insert(kwargs):
            # What an open transaction has written is written again: it may have been rolled back since.
            kept = self.guarded_fields - self.changed_since_read(self.guarded_fields)
            fields = set(kwargs.get("update_fields") or self._loaded()) - kept
            if not fields:
                return
            kwargs["update_fields"] = frozenset(fields)
        super().save_base(*args, **kwargs)
        self._uncommitted = self._values(self.tracked_fields)
        transaction.on_commit(self._note_commit, using=self._state.db)

    save_base.alters_data = True  # type: ignore[attr-defined]

    def _note_commit(self) -> None:
        self._as_read = {**self._as_read, **self._uncommitted}
        self._uncommitted = {}

    def _loaded(self) -> set[str]:
        fields = (field for field in self._meta.concrete_fields if not field.primary_key)
        return {field.attname for field in fields if field.attname in self.__dict__}

    def _values(self, fields: Iterable[str]) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in fields if name in self.__dict__}

    def _changed(self, fields: Iterable[str], since: Mapping[str, Any]) -> set[str]:
        present = self._values(fields)
        return {name for name, value in present.items() if name not in since or since[name] != value}
