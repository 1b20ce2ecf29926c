"""An invalid variable stops the start in one line, which names it and says how it should be."""

import pytest

from authsvc.configuration.mounts import DEFAULT_MOUNTS
from authsvc.tests.test_env import KEY, PRODUCTION, _bare, errors

__all__ = ["_bare"]

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"AUDIT_STREAM_URL": "udp://u:p@siem.example.org"},
            "(authsvc.E022) AUDIT_STREAM_URL starts with 'udp', not with syslog+tcp, syslog+tls, https. HINT: "
            "Examples: syslog+tls://siem.example.org:6514, syslog+tcp://siem.example.org:514, "
            "https://user:password@siem.example.org/trail.",
        ),
        (
            {"AUDIT_STREAM_URL": "https://"},
            "(authsvc.E022) AUDIT_STREAM_URL names no host. HINT: Examples: syslog+tls://siem.example.org:6514, "
            "syslog+tcp://siem.example.org:514, https://user:password@siem.example.org/trail.",
        ),
        (
            {"AUDIT_STREAM_URL": "syslog+tcp://siem.example.org:x"},
            "(authsvc.E022) AUDIT_STREAM_URL cannot be read as a URL. HINT: Examples: "
            "syslog+tls://siem.example.org:6514, syslog+tcp://siem.example.org:514, https://user:password@siem.example.org/trail.",
        ),
        (
            {"ISSUER": "https://auth.example.org/?a=b"},
            "(authsvc.E025) ISSUER=https://auth.example.org/?a=b is not a URL without query and fragment. HINT: "
            "Example: ISSUER=https://auth.example.org, as clients reach this service.",
        ),
        *(
            (
                {"DORMANT_DAYS": days},
                f"(authsvc.E026) DORMANT_DAYS={days} is neither 0 nor 30 to 3650. HINT: "
                "Example: DORMANT_DAYS=90; 0 disables no account.",
            )
            for days in ("29", "3651")
        ),
        (
            {"PASSWORD_HISTORY": "25"},
            "(authsvc.E001) PASSWORD_HISTORY: Input should be less than or equal to 24. "
            "HINT: The table in docs/configuration.md lists the values of each variable.",
        ),
        (
            {"TRAIL_RETENTION_DAYS": "179"},
            "(authsvc.E021) TRAIL_RETENTION_DAYS=179 is less than 180. HINT: Rows of the trail are kept for at least "
            "180 days; leave the variable out for 400.",
        ),
        *(
            (
                {"WEBAUTHN_RP_ID": value},
                f"(authsvc.E024) WEBAUTHN_RP_ID={value} is not a domain name. "
                "HINT: Example: WEBAUTHN_RP_ID=auth.example.org, a domain without scheme and port.",
            )
            for value in ("https://auth.example.org", "auth.example.org:8000", "10.0.0.5", "Auth.example.org")
        ),
        (
            {"SECRET_KEY": ""},
            "(authsvc.E002) SECRET_KEY is not set. HINT: Make one with: "
            "python -c 'import secrets; print(secrets.token_urlsafe(50))'",
        ),
        (
            {"SECRET_KEY": "short"},
            "(authsvc.E002) SECRET_KEY is weak: it needs 50 random characters. HINT: Make one with: "
            "python -c 'import secrets; print(secrets.token_urlsafe(50))'",
        ),
        (
            {"SECRET_KEY": "a" * 60},
            "(authsvc.E002) SECRET_KEY is weak: it needs 50 random characters. HINT: Make one with: "
            "python -c 'import secrets; print(secrets.token_urlsafe(50))'",
        ),
        (
            {"ALLOWED_HOSTS": ""},
            "(authsvc.E003) ALLOWED_HOSTS is not set. "
            "HINT: Set ALLOWED_HOSTS=auth.example.org, or DEBUG=true for development on one machine.",
        ),
        (
            {"DEBUG": "maybe"},
            "(authsvc.E001) DEBUG: Input should be a valid boolean, unable to interpret input. "
            "HINT: The table in docs/configuration.md lists the values of each variable.",
        ),
        (
            {"TRUSTED_PROXIES": "-1"},
            "(authsvc.E001) TRUSTED_PROXIES: Input should be greater than or equal to 0. "
            "HINT: The table in docs/configuration.md lists the values of each variable.",
        ),
        (
            {"PROFILE": "lax"},
            "(authsvc.E001) PROFILE: Input should be 'documented' or 'hardened'. "
            "HINT: The table in docs/configuration.md lists the values of each variable.",
        ),
        (
            {"DATABASE_URL": "oracle://u:secret@db/x"},
            "(authsvc.E004) DATABASE_URL starts with 'oracle', which is not a supported database. "
            "HINT: Examples: sqlite:////var/lib/authsvc/db.sqlite3, postgres://user:password@host:5432/name, "
            "mysql://user:password@host:3306/name.",
        ),
        *(
            (
                {"DATABASE_URL": url},
                f"(authsvc.E004) DATABASE_URL {reason} HINT: Examples: sqlite:////var/lib/authsvc/db.sqlite3, "
                "postgres://user:password@host:5432/name, mysql://user:password@host:3306/name.",
            )
            for url, reason in (
                ("postgres://u:secret@db:port/x", "cannot be read as a URL."),
                (
                    "postgres://u:secret@h1:5432,h2:99999/x",
                    "names several servers, of which one is not host or host:port.",
                ),
                ("mysql://u:secret@h1,h2/x", "names several servers, which only PostgreSQL's may."),
            )
        ),
        *(
            (
                {"DATABASE_REPLICA_URL": url},
                "(authsvc.E028) DATABASE_REPLICA_URL is not of the same kind of server as DATABASE_URL. "
                "HINT: A replica is a standby of the primary: PostgreSQL or MariaDB has one, SQLite none.",
            )
            for url in ("mariadb://u:secret@db/x", "sqlite:///copy.sqlite3")
        ),
        (
            {"DATABASE_REPLICA_URL": "oracle://u:secret@db/x"},
            "(authsvc.E004) DATABASE_REPLICA_URL starts with 'oracle', which is not a supported database. "
            "HINT: Examples: sqlite:////var/lib/authsvc/db.sqlite3, postgres://user:password@host:5432/name, "
            "mysql://user:password@host:3306/name.",
        ),
        (
            {"CONTRACT_MOUNTS": "nobody=x"},
            f"(authsvc.E005) CONTRACT_MOUNTS names 'nobody', which is not one of: {', '.join(sorted(DEFAULT_MOUNTS))}. "
            "HINT: Example: CONTRACT_MOUNTS=native=login/api.",
        ),
        (
            {"CONTRACT_MOUNTS": "native=admin/api"},
            "(authsvc.E005) CONTRACT_MOUNTS gives native the path 'admin/api', which cannot be used. "
            "HINT: Example: CONTRACT_MOUNTS=native=login/api.",
        ),
        (
            {"CORS_ALLOWED_ORIGINS": "https://a.example,b.example"},
            "(authsvc.E007) CORS_ALLOWED_ORIGINS has b.example, which is not scheme://host[:port]. "
            "HINT: Example: CORS_ALLOWED_ORIGINS=https://app.example.org,https://desk.example.org:8443.",
        ),
        *(
            (
                {"CORS_ALLOWED_ORIGINS": f"https://a.example,{origin}"},
                f"(authsvc.E007) CORS_ALLOWED_ORIGINS has {origin}, which is not scheme://host[:port]. "
                "HINT: Example: CORS_ALLOWED_ORIGINS=https://app.example.org,https://desk.example.org:8443.",
            )
            for origin in (
                *("*", "null", "https://*", "https://*.a.example", "https://a.example/", "https://a.example:0x50"),
                *("https://a.example:99999", "https://u:p@a.example", "HTTPS://a.example", "https://A.example"),
                *("ftp://a.example", "https://", "https://[::1", "file://"),
            )
        ),
        *(
            (
                {"ALLOWED_HOSTS": f"a.example,{host}"},
                f"(authsvc.E011) ALLOWED_HOSTS has {host}, which is not a host name. "
                "HINT: List each host name without scheme, port or wildcard; a leading dot includes the "
                "subdomains: ALLOWED_HOSTS=auth.example.org,.desk.example.org.",
            )
            for host in (
                "*",
                "*.a.example",
                ".",
                "..a.example",
                "https://a.example",
                "a.example:8000",
                "a.example/",
                "a b",
            )
        ),
        (
            {"RESERVED_USERNAMES": "080([0-9]{3}"},
            "(authsvc.E018) RESERVED_USERNAMES is not a usable regular expression: unclosed group. HINT: Example: "
            "RESERVED_USERNAMES=080[0-9]{3}. It is matched against whole names; look-around and backreferences are not "
            "supported.",
        ),
        (
            {"SERVICE_LOGO": "/nothing/logo.svg"},
            "(authsvc.E015) SERVICE_LOGO cannot be used: /nothing/logo.svg cannot be read: No such file or directory. "
            "HINT: SERVICE_LOGO=/etc/authsvc/logo.svg; a relative path is relative to the folder of manage.py.",
        ),
        (
            {"SMS_REGIONS": "CN,XX"},
            "(authsvc.E001) SMS_REGIONS: Value error, XX is not a region such as CN, HK or MO. "
            "HINT: The table in docs/configuration.md lists the values of each variable.",
        ),
        (
            {"TIME_ZONE": "Beijing"},
            "(authsvc.E008) TIME_ZONE=Beijing is not a time zone. "
            "HINT: Use a name of the IANA time zone database, for instance Asia/Shanghai.",
        ),
        (
            {"PORTAL_JWT_KEY": "x" * 32, "CLINIC_JWT_KEY": "x" * 32},
            "(authsvc.E010) PORTAL_JWT_KEY and CLINIC_JWT_KEY are equal. "
            "HINT: A holder of one key must not be able to sign with the other; make a second key.",
        ),
        (
            {"CLINIC_JWT_KEY": KEY},
            "(authsvc.E010) SECRET_KEY and CLINIC_JWT_KEY are equal. "
            "HINT: A holder of one key must not be able to sign with the other; make a second key.",
        ),
        (
            {"AUDIT_KEY": f"{'a' * 32}, {KEY}"},
            "(authsvc.E010) SECRET_KEY and AUDIT_KEY are equal. "
            "HINT: A holder of one key must not be able to sign with the other; make a second key.",
        ),
        (
            {"SECRET_KEY_FALLBACKS": f"{'a' * 50}, {KEY}"},
            "(authsvc.E010) SECRET_KEY and a key in SECRET_KEY_FALLBACKS are equal. "
            "HINT: A holder of one key must not be able to sign with the other; make a second key.",
        ),
        (
            {"AUDIT_KEY": f"{'a' * 32},{'药' * 10}"},
            "(authsvc.E019) A key in AUDIT_KEY has 30 bytes and needs 32. HINT: Make one with: "
            "python -c 'import secrets; print(secrets.token_urlsafe(48))'. Commas separate several.",
        ),
        (
            {"SERVICE_NAME": "x"},
            "(authsvc.E001) SERVICE_NAME: String should have at least 2 characters. "
            "HINT: The table in docs/configuration.md lists the values of each variable.",
        ),
        (
            {"SERVICE_NAME": "Ward\n7"},
            "(authsvc.E001) SERVICE_NAME: Value error, it contains unprintable characters. "
            "HINT: The table in docs/configuration.md lists the values of each variable.",
        ),
        *[
            (
                {"EMAIL_URL": url},
                f"(authsvc.E012) {wrong} HINT: Examples: "
                "smtps://user:password@mail.example.org/?from=authsvc@example.org, "
                "smtp+tls://user:password@mail.example.org:587/?from=…, smtp://mail.example.org:25/?from=….",
            )
            for url, wrong in [
                ("pop://hunter2@host/", "EMAIL_URL starts with 'pop', which is not one of: smtp, smtp+tls, smtps."),
                ("smtp:///?from=a@b.example", "EMAIL_URL has no host."),
                ("console:", "EMAIL_URL=console: prints codes; it requires DEBUG=true."),
                ("smtp://host:hunter2/?from=a@b.example", "EMAIL_URL cannot be read as a URL."),
                ("smtp://[hunter2/?from=a@b.example", "EMAIL_URL cannot be read as a URL."),
                ("smtp://host/?from=nobody", "EMAIL_URL has no valid sender address."),
                ("smtp://host/?from=a@b.c%0ABcc:x", "EMAIL_URL has no valid sender address."),
                (
                    "smtp://host/?from=a@b.example&ssl=true",
                    "EMAIL_URL has the unknown option 'ssl'; the only option is 'from'.",
                ),
            ]
        ],
    ],
    ids=str,
)
def test_an_error_stops_the_start_in_one_line(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], line: str
) -> None:
    assert errors(monkeypatch, **{**PRODUCTION, **changes}) == line
