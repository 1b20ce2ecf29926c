import runpy
from pathlib import Path

import pytest

from authsvc.configuration import env
from authsvc.configuration.mounts import DEFAULT_MOUNTS

pytestmark = pytest.mark.any_database

KEY = "x7Gq-0pLw_9sVb2mTzR4nYkH6dJfC1aUe3oQiXv8Wt5Bg-ZEySlMPrNK"
PRODUCTION = {"SECRET_KEY": KEY, "ALLOWED_HOSTS": "auth.hospital.example", "DATABASE_URL": "postgres://u:p@db/authsvc"}


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from an environment without variables of the service."""
    for name in env.Environment.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> env.Environment:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return env.load()


def setting(monkeypatch: pytest.MonkeyPatch, name: str, **variables: str) -> object:
    """Return a setting of Django, as a process with this environment has it."""
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    return runpy.run_path(str(Path(env.__file__).parent.parent / "settings.py"))[name]


def errors(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    with pytest.raises(SystemExit) as stop:
        load(monkeypatch, **variables)
    return str(stop.value)


def test_debug_needs_no_other_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, DEBUG="true").debug is True


def test_production_needs_three_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(monkeypatch, **PRODUCTION)
    assert (loaded.debug, loaded.allowed_hosts) == (False, ("auth.hospital.example",))


@pytest.mark.parametrize(
    ("variables", "readers"),
    [
        (PRODUCTION, "staff"),
        ({"DEBUG": "true"}, "public"),
        ({**PRODUCTION, "DOCS": "off"}, "off"),
        ({"DEBUG": "true", "DOCS": "staff"}, "staff"),
    ],
)
def test_the_readers_of_the_description_follow_debug(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], readers: str
) -> None:
    assert load(monkeypatch, **variables).docs_readers == readers


@pytest.mark.parametrize(
    ("variables", "roles"),
    [
        (PRODUCTION, {"admin"}),
        ({"DEBUG": "true"}, set()),
        ({**PRODUCTION, "MFA_REQUIRED_ROLES": "none"}, set()),
        ({**PRODUCTION, "MFA_REQUIRED_ROLES": ""}, {"admin"}),
        ({"DEBUG": "true", "MFA_REQUIRED_ROLES": "admin, doctor"}, {"admin", "doctor"}),
    ],
)
def test_the_roles_that_need_a_second_factor_follow_the_profile(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], roles: set[str]
) -> None:
    assert setting(monkeypatch, "MFA_REQUIRED_ROLES", **variables) == roles


@pytest.mark.parametrize(
    ("variables", "relying_party"),
    [
        ({**PRODUCTION, "ALLOWED_HOSTS": "Auth.Hospital.example,10.0.0.5"}, "auth.hospital.example"),
        ({**PRODUCTION, "ALLOWED_HOSTS": ".hospital.example"}, "hospital.example"),
        ({**PRODUCTION, "WEBAUTHN_RP_ID": "hospital.example"}, "hospital.example"),
        ({"DEBUG": "true"}, "localhost"),
        ({"DEBUG": "true", "ALLOWED_HOSTS": "*"}, "localhost"),
    ],
)
def test_passkeys_are_for_the_first_host(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], relying_party: str
) -> None:
    assert setting(monkeypatch, "WEBAUTHN_RP_ID", **variables) == relying_party


def test_other_readers_of_the_description_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    assert errors(monkeypatch, **PRODUCTION, DOCS="everyone").startswith("(authsvc.E001) DOCS: In")


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
            "HINT: The environment table in README.md lists the values of each variable.",
        ),
        (
            {"TRUSTED_PROXIES": "-1"},
            "(authsvc.E001) TRUSTED_PROXIES: Input should be greater than or equal to 0. "
            "HINT: The environment table in README.md lists the values of each variable.",
        ),
        (
            {"PROFILE": "lax"},
            "(authsvc.E001) PROFILE: Input should be 'documented' or 'hardened'. "
            "HINT: The environment table in README.md lists the values of each variable.",
        ),
        (
            {"DATABASE_URL": "oracle://u:secret@db/x"},
            "(authsvc.E004) DATABASE_URL starts with 'oracle', which is not a supported database. "
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
            "HINT: The environment table in README.md lists the values of each variable.",
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
            "HINT: The environment table in README.md lists the values of each variable.",
        ),
        (
            {"SERVICE_NAME": "Ward\n7"},
            "(authsvc.E001) SERVICE_NAME: Value error, it contains unprintable characters. "
            "HINT: The environment table in README.md lists the values of each variable.",
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


def test_a_name_with_its_subdomains_and_an_address_are_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = ("Auth.example.org", ".example.org", "192.0.2.1", "[::1]", "localhost")
    assert load(monkeypatch, **{**PRODUCTION, "ALLOWED_HOSTS": ",".join(hosts)}).allowed_hosts == hosts


def test_in_development_a_wildcard_host_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, DEBUG="true", ALLOWED_HOSTS="*").allowed_hosts == ("*",)


def test_a_port_and_an_address_are_part_of_an_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    origins = ("https://a.example:8443", "http://192.0.2.1:8080", "https://[::1]:8443", "https://localhost")
    loaded = load(monkeypatch, **PRODUCTION, CORS_ALLOWED_ORIGINS=",".join(origins))
    assert loaded.cors_allowed_origins == origins


def test_the_keys_that_are_given_are_named_by_their_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"hospital": "h" * 32, "union": "药" * 16, "portal": "p" * 32, "clinic": "c" * 32}
    loaded = load(monkeypatch, **PRODUCTION, **{f"{contract.upper()}_JWT_KEY": key for contract, key in given.items()})
    assert loaded.jwt_keys == given


def test_jwt_keys_are_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, **PRODUCTION).jwt_keys == {}


def test_a_key_is_read_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("h" * 32 + "\n", encoding="utf-8")
    assert load(monkeypatch, **PRODUCTION, HOSPITAL_JWT_KEY_FILE=str(file)).jwt_keys == {"hospital": "h" * 32}


def test_keys_of_the_trail_are_separated_by_commas_in_a_file_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text(f"{'a' * 32}, {'b' * 32}\n", encoding="utf-8")
    assert load(monkeypatch, **PRODUCTION, AUDIT_KEY_FILE=str(file)).audit_key == ("a" * 32, "b" * 32)


def test_each_of_several_errors_has_its_own_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = errors(monkeypatch, **PRODUCTION, DEBUG="maybe", PROFILE="lax").splitlines()
    assert [line.split()[:2] for line in lines] == [["(authsvc.E001)", "DEBUG:"], ["(authsvc.E001)", "PROFILE:"]]


def test_a_database_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hunter2" not in errors(monkeypatch, **{**PRODUCTION, "DATABASE_URL": "postgres://u:hunter2@[bad/x"})


def test_a_secret_is_read_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n", encoding="utf-8")
    loaded = load(monkeypatch, **{**PRODUCTION, "SECRET_KEY": ""}, SECRET_KEY_FILE=str(file))
    assert loaded.secret_key == KEY


def test_former_keys_are_read_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "former"
    file.write_text("next, former\n", encoding="utf-8")
    loaded = load(monkeypatch, **PRODUCTION, SECRET_KEY_FALLBACKS_FILE=str(file))
    assert loaded.secret_key_fallbacks == ("next", "former")


def test_a_secret_and_its_file_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert errors(monkeypatch, **PRODUCTION, SECRET_KEY_FILE="/run/key").startswith(
        "(authsvc.E006) SECRET_KEY and SECRET_KEY_FILE are both set."
    )


def test_a_secret_file_that_is_not_there_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    said = errors(monkeypatch, **{**PRODUCTION, "SECRET_KEY": ""}, SECRET_KEY_FILE="/run/nothing")
    assert said.startswith("(authsvc.E006) SECRET_KEY_FILE cannot be read:")


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(monkeypatch, **{**PRODUCTION, "ALLOWED_HOSTS": " a.example , b.example,"})
    assert loaded.allowed_hosts == ("a.example", "b.example")


def test_the_development_file_is_written_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(env, "ENV_FILE", tmp_path / ".env")
    env.write_development_file()
    first = (tmp_path / ".env").read_text(encoding="utf-8")
    env.write_development_file()
    assert (tmp_path / ".env").read_text(encoding="utf-8") == first
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    loaded = env.load()
    assert (loaded.debug, len(loaded.secret_key) >= 50) == (True, True)


def test_codes_are_not_printed_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    said = errors(monkeypatch, **PRODUCTION, SMS_URL="console:")
    assert said.startswith("(authsvc.E013) SMS_URL=console: prints codes; it requires DEBUG=true. HINT:")


def test_codes_may_be_printed_in_development(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(monkeypatch, DEBUG="true", SMS_URL="console:", EMAIL_URL="console://")
    assert (loaded.email_url, loaded.sms_url) == ("console:", "console:")


def test_a_mail_server_url_is_read_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = "smtps://mail.hospital.example/?from=authsvc@hospital.example"
    (tmp_path / "mail").write_text(url + "\n", encoding="utf-8")
    assert load(monkeypatch, **PRODUCTION, EMAIL_URL_FILE=str(tmp_path / "mail")).email_url == url


def test_a_pooler_of_another_mode_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "DATABASE_POOLER" in errors(monkeypatch, **PRODUCTION, DATABASE_POOLER="session")
