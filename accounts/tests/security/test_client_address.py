import pytest

from accounts.security.client_address import budget_address, client_address

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(
    ("forwarded_for", "trusted", "address"),
    [
        ("203.0.113.9", 0, "192.0.2.1"),
        ("203.0.113.9", 1, "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", 1, "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9, 10.0.0.1", 2, "203.0.113.9"),
        ("203.0.113.9", 2, "192.0.2.1"),
        ("", 1, "192.0.2.1"),
        ("a", 1, "192.0.2.1"),
        (",,,", 1, "192.0.2.1"),
        ("203.0.113.9\x00", 1, "192.0.2.1"),
        ("999.0.113.9", 1, "192.0.2.1"),
        ("::ffff:203.0.113.9", 1, "203.0.113.9"),
        ("2001:db8::1%eth0", 1, "2001:db8::1"),
        (",".join(["6.6.6.6"] * 100), 1, "6.6.6.6"),
        (",".join([f"6.6.6.{n}" for n in range(100)]), 10, "6.6.6.90"),
        ("203.0.113.9,a", 1, "192.0.2.1"),
        ("a,203.0.113.9", 1, "203.0.113.9"),
        ("a,203.0.113.9", 2, "192.0.2.1"),
        ("203.0.113.9, ", 1, "192.0.2.1"),
        ("203.0.113.9:443", 1, "192.0.2.1"),
        ("[2001:db8::1]", 1, "192.0.2.1"),
        ("[2001:db8::1]:443", 1, "192.0.2.1"),
        ("for=203.0.113.9", 1, "192.0.2.1"),
        ("unknown", 1, "192.0.2.1"),
        ("0x7f.0.0.1", 1, "192.0.2.1"),
        ("0203.0.113.9", 1, "192.0.2.1"),
        ("3405803785", 1, "192.0.2.1"),
        ("203.0.113.9/32", 1, "192.0.2.1"),
        ("２０３.0.113.9", 1, "192.0.2.1"),
        ("::ffff:203.0.113.9%eth0", 1, "203.0.113.9"),
        ("fe80::1%<script>", 1, "fe80::1"),
        (f"fe80::1%{'x' * 10_000}", 1, "fe80::1"),
        ("fe80::1%", 1, "192.0.2.1"),
        ("fe80::1%a%b", 1, "192.0.2.1"),
        ("\x00", 1, "192.0.2.1"),
        ("x" * 100_000, 1, "192.0.2.1"),
    ],
)
def test_the_address_is_the_peer_unless_a_trusted_proxy_wrote_another(
    forwarded_for: str, trusted: int, address: str
) -> None:
    assert client_address("192.0.2.1", forwarded_for, trusted) == address


def test_a_unix_socket_has_no_address() -> None:
    assert client_address("", "", 0) is None


@pytest.mark.parametrize(
    ("ip", "budget"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        (None, "unknown"),
    ],
)
def test_a_budget_is_for_an_ipv4_address_or_an_ipv6_network(ip: str | None, budget: str) -> None:
    assert budget_address(ip) == budget
