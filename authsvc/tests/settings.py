"""The settings that tests run under: the environment's database, and nothing else from this machine."""

import os
import tempfile
from pathlib import Path

from authsvc.configuration import databases, env

_KEPT = ("DATABASE_URL", "DATABASE_POOLER")
for _name in env.Environment.model_fields:
    if _name.upper() not in _KEPT:
        os.environ.pop(_name.upper(), None)
os.environ.setdefault("DATABASE_URL", "sqlite:///test.sqlite3")
os.environ["DEBUG"] = "true"
# Threads of a test that meet inside their transactions would wait for the connections of each other.
os.environ["DATABASE_POOL"] = "0"
env.ENV_FILE = None

from authsvc.settings import *  # noqa: E402, F403
from authsvc.settings import DATABASES  # noqa: E402

# Behind PgBouncer, the way past it, for tests that change their session: see .ci/pgbouncer.py.
UNPOOLED_DATABASE = (
    databases.from_url(os.environ["UNPOOLED_DATABASE_URL"], Path()) if "DATABASE_POOLER" in os.environ else {}
)
# No database of tests need survive a power failure, and to flush commits to the disk takes longer than most tests.
# Behind PgBouncer no connection has options of its own.
if "options" in DATABASES["default"]["OPTIONS"]:
    DATABASES["default"]["OPTIONS"]["options"] += " -c synchronous_commit=off"
# Threads cannot share an in-memory database, so the tests' is a file; each run has its own.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": Path(tempfile.gettempdir()) / f"authsvc-test-{os.getpid()}.sqlite3"}
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
# As in development: otherwise each new test client would search for all static files.
WHITENOISE_AUTOREFRESH = True
