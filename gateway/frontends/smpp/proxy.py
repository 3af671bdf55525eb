"""The PROXY protocol, with which a proxy tells whom it stands for, versions 1 and 2.

Source: "The PROXY protocol, versions 1 & 2" (HAProxy's doc/proxy-protocol.txt), sections 2.1 and 2.2.
"""

import asyncio
import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_TEXT = b"PROXY "
# Section 2.1: a line of version 1 is no longer, its end included.
_LONGEST_LINE = 107
# The addresses of any family and a generous lot of TLVs, of which none is read.
_LONGEST_BINARY = 4096
_BINARY_HEAD = len(_SIGNATURE) + 4
_LOCAL, _PROXIED = 0x20, 0x21
_TCP4, _TCP6 = 0x11, 0x21
_TCP4_LENGTH, _TCP6_LENGTH = 12, 36

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Header:
    """A whole header: how many bytes it takes, and the client's address.

    None is the address of a connection that the proxy made for itself (a health check), or of a client of which it
    does not tell.
    """

    length: int
    source: Address | None


def parse(data: bytes) -> Header | None:
    """The header that `data` begins with; None as long as it is not all there. Raises `ValueError` where none is."""
    if data.startswith(_SIGNATURE):
        return _binary(data)
    if data.startswith(_TEXT):
        return _line(data)
    if _SIGNATURE.startswith(data) or _TEXT.startswith(data):
        return None
    raise ValueError("it does not begin with a header of the PROXY protocol")


async def read(connection: socket.socket) -> Address | None:
    """Take the header off a connection, and not a byte more; the client's address.

    `connection` does not block. Raises `ValueError` for what is no header, `OSError` where the connection ends.
    """
    taken = b""
    while True:
        await _readable(connection)
        try:
            seen = connection.recv(_LONGEST_BINARY, socket.MSG_PEEK)
        except BlockingIOError:
            continue
        if not seen:
            raise ConnectionResetError("the connection ended within the header of the PROXY protocol")
        header = parse(taken + seen)
        # While it is not complete, whatever came belongs to it.
        connection.recv(len(seen) if header is None else header.length - len(taken))
        if header is not None:
            return header.source
        taken += seen


async def _readable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(connection, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(connection)


def _line(data: bytes) -> Header | None:
    line, end, _ = data[:_LONGEST_LINE].partition(b"\r\n")
    if not end:
        if len(data) >= _LONGEST_LINE:
            raise ValueError("the line of the PROXY protocol has no end")
        return None
    words = line.decode("latin-1").split(" ")
    length = len(line) + len(end)
    if words[1] == "UNKNOWN":
        return Header(length, None)
    if len(words) != 6 or words[1] not in ("TCP4", "TCP6"):
        raise ValueError("the line of the PROXY protocol cannot be read")
    source = ip_address(words[2])
    if (words[1] == "TCP4") != isinstance(source, IPv4Address):
        raise ValueError("the line of the PROXY protocol has an address of another family than it says")
    return Header(length, source)


def _binary(data: bytes) -> Header | None:
    if len(data) < _BINARY_HEAD:
        return None
    command, family, size = struct.unpack_from("!BBH", data, len(_SIGNATURE))
    if command not in (_LOCAL, _PROXIED):
        raise ValueError("the header of the PROXY protocol is of an unknown version or command")
    length = _BINARY_HEAD + size
    if length > _LONGEST_BINARY:
        raise ValueError("the header of the PROXY protocol is too long")
    if len(data) < length:
        return None
    source: Address | None = None
    if command == _PROXIED and family == _TCP4 and size >= _TCP4_LENGTH:
        source = IPv4Address(data[_BINARY_HEAD : _BINARY_HEAD + 4])
    elif command == _PROXIED and family == _TCP6 and size >= _TCP6_LENGTH:
        source = IPv6Address(data[_BINARY_HEAD : _BINARY_HEAD + 16])
    return Header(length, source)
