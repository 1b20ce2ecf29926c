from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AuthsvcConfig(AppConfig):
    name = "authsvc"


class AdminConfig(DjangoAdminConfig):
    default_site = "authsvc.admin.Site"
