"""The address that a request came from."""

import ipaddress

IPv4_OR_6 = ipaddress.IPv4Address | ipaddress.IPv6Address


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
