"""The backend that `authsvc.configuration.databases` names; Django loads its `DatabaseWrapper`."""

from functools import cache
from types import ModuleType
from typing import Any, Final, cast

import psycopg
from django.db.backends.postgresql import base
from psycopg.adapt import AdaptersMap, Loader
from psycopg.postgres import types
from psycopg.pq import Format

from accounts.turns import has_turn
from authsvc.configuration.breaker import NOT_ANSWERING
from authsvc.configuration.postgresql.connection import WatchedConnection, connection_class

# A smaller pool has no connection to spare for threads that wait for their next request.
_POOL_TO_KEEP_OF: Final = 6


@cache
def _with_fast_times(adapters: AdaptersMap) -> AdaptersMap:
    """Return Django's adapters with psycopg's own loader of times, which is in C where Django's is in Python."""
    faster = AdaptersMap(adapters)
    loader = psycopg.adapters.get_loader(types["timestamptz"].oid, Format.TEXT)
    faster.register_loader("timestamptz", cast(type[Loader], loader))
    return faster


@cache
def _driver(connections: type[WatchedConnection]) -> ModuleType:
    """Return psycopg with another `connect`, which Django calls."""
    driver = ModuleType(psycopg.__name__)
    vars(driver).update(vars(psycopg), connect=connections.connect)
    return driver


class DatabaseWrapper(base.DatabaseWrapper):
    """Gives out no connection that the server has closed, and none at all while the server does not answer."""

    @property
    def _connection_class(self) -> type[WatchedConnection]:
        return connection_class(self.settings_dict)

    @property
    def pool(self) -> Any:
        if options := self.settings_dict["OPTIONS"].get("pool"):
            options["connection_class"] = self._connection_class
        return super().pool

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        params.pop("longest_wait", None)
        params["context"] = _with_fast_times(params["context"])
        return params

    def create_cursor(self, name: str | None = None) -> Any:
        """Return a cursor as Django makes it, whose times are in the session's time zone, which is always UTC."""
        if name:
            return self.connection.cursor(name, scrollable=False, withhold=self.connection.autocommit)
        return self.connection.cursor()

    def close_if_unusable_or_obsolete(self) -> None:
        """Give a connection of the pool back after a request, unless the thread has a turn to serve the next one.

        To take another for each request costs a tenth of a short one. The end of the turn gives it back.
        """
        if self.connection is not None and self.pool:
            self.close_at = None if has_turn() and self.pool.max_size >= _POOL_TO_KEEP_OF else 0
        super().close_if_unusable_or_obsolete()

    def close_if_health_check_failed(self) -> None:
        """Close a connection that was kept since the request before, and that the server has closed meanwhile."""
        if self.connection is not None and not self.health_check_done:
            if not self.is_usable():
                self.close()
            self.health_check_done: bool = True

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = self._connect(conn_params)
        while self.pool and not connection.is_alive():
            # The pool makes another in its place.
            connection.close()
            self.pool.putconn(connection)
            self._require_answer()
            connection = self._connect(conn_params)
        return connection

    def _connect(self, conn_params: dict[str, Any]) -> Any:
        if self._connection_class.breaker.is_open:
            raise psycopg.OperationalError(NOT_ANSWERING)
        self.Database = _driver(self._connection_class)  # type: ignore[arg-type]  # Classes are hashable.
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            # A pool waits for connections that its threads cannot make.
            self._require_answer()
            raise

    def _require_answer(self) -> None:
        if not self._connection_class.breaker.server_answers():
            raise psycopg.OperationalError(NOT_ANSWERING)

    def is_usable(self) -> bool:
        """Return whether the connection may be used; one that has had no error is asked only if it has news."""
        if self.connection is not None and not self.errors_occurred and not self.connection.closed:
            return bool(self.connection.is_alive())
        return bool(super().is_usable())
