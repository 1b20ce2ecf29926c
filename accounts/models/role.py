"""Roles, and the former group of administrators."""

from django.db import models
from django.utils.translation import gettext_lazy as _

# The group whose permissions a user of role admin had in 0.1.0, whose nodes still read it. It has no effect here.
ADMINISTRATORS = "administrators"


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
