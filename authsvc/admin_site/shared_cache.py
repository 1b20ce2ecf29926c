"""Numbers that all processes share for a minute in Redis, where REDIS_URL is set; nothing is decided by them."""

import json
import logging
from datetime import timedelta
from typing import Any, Final

from django.core.cache import cache

logger = logging.getLogger(__name__)

KEPT: Final = timedelta(minutes=1)


class JSONSerializer:
    """Stores JSON: whoever writes to Redis must not be able to run code here, as with Django's pickles."""

    def dumps(self, value: Any) -> bytes:
        return json.dumps(value).encode()

    def loads(self, stored: bytes) -> Any:
        return json.loads(stored)


def _errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Return what an absent Redis raises; its client is loaded when something was raised, which takes 0.1 s."""
    from redis import RedisError

    return RedisError, OSError, *others


def read(key: str) -> Any:
    """Return what was written under this key at most a minute ago, or None; an absent Redis remembers nothing."""
    try:
        return cache.get(key)
    except _errors(ValueError):
        logger.warning("The cache at REDIS_URL cannot be read.", exc_info=True)
        return None


def write(key: str, value: Any) -> None:
    """Remember a value that JSON can hold."""
    try:
        cache.set(key, value, KEPT.total_seconds())
    except _errors():
        logger.warning("The cache at REDIS_URL cannot be written.", exc_info=True)
