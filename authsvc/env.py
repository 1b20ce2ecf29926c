"""The environment: every variable, its type, its default, and what may not be said at once.

A mistake ends the process in one line per mistake, each with an id and a hint, before anything else runs.
"""

import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import dj_database_url
from dotenv import dotenv_values
from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from accounts.messaging.senders import sms
from accounts.policies import HMAC_BYTES, SHARED_KEYS
from authsvc import mail
from authsvc.admin_site import logo
from authsvc.mounts import MountError, mount_table

BASE_DIR: Path = Path(__file__).resolve().parent.parent
ENV_FILE: Path | None = BASE_DIR / ".env"

# Anyone can read this key, which is why it is taken with DEBUG=true alone.
DEVELOPMENT_KEY = "django-insecure-for-development-on-one-machine-and-nothing-else"
SHORTEST_SECRET_KEY = 50
FEWEST_KEY_CHARACTERS = 10

_JWT_KEYS = {f"{contract}_jwt_key": contract for contract in SHARED_KEYS}
# A name, an IPv4 address, or an IPv6 address in brackets.
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")
SECRETS = ("secret_key", "database_url", "redis_url", "email_url", "sms_url", *_JWT_KEYS)

HINTS = {
    "E001": "The environment table in README.md names each variable's values.",
    "E002": "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(50))'",
    "E003": "Set ALLOWED_HOSTS=auth.example.org, or DEBUG=true for development on one machine.",
    "E004": "Examples: sqlite:////var/lib/authsvc/db.sqlite3, postgres://user:password@host:5432/name, "
    "mysql://user:password@host:3306/name.",
    "E005": "Example: CONTRACT_MOUNTS=native=login/api.",
    "E006": "Set the variable or its _FILE twin, not both; the file must be readable UTF-8.",
    "E007": "Example: CORS_ALLOWED_ORIGINS=https://app.example.org,https://desk.example.org:8443.",
    "E008": "Any name of the IANA time zone database, for instance Asia/Shanghai.",
    "E009": "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'",
    "E010": "Who has one key must not be able to sign with the other; make a second one.",
    "E011": "Name each host by itself, without scheme, port or wildcard; one dot in front takes its subdomains too: "
    "ALLOWED_HOSTS=auth.example.org,.desk.example.org.",
    "E012": "Examples: smtps://user:password@mail.example.org/?from=authsvc@example.org, "
    "smtp+tls://user:password@mail.example.org:587/?from=…, smtp://mail.example.org:25/?from=….",
    "E013": "Examples: aliyun://KEY_ID:KEY_SECRET@dysmsapi.aliyuncs.com/?sign=…&code=SMS_1&notice=SMS_2, "
    "jsons://gateway.example.org/sms?:to={number} or another of Apprise's URLs, hospital.sms.send.",
    "E014": "SMS_URL=hospital.sms.send is the function send(number, text) of the module hospital.sms.",
    "E015": "SERVICE_LOGO=/etc/authsvc/logo.svg; a relative path counts from the folder of manage.py.",
}


def _mistake(number: str, text: str) -> PydanticCustomError:
    return PydanticCustomError("authsvc", "{number}|{text}", {"number": number, "text": text})


def _items(value: object) -> object:
    """Split a comma-separated variable; blanks around and between the commas do not count."""
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    return value


def _is_origin(text: str) -> bool:
    """Return whether a browser could send this as its `Origin`; a wildcard, `null` and a path it could not."""
    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return False
    host = parts.netloc.removesuffix(port)
    return (
        parts.scheme in {"http", "https"} and bool(_HOST.fullmatch(host)) and text == f"{parts.scheme}://{host}{port}"
    )


class _SecretFiles(PydanticBaseSettingsSource):
    """Reads NAME_FILE for each secret NAME, as container platforms hand secrets over."""

    def __init__(self, settings_cls: type[BaseSettings], variables: Mapping[str, str]) -> None:
        super().__init__(settings_cls)
        self.variables = variables

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        name = field_name.upper()
        path = self.variables.get(f"{name}_FILE")
        if not path:
            return None, field_name, False
        if self.variables.get(name):
            _stop([("E006", f"{name} and {name}_FILE are both set.")])
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            _stop([("E006", f"{name}_FILE cannot be read: {error}.")])

    def __call__(self) -> dict[str, Any]:
        read = {name: self.get_field_value(None, name)[0] for name in SECRETS}
        return {name: value for name, value in read.items() if value is not None}


