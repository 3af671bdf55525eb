"""`trunkline simulator` as a process: its address, its input, its end, and what it refuses."""

import os
import pty
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import cli
from gateway.smpp.pdu import BindTransceiver, DeliverSm, SubmitSm, SubmitSmResp, Unbind
from tests.support.gateway import children
from tests.support.simulator import simulator
from tests.support.smpp import Esme
from tests.support.wait import until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_takes_delivers_and_ends_with_an_unbind(number: signal.Signals, tmp_path: Path) -> None:
    with simulator(tmp_path, "--mo", "34600111222:5550:STOP", "--receipts", "hex-decimal") as running:
        with Esme(running.port) as esme:
            esme.bound("shop", "secret")
            first = esme.expect(DeliverSm)
            assert (first.source_addr, first.destination_addr, first.short_message) == (
                "34600111222",
                "5550",
                b"STOP",
            )
            esme.answer(first)
            answer = esme.request(SubmitSm(destination_addr="34600110001", registered_delivery=1))
            receipt = esme.expect(DeliverSm)
            esme.answer(receipt)
            assert receipt.short_message.startswith(f"id:{int(answer.message_id, 16)} ".encode())
            assert [line["id"] for line in running.taken] == [answer.message_id]
            running.deliver("34600111222", "5550", "one")
            running.deliver("34600111222", "", "")
            running.deliver("Bank", "5550", "two words")
            for text in (b"one", b"two words"):
                message = esme.expect(DeliverSm)
                assert message.short_message == text
                esme.answer(message)
            until(lambda: "a line is not delivered: to is a number" in running.errors)
            os.kill(running.pid, number)
            unbind = esme.expect(Unbind)
            esme.answer(unbind)
            assert esme.wait_closed() == []
        assert running.stop(number) == 0
        assert "Traceback" not in running.errors and "secret" not in running.errors


def test_peer_that_does_not_answer_the_unbind_holds_up_nothing(tmp_path: Path) -> None:
    with simulator(tmp_path) as running, Esme(running.port) as esme:
        esme.bound("shop", "secret")
        assert running.stop() == 0


def test_it_says_its_address_to_people() -> None:
    command = [sys.executable, "-m", "gateway", "simulator", "--smpp", "127.0.0.1:0"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.terminate()
        assert process.wait(30) == 0
    assert said.startswith("The simulator listens at 127.0.0.1:") and said.endswith(".\n")


def test_it_asks_for_its_password(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    options = ("--system-id", "shop", "--password-file", str(secret))
    with simulator(tmp_path, *options) as running, Esme(running.port) as esme:
        assert esme.bind("shop", "guess").command_status == 0x0E
        assert esme.bind("eve", "hunter2").command_status == 0x0F
        assert esme.bind("shop", "hunter2").command_status == 0
        assert "hunter2" not in running.errors


def test_wrong_sequence_needs_no_number(tmp_path: Path) -> None:
    for options, wrong in ((("--wrong-sequence",), 10), (("--wrong-sequence", "2"), 2)):
        with simulator(tmp_path, *options) as running, Esme(running.port) as esme:
            esme.bound("shop", "secret")
            esme.send(*[SubmitSm(destination_addr="34600110006") for _ in range(10)])
            numbers = [esme.expect(SubmitSmResp).sequence_number for _ in range(10)]
            assert [at for at, number in enumerate(numbers, 1) if number != at + 1] == list(range(wrong, 11, wrong))


# A terminal of its own, and the simulator in a process group that does not have it, as a shell's job has not.
IN_THE_BACKGROUND = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    os.execv(sys.executable, [sys.executable, "-m", "gateway", "simulator", "--smpp", "127.0.0.1:0"])
_, status = os.waitpid(child, os.WUNTRACED)
sys.exit(77 if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status))
"""


def test_it_runs_in_the_background_of_a_terminal() -> None:
    """There it must not read, or the terminal stops it."""
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-c", IN_THE_BACKGROUND]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, start_new_session=True) as process:
        os.close(theirs)
        shown = b""
        while b"listens at" not in shown or not shown.endswith(b"\n"):
            shown += os.read(terminal, 1_000)
        with Esme(int(shown.split(b":")[-1].strip().rstrip(b"."))) as esme:
            # It lives: were it stopped, nobody would answer.
            esme.bound("shop", "secret").unbind()
        [simulating] = children(process.pid)
        os.kill(simulating, signal.SIGTERM)
        assert process.wait(30) == 0
    os.close(terminal)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        pytest.param(("--smpp", "nowhere"), "'nowhere' is no HOST:PORT", id="address"),
        pytest.param(("--smpp", "0.0.0.0:0"), "set TRUNKLINE_ALLOW_PLAINTEXT=smpp", id="off loopback"),
        pytest.param(("--throughput", "fast"), "is written like 100 or 100/s", id="throughput in words"),
        pytest.param(("--throughput", "0/s"), "is above 0", id="throughput 0"),
        pytest.param(("--latency", "-1"), "is no number of seconds from 0 to 60", id="negative latency"),
        pytest.param(("--latency", "nan"), "is no number of seconds from 0 to 60", id="latency nan"),
        pytest.param(("--drop-after", "0"), "'--drop-after': 0 is not in the range", id="drop after none"),
        pytest.param(("--wrong-sequence", "x"), "'--wrong-sequence'", id="wrong sequence in letters"),
        pytest.param(("--receipts", "hex,fancy"), "'fancy' is no style of receipts; there are", id="style"),
        pytest.param(("--receipt-delay", "soon"), "is no number of seconds from 0 to 86400", id="receipt delay"),
        pytest.param(("--response", "0"), "is no number of seconds from 0.01 to 3600", id="response"),
        pytest.param(("--journal", "/nonexistent/file"), "the journal /nonexistent/file cannot be", id="journal"),
        pytest.param(("--mo", "34600111222:Hello"), "is written like 34600111222:5550:Hello", id="message"),
        pytest.param(("--mo", "34600111222:5550:"), "The text is missing.", id="message without text"),
        pytest.param(("--alphabet", "ebcdic"), "'ebcdic' is not one of", id="alphabet"),
        pytest.param(("--password-file", "/nonexistent"), "cannot be read", id="password file"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_2(options: tuple[str, ...], line: str) -> None:
    arguments = ["simulator", *([] if "--smpp" in options else ["--smpp", "127.0.0.1:0"]), *options]
    ran = CliRunner().invoke(cli, arguments, prog_name="trunkline")
    assert (ran.exit_code, ran.stdout) == (2, "")
    [said] = ran.stderr.splitlines()
    assert said.startswith("trunkline: ") and line in said


def test_address_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ran = CliRunner().invoke(cli, ["simulator", "--smpp", address], prog_name="trunkline")
    assert ran.exit_code == 1 and f"{address} is in use" in ran.stderr


def test_bind_is_what_it_says(tmp_path: Path) -> None:
    with simulator(tmp_path) as running, Esme(running.port) as esme:
        response = esme.request(BindTransceiver(system_id="anybody", password="whatever"))
        assert (response.command_status, response.system_id) == (0, "simulator")
