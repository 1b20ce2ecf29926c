"""What holds of every X-Forwarded-For that there is."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.security.client_address import budget_address, client_address
from accounts.tests.strategies import ADDRESSES, EVERY_RUN_THE_SAME, LATIN

pytestmark = pytest.mark.any_database

PEER = "192.0.2.1"
PIECES = st.one_of(LATIN, ADDRESSES, st.just(""), ADDRESSES.map("{}%eth0".format), ADDRESSES.map("{}:80".format))
HEADERS = st.one_of(LATIN, st.lists(PIECES, max_size=6).map(",".join))


def normal(address: str) -> str:
    """Return an address as it is kept: an IPv4 address in IPv6's clothes is an IPv4 address."""
    parsed = ipaddress.ip_address(address)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


@EVERY_RUN_THE_SAME
@given(HEADERS, st.integers(0, 3))
def test_any_header_gives_an_address(header: str, trusted: int) -> None:
    address = client_address(PEER, header, trusted)
    assert address == str(ipaddress.ip_address(address or ""))
    assert budget_address(address) != "unknown"


@EVERY_RUN_THE_SAME
@given(HEADERS)
def test_without_trusted_proxies_any_header_gives_the_peer(header: str) -> None:
    assert client_address(PEER, header, 0) == PEER


@EVERY_RUN_THE_SAME
@given(HEADERS, st.lists(ADDRESSES, min_size=1, max_size=3))
def test_what_the_client_wrote_before_our_proxies_changes_nothing(written: str, hops: list[str]) -> None:
    assert client_address(PEER, ",".join([written, *hops]), len(hops)) == normal(hops[0])
