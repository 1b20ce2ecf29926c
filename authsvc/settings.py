"""Django's settings, all of them, from the environment that `authsvc.env` has checked."""

import tomllib
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from authsvc import databases, env, mail
from authsvc.mounts import mount_table

BASE_DIR = env.BASE_DIR
_environment = env.load()

DEBUG = _environment.debug
SECRET_KEY = _environment.secret_key or env.DEVELOPMENT_KEY
ALLOWED_HOSTS = list(_environment.allowed_hosts) or ["localhost", "127.0.0.1", "[::1]"]
PROFILE = _environment.profile or ("documented" if DEBUG else "hardened")
CONTRACT_MOUNTS = mount_table(_environment.contract_mounts)
TRUSTED_PROXIES = _environment.trusted_proxies
WEB_CONCURRENCY = _environment.web_concurrency
JWT_KEYS = _environment.jwt_keys
SERVICE_NAME = _environment.service_name
SERVICE_LOGO = _environment.service_logo

INSTALLED_APPS = [
    "authsvc.apps.AuthsvcConfig",
    "authsvc.apps.AdminConfig",
    "accounts",
    "audit",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "authsvc.middleware.base.RequestID",
    "authsvc.middleware.base.ContentSecurityPolicy",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "authsvc.middleware.base.RequireHTTPS",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "authsvc.middleware.base.OnlyUTF8",
    "authsvc.middleware.base.AdminSession",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "authsvc.urls"
WSGI_APPLICATION = "authsvc.wsgi.application"
# A redirect would lose the body of a POST; paths have no trailing slash.
APPEND_SLASH = False

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": databases.from_url(_environment.database_url, BASE_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if _environment.redis_url:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": _environment.redis_url}}

AUTH_USER_MODEL = "accounts.User"
# How the trail's own screens, which know nothing of proxies, learn where a request came from.
ORIGIN_OF = "accounts.contracts.base.origin_of"
AUTHENTICATION_BACKENDS = ["accounts.security.backends.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [{"NAME": "accounts.services.passwords.ProfileRule"}]
PASSWORD_HASHERS = [
    "accounts.security.hashers.Argon2id",
    "django.contrib.auth.hashers.BCryptPasswordHasher",
]
LOGIN_URL = "admin:login"

# In development every message is printed.
EMAIL_URL = _environment.email_url or (mail.CONSOLE if DEBUG else "")
SMS_URL = _environment.sms_url or (mail.CONSOLE if DEBUG else "")
globals().update(mail.from_url(EMAIL_URL, SERVICE_NAME))

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
USE_I18N = True
# Of the admin site alone: what an API answers does not depend on a browser's language.
LANGUAGE_COOKIE_PATH = "/admin/"
LANGUAGE_COOKIE_AGE = int(timedelta(days=365).total_seconds())
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
# Where what the templates say is translated; every app has a catalogue of its own beside it.
LOCALE_PATHS = [BASE_DIR / "authsvc" / "locale"]
TIME_ZONE = _environment.time_zone
ZONE = ZoneInfo(TIME_ZONE)
USE_TZ = True

STATIC_URL = "/static/"
# Files are served straight from their packages, so that no collectstatic has to be run or remembered.
WHITENOISE_USE_FINDERS = True
# The files are for our own pages.
WHITENOISE_ALLOW_ALL_ORIGINS = False

CORS_ALLOWED_ORIGINS = list(_environment.cors_allowed_origins)
if DEBUG and not CORS_ALLOWED_ORIGINS:
    CORS_ALLOWED_ORIGIN_REGEXES = [r"^http://(localhost|127\.0\.0\.1)(:\d+)?$"]
# The union contract renews its tokens in the Authorization header of an answer.
CORS_EXPOSE_HEADERS = ["Authorization", "X-Request-ID", "Retry-After"]

REQUIRE_HTTPS = not DEBUG if _environment.require_https is None else _environment.require_https
# A forwarded scheme is believed only where the environment says that a proxy sets it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if REQUIRE_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = REQUIRE_HTTPS
if REQUIRE_HTTPS:
    # A browser takes a cookie of such a name from this very host alone, and over HTTPS alone.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SESSION_COOKIE_AGE = int(timedelta(minutes=30).total_seconds())
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    # User names are unique in their canonical form, which has a column and a constraint of its own.
    "auth.W004",
    # Subdomains of a hospital's own domain are not this service's to decide on.
    "security.W005",
    # RequireHTTPS answers plain HTTP with 426 instead: a redirected POST has sent its password in clear.
    "security.W008",
    # Preloading binds the whole domain in every browser for months; its owner has to ask for that.
    "security.W021",
]
if not REQUIRE_HTTPS:
    # On a closed network the operator has said that there is no HTTPS to insist on.
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W010", "security.W012", "security.W016"]

REST_FRAMEWORK = {
    # Each contract names its own classes; nothing may fall back on a default that was meant for another.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "DEFAULT_SCHEMA_CLASS": "accounts.contracts.schema.auto_schema.ContractSchema",
}

SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "TITLE": SERVICE_NAME,
    "VERSION": tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # What may not be blank says so.
    "ENFORCE_NON_BLANK_FIELDS": True,
    # Operations and parameters stay in the order in which a contract lists them.
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
    # Shapes of a PATCH say themselves what may be left out.
    "COMPONENT_SPLIT_PATCH": False,
    "GET_MOCK_REQUEST": "accounts.contracts.schema.hooks.mock_request",
    "POSTPROCESSING_HOOKS": [
        "accounts.contracts.schema.hooks.add_shared_components",
        "authsvc.schema.add_what_is_no_contracts",
    ],
}

DEFAULT_EXCEPTION_REPORTER = "authsvc.reports.Report"
DEFAULT_EXCEPTION_REPORTER_FILTER = "authsvc.reports.RedactingFilter"
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "authsvc.logs.RequestIDFilter"}},
    "formatters": {
        "line": {
            "()": "authsvc.logs.LineFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "filters": ["request_id"], "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # Below that it writes whole forms, with the passwords in them, for every variable that a template lacks.
        "django.template": {"level": "INFO"},
    },
}
