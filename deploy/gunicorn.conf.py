"""gunicorn's settings for production: `gunicorn -c deploy/gunicorn.conf.py`, in the folder of manage.py."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from authsvc.configuration import env, log_settings

_METRICS: Final = "PROMETHEUS_MULTIPROC_DIR"
_environment = env.load()

wsgi_app = "authsvc.wsgi:application"
# systemd's socket replaces it, and so does --bind.
bind = "127.0.0.1:8000"
# Answers the liveness probe also while every thread waits for the database.
worker_class = "authsvc.gunicorn_worker.Worker"
workers = _environment.web_concurrency
threads = 24
# A worker that does not answer its master for so long has hung; a request takes at most half of it.
timeout = 60
# The requests that are under way when the service stops; systemd and Kubernetes wait longer before they kill.
graceful_timeout = 30
# Its default path is one for each user, so that two nodes of one user would share it.
control_socket_disable = True
# The lines of gunicorn itself have the format of the service's.
logger_class = "authsvc.observability.gunicorn_logger.ErrorLogger"
logconfig_dict = log_settings.from_format(_environment.log_lines)

# The workers' counters, which each of them adds up for /metrics. A reload reads this file again in the same process.
if _METRICS not in os.environ:
    os.environ[_METRICS] = tempfile.mkdtemp(prefix="metrics-", dir=os.environ.get("RUNTIME_DIRECTORY"))


def on_starting(server: Any) -> None:
    """Start without the counters of a former run."""
    for file in Path(os.environ[_METRICS]).glob("*.db"):
        file.unlink()


def child_exit(server: Any, worker: Any) -> None:
    """Forget what an ended worker has in use; what it has counted stays."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # The package has no type here.


def on_exit(server: Any) -> None:
    shutil.rmtree(os.environ[_METRICS], ignore_errors=True)
