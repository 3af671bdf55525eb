"""Jasmin beside us, where it is installed: jasmind with a broker and a Redis of its own, all in one folder.

It is looked for on PATH and in `build/jasmin`, where `INSTALL` puts it.
"""

import http.client
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from bench import proc, wrk
from bench.gateway_run import free_port

HOME = Path(__file__).resolve().parents[1] / "build" / "jasmin"
BROKER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
INSTALL = (
    f"python3 -m venv {HOME.parent.name}/{HOME.name} && {HOME.parent.name}/{HOME.name}/bin/pip install jasmin;"
    " apt-get install rabbitmq-server redis-server"
)
USERS = 50
UP_WITHIN = 60.0
DRAINED_WITHIN = 120.0
ENDED_WITHIN = 30.0
# Without it a connector sends one message a second.
THROUGHPUT = 100_000
WINDOW = 100


class JasminFailed(RuntimeError):
    """Jasmin did not do its part."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What there is to run."""

    jasmind: str
    redis: str


def found() -> tuple[Installed | None, str]:
    """Give what is installed; or None, and what is missing and how to get it."""
    jasmind = shutil.which("jasmind.py") or shutil.which("jasmind.py", path=str(HOME / "bin"))
    redis = shutil.which("redis-server")
    absent = [
        name
        for name, there in (("jasmin", jasmind), ("rabbitmq-server", BROKER.exists()), ("redis-server", redis))
        if not there
    ]
    if jasmind is None or redis is None or absent:
        return None, f"not installed: {', '.join(absent)}. To have it: {INSTALL}"
    return Installed(jasmind, redis), ""


def version(installed: Installed) -> str:
    """Give the version of Jasmin's package."""
    for folder in (Path(installed.jasmind).parents[1] / "lib").glob("python*/site-packages/jasmin-*.dist-info"):
        return folder.name.removeprefix("jasmin-").removesuffix(".dist-info")
    return "of unknown version"


