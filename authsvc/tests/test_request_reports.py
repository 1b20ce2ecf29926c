"""The reports of requests: every one is made once, by the thread, at the end of the process and in its child."""

import io
import subprocess
import sys
import time

import pytest
from django.test import Client

from authsvc.tests.test_json_log import CapturedLog, log

__all__ = ["log"]

pytestmark = pytest.mark.any_database

# A child reports its own request and not its parent's; both do so when they end.
FORKS = """
import os, sys
from types import SimpleNamespace
from authsvc.observability.request_reports import reports
def request(name):
    return SimpleNamespace(report=lambda: os.write(1, name))
reports._thread = object()
reports.add(request(b"parent "))
if os.fork() == 0:
    reports._thread = object()
    reports.add(request(b"child "))
    sys.exit()
os.wait()
"""


def test_a_request_is_reported_without_a_further_one(log: CapturedLog) -> None:
    Client().get("/healthz")
    deadline = time.monotonic() + 10
    # The base's method, because that of this class reports what waits.
    while not io.StringIO.getvalue(log.written):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert [line["operation"] for line in log.lines] == ["healthz"]


def test_each_process_reports_its_own_requests_when_it_ends() -> None:
    done = subprocess.run([sys.executable, "-c", FORKS], capture_output=True, text=True, check=True)
    assert done.stdout == "child parent ", done.stderr
