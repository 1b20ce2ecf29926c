"""The backend that `authsvc.configuration.databases` names; Django loads its `DatabaseWrapper`."""

from typing import Any

from django.db.backends.mysql import base
from pymysql.err import OperationalError

from authsvc.configuration.breaker import Breaker
from authsvc.configuration.mysql.connection import WatchedConnection, breaker_of, not_answering, place_of


class DatabaseWrapper(base.DatabaseWrapper):
    """Gives out no connection that the server has closed, and none at all while the server does not answer."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        breaker: Breaker = breaker_of(place_of(conn_params))
        if breaker.is_open:
            raise not_answering()
        params = {"longest_wait": None, **conn_params}
        try:
            return WatchedConnection(breaker=breaker, **params)
        except OperationalError:
            breaker.server_answers()
            raise

    def is_usable(self) -> bool:
        """Return whether the connection may be used; one that has had no error is asked only if it has news."""
        if self.connection is not None and not self.errors_occurred and self.connection.is_alive():
            return True
        return bool(super().is_usable())
