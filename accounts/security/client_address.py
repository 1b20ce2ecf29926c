"""The address that a request came from."""

import ipaddress
from functools import lru_cache

IPv4_OR_6 = ipaddress.IPv4Address | ipaddress.IPv6Address

# Private networks (RFC 1918, RFC 6598, RFC 4193) and loopback.
_PRIVATE = [
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "::1")
]


@lru_cache(maxsize=1024)
def _parse(text: str) -> IPv4_OR_6 | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        # A zone names an interface of the machine that wrote it, not a place on the network.
        return ipaddress.IPv6Address(int(address))
    return address


def is_private(address: str | None) -> bool:
    """Return whether an address is of a private network or of this machine; None is a Unix socket."""
    parsed = _parse(address or "")
    return parsed is None or any(parsed in network for network in _PRIVATE)


def is_loopback(address: str) -> bool:
    """Return whether an address is of this machine."""
    parsed = _parse(address)
    return parsed is not None and parsed.is_loopback


def client_address(peer: str, forwarded_for: str, trusted_proxies: int) -> str | None:
    """Return the client's address, normalized, or None where even the peer has none (a Unix socket).

    `peer` is the socket's other end, `forwarded_for` the whole X-Forwarded-For header (several joined by commas), and
    `trusted_proxies` how many of its hops, counted from the right, proxies of ours have written. What they would not
    have written (too few hops, no address) makes the peer the client: a malformed header skips no check.
    """
    address = _parse(peer)
    if trusted_proxies:
        hops = forwarded_for.split(",")
        if len(hops) >= trusted_proxies:
            address = _parse(hops[-trusted_proxies]) or address
    return str(address) if address else None


def budget_address(ip: str | None) -> str:
    """Return the address that budgets count by: an IPv4 address, or the /64 network of an IPv6 one."""
    address = _parse(ip or "")
    if address is None:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)
