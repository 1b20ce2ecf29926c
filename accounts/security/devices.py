"""The devices that an account last logged in from: which browsers on which systems, as the user agents claim.

A column of the user's row has an entry for each, the latest first. A login reads it with the user and writes it with
the time of the login, so that devices cost no statement.
"""

from hashlib import sha256
from typing import Final

from django.db.models import F, Value
from django.db.models.functions import Concat, Left, Replace

from accounts.models import User
from audit.prepared import Parameter
from audit.user_agents import family

_DIGEST_LENGTH: Final = 8
# An entry ends with a separator, so that none is found across two others.
_SEPARATOR: Final = ","
_COLUMN_LENGTH: Final = 10 * (_DIGEST_LENGTH + len(_SEPARATOR))


def entry(user_agent: str) -> str:
    """Return the entry of the device that a user agent claims; that of an updated browser is the same."""
    # The digest is short, not secret: sessions have the user agents as they are. A key would make every device new when
    # it is replaced.
    return sha256(family(user_agent).encode()).hexdigest()[:_DIGEST_LENGTH] + _SEPARATOR


def is_new(user_agent: str, user: User) -> bool:
    """Return whether a device is none of the last 10 of the user, as they were read.

    An account without any entry has nothing to be compared with: it has not logged in yet, or not since entries are
    kept.
    """
    return bool(user.known_devices) and entry(user_agent) not in user.known_devices


def with_latest(device: Parameter) -> Left:
    """Return the expression of the column with an entry put first, and without the oldest of more than 10.

    The database works it out from what is stored, so that of parallel logins none loses the entry of another. Without
    an entry, which is a blank, the column stays as it is.
    """
    return Left(Concat(device, Replace(F("known_devices"), device, Value(""))), _COLUMN_LENGTH)
