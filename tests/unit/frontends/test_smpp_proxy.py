"""Headers of the PROXY protocol, byte by byte."""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.frontends.smpp import proxy
from gateway.frontends.smpp.proxy import Header, parse

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V4 = bytes((192, 0, 2, 1)) + bytes((10, 0, 0, 1)) + b"\xc0\x00\x0a\xd7"
V6 = IPv6Address("2001:db8::5").packed + IPv6Address("2001:db8::1").packed + b"\xc0\x00\x0a\xd7"


def binary(command: int, family: int, addresses: bytes) -> bytes:
    return SIGNATURE + bytes((command, family)) + len(addresses).to_bytes(2, "big") + addresses


HEADERS = {
    "1, IPv4": (b"PROXY TCP4 192.0.2.1 10.0.0.1 49152 2775\r\n", "192.0.2.1"),
    "1, IPv6": (b"PROXY TCP6 2001:db8::5 2001:db8::1 49152 2775\r\n", "2001:db8::5"),
    "1, unknown": (b"PROXY UNKNOWN\r\n", None),
    "1, unknown with addresses": (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None),
    "1, as long as may be": (b"PROXY UNKNOWN " + b"f" * 91 + b"\r\n", None),
    "2, IPv4": (binary(0x21, 0x11, V4), "192.0.2.1"),
    "2, IPv4 with TLVs": (binary(0x21, 0x11, V4 + b"\x04\x00\x01\x00"), "192.0.2.1"),
    "2, IPv6": (binary(0x21, 0x21, V6), "2001:db8::5"),
    "2, local": (binary(0x20, 0x00, b""), None),
    "2, local with addresses": (binary(0x20, 0x11, V4), None),
    "2, unspecified": (binary(0x21, 0x00, b""), None),
    "2, datagrams": (binary(0x21, 0x12, V4), None),
    "2, UNIX": (binary(0x21, 0x31, b"\0" * 216), None),
    "2, too short for its family": (binary(0x21, 0x11, V4[:8]), None),
}

NONE = {
    "a bind": b"\0\0\0\x20\0\0\0\x09",
    "HTTP": b"GET / HTTP/1.1\r\n",
    "nearly 1": b"PROXX TCP4 ",
    "1 without an address": b"PROXY TCP4\r\n",
    "1 with a name": b"PROXY TCP4 localhost 10.0.0.1 1 2\r\n",
    "1 with a port too few": b"PROXY TCP4 192.0.2.1 10.0.0.1 1\r\n",
    "1 of another family": b"PROXY TCP4 2001:db8::5 2001:db8::1 1 2\r\n",
    "1 of another family, the other way": b"PROXY TCP6 192.0.2.1 10.0.0.1 1 2\r\n",
    "1 of UDP": b"PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n",
    "1 without an end": b"PROXY " + b"x" * 101,
    "2 of version 1": SIGNATURE + b"\x11\x11\0\0",
    "2 of an unknown command": SIGNATURE + b"\x22\x11\0\0",
    "2 too long": SIGNATURE + b"\x21\x11\xff\xff",
}


@pytest.mark.parametrize(("header", "source"), HEADERS.values(), ids=HEADERS)
def test_header(header: bytes, source: str | None) -> None:
    expected = Header(len(header), ip_address(source) if source else None)
    assert parse(header) == expected
    assert parse(header + b"\0\0\0\x10") == expected
    for length in range(len(header)):
        assert parse(header[:length]) is None


@pytest.mark.parametrize("data", NONE.values(), ids=NONE)
def test_no_header(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"PROXY protocol|does not appear to be"):
        parse(data)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=200).map(lambda rest: b"PROXY " + rest),
        st.binary(max_size=200).map(lambda rest: SIGNATURE + rest),
    )
)
def test_whatever_comes_is_a_header_or_none(data: bytes) -> None:
    try:
        found = parse(data)
    except ValueError:
        return
    assert found is None or (
        0 < found.length <= len(data) and isinstance(found.source, IPv4Address | IPv6Address | None)
    )


@pytest.mark.parametrize("pieces", [1, 3, 1000], ids=["byte by byte", "in threes", "at once"])
@pytest.mark.parametrize(("header", "source"), HEADERS.values(), ids=HEADERS)
def test_not_a_byte_more_is_taken(header: bytes, source: str | None, pieces: int) -> None:
    async def run() -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            reading = asyncio.ensure_future(proxy.read(ours))
            data = header + b"the bind"
            for start in range(0, len(data), pieces):
                theirs.send(data[start : start + pieces])
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            assert await asyncio.wait_for(reading, 10) == (ip_address(source) if source else None)
            assert ours.recv(100) == b"the bind"

    asyncio.run(run())


def test_end_within_a_header() -> None:
    async def run() -> None:
        ours, theirs = socket.socketpair()
        with ours:
            ours.setblocking(False)
            theirs.send(b"PROXY TCP4")
            theirs.close()
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(proxy.read(ours), 10)

    asyncio.run(run())