@dataclass(slots=True)
class Jasmin:
    """A running Jasmin; `pids` are those of jasmind, the broker and Redis."""

    installed: Installed
    folder: Path
    smsc_port: int
    accesses: list[tuple[str, str]] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def pids(self) -> list[int]:
        """The roots of its processes."""
        return [process.pid for process in self.processes]

    @property
    def smpp_port(self) -> int:
        """Where customers bind."""
        return self.ports["smpp"]

    def start(self) -> None:
        """Start broker and Redis, then jasmind; make the users, the connector and the route."""
        names = ("redis", "broker", "distribution", "epmd", "smpp", "http", "jcli", "router", "clients", "pb")
        self.ports = {name: free_port() for name in names}
        self._spawn([self.installed.redis, "--port", self._port("redis"), "--save", "", "--dir", str(self.folder)])
        self._spawn([str(BROKER)], self._of_broker())
        for name in ("redis", "broker"):
            self._wait(lambda port=self.ports[name]: _listens(port), f"{name} did not start")  # type: ignore[misc]
        self._spawn([self.installed.jasmind, "--enable-dlr-lookup"], self._of_jasmind())
        for name in ("jcli", "smpp", "http"):
            self._wait(lambda port=self.ports[name]: _listens(port), f"jasmind's {name} did not start")  # type: ignore[misc]
        self._configure()

    def _port(self, name: str) -> str:
        return str(self.ports[name])

    def _of_broker(self) -> dict[str, str]:
        place = self.folder / "broker"
        place.mkdir()
        return {
            "HOME": str(place),
            "RABBITMQ_NODENAME": f"bench{self.ports['broker']}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": self._port("broker"),
            "RABBITMQ_DIST_PORT": self._port("distribution"),
            "ERL_EPMD_PORT": self._port("epmd"),
            "RABBITMQ_MNESIA_BASE": str(place / "data"),
            "RABBITMQ_LOG_BASE": str(place / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(place / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(place / "none"),
        }

    def _of_jasmind(self) -> dict[str, str]:
        for place in ("etc/jasmin/store", "var/log/jasmin"):
            (self.folder / place).mkdir(parents=True)
        loopback = ("SMPP_SERVER", "HTTP_API", "ROUTER", "CLIENT_MANAGEMENT", "SMPP_SERVER_PB")
        return {
            "ROOT_PATH": str(self.folder),
            **{f"{name}_BIND": "127.0.0.1" for name in loopback},
            "SMPP_SERVER_PORT": self._port("smpp"),
            "HTTP_API_PORT": self._port("http"),
            "JCLI_PORT": self._port("jcli"),
            "ROUTER_PORT": self._port("router"),
            "CLIENT_MANAGEMENT_PORT": self._port("clients"),
            "SMPP_SERVER_PB_PORT": self._port("pb"),
            "AMQP_BROKER_PORT": self._port("broker"),
            "AMQP_BROKER_SPEC": str(self._protocol()),
            "REDIS_CLIENT_PORT": self._port("redis"),
        }

    def _protocol(self) -> Path:
        """The description of AMQP, which Jasmin's package on PyPI lacks; the client library that it needs has one."""
        libraries = Path(self.installed.jasmind).parents[1] / "lib"
        place = "python*/site-packages/txamqp/specs/standard/amqp0-9-1.stripped.xml"
        for path in libraries.glob(place):
            return path
        raise JasminFailed(f"there is no {place} below {libraries}")

    def _spawn(self, command: list[str], variables: dict[str, str] | None = None) -> None:
        output = self.folder / f"{Path(command[0]).name}.out"
        with output.open("wb") as log:
            self.processes.append(
                subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.folder,
                    env={**os.environ, **(variables or {})},
                )
            )

    def _wait(self, condition: Callable[[], bool], problem: str) -> None:
        deadline = time.monotonic() + UP_WITHIN
        while not condition():
            if time.monotonic() > deadline:
                raise JasminFailed(f"{problem} within {UP_WITHIN:.0f} s; see {self.folder}")
            time.sleep(0.1)

    def _configure(self) -> None:
        password = secrets.token_hex(4)
        self.accesses = [(f"bench{index}", password) for index in range(USERS)]
        console = Console(self.ports["jcli"])
        try:
            console.say("group -a", "gid bench", "ok")
            for user, secret in self.accesses:
                console.say("user -a", f"uid {user}", "gid bench", f"username {user}", f"password {secret}", "ok")
            connector = {
                "cid": "smsc",
                "host": "127.0.0.1",
                "port": self.smsc_port,
                "username": "bench",
                "password": "bench",
                "submit_throughput": THROUGHPUT,
            }
            console.say("smppccm -a", *(f"{name} {value}" for name, value in connector.items()), "ok")
            console.say("mtrouter -a", "type defaultroute", "connector smppc(smsc)", "rate 0.0", "ok")
            console.say("smppccm -1 smsc")
            self._wait(lambda: "BOUND_TRX" in console.say("smppccm --list"), "its connector did not bind")
        finally:
            console.close()

    def through(self, seconds: int, folder: Path) -> tuple[float, float, list[str]]:
        """Drive it by HTTP; give messages a second that reached the SMSC, CPU in ms for each, and what went wrong."""
        roots = self.pids
        before = proc.cpu_seconds(roots)
        requests = wrk.gets(paths(self.accesses))
        started = time.monotonic()
        report = wrk.run(f"http://127.0.0.1:{self.ports['http']}", requests, seconds, folder)
        sent, last = self._drained()
        cpu = proc.cpu_seconds(roots) - before
        doubts = [f"wrk: {report.errors}"] if report.errors else []
        if sent < report.requests:
            doubts.append(f"{report.requests - sent} of {report.requests} messages did not reach the SMSC")
        return sent / max(0.001, last - started), cpu * 1000 / max(1, sent), doubts

    def _drained(self) -> tuple[int, float]:
        """Wait until its counter of submits stands still; give it, and when it last moved."""
        count, moved = self._submitted(), time.monotonic()
        deadline = moved + DRAINED_WITHIN
        while time.monotonic() < min(deadline, moved + 3):
            time.sleep(0.25)
            now = self._submitted()
            if now != count:
                count, moved = now, time.monotonic()
        return count, moved

    def _submitted(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["http"], timeout=30)
        try:
            connection.request("GET", "/metrics")
            return parse_submitted(connection.getresponse().read().decode())
        finally:
            connection.close()

    def stop(self) -> None:
        """End jasmind, then the broker with its port mapper, then Redis."""
        for process in reversed(self.processes):
            for member in proc.tree([process.pid], proc.stats()):
                _end(member.pid)
            try:
                process.wait(ENDED_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.ports:
            subprocess.run(
                ["epmd", "-port", self._port("epmd"), "-kill"],
                env={**os.environ, "ERL_EPMD_PORT": self._port("epmd")},
                capture_output=True,
                check=False,
            )


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def paths(accesses: list[tuple[str, str]]) -> list[str]:
    """Give the call that sends one message, for each login and password."""
    return [
        f"/send?username={quote(user)}&password={quote(password)}&from=Bench&to=346%d%07d&content={wrk.literal(wrk.TEXT)}"
        for user, password in accesses
    ]


def parse_submitted(text: str) -> int:
    """Read how many submit_sm its connectors sent from its metrics."""
    lines = [line for line in text.splitlines() if line.startswith("smppc_submit_sm_request_count")]
    if not lines:
        raise JasminFailed("its metrics do not count smppc_submit_sm_request_count")
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in lines)


class Console:
    """Jasmin's telnet console."""

    def __init__(self, port: int) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._until(b"Authentication required.")
        self._send("jcliadmin")
        self._until(b"Password:")
        self._send("jclipwd")
        self._until(b"jcli :")

    def say(self, *lines: str) -> str:
        """Type lines, each when the console asks for it; give what it said to the last."""
        answer = ""
        for line in lines:
            self._send(line)
            answer = self._until(b"jcli :", b"\n>")
        return answer

    def _send(self, line: str) -> None:
        self.connection.sendall(line.encode() + b"\r\n")

    def _until(self, *ends: bytes) -> str:
        heard = b""
        while not heard.rstrip().endswith(ends):
            try:
                piece = self.connection.recv(4096)
            except TimeoutError:
                piece = b""
            if not piece:
                raise JasminFailed(f"its console ended, or fell silent, with {heard[-200:]!r}")
            heard += piece
        return heard.decode(errors="replace")

    def close(self) -> None:
        """Hang up."""
        self.connection.close()


@contextmanager
def running(installed: Installed, folder: Path, smsc_port: int) -> Iterator[Jasmin]:
    """Start Jasmin with a carrier at `smsc_port`; stop it and remove its files at the end."""
    place = folder / f"jasmin-{smsc_port}"
    place.mkdir()
    jasmin = Jasmin(installed, place, smsc_port)
    try:
        jasmin.start()
        yield jasmin
    finally:
        jasmin.stop()
    shutil.rmtree(place, ignore_errors=True)
