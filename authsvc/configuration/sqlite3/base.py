"""The backend that `authsvc.configuration.databases` names; Django loads its `DatabaseWrapper`."""

import os
from contextlib import suppress
from typing import Any

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Creates a missing file with mode 0600; SQLite gives the files beside it (`-wal`, `-shm`) the same mode."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if not self.is_in_memory_db():
            # An existing file keeps its mode, and SQLite reports what else prevents its creation.
            with suppress(OSError):
                os.close(os.open(conn_params["database"], os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return super().get_new_connection(conn_params)
