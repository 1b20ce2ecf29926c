"""Computes the rows and GiB of a year, before and after `manage.py purge`, from bytes per row measured on PostgreSQL.

    DATABASE_URL=postgres://… .venv/bin/python bench/year.py [rows of the sample]

The load is 5,000 staff who log in 20 times a day and log out each time, and one wrong password a second for a name
that no account has, never the same one twice and never locked out: the worst case for the number of rows. Bytes per
row, with indexes, are those of a sample after VACUUM; tables that are emptied and filled for months are larger by what
autovacuum has not returned yet. The numbers of rows are computed, not measured. The script creates a temporary database
and drops it at the end.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["DJANGO_SETTINGS_MODULE"] = "authsvc.tests.settings"

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import get_runner  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.policies import BUDGET_KEPT, SESSION_KEPT, UNKNOWN_NAME  # noqa: E402

LOGINS = 5_000 * 20
GUESSES = 86_400
YEAR = 365
GIB = 2**30

AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
SEALED = "n % 16, n, 'a1b2c3d4e5f60718', sha256(n::text::bytea)"
SAMPLES = {
    "audit_loginattempt": """
        INSERT INTO audit_loginattempt (id, user_id, contract, ip, user_agent, request_id, at, identifier,
            status, failure_reason, repeats, lane, number, key_name, mac)
        SELECT 1795000000000000 + n::bigint * 430000, n % 5000, 'native', ('10.0.' || n % 200 || '.' || n % 251)::inet,
            '{agent}',
            md5(n::text), now() + interval '1 second' * n, '08' || n % 5000,
            CASE WHEN n % 2 = 0 THEN 'failed' ELSE 'success' END, CASE WHEN n % 2 = 0 THEN 'unknown_user' ELSE '' END,
            1, {sealed}
        FROM generate_series(1, {rows}) AS n""",
    "audit_securityevent": """
        INSERT INTO audit_securityevent (id, user_id, actor_id, contract, ip, user_agent, request_id, at, event,
            detail, lane, number, key_name, mac)
        SELECT 1795000000000000 + n::bigint * 430000, n % 5000, n % 5000, 'native',
            ('10.0.' || n % 200 || '.' || n % 251)::inet,
            '{agent}', md5(n::text), now() + interval '1 second' * n, 'session:ended',
            jsonb_build_object('session', gen_random_uuid(), 'reason', 'logout'), {sealed}
        FROM generate_series(1, {rows}) AS n""",
    "accounts_session": """
        INSERT INTO accounts_session (id, user_id, stamp, contract, ip, user_agent, created_at, last_seen_at,
            expires_at, latest_end_at, ended_at, end_reason, generation, rotated_at)
        SELECT gen_random_uuid(), {user}, md5(n::text), 'native', '10.0.0.1',
            '{agent}',
            now() + interval '1 second' * n, now(), now(), now(), now(), 'logout', 3, now()
        FROM generate_series(1, {rows}) AS n""",
    "accounts_attemptbudget": """
        INSERT INTO accounts_attemptbudget (purpose, account_id, name_digest, address, count, in_flight, locks,
            expires_at, refused)
        SELECT (ARRAY['login', 'login:unknown_addresses', 'login:since_success'])[n % 3 + 1], 0,
            encode(sha256((n / 3)::text::bytea), 'hex'), CASE n % 3 WHEN 0 THEN '10.0.0.1' ELSE '' END, 1, 0, 0,
            now(), 0
        FROM generate_series(1, {rows}) AS n""",
}
# Rows a day, and for how many days they are kept with a daily purge: those of the trail, of sessions, and of the three
# budgets of each name, of which one counts for UNKNOWN_NAME and two for a day.
WINDOW_DAYS = 1
FLOWS = [
    ("login attempts", "audit_loginattempt", LOGINS + GUESSES, settings.TRAIL_RETENTION_DAYS),
    ("events (logouts)", "audit_securityevent", LOGINS, settings.TRAIL_RETENTION_DAYS),
    ("sessions", "accounts_session", LOGINS, SESSION_KEPT.days),
    ("budgets of names", "accounts_attemptbudget", 2 * GUESSES, WINDOW_DAYS + BUDGET_KEPT.days),
    ("failures of names", "accounts_attemptbudget", GUESSES, UNKNOWN_NAME.days + BUDGET_KEPT.days),
]


def measure(rows: int) -> dict[str, float]:
    """Return the bytes of a row of each table with its indexes."""
    user = User.objects.create_user("sample")
    bytes_per_row = {}
    with connection.cursor() as cursor:
        for table, statement in SAMPLES.items():
            cursor.execute(statement.format(rows=rows, user=user.pk, agent=AGENT, sealed=SEALED))
            cursor.execute(f"VACUUM ANALYZE {table}")
            cursor.execute("SELECT pg_total_relation_size(%s)", [table])
            bytes_per_row[table] = cursor.fetchone()[0] / rows
    return bytes_per_row


def report(bytes_per_row: dict[str, float]) -> None:
    print(f"{'':20}{'bytes/row':>10}{'a year, no purge':>26}{'a year, daily purge':>26}{'in the long run':>26}")
    totals = [0.0] * 3
    for name, table, a_day, kept in FLOWS:
        size = bytes_per_row[table]
        columns = [a_day * YEAR, a_day * min(YEAR, kept), a_day * kept]
        totals = [total + rows * size for total, rows in zip(totals, columns, strict=True)]
        cells = "".join(f"{rows / 1e6:13.2f} M{rows * size / GIB:7.1f} GiB" for rows in columns)
        print(f"{name:20}{size:10.0f}{cells}")
    print(f"{'total':30}" + "".join(f"{'':15}{total / GIB:7.1f} GiB" for total in totals))


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        report(measure(rows))
    finally:
        runner.teardown_databases(databases)


if __name__ == "__main__":
    main()
