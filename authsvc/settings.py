"""Django's settings, from the environment that `authsvc.configuration.env` has validated."""

import tomllib
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from corsheaders.defaults import default_headers

from authsvc.configuration import databases, env, log_settings, mail, validators
from authsvc.configuration.mounts import PASSWORD_PATH, mount_table

BASE_DIR = validators.BASE_DIR
_environment = env.load()

DEBUG = _environment.debug
SECRET_KEY = _environment.secret_key or env.DEVELOPMENT_KEY
SECRET_KEY_FALLBACKS = list(_environment.secret_key_fallbacks)
ALLOWED_HOSTS = list(_environment.allowed_hosts) or ["localhost", "127.0.0.1", "[::1]"]
PROFILE = _environment.profile or ("documented" if DEBUG else "hardened")
DOCS = _environment.docs_readers
CONTRACT_MOUNTS = mount_table(_environment.contract_mounts)
TRUSTED_PROXIES = _environment.trusted_proxies
METRICS_TOKEN = _environment.metrics_token
OTEL_EXPORTER_OTLP_ENDPOINT = _environment.otel_exporter_otlp_endpoint
WEB_CONCURRENCY = _environment.web_concurrency
JWT_KEYS = _environment.jwt_keys
AUDIT_KEYS = _environment.audit_key
# Signs the trail's anchors with a key of the published set.
TRAIL_SIGNER = "accounts.contracts.native.anchors.sign"
SMS_REGIONS = _environment.sms_regions
SERVICE_NAME = _environment.service_name
SERVICE_LOGO = _environment.service_logo
RESERVED_USERNAMES = _environment.reserved_usernames
SEPARATE_DUTIES = PROFILE == "hardened" if _environment.separate_duties is None else _environment.separate_duties
# Administrators, in the profile for production.
_default_mfa_roles = ("admin",) if PROFILE == "hardened" else ()
_mfa_roles = _default_mfa_roles if _environment.mfa_required_roles is None else _environment.mfa_required_roles
# With DEBUG the first host may be any.
_host = ALLOWED_HOSTS[0].lower().lstrip(".").replace("*", "localhost")
# The address of this service. Without ALLOWED_HOSTS it is where `quickstart` serves, for development on one machine.
ISSUER = _environment.issuer or (f"https://{_host}" if _environment.allowed_hosts else "http://127.0.0.1:8000")
# What messages name and link.
PASSWORD_PAGE = f"{ISSUER.rstrip('/')}{PASSWORD_PATH}"
MFA_REQUIRED_ROLES = frozenset(_mfa_roles) - {"none"}
WEBAUTHN_RP_ID = _environment.webauthn_rp_id or _host
AUDIT_STREAM_URL = _environment.audit_stream_url
TRAIL_RETENTION_DAYS = _environment.trail_retention_days
# None without a limit.
DORMANT_AFTER = timedelta(days=_environment.dormant_days) or None
PASSWORD_HISTORY = _environment.password_history
PASSWORD_MAX_AGE = timedelta(days=_environment.password_max_age_days) or None

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
    "authsvc.middleware.request_id.RequestIDMiddleware",
    "authsvc.middleware.access_log.AccessLogMiddleware",
    "authsvc.middleware.origin.RequestOriginMiddleware",
    "authsvc.middleware.content_security_policy.ContentSecurityPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "authsvc.middleware.cors.CookieCorsMiddleware",
    "authsvc.middleware.https.RequireHTTPSMiddleware",
    "authsvc.middleware.body_limit.BodyLimitMiddleware",
    "authsvc.middleware.form_charset.FormCharsetMiddleware",
    "authsvc.middleware.pages.PageMiddleware",
    "authsvc.middleware.host.HostMiddleware",
]
# What PageMiddleware takes requests for pages through, and no request of an API.
PAGE_MIDDLEWARE = [
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "authsvc.middleware.admin_session.AdminSessionMiddleware",
    "authsvc.middleware.pages.PageLocaleMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "authsvc.middleware.pages.PageAuthenticationMiddleware",
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

_pooling = databases.PoolSettings(_environment.database_pool, _environment.database_pooler == "transaction")
DATABASES = {"default": databases.from_url(_environment.database_url, BASE_DIR, _pooling)}
if _environment.database_replica_url:
    # `audit.replica` decides what is read there.
    DATABASES["replica"] = databases.replica_from_url(_environment.database_replica_url, BASE_DIR, _pooling)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Without Redis nothing is cached: each process would have a cache of its own, with other numbers.
CACHES: dict[str, Any] = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
if _environment.redis_url:
    CACHES["default"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _environment.redis_url,
        "OPTIONS": {
            "serializer": "authsvc.admin_site.shared_cache.JSONSerializer",
            "socket_connect_timeout": 0.5,
            "socket_timeout": 0.5,
        },
    }

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.security.backends.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [{"NAME": "accounts.services.passwords.ProfileRule"}]
PASSWORD_HASHERS = [
    "accounts.security.hashers.Argon2id",
    "django.contrib.auth.hashers.BCryptPasswordHasher",
]
LOGIN_URL = "admin:login"
# Where a login leads whose own address for it is on another site.
LOGIN_REDIRECT_URL = "admin:index"

# In development messages are printed.
EMAIL_URL = _environment.email_url or (mail.CONSOLE if DEBUG else "")
SMS_URL = _environment.sms_url or (mail.CONSOLE if DEBUG else "")
globals().update(mail.from_url(EMAIL_URL, SERVICE_NAME))

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
USE_I18N = True
FORMAT_MODULE_PATH = ["authsvc.formats"]
# For the admin site alone: responses of an API do not depend on a browser's language.
LANGUAGE_COOKIE_PATH = "/admin/"
LANGUAGE_COOKIE_AGE = int(timedelta(days=365).total_seconds())
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
# The catalogue of the templates; every app has its own catalogue.
LOCALE_PATHS = [BASE_DIR / "authsvc" / "locale"]
TIME_ZONE = _environment.time_zone
ZONE = ZoneInfo(TIME_ZONE)
USE_TZ = True

STATIC_URL = "/static/"
# Files are served from their packages, so that no deployment needs collectstatic.
WHITENOISE_USE_FINDERS = True
# No other origin needs the files.
WHITENOISE_ALLOW_ALL_ORIGINS = False

CORS_ALLOWED_ORIGINS = list(_environment.cors_allowed_origins)
if DEBUG and not CORS_ALLOWED_ORIGINS:
    CORS_ALLOWED_ORIGIN_REGEXES = [r"^http://(localhost|127\.0\.0\.1)(:\d+)?$"]
# The union contract renews tokens in the Authorization header of a response.
CORS_EXPOSE_HEADERS = ["Authorization", "WWW-Authenticate", "X-Request-ID", "Retry-After", "ETag"]
# `traceparent` is of the W3C's Trace Context.
CORS_ALLOW_HEADERS = [*default_headers, "if-match", "x-refresh-cookie", "x-request-id", "traceparent"]

# BodyLimitMiddleware refuses larger bodies. What is below it fits into memory, so that no upload is written to disk.
DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

REQUIRE_HTTPS = not DEBUG if _environment.require_https is None else _environment.require_https
# The forwarded scheme counts only behind a trusted proxy; a client could send it too.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if REQUIRE_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = REQUIRE_HTTPS
if REQUIRE_HTTPS:
    # Browsers accept a cookie with this prefix only from this host and over HTTPS (RFC 6265bis).
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SESSION_COOKIE_AGE = int(timedelta(minutes=30).total_seconds())
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "authsvc.endpoints.error_handlers.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    # They look for the middleware of logins, messages, sessions and CSRF in MIDDLEWARE; PAGE_MIDDLEWARE has it.
    "admin.E408",
    "admin.E409",
    "admin.E410",
    "security.W003",
    # User names are unique in their canonical form, which has its own column and constraint.
    "auth.W004",
    # Subdomains of the hospital's domain are outside this service's control.
    "security.W005",
    # RequireHTTPSMiddleware refuses plain HTTP with 426 instead: a redirected POST has sent its password in clear.
    "security.W008",
    # Preloading binds the whole domain in every browser for months; only the domain's owner may request it.
    "security.W021",
]
if not REQUIRE_HTTPS:
    # REQUIRE_HTTPS=false declares a closed network without HTTPS.
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W010", "security.W012", "security.W016"]

REST_FRAMEWORK = {
    # Each contract names its own classes; a default of DRF must never apply.
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
    "SERVERS": [{"url": "{0.scheme}://{0.netloc}".format(urlsplit(ISSUER)), "description": "This service."}],
    "VERSION": tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # The schema states `minLength: 1` for strings that may not be blank.
    "ENFORCE_NON_BLANK_FIELDS": True,
    # Operations and parameters keep the order in which a contract lists them.
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
    # Serializers of a PATCH declare their optional fields themselves.
    "COMPONENT_SPLIT_PATCH": False,
    "GET_MOCK_REQUEST": "accounts.contracts.schema.hooks.mock_request",
    "POSTPROCESSING_HOOKS": [
        "accounts.contracts.schema.hooks.add_shared_components",
        "authsvc.endpoints.schema.add_service_endpoints",
        "accounts.contracts.schema.hooks.complete",
    ],
}

DEFAULT_EXCEPTION_REPORTER = "authsvc.observability.exception_reports.RedactedExceptionReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "authsvc.observability.exception_reports.RedactingFilter"
LOGGING = log_settings.from_format(_environment.log_lines)
