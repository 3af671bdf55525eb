"""Kannel beside us: bearerbox and smsbox with the file store, and its own fakesmsc as the carrier."""

import http.client
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import proc, wrk
from bench.gateway_run import free_port

FAKESMSC = Path("/usr/lib/kannel/test/fakesmsc")
PACKAGES = {"bearerbox": "kannel", "smsbox": "kannel", str(FAKESMSC): "kannel-extras", "wrk": "wrk"}
UP_WITHIN = 20.0
DRAINED_WITHIN = 120.0

_CONFIGURATION = """\
group = core
admin-port = {admin}
admin-password = {password}
admin-deny-ip = "*.*.*.*"
admin-allow-ip = "127.0.0.1"
smsbox-port = {smsbox}
box-allow-ip = "127.0.0.1"
log-file = "{folder}/bearerbox.log"
log-level = 1
access-log = "{folder}/access.log"
store-type = file
store-location = "{folder}/store"

group = smsc
smsc = fake
smsc-id = fake
port = {smsc}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}
log-file = "{folder}/smsbox.log"
log-level = 1
access-log = "{folder}/smsbox-access.log"

group = sms-service
keyword = default
text = "none"
"""

_USER = """
group = sendsms-user
username = {user}
password = {secret}
"""


class KannelFailed(RuntimeError):
    """Kannel is not there, or did not do its part."""


@dataclass(slots=True)
class Load:
    """What one run gave; memory in bytes, CPU in seconds, rates per second."""

    report: wrk.Report
    sent: int
    carrier_rate: float
    cpu: float
    memory_at_rest: int
    memory_after: int
    others: float


def missing() -> list[str]:
    """Give the Debian packages that are not installed and are needed here."""
    return sorted({package for command, package in PACKAGES.items() if shutil.which(command) is None})


class Kannel:
    """A running Kannel with its carrier; `pids` are those of bearerbox and smsbox, not the carrier's."""

    def __init__(self, folder: Path, accesses: list[tuple[str, str]]) -> None:
        self.folder = folder
        self.password = secrets.token_hex(8)
        names = ("admin", "smsbox", "smsc", "http")
        self.ports = {name: free_port() for name in names}
        self.processes: list[subprocess.Popen[bytes]] = []
        text = _CONFIGURATION.format(folder=folder, password=self.password, **self.ports)
        text += "".join(_USER.format(user=user, secret=secret) for user, secret in accesses)
        (folder / "kannel.conf").write_text(text)

    @property
    def pids(self) -> list[int]:
        """The roots of Kannel's own processes."""
        return [process.pid for process in self.processes[:2]]

    @property
    def url(self) -> str:
        """Where smsbox takes messages."""
        return f"http://127.0.0.1:{self.ports['http']}"

    def start(self) -> None:
        """Start bearerbox, then smsbox and the carrier; wait until both have connected to it."""
        configuration = str(self.folder / "kannel.conf")
        self._spawn("bearerbox", "-v", "4", configuration)
        self._wait(lambda: self.status() is not None, "bearerbox did not start")
        self._spawn("smsbox", "-v", "4", configuration)
        carrier = (str(FAKESMSC), "-H", "127.0.0.1", "-r", str(self.ports["smsc"]), "-m", "0", "1 2 text none")
        self._spawn(*carrier)
        self._wait(self._connected, "smsbox or fakesmsc did not connect to bearerbox")

    def _connected(self) -> bool:
        status = self.status() or ""
        return "smsbox:" in status and "(online" in status and self._listens()

    def _listens(self) -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.ports["http"], timeout=2)
            connection.connect()
        except OSError:
            return False
        connection.close()
        return True

    def _spawn(self, *command: str) -> None:
        with (self.folder / f"{Path(command[0]).name}.out").open("wb") as output:
            self.processes.append(
                subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder)
            )

    def _wait(self, condition: Callable[[], bool], problem: str) -> None:
        deadline = time.monotonic() + UP_WITHIN
        while not condition():
            if time.monotonic() > deadline:
                raise KannelFailed(f"{problem} within {UP_WITHIN:.0f} s; see {self.folder}")
            time.sleep(0.05)

    def status(self) -> str | None:
        """Give bearerbox's status page, None while nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["admin"], timeout=5)
        try:
            connection.request("GET", f"/status.txt?password={self.password}")
            return connection.getresponse().read().decode()
        except OSError:
            return None
        finally:
            connection.close()

    def wait_drained(self) -> int:
        """Wait until nothing is queued or stored any more; give how many messages the carrier took."""
        deadline = time.monotonic() + DRAINED_WITHIN
        before: tuple[int, int, int] | None = None
        while time.monotonic() < deadline:
            now = parse_status(self.status() or "")
            if now == before and now[1:] == (0, 0):
                return now[0]
            before = now
            time.sleep(0.2)
        raise KannelFailed(f"Kannel had not handed on all messages within {DRAINED_WITHIN:.0f} s")

    def stop(self) -> None:
        """End smsbox, bearerbox and the carrier, in this order."""
        for at in (1, 0, 2):
            if at < len(self.processes):
                process = self.processes[at]
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def parse_status(text: str) -> tuple[int, int, int]:
    """Read bearerbox's status.txt: messages sent, queued for the carrier, and in the store."""
    found = re.search(r"^SMS: received .*, sent (\d+) \((\d+) queued\), store size (-?\d+)", text, re.MULTILINE)
    if found is None:
        raise KannelFailed(f"this is no status page of bearerbox:\n{text}")
    return int(found.group(1)), int(found.group(2)), int(found.group(3))


def parse_carrier(text: str) -> float:
    """Read what fakesmsc logs at its end: messages per second from the first to the last that it received."""
    found = re.search(r"from first to last received message [\d.]+ s, ([\d.]+) msgs/s", text)
    if found is None:
        raise KannelFailed("fakesmsc did not say how fast it received")
    return float(found.group(1))


@contextmanager
def running(folder: Path, accesses: list[tuple[str, str]]) -> Iterator[Kannel]:
    """Start Kannel with its files in `folder`; stop it at the end."""
    kannel = Kannel(folder, accesses)
    try:
        kannel.start()
        yield kannel
    finally:
        kannel.stop()


def load(folder: Path, seconds: int) -> Load:
    """Run Kannel and drive it as the gateway is driven: 50 users, unique destinations, access logs on."""
    folder.mkdir()
    accesses = [(f"bench{index}", secrets.token_urlsafe(18)) for index in range(50)]
    with running(folder, accesses) as kannel:
        at_rest = proc.pss_bytes(kannel.pids)
        before = proc.cpu_seconds(kannel.pids)
        others = proc.Others([process.pid for process in kannel.processes])
        report = wrk.run(kannel.url, wrk.gets(wrk.kannel_paths(accesses)), seconds, folder)
        cores = others.cores()
        sent = kannel.wait_drained()
        cpu = proc.cpu_seconds(kannel.pids) - before
        after = proc.pss_bytes(kannel.pids)
    rate = parse_carrier((folder / "fakesmsc.out").read_text(errors="replace"))
    shutil.rmtree(folder)
    return Load(report, sent, rate, cpu, at_rest, after, cores)
