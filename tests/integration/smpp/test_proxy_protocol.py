"""A server behind a proxy: who the customer is, by the PROXY protocol, and whom that is believed."""

import pytest

from gateway.smpp.constants import CommandStatus as Status
from tests.integration.smpp.conftest import Server

PROXY = "127.0.9.1"
CLIENT = "192.0.2.77"
SETTINGS = {
    "TRUNKLINE_SMPP_PROXIES": f"{PROXY}/32",
    "TRUNKLINE_SMPP_NETWORKS": "127.0.0.0/24,192.0.2.0/24,2001:db8::/32",
    "TRUNKLINE_SMPP_SESSION_INIT": "5",
}

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V1 = f"PROXY TCP4 {CLIENT} 127.0.0.1 49152 2775\r\n".encode()
V2 = SIGNATURE + b"\x21\x11\x00\x0c" + bytes((192, 0, 2, 77, 127, 0, 0, 1)) + b"\xc0\x00\x0a\xd7"
V1_IPV6 = b"PROXY TCP6 2001:db8::5 2001:db8::1 49152 2775\r\n"


@pytest.mark.parametrize(
    ("header", "source"),
    [
        pytest.param(V1, CLIENT, id="version 1"),
        pytest.param(V2, CLIENT, id="version 2"),
        pytest.param(V1_IPV6, "2001:db8::5", id="IPv6"),
    ],
)
def test_the_client_is_whom_the_proxy_names(server: Server, header: bytes, source: str) -> None:
    login = server.customers.access(networks=f'["{source}"]')
    with server.esme(source=PROXY, first=header) as esme:
        esme.bound(login.user, login.secret).unbind()
    rows = server.customers.logged(2, access_id=login.access_id)
    assert [(row["method"], row["source_ip"]) for row in rows] == [("bind_transceiver", source), ("unbind", source)]


def test_the_access_s_networks_are_the_client_s(server: Server) -> None:
    login = server.customers.access(networks=f'["{PROXY}"]')
    with server.esme(source=PROXY, first=V1) as esme:
        assert esme.bind(login.user, login.secret).command_status == Status.ESME_RBINDFAIL


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"PROXY TCP4 198.51.100.1 127.0.0.1 49152 2775\r\n", id="a network that may not connect"),
        # Its own connections come from itself, which is no customer here.
        pytest.param(b"PROXY UNKNOWN\r\n", id="the proxy's own"),
        pytest.param(SIGNATURE + b"\x20\x00\x00\x00", id="the proxy's own, version 2"),
        pytest.param(b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x01", id="no header"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="HTTP"),
        pytest.param(b"PROXY TCP4 192", id="half a header"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_connection_of_the_proxy_that_is_closed(server: Server, header: bytes) -> None:
    with server.esme(source=PROXY, first=header) as esme:
        assert esme.wait_closed() == []
    assert server.role.alive()


def test_nobody_else_is_believed(server: Server) -> None:
    login = server.customers.access(networks=f'["{CLIENT}"]')
    with server.esme(source="127.0.0.5", first=V1) as esme:
        # To SMPP it is a PDU of an impossible length.
        (nack,) = esme.wait_closed()
        assert nack.command_status == Status.ESME_RINVCMDLEN
    with server.esme(source="127.0.0.5") as esme:
        assert esme.bind(login.user, login.secret).command_status == Status.ESME_RBINDFAIL


def test_network_that_may_not_connect(server: Server) -> None:
    with server.esme(source="127.7.0.1") as esme:
        assert esme.wait_closed() == []
    assert server.role.alive()
