"""Roles, and the groups of the admin site."""

from typing import Final

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.people import AUDITORS

# The group whose permissions a user of role admin had in 0.1.0, whose nodes still read it. It has no effect here.
ADMINISTRATORS = "administrators"
SYSTEM_ADMINISTRATORS = "system_administrators"
SECURITY_OFFICERS = "security_officers"
# The three officers of MLPS (GB/T 22239, 8.1.4): groups that a superuser grants, whatever the role.
OFFICERS: Final[dict[str, Promise]] = {
    SYSTEM_ADMINISTRATORS: _("system administrators"),
    SECURITY_OFFICERS: _("security officers"),
    AUDITORS: _("auditors"),
}


class Role(models.TextChoices):
    ADMIN = "admin", _("administrator")
    DOCTOR = "doctor", _("doctor")
    RESEARCHER = "researcher", _("researcher")
    VIEWER = "viewer", _("viewer")
    PATIENT = "patient", _("patient")
    PHARMACY = "pharmacy", _("pharmacy")
    SUPPLIER = "supplier", _("supplier")
    LOGISTICS = "logistics", _("logistics")
    REGULATOR = "regulator", _("regulator")
    UNAUTH = "unauth", _("no role")
