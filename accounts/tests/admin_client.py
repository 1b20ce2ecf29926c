"""A browser that is logged in to the admin site, for tests that are not about the login."""

from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import Session, User
from accounts.policies import ADMIN_SESSION
from audit.origin import ADMIN_SITE


def logged_in(user: User, **options: Any) -> Client:
    """Return a client with a session of this user; the trail has no login."""
    client, now = Client(**options), timezone.now()
    end = now + ADMIN_SESSION.absolute_timeout
    session = Session.objects.create(
        user=user,
        stamp=user.stamp,
        contract=ADMIN_SITE,
        created_at=now,
        last_seen_at=now,
        rotated_at=now,
        expires_at=now + ADMIN_SESSION.idle_timeout,
        latest_end_at=end,
    )
    client.force_login(user)
    store = client.session
    store["session_row"] = str(session.pk)
    store.save()
    return client
