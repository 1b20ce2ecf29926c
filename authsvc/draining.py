"""Whether this process is stopping: it still serves what it has accepted, and load balancers should send no more."""

import threading

_begun = threading.Event()


def begin() -> None:
    """State that this process is stopping. There is no way back."""
    _begun.set()


def has_begun() -> bool:
    return _begun.is_set()
