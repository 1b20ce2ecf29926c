"""What REDIS_URL is for: numbers of the admin site's charts, and nothing that must be right or must be there."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django.fixtures import Settings

from audit.events import Status
from audit.models import LoginAttempt
from authsvc.admin_site.periods import counted, last_hours
from authsvc.admin_site.shared_cache import JSONSerializer, read, write

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


def successes() -> int:
    return sum(count.successes for count in counted(last_hours(timezone.now())))


def log_in() -> None:
    LoginAttempt(contract="native", identifier="alice", status=Status.SUCCESS).save()


@pytest.fixture
def _shared(settings: Settings) -> Iterator[None]:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    yield
    cache.clear()


@pytest.mark.usefixtures("_shared")
def test_with_a_cache_the_attempts_are_counted_once_a_minute() -> None:
    log_in()
    numbers = [successes()]
    log_in()
    assert [*numbers, successes()] == [1, 1]


def test_without_a_cache_every_view_counts_anew() -> None:
    log_in()
    numbers = [successes()]
    log_in()
    assert [*numbers, successes()] == [1, 2]


def test_the_service_runs_without_its_redis(settings: Settings) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": NOBODY_LISTENS}
    }
    write("key", 1)
    assert read("key") is None
    log_in()
    assert successes() == 1


def test_nothing_from_redis_is_run_as_code() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        JSONSerializer().loads(b"cos\nsystem\n(S'true'\ntR.")
