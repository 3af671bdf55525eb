"""`trunkline simulator` as a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

END = 30.0


class Simulator:
    """A running simulator: `host` and `port` are its address, `errors` is what it said on stderr.

    `folder` is for its journal and its log; nothing else is written there.
    """

    def __init__(self, folder: Path, *options: str, address: str = "127.0.0.1:0") -> None:
        self.journal = folder / "smsc.journal"
        self._log = folder / "smsc.err"
        variables = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gateway", "simulator", "--json", "--smpp", address),
                    *("--journal", str(self.journal), *options),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=variables,
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"trunkline simulator ended with {self._process.wait(END)}: {self.errors}")
        self.address = str(json.loads(line)["smpp"])
        self.host, _, port = self.address.rpartition(":")
        self.port = int(port)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def errors(self) -> str:
        """What it said on stderr until now."""
        return self._log.read_text()

    @property
    def taken(self) -> list[dict[str, Any]]:
        """Every segment it took, as its journal has it."""
        lines = self.journal.read_text().splitlines(keepends=True) if self.journal.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def deliver(self, source: str, destination: str, text: str) -> None:
        """Have a message delivered to whoever is bound."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{source} {destination} {text}\n")
        self._process.stdin.flush()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it with a signal; its exit status."""
        self._process.send_signal(number)
        status = self._process.wait(END)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        return status


@contextmanager
def simulator(folder: Path, *options: str, address: str = "127.0.0.1:0") -> Iterator[Simulator]:
    """A simulator that runs within the block, with these options."""
    running = Simulator(folder, *options, address=address)
    try:
        yield running
    finally:
        if running._process.poll() is None:
            running.stop(signal.SIGKILL)
