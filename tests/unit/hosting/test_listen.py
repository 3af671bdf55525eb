"""Addresses to listen at."""

import pytest

from gateway.hosting import listen


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:65535", ("::1", 65535)),
    ],
)
def test_address(address: str, found: tuple[str, int]) -> None:
    assert listen.split(address) == found


@pytest.mark.parametrize("address", ["", "8080", ":8080", "a:", "a:b", "a:-1", "a:65536", "::1:80", "a:²", "[]:1"])
def test_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="is no HOST:PORT"):
        listen.split(address)


@pytest.mark.parametrize("address", ["127.0.0.1:0", "127.8.8.8:0", "[::1]:0", "localhost:0"])
def test_loopback_needs_no_permission(address: str) -> None:
    with listen.bind(address, "http", frozenset()) as listener:
        assert listen.split(listen.shown(listener))[1] > 0


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0"])
def test_off_loopback_needs_permission_for_the_protocol(address: str) -> None:
    with pytest.raises(ValueError, match="TRUNKLINE_ALLOW_PLAINTEXT=http"):
        listen.bind(address, "http", frozenset({"smpp"}))
    with listen.bind(address, "http", frozenset({"http"})) as listener:
        assert listener.getsockname()[1] > 0


def test_port_in_use() -> None:
    with listen.bind("127.0.0.1:0", "http", frozenset()) as listener:
        address = listen.shown(listener)
        with pytest.raises(OSError, match=f"{address} is in use by another program"):
            listen.bind(address, "http", frozenset())


def test_host_that_is_none() -> None:
    with pytest.raises(ValueError, match="is no address to listen at"):
        listen.bind("no.such.host.invalid:1", "http", frozenset())
