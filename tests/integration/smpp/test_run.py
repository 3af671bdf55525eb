"""The SMPP server as part of `trunkline run`, and the command that runs it alone."""

import os
import re
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.smpp import pdu
from gateway.smpp.constants import CommandStatus as Status
from tests.support import certificates, gateway
from tests.support.gateway import Gateway, trunkline
from tests.support.ports import free_port
from tests.support.smpp import Esme, Gone
from tests.support.wait import until


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway of the test's own, running."""
    with gateway.gateway(tmp_path / "data", TRUNKLINE_WEB_WORKERS="1") as running:
        yield running


def test_the_welcome_says_where_to_bind(running_gateway: Gateway) -> None:
    found = re.search(r"^SMPP clients bind to (\S+):(\d+)$", running_gateway.output, re.MULTILINE)
    assert found is not None
    assert found.groups() == ("127.0.0.1", str(running_gateway.smpp_port))
    with Esme(running_gateway.smpp_port) as esme:
        esme.bound(running_gateway.user, running_gateway.secret)
        message = pdu.SubmitSm(
            source_addr="Shop", source_addr_ton=5, destination_addr="34600000001", short_message=b"a"
        )
        message.registered_delivery = 1
        sent = esme.request(message)
        assert sent.command_status == Status.ESME_ROK
        receipt = esme.expect(pdu.DeliverSm)
        assert f"id:{sent.message_id} ".encode() in receipt.short_message
        esme.answer(receipt)
        esme.unbind()


def test_the_log_of_calls_shows_the_session(running_gateway: Gateway) -> None:
    with Esme(running_gateway.smpp_port) as esme:
        esme.bound(running_gateway.user, running_gateway.secret, "receiver").unbind()

    def rows() -> list[tuple[str, str, str, str]]:
        found = running_gateway.cli("log", "list", "--account", "demo@example.com", "--method", "bind_receiver")
        return [(row["protocol"], row["operation"], row["outcome"], row["source_ip"]) for row in found]

    until(lambda: ("smpp", "smpp.bind_receiver", "SUCCESS", "127.0.0.1") in rows(), 10, "the row")


def test_sessions_are_in_the_metrics(running_gateway: Gateway) -> None:
    def metrics() -> str:
        with urllib.request.urlopen(f"{running_gateway.url}/metrics", timeout=30) as answer:
            return str(answer.read().decode())

    with Esme(running_gateway.smpp_port) as esme:
        esme.bound(running_gateway.user, running_gateway.secret, "transmitter")
        until(lambda: 'trunkline_smpp_sessions{mode="transmitter"} 1.0' in metrics(), 10, "the session")
        assert 'trunkline_smpp_pdus_total{command="bind_transmitter",status="ESME_ROK"}' in metrics()
        esme.unbind()
    until(lambda: 'trunkline_smpp_sessions{mode="transmitter"} 0.0' in metrics(), 10, "its end")


def test_stop_unbinds(fresh: Gateway) -> None:
    with Esme(fresh.smpp_port) as esme:
        esme.bound(fresh.user, fresh.secret)
        os.kill(fresh.pid, signal.SIGTERM)
        esme.answer(esme.expect(pdu.Unbind))
        esme.wait_closed()
        until(lambda: not gateway.lives(fresh.pid), 20, "the end")
    assert "Traceback" not in fresh.errors


def test_no_connection_is_refused_while_the_server_starts_again(fresh: Gateway) -> None:
    before = until(lambda: fresh.roles().get("smpp"), 10, "the role")
    with Esme(fresh.smpp_port) as esme:
        esme.bound(fresh.user, fresh.secret)
        gateway.kill(before)
        with pytest.raises(Gone):
            esme.receive()
    with Esme(fresh.smpp_port) as esme:
        esme.bound(fresh.user, fresh.secret).unbind()
    assert fresh.roles()["smpp"] != before


def test_without_an_address_there_is_no_smpp_server(tmp_path: Path) -> None:
    with gateway.gateway(tmp_path / "data", TRUNKLINE_SMPP="", TRUNKLINE_WEB_WORKERS="1") as running:
        assert set(running.roles()) == {"web", "dispatch"}
        assert "SMPP" not in running.output
    status, errors = trunkline("smpp", "--data", str(tmp_path / "data"), "--smpp", "")
    assert (status, errors) == (2, "trunkline: the setting smpp names no address to listen at\n")


