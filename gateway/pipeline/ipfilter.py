"""Where a call comes from, and whether its access may be used from there.

An IPv4 client reads the same on every socket: `::ffff:192.0.2.1` (RFC 4291, section 2.5.5.2) is 192.0.2.1, in
addresses as in networks. Zone ids (RFC 4007, section 11) say nothing to us and are dropped.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from gateway.operations.errors import Code, Refusal
from gateway.storage.records import Access, Network

Address = IPv4Address | IPv6Address

_CACHED = 4096
_LONGEST = 100  # of an address with a zone id and a port; whatever is longer is none
_MAPPED = IPv6Network("::ffff:0:0/96")
# What one subscriber is given: a single IPv4 address, an IPv6 prefix of 64 bits (RFC 6177).
_SUBSCRIBER_BITS = 64

_addresses: dict[str, Address | None] = {}
# The networks are kept with the verdict: an access that was changed brings another tuple.
_verdicts: dict[tuple[int, str], tuple[tuple[Network, ...], bool]] = {}


def parse(text: str) -> Address | None:
    """Give the address that a text is, IPv4 where it is an IPv4-mapped one, or None where it is none."""
    try:
        return _addresses[text]
    except KeyError:
        pass
    address = _parse(text)
    if len(text) <= _LONGEST:
        if len(_addresses) >= _CACHED:
            _addresses.clear()
        _addresses[text] = address
    return address


def subscriber(source_ip: str) -> str:
    """Give the network that stands for one client: the IPv4 address, or the /64 of an IPv6 address.

    Who holds an IPv6 address holds 2**64 of them, so they count as one. A text that is no address stands for
    itself, cut to 45 characters.
    """
    address = parse(source_ip)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), _SUBSCRIBER_BITS), strict=False))
    return source_ip[:45] if address is None else str(address)


def allowed(access: Access, source_ip: str) -> bool:
    """Whether the access may be used from this address; one without networks may from anywhere."""
    networks = access.networks
    if networks is None:
        return True
    key = (access.id, source_ip)
    known = _verdicts.get(key)
    if known is not None and known[0] is networks:
        return known[1]
    verdict = within(parse(source_ip), networks)
    if len(source_ip) <= _LONGEST:
        if len(_verdicts) >= _CACHED:
            _verdicts.clear()
        _verdicts[key] = (networks, verdict)
    return verdict


def refusal(source_ip: str) -> Refusal:
    """What a call from an address that its access does not allow is answered; names no text but an address."""
    address = parse(source_ip)
    name = "an unknown address" if address is None else str(address)
    return Refusal(Code.IP_NOT_ALLOWED, f"This access may not be used from {name}: add it to its networks.")


def check(access: Access, source_ip: str) -> None:
    """Raise `Refusal` (IP_NOT_ALLOWED, naming the address) where the access may not be used from this address."""
    if not allowed(access, source_ip):
        raise refusal(source_ip)


def client_address(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """Give the address that a call comes from, in its shortest form.

    `peer` is the socket's other end, `forwarded_for` the value of X-Forwarded-For (several lines joined by
    commas) or "", `trusted` the networks of our own proxies. The header counts only when the peer is one of
    them; then its right-most entry that is none of them is the client. An entry that is no address was not
    written by a proxy of ours, or one that hides its clients: the call then comes from the proxy that sent it.
    Forwarded (RFC 7239) is not read: a proxy that writes the one passes the other on as its client sent it.
    """
    address = parse(peer)
    if address is None:
        return peer[:45]
    rest = forwarded_for
    while rest and trusted and within(address, trusted):
        rest, _, entry = rest.rpartition(",")
        before = _forwarded(entry.strip())
        if before is None:
            break
        address = before
    return str(address)


def within(address: Address | None, networks: Iterable[Network]) -> bool:
    return address is not None and any(address in _unmapped(network) for network in networks)


def _unmapped(network: Network) -> Network:
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        return IPv4Network((int(network.network_address) & 0xFFFF_FFFF, network.prefixlen - _MAPPED.prefixlen))
    return network


def _parse(text: str) -> Address | None:
    if len(text) > _LONGEST:
        return None
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _forwarded(entry: str) -> Address | None:
    # Some proxies add the port: 192.0.2.1:4711, [2001:db8::1]:4711.
    if entry.startswith("["):
        return parse(entry[1:].partition("]")[0])
    if entry.count(":") == 1:
        return parse(entry.partition(":")[0])
    return parse(entry)
