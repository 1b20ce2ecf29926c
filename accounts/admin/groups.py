"""Removes Django's page for groups, which records no events.

Groups come from migrations, and confirmed actions grant them.
"""

from django.contrib import admin
from django.contrib.auth import admin as _registers_groups  # noqa: F401 The import registers what is unregistered below.
from django.contrib.auth.models import Group

admin.site.unregister(Group)
