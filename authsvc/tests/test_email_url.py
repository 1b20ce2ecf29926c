"""EMAIL_URL as Django's settings."""

from email.utils import parseaddr

import pytest

from authsvc.configuration import mail

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(
    ("url", "port", "starttls", "tls"),
    [
        ("smtp://mail.hospital.example/?from=a@hospital.example", 25, False, False),
        ("smtp+tls://mail.hospital.example/?from=a@hospital.example", 587, True, False),
        ("smtps://mail.hospital.example/?from=a@hospital.example", 465, False, True),
        ("smtps://mail.hospital.example:2465/?from=a@hospital.example", 2465, False, True),
    ],
)
def test_the_scheme_of_email_url_decides_port_and_encryption(url: str, port: int, starttls: bool, tls: bool) -> None:
    read = mail.from_url(url, "协和医院")
    assert (read["EMAIL_HOST"], read["EMAIL_PORT"]) == ("mail.hospital.example", port)
    assert (read["EMAIL_USE_TLS"], read["EMAIL_USE_SSL"]) == (starttls, tls)
    assert read["EMAIL_HOST_USER"] == ""
    assert parseaddr(read["DEFAULT_FROM_EMAIL"])[1] == "a@hospital.example"


def test_a_mail_servers_user_and_password_are_decoded() -> None:
    read = mail.from_url("smtps://login%40hospital.example:p%2Fw@mail.hospital.example", "authsvc")
    assert (read["EMAIL_HOST_USER"], read["EMAIL_HOST_PASSWORD"]) == ("login@hospital.example", "p/w")
    assert read["DEFAULT_FROM_EMAIL"] == "authsvc <login@hospital.example>"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("smtp://mail.hospital.example/?from=ward@hospital.example", "ward@hospital.example"),
        ("smtp://ward%40hospital.example:secret@mail.hospital.example", "ward@hospital.example"),
        ("smtp://user:secret@mail.hospital.example", "noreply@mail.hospital.example"),
        ("smtp://127.0.0.1:1025", "noreply@localhost"),
    ],
)
def test_the_sender_is_always_an_address(url: str, address: str) -> None:
    assert mail.from_url(url, "Ward 7")["DEFAULT_FROM_EMAIL"] == f"Ward 7 <{address}>"
