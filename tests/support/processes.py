"""Python code in processes of its own, spoken to line by line."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class Script(subprocess.Popen[str]):
    """A running script: it prints lines for `line`, and `say` sends it one."""

    def line(self) -> str:
        """The next line it printed; fails with what it said on stderr when it ended instead."""
        assert self.stdout is not None
        found = self.stdout.readline()
        if not found:
            assert self.stderr is not None
            raise AssertionError(f"the process ended with {self.wait(10)}: {self.stderr.read()}")
        return found.rstrip("\n")

    def say(self, line: str) -> None:
        assert self.stdin is not None
        self.stdin.write(line + "\n")
        self.stdin.flush()

    def end(self, timeout: float = 60) -> tuple[int, str]:
        """Close its input, wait for its end: its exit status and what it said on stderr."""
        _, errors = self.communicate(timeout=timeout)
        return self.returncode, errors


@contextmanager
def scripts(code: str, arguments: Sequence[str], count: int = 1) -> Iterator[list[Script]]:
    """`count` processes that run `code` with `arguments` and their number; killed at the end of the block."""
    started: list[Script] = []
    try:
        for number in range(count):
            started.append(  # noqa: PERF401 (those started must be known if the next one fails)
                Script(
                    [sys.executable, "-c", code, *arguments, str(number)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
