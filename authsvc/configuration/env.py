"""The environment: every variable, its type, its default, and which values exclude each other.

An error ends the process before anything else runs, with one line for each error. What only application code can
validate is left to the system checks in `authsvc.configuration.checks` and `accounts.messaging.checks`.
"""

import os
import secrets
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from authsvc.configuration import mail, validators
from authsvc.configuration.errors import invalid, stop_with
from authsvc.configuration.secret_files import SecretFiles
from authsvc.configuration.validators import BASE_DIR

ENV_FILE: Path | None = BASE_DIR / ".env"

# This key is public, which is why it is used with DEBUG=true alone.
DEVELOPMENT_KEY: Final = "django-insecure-for-development-on-one-machine-and-nothing-else"
MIN_SECRET_KEY_LENGTH: Final = 50
MIN_DISTINCT_CHARACTERS: Final = 10
# RFC 2104, section 3: a key shorter than the hash's output weakens the HMAC.
MIN_AUDIT_KEY_BYTES: Final = 32

JWT_KEYS: Final = {f"{contract}_jwt_key": contract for contract in ("hospital", "union", "portal", "clinic")}
SECRETS: Final = (
    "secret_key",
    "secret_key_fallbacks",
    "database_url",
    "database_replica_url",
    "redis_url",
    "email_url",
    "sms_url",
    "audit_key",
    "audit_stream_url",
    "metrics_token",
    *JWT_KEYS,
)

_SPLIT: Final = BeforeValidator(validators.split_items)
_CONSOLE: Final = BeforeValidator(validators.normalize_console)


