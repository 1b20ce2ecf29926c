"""Configuration errors: each has an id, a sentence and a hint."""

from typing import Final, NoReturn

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

_CUSTOM: Final = "authsvc"
HINTS: Final = {
    "E001": "The table in docs/configuration.md lists the values of each variable.",
    "E002": "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(50))'",
    "E003": "Set ALLOWED_HOSTS=auth.example.org, or DEBUG=true for development on one machine.",
    "E004": "Examples: sqlite:////var/lib/authsvc/db.sqlite3, postgres://user:password@host:5432/name, "
    "mysql://user:password@host:3306/name.",
    "E005": "Example: CONTRACT_MOUNTS=native=login/api.",
    "E006": "Set either the variable or NAME_FILE, not both; the file must be readable UTF-8.",
    "E007": "Example: CORS_ALLOWED_ORIGINS=https://app.example.org,https://desk.example.org:8443.",
    "E008": "Use a name of the IANA time zone database, for instance Asia/Shanghai.",
    "E009": "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'",
    "E010": "A holder of one key must not be able to sign with the other; make a second key.",
    "E011": "List each host name without scheme, port or wildcard; a leading dot includes the subdomains: "
    "ALLOWED_HOSTS=auth.example.org,.desk.example.org.",
    "E012": "Examples: smtps://user:password@mail.example.org/?from=authsvc@example.org, "
    "smtp+tls://user:password@mail.example.org:587/?from=…, smtp://mail.example.org:25/?from=….",
    "E013": "Examples: aliyun://KEY_ID:KEY_SECRET@dysmsapi.aliyuncs.com/?sign=…&code=SMS_1&notice=SMS_2, "
    "jsons://gateway.example.org/sms?:to={number} or another of Apprise's URLs, hospital.sms.send.",
    "E014": "SMS_URL=hospital.sms.send is the function send(number, text) of the module hospital.sms.",
    "E015": "SERVICE_LOGO=/etc/authsvc/logo.svg; a relative path is relative to the folder of manage.py.",
    "E018": "Example: RESERVED_USERNAMES=080[0-9]{3}. It is matched against whole names; look-around and "
    "backreferences are not supported.",
    "E019": "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'. Commas separate several.",
    "E022": "Examples: syslog+tls://siem.example.org:6514, syslog+tcp://siem.example.org:514, "
    "https://user:password@siem.example.org/trail.",
    "E023": "Example: MFA_REQUIRED_ROLES=admin,doctor; `none` for no role.",
    "E024": "Example: WEBAUTHN_RP_ID=auth.example.org, a domain without scheme and port.",
    "E025": "Example: ISSUER=https://auth.example.org, as clients reach this service.",
    "E026": "Example: DORMANT_DAYS=90; 0 disables no account.",
    "E027": "Install the packages with: .venv/bin/pip install -r requirements-tracing.txt",
    "E028": "A replica is a standby of the primary: PostgreSQL or MariaDB has one, SQLite none.",
    "E021": "Rows of the trail are kept for at least 180 days; leave the variable out for 400.",
}


def invalid(number: str, text: str) -> PydanticCustomError:
    """Return the error that a validator raises; `number` is a key of HINTS."""
    return PydanticCustomError(_CUSTOM, "{number}|{text}", {"number": number, "text": text})


def stop(errors: list[tuple[str, str]]) -> NoReturn:
    """End the process with one line for each error, a pair of number and sentence."""
    raise SystemExit("\n".join(f"(authsvc.{number}) {text} HINT: {HINTS[number]}" for number, text in errors))


def stop_with(error: ValidationError) -> NoReturn:
    """End the process with one line for each error that the validation found."""
    stop([_numbered(item) for item in error.errors()])


def _numbered(item: ErrorDetails) -> tuple[str, str]:
    if item["type"] == _CUSTOM:
        number, _, text = item["msg"].partition("|")
        return number, text
    name = "_".join(str(part) for part in item["loc"][:1]).upper()
    return "E001", f"{name}: {item['msg']}."