class Environment(BaseSettings):
    """What the environment and `.env` say, read once and checked as a whole."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    debug: bool = False
    secret_key: str = ""
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    database_url: str = "sqlite:///db.sqlite3"
    redis_url: str = ""
    cors_allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    trusted_proxies: int = Field(default=0, ge=0, le=10)
    require_https: bool | None = None
    contract_mounts: str = ""
    profile: Literal["documented", "hardened"] | None = None
    time_zone: str = "Asia/Shanghai"
    web_concurrency: int = Field(default=1, ge=1)
    hospital_jwt_key: str = ""
    union_jwt_key: str = ""
    portal_jwt_key: str = ""
    clinic_jwt_key: str = ""
    email_url: str = ""
    sms_url: str = ""
    service_name: str = Field(default="authsvc", min_length=2, max_length=40)
    service_logo: str = ""

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
        import os

        in_file = dotenv_values(ENV_FILE) if ENV_FILE else {}
        variables = {name: value for name, value in in_file.items() if value} | dict(os.environ)
        return init_settings, env_settings, dotenv_settings, _SecretFiles(settings_cls, variables)

    _split = field_validator("allowed_hosts", "cors_allowed_origins", mode="before")(_items)

    @field_validator("allowed_hosts")
    @classmethod
    def _names_of_hosts(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for host in value:
            if host == "*" and info.data.get("debug"):
                continue
            if not _HOST.fullmatch(host.lower().removeprefix(".")):
                raise _mistake("E011", f"ALLOWED_HOSTS has {host}, which is no name of a host.")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_time_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise _mistake("E008", f"TIME_ZONE={value} is not a time zone.")
        return value

    @field_validator("cors_allowed_origins")
    @classmethod
    def _plain_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _is_origin(origin):
                raise _mistake("E007", f"CORS_ALLOWED_ORIGINS has {origin}, which is not scheme://host[:port].")
        return value

    @field_validator("contract_mounts")
    @classmethod
    def _known_mounts(cls, value: str) -> str:
        try:
            mount_table(value)
        except MountError as error:
            raise _mistake("E005", str(error)) from error
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        scheme = value.partition(":")[0]
        if scheme not in {"sqlite", "postgres", "postgresql", "mysql", "mariadb"}:
            # The value itself may hold a password, so only its scheme is shown.
            raise _mistake("E004", f"DATABASE_URL starts with '{scheme[:20]}', which names no database.")
        try:
            dj_database_url.parse(value.replace("mariadb:", "mysql:", 1))
        except (ValueError, dj_database_url.ParseError):
            raise _mistake("E004", "DATABASE_URL cannot be read as a URL.") from None
        return value

    @field_validator("service_name")
    @classmethod
    def _printable(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("it has characters that cannot be printed")
        return value

    @field_validator("email_url", "sms_url", mode="before")
    @classmethod
    def _console(cls, value: object) -> object:
        return mail.CONSOLE if value == f"{mail.CONSOLE}//" else value

    @field_validator("service_logo")
    @classmethod
    def _shown_by_browsers(cls, value: str) -> str:
        try:
            return str(logo.checked(BASE_DIR / value)) if value else ""
        except ValueError as error:
            raise _mistake("E015", f"SERVICE_LOGO cannot be used: {error}.") from None

    @field_validator("email_url")
    @classmethod
    def _known_mail_server(cls, value: str) -> str:
        try:
            mail.from_url(value, "")
        except ValueError as error:
            raise _mistake("E012", str(error)) from None
        return value

    @field_validator("sms_url")
    @classmethod
    def _known_gateway(cls, value: str) -> str:
        if sms.is_dotted(value):
            try:
                sms.require_module(value)
            except ValueError as error:
                raise _mistake("E014", f"SMS_URL cannot be used: {error}") from None
        elif value:
            try:
                sms.sender(value)
            except ValueError as error:
                raise _mistake("E013", f"SMS_URL cannot be used: {error}") from None
        return value

    @field_validator(*_JWT_KEYS)
    @classmethod
    def _as_long_as_its_hash(cls, value: str, info: ValidationInfo) -> str:
        name = str(info.field_name)
        needed = HMAC_BYTES[SHARED_KEYS[_JWT_KEYS[name]]]
        if 0 < (length := len(value.encode())) < needed:
            raise _mistake("E009", f"{name.upper()} has {length} bytes and needs {needed}.")
        return value

    @property
    def jwt_keys(self) -> dict[str, str]:
        """The keys that are given, by the name of their contract."""
        keys = {contract: getattr(self, name) for name, contract in _JWT_KEYS.items()}
        return {contract: key for contract, key in keys.items() if key}

    @model_validator(mode="after")
    def _no_two_keys_alike(self) -> Self:
        holder: dict[str, str] = {self.secret_key: "SECRET_KEY"}
        for contract, key in self.jwt_keys.items():
            name = f"{contract}_jwt_key".upper()
            if key in holder:
                raise _mistake("E010", f"{holder[key]} and {name} are equal.")
            holder[key] = name
        return self

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        if self.debug:
            return self
        key = self.secret_key
        if not key:
            raise _mistake("E002", "SECRET_KEY is not set.")
        if (
            len(key) < SHORTEST_SECRET_KEY
            or len(set(key)) < FEWEST_KEY_CHARACTERS
            or key.startswith("django-insecure-")
        ):
            raise _mistake("E002", f"SECRET_KEY is weak: it needs {SHORTEST_SECRET_KEY} random characters.")
        if not self.allowed_hosts:
            raise _mistake("E003", "ALLOWED_HOSTS is not set.")
        for number, name in (("E012", "email_url"), ("E013", "sms_url")):
            if getattr(self, name) == mail.CONSOLE:
                raise _mistake(number, f"{name.upper()}={mail.CONSOLE} prints codes, which is for DEBUG=true alone.")
        return self


def _stop(mistakes: list[tuple[str, str]]) -> NoReturn:
    raise SystemExit("\n".join(f"(authsvc.{number}) {text} HINT: {HINTS[number]}" for number, text in mistakes))


def load() -> Environment:
    """Return the checked environment; on a mistake end the process with one line for each."""
    try:
        return Environment(_env_file=ENV_FILE)
    except ValidationError as error:
        mistakes: list[tuple[str, str]] = []
        for item in error.errors():
            if item["type"] == "authsvc":
                number, _, text = item["msg"].partition("|")
            else:
                number = "E001"
                text = f"{'_'.join(str(part) for part in item['loc'][:1]).upper()}: {item['msg']}."
            mistakes.append((number, text))
        _stop(mistakes)


def write_development_file() -> None:
    """Write a `.env` for development on this machine, unless there is one."""
    if ENV_FILE is None or ENV_FILE.exists():
        return
    ENV_FILE.write_text(
        "# For development on this machine; README.md has the table of variables.\n"
        f"DEBUG=true\nSECRET_KEY={secrets.token_urlsafe(50)}\n",
        encoding="utf-8",
    )
    ENV_FILE.chmod(0o600)
