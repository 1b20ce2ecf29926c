# ruff: noqa: E501 The hashes are as their libraries print them.
"""The formats of stored hashes. Each example is of the password `Secret123`, made by the library of its name."""

import pytest
from argon2 import PasswordHasher, Type

from accounts.security.stored_hashes import parse

pytestmark = pytest.mark.any_database

PASSWORD = "Secret123"
EXAMPLES = {
    "werkzeug pbkdf2": "pbkdf2:sha256:1000$ol9iyarsTMVv8CFx$03dbad3ca295444406194dac4f5a6c3d5d7948ee58ef2189a71d94e4752a1df4",
    "werkzeug pbkdf2 with SHA-512": "pbkdf2:sha512:1000$jQTYqdjwLOOCBWVl$905dfb70889d20ebb96ccafcbd15b5f994def85bfde4a312f0a5343a7513195080628b45a52b8ff481fa60d58a2d6ff7b5c4a555b72ac02ebc9755de0da66c58",
    "werkzeug pbkdf2 with SHA-1": "pbkdf2:sha1:1000$omg9QN7cW7aBep94$6416c1ee3f60c1fb18b86ea00196667eeba2ca84",
    "werkzeug scrypt": "scrypt:1024:8:1$IgdacJkII0xdCEVv$c6f9e6ba03c3eeb8ed348bb35e51fdb49ac2b44a979f1546415260e369c4ad4cacefa4894e9e20c94e2c57c1d66ff43453953a031dc223cb1ea0317374f9ba86",
    "bcrypt 2a": "$2a$04$yY63.0fdlGCC3Xwp7KIcxORoxvWsq45d8qieVjuEtDwDX5L7quzIu",
    "bcrypt 2b": "$2b$04$yY63.0fdlGCC3Xwp7KIcxORoxvWsq45d8qieVjuEtDwDX5L7quzIu",
    "bcrypt 2y": "$2y$04$yY63.0fdlGCC3Xwp7KIcxORoxvWsq45d8qieVjuEtDwDX5L7quzIu",
    "Django bcrypt": "bcrypt$$2b$04$yY63.0fdlGCC3Xwp7KIcxORoxvWsq45d8qieVjuEtDwDX5L7quzIu",
    "Django bcrypt with SHA-256": "bcrypt_sha256$$2b$04$cq0.pO/uWM0l88fLbYNbp.o2JUqs96Cp7tjvAISh2bFdK.o.MTGIS",
    "Django pbkdf2": "pbkdf2_sha256$1000$saltsaltsalt$10OCbILaY9Wo2XKr0UBeiy79nXORiTNAoy8hAgalGos=",
    "Django pbkdf2 with SHA-1": "pbkdf2_sha1$1000$saltsaltsalt$DfrcLSm24lxcaEEjvzgypH94HYY=",
    "Django scrypt": "scrypt$1024$saltsaltsalt$8$5$B3Hq5mW7Bb0n1wSd7Y0V+rjrHCxp+D/V2hwbzm4LRDuZQZKG5Ic0tq2dQmoSgPhD9uTGyJ3C6KqemDhvshGD9g==",
    "argon2i": "$argon2i$v=19$m=64,t=1,p=1$AunWYy6Xg8aPsQBozrcICg$voLL0hb6FFDRCYPdn1qHM13zPmmveTxAmo8oxbBDiOQ",
}
KINDS = {
    "werkzeug pbkdf2": "pbkdf2:sha256:1000",
    "werkzeug pbkdf2 with SHA-512": "pbkdf2:sha512:1000",
    "werkzeug pbkdf2 with SHA-1": "pbkdf2:sha1:1000",
    "werkzeug scrypt": "scrypt:1024:8:1",
    "bcrypt 2a": "bcrypt:4",
    "bcrypt 2b": "bcrypt:4",
    "bcrypt 2y": "bcrypt:4",
    "Django bcrypt": "bcrypt:4",
    "Django bcrypt with SHA-256": "bcrypt:4",
    "Django pbkdf2": "pbkdf2:sha256:1000",
    "Django pbkdf2 with SHA-1": "pbkdf2:sha1:1000",
    "Django scrypt": "scrypt:1024:8:5",
    "argon2i": "argon2:i:64:1:1",
}
PBKDF2 = EXAMPLES["werkzeug pbkdf2"]
SCRYPT = EXAMPLES["werkzeug scrypt"]
BCRYPT = EXAMPLES["bcrypt 2b"]
ARGON2 = EXAMPLES["argon2i"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_right_password_matches_and_no_other(name: str) -> None:
    found = parse(EXAMPLES[name])
    assert found is not None
    assert (found.kind.name, found.matches(PASSWORD), found.matches("secret123")) == (KINDS[name], True, False)


@pytest.mark.parametrize(
    "stored",
    [
        PBKDF2.replace(":1000$", ":2000001$"),
        PBKDF2.replace(":1000$", ":0$"),
        PBKDF2.replace("sha256", "md5"),
        PBKDF2[:-2],
        PBKDF2.replace("$", "$" + "x" * 129, 1),
        SCRYPT.replace(":1024:", ":1048576:"),
        SCRYPT.replace(":1024:", ":1000:"),
        SCRYPT.replace(":8:1$", ":999:999$"),
        SCRYPT.replace(":8:1$", ":0:1$"),
        SCRYPT[:-2],
        BCRYPT.replace("$04$", "$15$"),
        BCRYPT.replace("$04$", "$03$"),
        # As document 000 prints it: a salt that bcrypt does not make.
        "$2b$12$LQv3c1yqBWVHxkd0L8k7esd8dQQC5eRYtsj4C1BfqgSGcV7C2lL5a",
        ARGON2.replace("m=64", "m=262145"),
        ARGON2.replace("m=64", "m=7"),
        ARGON2.replace("t=1", "t=11"),
        ARGON2.replace("p=1", "p=17"),
        ARGON2.replace("v=19", "v=16"),
        "argon2$argon2id$v=19$m=19456,t=2,p=1$A$A",
        "pbkdf2:sha256$salt$" + "ab" * 32,
        "pbkdf2:sha256:１０００$salt$" + "ab" * 32,
        "pbkdf2_sha256$1000$\udc80$" + "A" * 43 + "=",
        "pbkdf2_sha256$1000$salt$" + "A" * 45,
        "!unusable",
        "plain text",
        "md5$salt$0123456789abcdef",
        "",
    ],
)
def test_a_malformed_hash_or_one_beyond_the_limits_is_none(stored: str) -> None:
    assert parse(stored) is None


@pytest.mark.parametrize("kind", [Type.I, Type.D, Type.ID])
def test_each_type_of_argon2_matches_with_djangos_prefix_and_without(kind: Type) -> None:
    bare = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1, type=kind).hash(PASSWORD)
    assert [bool((found := parse(each)) and found.matches(PASSWORD)) for each in (bare, f"argon2{bare}")] == [True] * 2
