"""SMPP over TLS: its own port, certificates that are renewed, and what is no TLS."""

import shutil
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.frontends.smpp.doorway import Certificate
from gateway.smpp import pdu
from gateway.smpp.constants import CommandStatus as Status
from tests.support import certificates
from tests.support.smpp import Esme
from tests.support.smpp_role import Customers, Role, role
from tests.support.wait import until

PROXY = "127.0.9.1"


@dataclass
class Secure:
    role: Role
    customers: Customers
    trust: ssl.SSLContext

    def esme(self, context: ssl.SSLContext | None = None, **options: str | bytes) -> Esme:
        return Esme(self.role.tls_port, tls=context or self.trust, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def secure(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    """A server with TLS, and the trust of its certificate."""
    data = tmp_path_factory.mktemp("tls")
    certificate, key = certificates.write(data)
    shutil.copy(sqlite_template, data / "trunkline.db")
    url = f"sqlite:///{data / 'trunkline.db'}"
    customers = Customers(url)
    settings = {
        "TRUNKLINE_SMPP_CERTIFICATE": str(certificate),
        "TRUNKLINE_SMPP_KEY": str(key),
        "TRUNKLINE_SMPP_PROXIES": PROXY,
        "TRUNKLINE_SMPP_SESSION_INIT": "5",
    }
    with role(data, url, **settings) as running:
        yield Secure(running, customers, ssl.create_default_context(cafile=str(certificate)))
    customers.close()


def test_bind_by_tls_and_beside_it_without(secure: Secure) -> None:
    login = secure.customers.access()
    with secure.esme() as esme:
        esme.bound(login.user, login.secret)
        assert esme.request(pdu.EnquireLink()).command_status == Status.ESME_ROK
        with Esme(secure.role.port) as plain:
            plain.bound(login.user, login.secret).unbind()
        esme.unbind()


def test_the_header_of_a_proxy_comes_before_tls(secure: Secure) -> None:
    login = secure.customers.access()
    header = b"PROXY TCP4 192.0.2.7 127.0.0.1 49152 3550\r\n"
    with secure.esme(source=PROXY, first=header) as esme:
        esme.bound(login.user, login.secret).unbind()
    rows = secure.customers.logged(2, access_id=login.access_id)
    assert {row["source_ip"] for row in rows} == {"192.0.2.7"}


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_the_lowest_version_is_1_2(secure: Secure) -> None:
    old = ssl.create_default_context()
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        secure.esme(old)
    assert secure.role.alive()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x01", id="SMPP without TLS"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="HTTP"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01", id="half a handshake"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_is_no_handshake_is_closed(secure: Secure, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", secure.role.tls_port), timeout=20) as connection:
        connection.sendall(data)
        while connection.recv(1000):  # at most an alert
            pass
    assert secure.role.alive()
    with secure.esme() as esme:
        assert esme.request(pdu.EnquireLink()).command_status == Status.ESME_ROK


def test_reason_is_logged(secure: Secure) -> None:
    with pytest.raises(ssl.SSLError):
        secure.esme(ssl.create_default_context())  # which does not know our certificate
    until(lambda: "the TLS handshake failed" in secure.role.errors, 10, "the log line")


# The certificate itself.


def common_name(certificate: Certificate) -> str:
    """The name that a client is shown."""
    ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    blind = ssl.create_default_context()
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    client = blind.wrap_bio(ours, theirs)
    server = certificate.context.wrap_bio(theirs, ours, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    shown = client.getpeercert(binary_form=True)
    assert shown is not None
    return ssl.DER_cert_to_PEM_cert(shown)


def test_renewed_certificate_is_taken_up(tmp_path: Path) -> None:
    paths = certificates.write(tmp_path, "first")
    certificate = Certificate(*paths)
    first = common_name(certificate)
    certificate.renew()
    assert common_name(certificate) == first
    for old, new in zip(paths, certificates.write(tmp_path, "second"), strict=True):
        shutil.copy(new, old)
    certificate.renew()
    second = common_name(certificate)
    assert second != first
    # One that cannot be used is passed over.
    paths[0].write_text("no certificate")
    certificate.renew()
    assert common_name(certificate) == second
    paths[0].unlink()
    certificate.renew()
    assert common_name(certificate) == second


def test_certificate_that_cannot_be_used(tmp_path: Path) -> None:
    certificate, key = certificates.write(tmp_path)
    other, locked = certificates.write(tmp_path, "locked", b"password")
    for files, why in (
        ((tmp_path / "none.pem", key), "No such file or directory"),
        ((key, key), "PEM"),
        ((certificate, locked), "the key has a password"),
        ((other, key), "KEY_VALUES_MISMATCH"),
    ):
        with pytest.raises(ValueError, match=why):
            Certificate(*files)
