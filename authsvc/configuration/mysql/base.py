"""The backend that `authsvc.configuration.databases` names; Django loads its `DatabaseWrapper`."""

import time
from typing import Any, Final

from django.db import OperationalError
from django.db.backends.mysql import base, schema
from pymysql.err import OperationalError as DriverError

from authsvc.configuration.breaker import CircuitBreaker
from authsvc.configuration.maintenance import LOCK_PAUSES
from authsvc.configuration.mysql.connection import WatchedConnection, breaker_of, not_answering, place_of

# The server's lock wait timeout.
_LOCK_TIMEOUT: Final = 1205


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    """Repeats a statement that got no lock: MariaDB cannot take back those before it, to repeat the migration."""

    def execute(self, sql: Any, params: Any = ()) -> None:
        for pause in LOCK_PAUSES:
            try:
                super().execute(sql, params)
                return
            except OperationalError as error:
                if error.args[:1] != (_LOCK_TIMEOUT,):
                    raise
            time.sleep(pause)
        super().execute(sql, params)


class DatabaseWrapper(base.DatabaseWrapper):
    """Gives out no connection that the server has closed, and none at all while the server does not answer."""

    SchemaEditorClass = DatabaseSchemaEditor

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        breaker: CircuitBreaker = breaker_of(place_of(conn_params))
        if breaker.is_open:
            raise not_answering()
        params = {"longest_wait": None, **conn_params}
        try:
            return WatchedConnection(breaker=breaker, **params)
        except DriverError:
            breaker.server_answers()
            raise

    def is_usable(self) -> bool:
        """Return whether the connection may be used; one that has had no error is asked only if it has news."""
        if self.connection is not None and not self.errors_occurred and self.connection.is_alive():
            return True
        return bool(super().is_usable())
