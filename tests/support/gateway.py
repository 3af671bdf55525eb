"""The real thing: `trunkline run` on a free port, with a data folder of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.ports import free_port
from tests.support.wait import until

START = 30.0
STOP = 30.0


def trunkline(*arguments: str, **variables: str) -> tuple[int, str]:
    """Run a command that must end by itself: its exit status and what it said on stderr."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        env=clean | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


class Gateway:
    """A running gateway.

    `url` is its address without a slash at the end, `smpp_port` its SMPP server's port, `user` and `secret` the demo
    account's access, `data` its folder, `output` what it printed.
    """

    def __init__(self, data: Path, **variables: str) -> None:
        self.data = data
        self.port = free_port()
        self.smpp_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.user = self.secret = ""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
        self._variables = clean | {"TRUNKLINE_SMPP": f"127.0.0.1:{self.smpp_port}"} | variables
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def output(self) -> str:
        return (self.data.parent / f"{self.data.name}.out").read_text()

    @property
    def errors(self) -> str:
        """What it and its roles logged."""
        return (self.data.parent / f"{self.data.name}.err").read_text()

    def start(self, path: str = "/readyz") -> None:
        """Start it and wait until it answers 200 at `path`."""
        with (
            (self.data.parent / f"{self.data.name}.out").open("ab") as out,
            (self.data.parent / f"{self.data.name}.err").open("ab") as err,
        ):
            self._process = subprocess.Popen(
                [*self._trunkline("run"), "--http", f"127.0.0.1:{self.port}"],
                env=self._variables,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        until(lambda: self._answers(path), START, f"200 of {path}")
        if not self.user:
            self._read_secrets()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it with a signal; its exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(STOP)

    def end(self) -> None:
        """End it, by force where it does not end by itself."""
        if self._process is None or self._process.poll() is not None:
            return
        below = descendants(self.pid)
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            for pid in (*below, self.pid):
                kill(pid)
            self._process.wait(STOP)
            raise

    def cli(self, *arguments: str) -> Any:
        """Run a command on this installation and give the JSON it printed."""
        done = subprocess.run(
            [*self._trunkline(*arguments), "--json"],
            env=self._variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"trunkline {' '.join(arguments)}: exit {done.returncode}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def call(self, class_name: str, method: str, **parameters: str) -> Any:
        """Call an operation by plain HTTP as the demo account; parameters that end in _ go without it."""
        values = {"class": class_name, "method": method, "user": self.user, "password": self.secret}
        values |= {name.rstrip("_"): value for name, value in parameters.items()}
        with urllib.request.urlopen(f"{self.url}/api/http/?{urlencode(values)}", timeout=30) as answer:
            return json.loads(answer.read())

    def roles(self) -> dict[str, int]:
        """The process ids of the roles that run, by name."""
        return {name: pid for pid in children(self.pid) if (name := _role(pid)) is not None}

    def complete(self, workers: int) -> bool:
        """Whether every role runs, and the web server with so many workers."""
        roles = self.roles()
        return roles.keys() == {"web", "dispatch", "smpp"} and len(children(roles["web"])) == workers

    def _answers(self, path: str) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"trunkline run ended with {self._process.returncode}: {self.errors}")
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _read_secrets(self) -> None:
        found = re.search(r"-d user=(\S+) -d password=(\S+)", self.output)
        assert found is not None, self.output
        self.user, self.secret = found.groups()

    def _trunkline(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "gateway", *arguments, "--data", str(self.data)]


def children(pid: int) -> list[int]:
    """The child processes of a process."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def descendants(pid: int) -> list[int]:
    """The processes below a process."""
    found = children(pid)
    return found + [below for child in found for below in descendants(child)]


def lives(pid: int) -> bool:
    """Whether a process runs; one that ended and was not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill(pid: int) -> None:
    """kill -9, if it still runs."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def pss(pid: int) -> int:
    """The proportional set size of a process in kB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


@contextmanager
def gateway(data: Path, path: str = "/readyz", **variables: str) -> Iterator[Gateway]:
    """A gateway that runs within the block, started with `variables` (TRUNKLINE_*) and ready at `path`."""
    running = Gateway(data, **variables)
    try:
        running.start(path)
        yield running
    finally:
        running.end()


@pytest.fixture(scope="session")
def running_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for all tests of a process; they make accounts of their own in it."""
    folder = tmp_path_factory.mktemp("gateway")
    with gateway(folder / "data") as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


def _role(pid: int) -> str | None:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return words[3] if words[1:3] == ["-m", "gateway"] else None
