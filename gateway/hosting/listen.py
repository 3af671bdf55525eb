"""Addresses to listen at: which are allowed, and sockets bound to them. Standard library only."""

import errno
import os
import socket
from ipaddress import ip_address

BACKLOG = 1024
# The protocol that carries nothing in clear text.
ENCRYPTED = "smpp_tls"


def split(address: str) -> tuple[str, int]:
    """Split HOST:PORT ([::1]:8080 for IPv6). Raises `ValueError`, its text one sentence, for anything else."""
    host, colon, port = address.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        host = ""
    if not (colon and host and port.isascii() and port.isdigit() and len(port) <= 5 and int(port) < 65_536):
        raise ValueError(f"{address[:60]!r} is no HOST:PORT: write for example 127.0.0.1:8080 or [::1]:8080")
    return host, int(port)


def bind(address: str, protocol: str, plaintext: frozenset[str]) -> socket.socket:
    """Listen at HOST:PORT; port 0 is any free one.

    `protocol` ("http", "smpp") may listen off loopback only where `plaintext`, the setting allow_plaintext,
    names it; "smpp_tls" may anywhere. Raises `ValueError` for an address that cannot be or is not allowed,
    `OSError` for one that is in use or not this machine's; each text is one sentence.
    """
    host, port = split(address)
    family, place = _resolved(host, port)
    if protocol != ENCRYPTED and protocol not in plaintext and not ip_address(place[0].partition("%")[0]).is_loopback:
        raise ValueError(
            f"{protocol} at {address} would carry passwords in clear text: listen at 127.0.0.1 behind a TLS proxy,"
            f" or set TRUNKLINE_ALLOW_PLAINTEXT={protocol} where the network is trusted"
        )
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and place[0] != "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(place)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OSError(_why(error, address, protocol)) from None
    return listener


def shown(listener: socket.socket) -> str:
    """The address of a bound socket as HOST:PORT."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def inherited(variable: str) -> socket.socket | None:
    """The listening socket whose descriptor an environment variable names, as the supervisor hands it over."""
    number = os.environ.get(variable)
    return socket.socket(fileno=int(number)) if number else None


def _resolved(host: str, port: int) -> tuple[int, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ValueError(f"{host[:60]!r} is no address to listen at: {error.strerror}") from None
    family, _, _, _, place = found[0]
    return family, place  # type: ignore[return-value]


def _why(error: OSError, address: str, protocol: str) -> str:
    if error.errno == errno.EADDRINUSE:
        option = "TRUNKLINE_SMPP_TLS" if protocol == ENCRYPTED else f"--{protocol}"
        return f"{address} is in use by another program: stop it or choose another port with {option}"
    if error.errno == errno.EACCES:
        return f"{address} may not be listened at: ports below 1024 need the right to do so"
    return f"{address} cannot be listened at: {error.strerror}"
