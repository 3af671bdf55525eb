"""Programs of the benchmark that run beside the system that is measured, as processes of their own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.gateway_run import GatewayFailed

ENDED_WITHIN = 60.0


class Program:
    """A module of the benchmark, spoken to in lines."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.process = subprocess.Popen(
            [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    def say(self, line: str = "") -> None:
        """Write one line to it."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        """Read one line of it; raise GatewayFailed when it has ended."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise GatewayFailed(f"{self.module} ended with {self.process.wait()}; what it said is above")
        return line.rstrip("\n")

    def end(self) -> Any:
        """End its input; give what it prints then, as JSON."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return json.loads(self.hear())


@contextmanager
def program(module: str) -> Iterator[Program]:
    """Start a program of the benchmark; it has ended afterwards."""
    started = Program(module)
    try:
        yield started
    finally:
        assert started.process.stdin is not None
        assert started.process.stdout is not None
        started.process.stdin.close()
        try:
            started.process.wait(ENDED_WITHIN)
        except subprocess.TimeoutExpired:
            started.process.kill()
            started.process.wait()
        started.process.stdout.close()