class Environment(BaseSettings):
    """The variables of the environment and of `.env`, read once and validated together."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    debug: bool = False
    secret_key: str = ""
    # Former keys, and the next one before it becomes SECRET_KEY: they decrypt and verify.
    secret_key_fallbacks: Annotated[tuple[str, ...], NoDecode, _SPLIT] = ()
    allowed_hosts: Annotated[tuple[str, ...], NoDecode, _SPLIT, AfterValidator(validators.valid_hosts)] = ()
    database_url: Annotated[str, AfterValidator(validators.valid_database)] = "sqlite:///db.sqlite3"
    database_pool: int = Field(default=8, ge=0, le=1000)
    database_pooler: Literal["transaction"] | None = None
    database_replica_url: Annotated[str, AfterValidator(validators.valid_replica)] = ""
    redis_url: str = ""
    cors_allowed_origins: Annotated[tuple[str, ...], NoDecode, _SPLIT, AfterValidator(validators.valid_origins)] = ()
    trusted_proxies: int = Field(default=0, ge=0, le=10)
    require_https: bool | None = None
    contract_mounts: Annotated[str, AfterValidator(validators.valid_mounts)] = ""
    profile: Literal["documented", "hardened"] | None = None
    docs: Literal["public", "staff", "off"] | None = None
    time_zone: Annotated[str, AfterValidator(validators.valid_time_zone)] = "Asia/Shanghai"
    web_concurrency: int = Field(default=1, ge=1)
    hospital_jwt_key: str = ""
    union_jwt_key: str = ""
    portal_jwt_key: str = ""
    clinic_jwt_key: str = ""
    # The keys of the trail's seal: the first seals, all verify.
    audit_key: Annotated[tuple[str, ...], NoDecode, _SPLIT] = ()
    email_url: Annotated[str, _CONSOLE, AfterValidator(validators.valid_mail_server)] = ""
    sms_url: Annotated[str, _CONSOLE] = ""
    sms_regions: Annotated[tuple[str, ...], NoDecode, _SPLIT, AfterValidator(validators.valid_regions)] = ("CN",)
    service_name: Annotated[str, AfterValidator(validators.valid_service_name)] = Field(
        default="authsvc", min_length=2, max_length=40
    )
    reserved_usernames: Annotated[str, AfterValidator(validators.valid_pattern)] = ""
    service_logo: Annotated[str, AfterValidator(validators.valid_logo)] = ""
    separate_duties: bool | None = None
    # `none` stands for no role: an empty variable has the default.
    mfa_required_roles: Annotated[tuple[str, ...] | None, NoDecode, _SPLIT] = None
    issuer: Annotated[str, AfterValidator(validators.valid_issuer)] = ""
    webauthn_rp_id: Annotated[str, AfterValidator(validators.valid_rp_id)] = ""
    metrics_token: str = ""
    # OpenTelemetry's own packages read it from the process's environment.
    otel_exporter_otlp_endpoint: str = ""
    audit_stream_url: Annotated[str, AfterValidator(validators.valid_stream)] = ""
    log_format: Literal["json", "text"] | None = None
    dormant_days: Annotated[int, AfterValidator(validators.valid_dormancy)] = 0
    password_history: int = Field(default=0, ge=0, le=24)
    password_max_age_days: int = Field(default=0, ge=0, le=3650)
    trail_retention_days: Annotated[int, AfterValidator(validators.valid_retention)] = 400

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Rank the sources: the environment, then `.env`, then the files that either of them names."""
        in_file = dotenv_values(ENV_FILE) if ENV_FILE else {}
        variables = {name: value for name, value in in_file.items() if value} | dict(os.environ)
        return init_settings, env_settings, dotenv_settings, SecretFiles(settings_cls, variables, SECRETS)

    @property
    def docs_readers(self) -> str:
        """Who may read the description of the API: DOCS, or `public` for development and `staff` otherwise."""
        return self.docs or ("public" if self.debug else "staff")

    @property
    def log_lines(self) -> str:
        """The format of the log: LOG_FORMAT, or `text` for development and `json` otherwise."""
        return self.log_format or ("text" if self.debug else "json")

    @property
    def jwt_keys(self) -> dict[str, str]:
        """The keys that are set, by the name of their contract."""
        keys = {contract: getattr(self, name) for name, contract in JWT_KEYS.items()}
        return {contract: key for contract, key in keys.items() if key}

    @model_validator(mode="after")
    def _distinct_keys(self) -> Self:
        holder: dict[str, str] = {self.secret_key: "SECRET_KEY"}
        for contract, key in self.jwt_keys.items():
            name = f"{contract}_jwt_key".upper()
            if key in holder:
                raise invalid("E010", f"{holder[key]} and {name} are equal.")
            holder[key] = name
        for key in self.secret_key_fallbacks:
            if key in holder:
                raise invalid("E010", f"{holder[key]} and a key in SECRET_KEY_FALLBACKS are equal.")
        for key in self.audit_key:
            if key in holder:
                raise invalid("E010", f"{holder[key]} and AUDIT_KEY are equal.")
            if (length := len(key.encode())) < MIN_AUDIT_KEY_BYTES:
                raise invalid("E019", f"A key in AUDIT_KEY has {length} bytes and needs {MIN_AUDIT_KEY_BYTES}.")
        return self

    @model_validator(mode="after")
    def _production(self) -> Self:
        """Require in production what only DEBUG may leave out."""
        if self.debug:
            return self
        if not self.secret_key:
            raise invalid("E002", "SECRET_KEY is not set.")
        if _is_weak(self.secret_key):
            raise invalid("E002", f"SECRET_KEY is weak: it needs {MIN_SECRET_KEY_LENGTH} random characters.")
        if not self.allowed_hosts:
            raise invalid("E003", "ALLOWED_HOSTS is not set.")
        for number, name in (("E012", "email_url"), ("E013", "sms_url")):
            if getattr(self, name) == mail.CONSOLE:
                raise invalid(number, f"{name.upper()}={mail.CONSOLE} prints codes; it requires DEBUG=true.")
        return self


def _is_weak(key: str) -> bool:
    return (
        len(key) < MIN_SECRET_KEY_LENGTH
        or len(set(key)) < MIN_DISTINCT_CHARACTERS
        or key.startswith("django-insecure-")
    )


def load() -> Environment:
    """Return the validated environment; on an error end the process with one line for each."""
    try:
        return Environment(_env_file=ENV_FILE)
    except ValidationError as error:
        stop_with(error)


def write_development_file() -> None:
    """Write a `.env` for development on this machine, unless there is one."""
    if ENV_FILE is None or ENV_FILE.exists():
        return
    ENV_FILE.write_text(
        "# For development on this machine; docs/configuration.md has the table of variables.\n"
        f"DEBUG=true\nSECRET_KEY={secrets.token_urlsafe(50)}\n",
        encoding="utf-8",
    )
    ENV_FILE.chmod(0o600)
