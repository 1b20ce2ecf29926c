"""docs/downstream.md says what is true, and its programs tell a good token from a bad one."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.contracts.native.tokens import ACCESS
from accounts.models import User
from accounts.security import tokens
from accounts.security.keys import ring
from accounts.tests.tools import Api

pytestmark = pytest.mark.any_database

PAGE = (settings.BASE_DIR / "docs" / "downstream.md").read_text(encoding="utf-8")

# The language of a code block, the file that it is written to, and what runs it.
PROGRAMS = {
    "python": ("verify.py", sys.executable),
    "js": ("verify.mjs", "node"),
    "java": ("Verify.java", "java"),
}
# Hands the tokens one by one to the page's program: the virtual machine takes as long to start as all else does.
EACH = """
public class Each {
    public static void main(String[] args) throws Exception {
        var uri = java.net.URI.create(args[0] + "/.well-known/jwks.json");
        var request = java.net.http.HttpRequest.newBuilder(uri).build();
        var answer = java.net.http.HttpResponse.BodyHandlers.ofString();
        var keySet = java.net.http.HttpClient.newHttpClient().send(request, answer).body();
        for (var token : java.util.Arrays.asList(args).subList(1, args.length)) {
            try {
                System.out.println(Verify.claims(token, args[0], keySet));
            } catch (java.security.GeneralSecurityException | IllegalArgumentException error) {
                System.err.println("Refused: " + error.getMessage());
            }
        }
    }
}
"""


def claims_of(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def signed_with(token: str, key: Any, algorithm: str) -> str:
    """Return the token's header and claims, signed otherwise."""
    header = {name: jwt.get_unverified_header(token)[name] for name in ("kid", "typ")}
    return jwt.encode(claims_of(token), key, algorithm=algorithm, headers=header)


def promoted(token: str) -> str:
    """Return the token with its role changed and its signature kept."""
    header, _, signature = token.split(".")
    forged = jwt.encode({**claims_of(token), "role": "admin"}, "x" * 32, algorithm="HS256")
    return ".".join([header, forged.split(".")[1], signature])


# Each is bad in one way, made from what a login answers.
BAD: dict[str, Callable[[dict[str, Any]], str]] = {
    "expired": lambda pair: tokens.sign(
        ACCESS, {**claims_of(pair["access_token"]), "exp": int(timezone.now().timestamp()) - 61}
    ),
    "of another issuer": lambda pair: tokens.sign(
        ACCESS, {**claims_of(pair["access_token"]), "iss": "https://auth.hospital.example"}
    ),
    "tampered with": lambda pair: promoted(pair["access_token"]),
    "a refresh token": lambda pair: pair["refresh_token"],
    "of another typ": lambda pair: jwt.encode(
        claims_of(pair["access_token"]),
        ring.signer(ACCESS).signing,
        algorithm="ES256",
        headers={"kid": ring.signer(ACCESS).kid, "typ": "JWT"},
    ),
    "signed with another key": lambda pair: signed_with(
        pair["access_token"], ec.generate_private_key(ec.SECP256R1()), "ES256"
    ),
    "signed with the public key as a secret": lambda pair: signed_with(
        pair["access_token"], ring.signer(ACCESS).public_jwk()["x"], "HS256"
    ),
    "not signed": lambda pair: signed_with(pair["access_token"], "", "none"),
}


@pytest.fixture
def pair(alice: User, settings: Settings, request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a login answers; where the test has a server, that is the issuer."""
    if "live_server" in request.fixturenames:
        settings.ISSUER = request.getfixturevalue("live_server").url
    return Api().tokens()


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """The page's program in one language, ready to be run."""
    language = request.param
    file, runner = PROGRAMS[language]
    runtime = shutil.which(runner)
    if runtime is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{runner} is not installed.")
    (source,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / file).write_text(source, encoding="utf-8")
    compiler = shutil.which("javac")
    if language == "java" and compiler:
        # `java Verify.java`, as the page has it, compiles at every start.
        (tmp_path / "Each.java").write_text(EACH, encoding="utf-8")
        subprocess.run([compiler, file, "Each.java"], cwd=tmp_path, check=True)
        return [runtime, "-XX:TieredStopAtLevel=1", "-cp", str(tmp_path), "Verify"]
    return [runtime, str(tmp_path / file)]


def run(program: list[str], live_server: LiveServer, *tokens: str) -> subprocess.CompletedProcess[str]:
    command = [*program, live_server.url, *tokens]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.django_db(transaction=True)
def test_a_program_accepts_a_valid_token_and_refuses_an_invalid_one(
    program: list[str], live_server: LiveServer, pair: dict[str, Any]
) -> None:
    good = run(program, live_server, pair["access_token"])
    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout) == claims_of(pair["access_token"])
    invalid = {kind: make(pair) for kind, make in BAD.items()}
    if program[-1] == "Verify":
        all_of_them = run([*program[:-1], "Each"], live_server, pair["access_token"], *invalid.values())
        assert json.loads(all_of_them.stdout) == claims_of(pair["access_token"])
        assert re.fullmatch(rf"(Refused: .+\n){{{len(invalid)}}}", all_of_them.stderr), all_of_them.stderr
        invalid = {"expired": invalid["expired"]}
    for kind, token in invalid.items():
        bad = run(program, live_server, token)
        assert (bad.returncode, bad.stdout) == (1, ""), (kind, bad.stderr)
        assert re.fullmatch(r"Refused: .+\n", bad.stderr), kind


def table_after(heading: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", PAGE.split(heading)[1].split("\n\n")[1], re.MULTILINE)


@pytest.mark.django_db
def test_the_tables_list_the_claims_of_a_token(pair: dict[str, Any]) -> None:
    token = pair["access_token"]
    assert table_after("The header determines how the token is verified:") == list(jwt.get_unverified_header(token))
    assert table_after("The claims identify the user:") == list(claims_of(token))
