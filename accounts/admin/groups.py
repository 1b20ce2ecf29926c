"""Groups are made by migrations and granted on a person's page; whoever edited one there would leave no trace."""

from django.contrib import admin
from django.contrib.auth import admin as _registers_groups  # noqa: F401 It has to come before what it registers goes.
from django.contrib.auth.models import Group

admin.site.unregister(Group)