@pytest.mark.parametrize("command", ["run", "smpp"])
@pytest.mark.parametrize(
    ("address", "text"),
    [
        pytest.param("0.0.0.0:0", "TRUNKLINE_ALLOW_PLAINTEXT=smpp", id="off loopback"),
        pytest.param("[::]:0", "TRUNKLINE_ALLOW_PLAINTEXT=smpp", id="off loopback, IPv6"),
        pytest.param("nonsense", "'nonsense' is no HOST:PORT", id="no address"),
    ],
)
def test_address_that_cannot_be(tmp_path: Path, command: str, address: str, text: str) -> None:
    variables = {"TRUNKLINE_HTTP": "127.0.0.1:0"}
    status, errors = trunkline(command, "--data", str(tmp_path / "data"), "--smpp", address, **variables)
    assert (status, errors.count("\n")) == (2, 1)
    assert text in errors


@pytest.mark.parametrize("command", ["run", "smpp"])
def test_port_in_use(running_gateway: Gateway, tmp_path: Path, command: str) -> None:
    address = f"127.0.0.1:{running_gateway.smpp_port}"
    status, errors = trunkline(
        command, "--data", str(tmp_path / "data"), "--smpp", address, TRUNKLINE_HTTP="127.0.0.1:0"
    )
    assert (status, errors) == (
        1,
        f"trunkline: {address} is in use by another program: stop it or choose another port with --smpp\n",
    )


def test_tls_off_loopback_needs_no_permission(tmp_path: Path) -> None:
    certificate, key = certificates.write(tmp_path)
    port = free_port()
    variables = {
        "TRUNKLINE_SMPP_CERTIFICATE": str(certificate),
        "TRUNKLINE_SMPP_KEY": str(key),
        "TRUNKLINE_SMPP_TLS": f"0.0.0.0:{port}",
        "TRUNKLINE_WEB_WORKERS": "1",
    }
    with gateway.gateway(tmp_path / "data", **variables) as running:
        assert f", with TLS on 127.0.0.1:{port}\n" in running.output
        with Esme(port, tls=ssl.create_default_context(cafile=str(certificate))) as esme:
            esme.bound(running.user, running.secret).unbind()


@pytest.mark.parametrize("command", ["run", "smpp"])
@pytest.mark.parametrize(
    ("variables", "text"),
    [
        pytest.param({"TRUNKLINE_SMPP_CERTIFICATE": "c.pem"}, "given together", id="no key"),
        pytest.param({"TRUNKLINE_SMPP_KEY": "c.key"}, "given together", id="no certificate"),
        pytest.param(
            {"TRUNKLINE_SMPP_CERTIFICATE": "/none.pem", "TRUNKLINE_SMPP_KEY": "/none.key"},
            "the certificate /none.pem with the key /none.key cannot be used: No such file or directory",
            id="no files",
        ),
    ],
)
def test_certificate_that_cannot_be_used(tmp_path: Path, command: str, variables: dict[str, str], text: str) -> None:
    status, errors = trunkline(
        command,
        "--data",
        str(tmp_path / "data"),
        "--smpp",
        "127.0.0.1:0",
        TRUNKLINE_HTTP="127.0.0.1:0",
        TRUNKLINE_SMPP_TLS="127.0.0.1:0",
        **variables,
    )
    assert status == 2
    assert text in errors
    assert "Traceback" not in errors


def test_certificate_that_is_spoilt_later_stops_nobody_else(tmp_path: Path) -> None:
    certificate, key = certificates.write(tmp_path)
    good = certificate.read_bytes()
    variables = {
        "TRUNKLINE_SMPP_CERTIFICATE": str(certificate),
        "TRUNKLINE_SMPP_KEY": str(key),
        "TRUNKLINE_SMPP_TLS": f"127.0.0.1:{free_port()}",
        "TRUNKLINE_WEB_WORKERS": "1",
    }
    with gateway.gateway(tmp_path / "data", **variables) as running:
        with Esme(running.smpp_port) as esme:
            esme.bound(running.user, running.secret).unbind()
        certificate.write_text("spoilt")
        gateway.kill(running.roles()["smpp"])
        until(lambda: "trunkline: smpp ended with status 2; starting it again in" in running.errors, 20, "the line")
        assert running.call("user", "getbalance")["status"] == "SUCCESS"
        certificate.write_bytes(good)
        with Esme(running.smpp_port) as esme:
            esme.bound(running.user, running.secret).unbind()


def test_database_of_another_version(tmp_path: Path) -> None:
    status, errors = trunkline("smpp", "--data", str(tmp_path), "--smpp", "127.0.0.1:0")
    assert (status, errors.count("\n")) == (1, 1)
    assert "there is no database at" in errors


def test_the_web_role_loads_nothing_of_it() -> None:
    code = (
        "import sys; from gateway import frontends; list(frontends.web_modules());"
        " print([name for name in sys.modules if name.startswith(('gateway.frontends.smpp.', 'gateway.smpp'))])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "[]\n"


def test_it_loads_nothing_of_the_web() -> None:
    code = (
        "import sys, gateway.hosting.smpp;"
        " print(sorted({'jwt', 'lxml', 'spyne', 'flask', 'gevent', 'gunicorn', 'rich'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "[]\n"
