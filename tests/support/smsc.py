"""An SMSC that dies and comes back at its address, and what it took over all its lives."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL

from tests.support.simulator import Simulator


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment that it took: `seq` is 1 where it is all of a message, `octets` are without its header."""

    source: str
    destination: str
    seq: int
    octets: bytes


class Smsc:
    """`trunkline simulator` with these options, again and again; `folder` is its own, and its name."""

    def __init__(self, folder: Path, *options: str) -> None:
        folder.mkdir()
        self.name = folder.name
        self._folder = folder
        self._options = options
        self._running = Simulator(folder, *options)
        self._runs = True
        self.port = self._running.port

    def start(self) -> None:
        """Start it again, and wait until it listens."""
        assert not self._runs
        self._running = Simulator(self._folder, *self._options, address=self._running.address)
        self._runs = True

    def kill(self) -> None:
        """kill -9: what it was still to report is gone."""
        self._runs = False
        self._running.stop(SIGKILL)

    def stop(self) -> int:
        """End it in good order; its exit status."""
        self._runs = False
        return self._running.stop()

    def end(self) -> None:
        """Have it run no more."""
        if self._runs:
            self.kill()

    def size(self) -> int:
        """Grows with every segment that it takes."""
        return self._running.journal.stat().st_size

    def taken(self) -> list[Segment]:
        """What it took, in that order."""
        return [
            Segment(row["source"], row["destination"], row["seq"] or 1, bytes.fromhex(row["text"]))
            for row in self._running.taken
        ]


@contextmanager
def smsc(folder: Path, *options: str) -> Iterator[Smsc]:
    """An SMSC that runs within the block, but for its deaths."""
    running = Smsc(folder, *options)
    try:
        yield running
    finally:
        running.end()
