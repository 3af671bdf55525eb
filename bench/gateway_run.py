"""The gateway as it is run: `trunkline run` on a free port, with a data folder of its own."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench import proc

TRUNKLINE = Path(sys.executable).parent / "trunkline"
READY_WITHIN = 60.0
STOPPED_WITHIN = 60.0


class GatewayFailed(RuntimeError):
    """The gateway did not start, answer or stop; says what its log ends with."""


class Gateway:
    """A running gateway; `pids` are the roots of its processes."""

    def __init__(self, data: Path, url: str = "") -> None:
        self.data = data
        self.port = free_port()
        self.smpp_port = free_port()
        self.log = data.parent / f"{data.name}.log"
        settings = {"TRUNKLINE_DATA": str(data), "TRUNKLINE_DATABASE_URL": url}
        command = [str(TRUNKLINE), "run", "--http", f"127.0.0.1:{self.port}", "--smpp", f"127.0.0.1:{self.smpp_port}"]
        self.started = time.perf_counter()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(settings)
            )
        self.pids = [self.process.pid]

    @property
    def url(self) -> str:
        """The address of its web server."""
        return f"http://127.0.0.1:{self.port}"

    def wait_ready(self) -> None:
        """Wait until /readyz says so; raise GatewayFailed otherwise."""
        deadline = time.monotonic() + READY_WITHIN
        while self.status("/readyz") != 200:
            if self.process.poll() is not None:
                raise self.failure(f"ended with {self.process.returncode} at start")
            if time.monotonic() > deadline:
                raise self.failure(f"was not ready within {READY_WITHIN:.0f} s")
            time.sleep(0.02)

    def status(self, path: str) -> int:
        """Give the HTTP status of a GET, 0 when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def stop(self) -> None:
        """End it as an operator does; kill its own processes only when it does not end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            for member in proc.tree(self.pids, proc.stats()):
                os.kill(member.pid, signal.SIGKILL)
            self.process.wait()
            raise self.failure(f"did not end within {STOPPED_WITHIN:.0f} s of SIGTERM") from None

    def failure(self, what: str) -> GatewayFailed:
        """Make the error: what happened, and the end of the log."""
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
        return GatewayFailed(f"the gateway {what}; its log ({self.log}) ends with:\n{tail}")


class Caller:
    """A customer with one keep-alive connection."""

    def __init__(self, gateway: Gateway, access: tuple[str, str], timeout: float = 600) -> None:
        self.credentials = {"user": access[0], "password": access[1]}
        self.connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=timeout)

    def raw(self, name: str, **parameters: str) -> bytes:
        """Make the call class.method by POST; give the body of the answer."""
        class_name, method = name.split(".")
        body = urlencode({"class": class_name, "method": method, **self.credentials, **parameters})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request("POST", "/api/http/", body, headers)
        return self.connection.getresponse().read()

    def call(self, name: str, **parameters: str) -> Any:
        """Make the call; give its result, raise GatewayFailed when it is refused."""
        reply = json.loads(self.raw(name, **parameters))
        if reply["status"] != "SUCCESS":
            raise GatewayFailed(f"{name} was refused: {reply['error']}: {reply.get('detail')}")
        return reply["result"]


@contextmanager
def running(data: Path, url: str = "") -> Iterator[Gateway]:
    """Start the gateway, wait until it is ready, stop it at the end."""
    gateway = Gateway(data, url)
    try:
        gateway.wait_ready()
        yield gateway
    finally:
        gateway.stop()


def environment(settings: dict[str, str]) -> dict[str, str]:
    """Give this process's environment with `settings` in place of every TRUNKLINE_* variable of its own."""
    return {key: value for key, value in os.environ.items() if not key.startswith("TRUNKLINE_")} | settings


def free_port() -> int:
    """Give a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
