"""DATABASE_URL as Django's settings."""

from pathlib import Path

import pytest

from authsvc.configuration import databases, env
from authsvc.configuration.maintenance import without_limits

pytestmark = pytest.mark.any_database

POSTGRESQL = "postgres://u:p@db/authsvc"


def test_a_process_shares_eight_connections_of_postgresql() -> None:
    size = env.Environment.model_fields["database_pool"].default
    config = databases.from_url(POSTGRESQL, Path(), databases.PoolSettings(size))
    assert (config["OPTIONS"]["pool"]["max_size"], config["CONN_MAX_AGE"]) == (8, 0)


@pytest.mark.parametrize("url", ["sqlite:///db.sqlite3", "mysql://u:p@db/authsvc"])
def test_other_databases_have_no_pool(url: str) -> None:
    config = databases.from_url(url, Path(), databases.PoolSettings(8))
    assert "pool" not in config["OPTIONS"]
    assert config["CONN_MAX_AGE"] == databases.CONNECTION_AGE


def test_behind_a_transaction_pooler_nothing_is_left_in_a_session() -> None:
    config = databases.from_url(POSTGRESQL, Path(), databases.PoolSettings(8, transaction=True))
    assert config["OPTIONS"]["prepare_threshold"] is None
    assert "options" not in config["OPTIONS"]
    assert config["DISABLE_SERVER_SIDE_CURSORS"] is True


def test_several_servers_are_tried_for_the_writable_one() -> None:
    config = databases.from_url("postgres://u:p%2Cq@h1:5433,[2001:db8::2],h3/authsvc?sslmode=require", Path())
    found = {name: config[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")}
    assert found == {
        "USER": "u",
        "PASSWORD": "p,q",
        "HOST": "h1,2001:db8::2,h3",
        "PORT": "5433,5432,5432",
        "NAME": "authsvc",
    }
    options = {"target_session_attrs": "read-write", "connect_timeout": 2, "sslmode": "require"}
    assert {name: config["OPTIONS"][name] for name in options} == options


def test_the_operators_own_choice_of_a_server_wins() -> None:
    config = databases.from_url("postgres://u:p,q@h1,h2/authsvc?target_session_attrs=any", Path())
    assert (config["PASSWORD"], config["HOST"], config["OPTIONS"]["target_session_attrs"]) == ("p,q", "h1,h2", "any")


def test_a_replica_is_read_only_and_rather_a_standby() -> None:
    postgresql = databases.replica_from_url("postgres://u:p@h1,h2/authsvc", Path())["OPTIONS"]
    mysql = databases.replica_from_url("mysql://u:p@db/authsvc", Path())["OPTIONS"]
    assert postgresql["target_session_attrs"] == "prefer-standby"
    assert postgresql["options"].endswith(" -c default_transaction_read_only=on")
    assert mysql["init_command"].endswith(" /*M! , tx_read_only=1 */")


def test_the_operators_own_statement_timeout_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = "-c statement_timeout=15000"
    own = databases.from_url(f"{POSTGRESQL}?options=-c%20statement_timeout%3D60000", Path())["OPTIONS"]["options"]
    monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=0")
    by_environment = databases.from_url(POSTGRESQL, Path())["OPTIONS"]["options"]
    # The server takes the last of two.
    assert (own, by_environment) == (f"{ours} -c statement_timeout=60000", f"{ours} -c statement_timeout=0")


@pytest.mark.parametrize(
    ("url", "options"),
    [
        (f"{POSTGRESQL}?connect_timeout=2&keepalives_idle=60", {"connect_timeout": 2, "keepalives_idle": 60}),
        ("mysql://u:p@db/authsvc?read_timeout=60", {"read_timeout": 60}),
    ],
)
def test_the_operators_own_limits_of_waiting_win(url: str, options: dict[str, int]) -> None:
    given = databases.from_url(url, Path())["OPTIONS"]
    assert {name: given[name] for name in options} == options


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (POSTGRESQL, {"options": ""}),
        (f"{POSTGRESQL}?options=-c%20lock_timeout%3D9000", {"options": "-c lock_timeout=9000"}),
        ("mysql://u:p@db/authsvc", {}),
        ("mysql://u:p@db/authsvc?read_timeout=60", {"read_timeout": 60}),
    ],
)
def test_maintenance_keeps_the_operators_limits_and_none_of_the_services(url: str, kept: dict[str, object]) -> None:
    options = without_limits(databases.from_url(url, Path(), databases.PoolSettings(8))["OPTIONS"])
    limits = {name: options[name] for name in ("options", "read_timeout", "longest_wait", "pool") if name in options}
    assert (limits, "max_statement_time" in options.get("init_command", "")) == (kept, False)
