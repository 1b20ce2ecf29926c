import runpy
from pathlib import Path

import pytest

from authsvc.configuration import env

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
