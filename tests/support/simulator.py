"""`trunkline simulator` as a process, and what its journal says it took."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port

STOP = 30.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment that an SMSC took: `seq` is 1 where it is all of a message, `octets` are without its header."""

    id: str
    source: str
    destination: str
    seq: int
    octets: bytes


class Simulator:
    """An SMSC that behaves as its options say; its journal is kept over its deaths."""

    def __init__(self, folder: Path, name: str, *options: str) -> None:
        self.name = name
        self.port = free_port()
        self._journal = folder / f"{name}.jsonl"
        self._log = folder / f"{name}.err"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def errors(self) -> str:
        """What it logged."""
        return self._log.read_text()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gateway", "simulator", "--smpp", f"127.0.0.1:{self.port}", "--json"),
                    *("--journal", str(self._journal), *self._options),
                ],
                env=clean,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said, f"trunkline simulator ended: {self.errors}"

    def kill(self) -> None:
        """kill -9: what it was still to report is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it in good order; its exit status."""
        return self._end(signal.SIGTERM)

    def size(self) -> int:
        """Grows with every segment taken."""
        return self._journal.stat().st_size if self._journal.exists() else 0

    def taken(self) -> list[Segment]:
        """What it took, in that order."""
        return [_segment(line) for line in self._journal.read_text().splitlines()]

    def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        assert process.stdout is not None
        process.stdout.close()
        try:
            return process.wait(STOP)
        finally:
            process.kill()


@contextmanager
def simulator(folder: Path, name: str, *options: str) -> Iterator[Simulator]:
    """An SMSC that runs within the block."""
    running = Simulator(folder, name, *options)
    try:
        running.start()
        yield running
    finally:
        running.kill()


def _segment(line: str) -> Segment:
    row = json.loads(line)
    return Segment(row["id"], row["source"], row["destination"], row["seq"] or 1, bytes.fromhex(row["text"]))
