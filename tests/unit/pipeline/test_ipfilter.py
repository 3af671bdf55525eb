"""Where a call comes from, and which addresses an access allows."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.operations.errors import Code, Refusal
from gateway.pipeline import ipfilter
from tests.support.calls import an_access, networks

V4, V6 = networks("192.0.2.0/24"), networks("2001:db8::/32")

CASES = [
    ("inside v4", V4, "192.0.2.77", True),
    ("outside v4", V4, "192.0.3.1", False),
    ("first and last v4", networks("192.0.2.4/30"), "192.0.2.7", True),
    ("just after v4", networks("192.0.2.4/30"), "192.0.2.8", False),
    ("single address", networks("192.0.2.9/32"), "192.0.2.9", True),
    ("v4-mapped inside v4", V4, "::ffff:192.0.2.77", True),
    ("v4-mapped in hex inside v4", V4, "::ffff:c000:24d", True),
    ("v4-mapped outside v4", V4, "::ffff:192.0.3.1", False),
    ("v4 inside a mapped network", networks("::ffff:192.0.2.0/120"), "192.0.2.77", True),
    ("v4 outside a mapped network", networks("::ffff:192.0.2.0/120"), "192.0.3.1", False),
    ("inside v6", V6, "2001:db8:1::5", True),
    ("outside v6", V6, "2001:db9::5", False),
    ("v6 written long", V6, "2001:0DB8:0000:0000:0000:0000:0000:0001", True),
    ("v6 with a zone", networks("fe80::/10"), "fe80::1%eth0", True),
    ("v6 with a zone outside", V6, "fe80::1%2001:db8::1", False),
    ("v6 against v4 only", V4, "2001:db8::1", False),
    ("v4 against v6 only", networks("::/0"), "192.0.2.1", False),
    ("v4-mapped against v6 only", networks("::/0"), "::ffff:192.0.2.1", False),
    ("second of two", V4 + V6, "2001:db8::1", True),
    ("an empty list allows nothing", (), "192.0.2.1", False),
    ("no address", V4, "", False),
    ("a socket's path", V4, "/run/web.sock", False),
    ("leading zeros", V4, "192.0.02.1", False),
    ("Arabic digits", V4, "١٩٢.٠.٢.١", False),
]


@pytest.mark.parametrize(("allowed", "source", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_networks(allowed: tuple, source: str, expected: bool) -> None:
    access = an_access(networks=allowed)
    for _ in range(2):  # the second answer is a remembered one
        assert ipfilter.allowed(access, source) is expected


def test_an_access_without_networks_may_come_from_anywhere() -> None:
    ipfilter.check(an_access(), "no address at all")


def test_the_refusal_names_the_address() -> None:
    with pytest.raises(Refusal) as refused:
        ipfilter.check(an_access(networks=V6), "::ffff:192.0.2.1")
    assert refused.value.code is Code.IP_NOT_ALLOWED
    assert "192.0.2.1:" in refused.value.detail
    assert "::ffff" not in refused.value.detail


def test_a_changed_list_counts_at_once() -> None:
    assert ipfilter.allowed(an_access(networks=V4), "192.0.2.1")
    assert not ipfilter.allowed(an_access(networks=V6), "192.0.2.1")


def test_what_is_remembered_is_bounded() -> None:
    access = an_access(networks=networks("10.0.0.0/8"))
    for number in range(5000):
        ipfilter.allowed(access, str(IPv4Address(0x0A000000 + number)))
    assert len(ipfilter._addresses) <= ipfilter._CACHED
    assert len(ipfilter._verdicts) <= ipfilter._CACHED


@given(st.text(max_size=200))
def test_any_text_is_an_address_or_none(text: str) -> None:
    address = ipfilter.parse(text)
    assert address is None or isinstance(address, IPv4Address | IPv6Address)
    assert len(ipfilter.subscriber(text)) <= 45


SUBSCRIBERS = [
    ("192.0.2.1", "192.0.2.1"),
    ("::ffff:192.0.2.1", "192.0.2.1"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ("2001:db8:1:2::", "2001:db8:1:2::/64"),
    ("2001:db8:1:3::", "2001:db8:1:3::/64"),
    ("unknown", "unknown"),
]


@pytest.mark.parametrize(("source", "expected"), SUBSCRIBERS, ids=[c[0] for c in SUBSCRIBERS])
def test_subscribers(source: str, expected: str) -> None:
    assert ipfilter.subscriber(source) == expected


PROXIES = networks("10.0.0.0/8", "fd00::/8", "127.0.0.1/32")
CLIENTS = [
    ("a peer that is no proxy", "198.51.100.4", "203.0.113.5", "198.51.100.4"),
    ("a proxy without the header", "10.0.0.1", "", "10.0.0.1"),
    ("a proxy with one entry", "10.0.0.1", "203.0.113.5", "203.0.113.5"),
    ("what the client wrote before", "10.0.0.1", "192.0.2.66, 203.0.113.5", "203.0.113.5"),
    ("two proxies", "10.0.0.1", "192.0.2.66, 203.0.113.5, 10.9.9.9", "203.0.113.5"),
    ("only proxies", "10.0.0.1", "10.3.3.3, 10.9.9.9", "10.3.3.3"),
    ("a proxy on a mapped socket", "::ffff:10.0.0.1", "203.0.113.5", "203.0.113.5"),
    ("a mapped entry", "10.0.0.1", "::ffff:203.0.113.5", "203.0.113.5"),
    ("a v6 proxy", "fd00::1", "2001:DB8::1", "2001:db8::1"),
    ("a port", "10.0.0.1", "203.0.113.5:4711", "203.0.113.5"),
    ("a v6 with port", "10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
    ("a v6 in brackets", "10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
    ("a zone", "10.0.0.1", "fe80::1%eth0", "fe80::1"),
    ("garbage", "10.0.0.1", "<script>", "10.0.0.1"),
    ("garbage before the client", "10.0.0.1", "<script>, 203.0.113.5", "203.0.113.5"),
    ("garbage after the client", "10.0.0.1", "203.0.113.5, unknown", "10.0.0.1"),
    ("garbage behind two proxies", "10.0.0.1", "203.0.113.5, unknown, 10.9.9.9", "10.9.9.9"),
    ("commas only", "10.0.0.1", ",,,", "10.0.0.1"),
    ("a trailing comma", "10.0.0.1", "203.0.113.5,", "10.0.0.1"),
    ("spaces and tabs", "10.0.0.1", " \t203.0.113.5\t ", "203.0.113.5"),
    ("very long", "10.0.0.1", "1" * 100_000, "10.0.0.1"),
    ("a socket's path", "", "203.0.113.5", ""),
]


@pytest.mark.parametrize(("peer", "header", "expected"), [c[1:] for c in CLIENTS], ids=[c[0] for c in CLIENTS])
def test_client_address(peer: str, header: str, expected: str) -> None:
    assert ipfilter.client_address(peer, header, PROXIES) == expected


def test_without_proxies_the_header_says_nothing() -> None:
    assert ipfilter.client_address("127.0.0.1", "203.0.113.5", ()) == "127.0.0.1"
