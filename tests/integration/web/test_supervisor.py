"""`trunkline run` as a process: what dies is started again, what is stopped ends, nothing is left behind."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import gateway as support
from tests.support.gateway import Gateway, trunkline
from tests.support.ports import free_port
from tests.support.rawhttp import Connection
from tests.support.wait import until

WORKERS = 2


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway of the test's own, running."""
    with support.gateway(tmp_path / "data") as running:
        yield running


def ready(gateway: Gateway) -> bool:
    with Connection(gateway.port) as connection:
        connection.send(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        return connection.response().status == 200


def test_first_start_prints_a_line_that_works_when_pasted(fresh: Gateway) -> None:
    send, ask = re.findall(r"^ +(curl .*)$", fresh.output, re.MULTILINE)
    sent = json.loads(subprocess.run(["bash", "-c", send], capture_output=True, check=True, timeout=30).stdout)
    assert sent["status"] == "SUCCESS"
    ask = ask.replace("MESSAGEID", sent["result"]["messageid"])

    def status() -> str:
        done = subprocess.run(["bash", "-c", ask], capture_output=True, check=True, timeout=30)
        return str(json.loads(done.stdout)["result"][0]["deliverystatus"])

    until(lambda: status() == "DELIVERED", 10, "DELIVERED")


def test_secrets_are_shown_once_and_kept_for_their_owner(fresh: Gateway) -> None:
    kept = fresh.data / "first-start.txt"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert fresh.secret in kept.read_text()
    assert fresh.output.count(f"password     {fresh.secret}") == 1
    fresh.stop()
    fresh.start()
    assert fresh.output.count(f"password     {fresh.secret}") == 1
    assert fresh.call("user", "getbalance")["status"] == "SUCCESS"


def test_no_secret_is_in_the_process_list(fresh: Gateway) -> None:
    for pid in (fresh.pid, *support.descendants(fresh.pid)):
        for file in ("cmdline", "environ"):
            assert fresh.secret.encode() not in Path(f"/proc/{pid}/{file}").read_bytes()


@pytest.mark.parametrize("role", ["web", "dispatch", "smpp"])
def test_role_that_is_killed_is_started_again(fresh: Gateway, role: str) -> None:
    before = fresh.roles()
    workers = support.children(before[role])
    support.kill(before[role])
    until(lambda: fresh.roles().get(role, before[role]) != before[role], 10, f"another {role}")
    until(lambda: ready(fresh), 15, "readiness")
    until(lambda: not any(map(support.lives, workers)), 10, "the end of the old workers")
    assert f"trunkline: {role} was ended by SIGKILL; starting it again in" in fresh.errors
    sent = fresh.call("sms", "sendsms", from_="Test", to="34600000001", sms="still here")
    assert sent["status"] == "SUCCESS"


def test_worker_that_is_killed_is_started_again(fresh: Gateway) -> None:
    master = fresh.roles()["web"]
    # Ready is who answers, which the first of them does.
    until(lambda: fresh.complete(WORKERS), 10, "both workers")
    before = support.children(master)
    for pid in before:
        support.kill(pid)
    until(lambda: len(set(support.children(master)) - set(before)) == WORKERS, 10, "new workers")
    until(lambda: ready(fresh), 15, "readiness")


def test_everything_ends_when_the_supervisor_is_killed(fresh: Gateway) -> None:
    below = until(lambda: _all_five(fresh), 10, "the three roles and both workers")
    fresh.stop(signal.SIGKILL)
    until(lambda: not any(map(support.lives, below)), 20, "the end of all processes")


def _all_five(gateway: Gateway) -> list[int]:
    found = support.descendants(gateway.pid)
    return found if len(found) >= 5 else []


def test_start_right_after_the_supervisor_was_killed(fresh: Gateway) -> None:
    fresh.stop(signal.SIGKILL)
    fresh.start()
    assert fresh.call("user", "getbalance")["status"] == "SUCCESS"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_stop(fresh: Gateway, number: signal.Signals) -> None:
    below = support.descendants(fresh.pid)
    with Connection(fresh.port) as idle:
        idle.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.response().status == 200
        assert fresh.stop(number) == 0
        assert idle.ended()
    assert not any(map(support.lives, below))
    assert fresh.errors.endswith("trunkline: stopped\n")
    assert "Traceback" not in fresh.errors


def test_stop_lets_a_request_in_progress_finish(fresh: Gateway) -> None:
    with Connection(fresh.port) as connection:
        connection.send(b"POST /api/http/ HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n")
        assert connection.response(head=True).status == 100
        os.kill(fresh.pid, signal.SIGTERM)
        until(lambda: not _accepts(fresh.port), 10, "the end of listening")
        connection.send(b"user=me")
        answer = connection.response()
        assert json.loads(answer.body)["error"] == "MISSING_PASSWORD"
        assert answer.headers["connection"] == "close"


def test_second_signal_hurries(fresh: Gateway) -> None:
    with Connection(fresh.port) as connection:
        connection.send(b"POST /api/http/ HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n")
        assert connection.response(head=True).status == 100
        os.kill(fresh.pid, signal.SIGINT)
        until(lambda: not _accepts(fresh.port), 10, "the end of listening")
        assert fresh.stop(signal.SIGINT) == 0
        assert connection.ended()
    assert "trunkline: web did not end in time and is killed" in fresh.errors


def _accepts(port: int) -> bool:
    try:
        Connection(port).__exit__()
    except ConnectionRefusedError:
        return False
    return True


def test_second_run_on_one_folder_is_refused(fresh: Gateway) -> None:
    status, errors = trunkline("run", "--data", str(fresh.data), "--http", "127.0.0.1:0")
    assert (status, errors.count("\n")) == (1, 1)
    assert f"already runs on {fresh.data} (process {fresh.pid})" in errors
    assert ready(fresh)


@pytest.mark.parametrize("command", ["run", "web"])
@pytest.mark.parametrize(
    ("address", "status", "text"),
    [
        pytest.param("0.0.0.0:0", 2, "TRUNKLINE_ALLOW_PLAINTEXT=http", id="off loopback"),
        pytest.param("[::]:0", 2, "TRUNKLINE_ALLOW_PLAINTEXT=http", id="off loopback, IPv6"),
        pytest.param("nonsense", 2, "'nonsense' is no HOST:PORT", id="no address"),
        pytest.param("127.0.0.1:70000", 2, "is no HOST:PORT", id="no port"),
        pytest.param("192.0.2.1:0", 2, "TRUNKLINE_ALLOW_PLAINTEXT=http", id="not this machine's"),
    ],
)
def test_address_that_cannot_be(tmp_path: Path, command: str, address: str, status: int, text: str) -> None:
    found, errors = trunkline(command, "--data", str(tmp_path / "data"), "--http", address)
    assert (found, errors.count("\n")) == (status, 1)
    assert text in errors


@pytest.mark.parametrize("command", ["run", "web"])
def test_port_in_use(web: Gateway, tmp_path: Path, command: str) -> None:
    address = f"127.0.0.1:{web.port}"
    status, errors = trunkline(command, "--data", str(tmp_path / "data"), "--http", address)
    assert (status, errors) == (
        1,
        f"trunkline: {address} is in use by another program: stop it or choose another port with --http\n",
    )


def test_plaintext_where_it_is_allowed(tmp_path: Path) -> None:
    with support.gateway(tmp_path / "data", TRUNKLINE_ALLOW_PLAINTEXT="http", TRUNKLINE_WEB_WORKERS="1") as running:
        assert ready(running)


def test_setting_that_cannot_be_used(tmp_path: Path) -> None:
    status, errors = trunkline("run", "--data", str(tmp_path / "data"), TRUNKLINE_WEB_WORKERS="none")
    assert (status, errors.count("\n")) == (2, 1)
    assert "web_workers" in errors


def test_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, errors = trunkline("run", "--data", str(tmp_path / "file"), "--http", f"127.0.0.1:{free_port()}")
    assert (status != 0, errors.count("\n")) == (True, 1)
    assert str(tmp_path / "file") in errors


def test_settings_from_a_file(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "trunkline.toml"
    config.write_text(f'http = "192.0.2.1:{port}"\n')
    status, errors = trunkline("run", "--data", str(tmp_path / "data"), "--config", str(config))
    assert (status, f"http at 192.0.2.1:{port}" in errors) == (2, True)
