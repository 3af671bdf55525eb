"""System-call traces, by strace: to see what a process did, and to kill it at a chosen call."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.gateway import descendants, lives
from tests.support.wait import until

_ATTACHED = 20.0
_TRIES = 10
# Seconds within which a process under load comes to the call at which it is to die.
_CHOSEN = 30.0

_RESUMED = re.compile(r"<\.\.\. \w+ resumed>")
_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\)\s+= (?P<result>\S+)")


def require() -> str:
    """The command; a test without it fails, by name."""
    found = shutil.which("strace")
    if found is None:
        pytest.fail("this test needs strace (apt-get install strace)", pytrace=False)
    return found


@contextmanager
def tracing(roots: Sequence[int], calls: Sequence[str], *options: str, output: str) -> Iterator[None]:
    """Trace these calls of the processes and of all below them, those started later too, within the block."""

    def family() -> list[int]:
        return [pid for root in roots for pid in (root, *descendants(root))]

    for _ in range(_TRIES):
        with _tracer(family(), calls, *options, output=output) as tracer:
            # One that was started between the look and the trace would be missed.
            if all(_traced(pid) for pid in family()):
                yield
                # Not SIGKILL: it writes what it has, and lets go of what it traces.
                tracer.terminate()
                tracer.wait(_ATTACHED)
                return
    raise AssertionError(f"processes are started below {roots} faster than they can be traced")


def kill_at(pid: int, call: str, when: int, paths: Sequence[str] = ()) -> None:
    """Kill the process (SIGKILL) as one of its threads enters its `when`-th `call`, and wait for that.

    Of calls on `paths` only, if any are given; a socket's is what /proc says of its descriptor,
    `socket:[inode]`. The call itself is not carried out.
    """
    filters = [word for path in paths for word in ("-P", path)]
    with _tracer([pid], [call], "-e", f"inject={call}:signal=KILL:when={when}", *filters) as tracer:
        # It ends when there is nothing left to trace.
        until(lambda: tracer.poll() is not None, _CHOSEN, f"the death of {pid} at its call {when} of {call}")
    assert not lives(pid), f"strace let go of {pid}, which lives"


@contextmanager
def _tracer(
    pids: Sequence[int], calls: Sequence[str], *options: str, output: str = os.devnull
) -> Iterator["subprocess.Popen[str]"]:
    attach = [word for pid in pids for word in ("-p", str(pid))]
    with tempfile.TemporaryFile("w+") as errors:
        tracer = subprocess.Popen(
            [require(), "-f", "-qq", "-e", f"trace={','.join(calls)}", *options, "-o", output, *attach],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            text=True,
        )
        try:
            until(
                lambda: tracer.poll() is not None or all(_traced(pid) or not lives(pid) for pid in pids),
                _ATTACHED,
                f"the trace of {pids}",
            )
            yield tracer
        finally:
            tracer.kill()
            tracer.wait()
        errors.seek(0)
        # A process of a server that ended by itself meanwhile is none to trace.
        complaint = "".join(line for line in errors if "No such process" not in line)
        assert "Could not attach" not in complaint and "ptrace(" not in complaint, complaint


@dataclass(frozen=True)
class Call:
    """A system call: its arguments as strace writes them, and between which lines of the trace it ran."""

    name: str
    arguments: str
    began: int
    ended: int
    result: str


def calls(trace: str) -> list[Call]:
    """The calls of a trace that came to their end, in the order they began."""
    found = []
    open_: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(trace.splitlines()):
        pid, _, rest = line.partition(" ")
        rest = rest.lstrip()
        began = number
        if rest.endswith("<unfinished ...>"):
            open_[pid] = number, rest.removesuffix("<unfinished ...>")
            continue
        if resumed := _RESUMED.match(rest):
            began, start = open_.pop(pid)
            rest = start + rest[resumed.end() :]
        if whole := _CALL.match(rest):
            found.append(Call(whole["name"], whole["arguments"], began, number, whole["result"]))
    return sorted(found, key=lambda call: call.began)


def sockets(pid: int) -> dict[str, str]:
    """The sockets a process has open: /proc's name for each, and `unix`, `tcp:PORT` (connected) or `other`."""
    unix = {line.split()[6] for line in Path(f"/proc/{pid}/net/unix").read_text().splitlines()[1:]}
    tcp = {}
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "01":  # ESTABLISHED
            tcp[fields[9]] = int(fields[1].partition(":")[2], 16)
    found = {}
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            name = str(descriptor.readlink())
        except FileNotFoundError:
            continue
        inode = name.removeprefix("socket:[").removesuffix("]")
        if inode in unix:
            found[name] = "unix"
        elif inode in tcp:
            found[name] = f"tcp:{tcp[inode]}"
    return found


def _traced(pid: int) -> bool:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return all("TracerPid:\t0\n" not in (thread / "status").read_text() for thread in threads)
    except FileNotFoundError:
        return True
