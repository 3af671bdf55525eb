"""The supervisor's side of the child that reads the settings and prepares the database. Standard library only."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from gateway.supervisor import Signals


class Preparation:
    """A child process of `gateway.hosting.prepare`: what it tells comes through a pipe, secrets too."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """Start it; `arguments` are those of every process of the product."""
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "gateway.hosting.prepare", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()

    @property
    def status(self) -> int:
        """The exit status for the supervisor where the child gave no answer: the child's own, 0 after a signal."""
        return max(self._process.wait(), 0)

    def settings(self, signals: "Signals") -> dict[str, Any] | None:
        """What the supervisor needs of the settings; None where they cannot be used, or a signal came first."""
        return self._line(signals)

    def finish(self, signals: "Signals") -> dict[str, Any] | None:
        """Let it migrate and make the first start; what that made, or None where it failed or a signal came."""
        stdin: IO[bytes] | None = self._process.stdin
        if stdin is not None:
            stdin.write(b"\n")
            stdin.close()
            self._process.stdin = None
        made = self._line(signals)
        if made is not None:
            self._process.wait()
        return made

    def _line(self, signals: "Signals") -> dict[str, Any] | None:
        stdout = self._process.stdout
        if stdout is None:
            return None
        while not signals.asked:
            if signals.wait(None, stdout.fileno()):
                line = stdout.readline()
                return dict(json.loads(line)) if line.endswith(b"\n") else None
        self._process.terminate()
        return None
