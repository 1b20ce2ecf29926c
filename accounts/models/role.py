"""Roles, and the groups of the admin site."""

from django.db import models
from django.utils.translation import gettext_lazy as _

# The group whose permissions a user of role admin has.
ADMINISTRATORS = "administrators"
# The group, which a superuser grants, whose members read the trail in the admin site, whatever their role.
AUDITORS = "auditors"


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
