"""What processes cost, read from Linux's /proc: CPU time and resident memory of whole process trees."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Stat:
    """The fields of /proc/PID/stat that are used here; times are in clock ticks."""

    pid: int
    name: str
    parent: int
    user: int
    system: int
    children_user: int
    children_system: int

    @property
    def ticks(self) -> int:
        """User and system time of the process and of those of its children that it has waited for."""
        return self.user + self.system + self.children_user + self.children_system


def parse_stat(line: str) -> Stat:
    """Read one line of /proc/PID/stat (proc_pid_stat(5)); the name may hold spaces and parentheses."""
    pid, rest = line.split(" (", 1)
    name, numbers = rest.rsplit(") ", 1)
    fields = numbers.split()
    return Stat(int(pid), name, int(fields[1]), *(int(value) for value in fields[11:15]))


def parse_pss(rollup: str) -> int:
    """Give the proportional set size in bytes from the text of /proc/PID/smaps_rollup."""
    for line in rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError("smaps_rollup has no line that starts with `Pss:`")


def stats() -> dict[int, Stat]:
    """Give every process there is now, by pid."""
    found = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                stat = parse_stat((folder / "stat").read_text())
            except OSError:
                continue
            found[stat.pid] = stat
    return found


def tree(roots: Iterable[int], processes: dict[int, Stat]) -> list[Stat]:
    """Give the processes `roots` and all their descendants, those that live."""
    children: dict[int, list[int]] = {}
    for stat in processes.values():
        children.setdefault(stat.parent, []).append(stat.pid)
    waiting = [pid for pid in roots if pid in processes]
    members: dict[int, Stat] = {}
    while waiting:
        pid = waiting.pop()
        if pid not in members:
            members[pid] = processes[pid]
            waiting.extend(children.get(pid, ()))
    return list(members.values())


def cpu_seconds(roots: Iterable[int]) -> float:
    """Give the CPU time, user and system, that the trees under `roots` have used since they started.

    A member that ends in between is not lost: its parent has waited for it and carries its time.
    """
    return sum(stat.ticks for stat in tree(roots, stats())) / TICKS_PER_SECOND


def machine_seconds() -> float:
    """Give the CPU time that all processes of the machine and the kernel have used since it started."""
    return parse_machine((PROC / "stat").read_text()) / TICKS_PER_SECOND


def parse_machine(text: str) -> int:
    """Give the busy ticks of all cores from the text of /proc/stat: neither idle, nor waiting for a disk."""
    user, nice, system, _idle, _iowait, irq, softirq = (int(value) for value in text.partition("\n")[0].split()[1:8])
    return user + nice + system + irq + softirq


class Others:
    """How much of the machine is used by neither the trees under `roots` nor this process and what it waits for.

    Nothing much, on a machine that only measures: then the figures are the system's own.
    """

    def __init__(self, roots: Iterable[int]) -> None:
        self.roots = [*roots]
        self.started = time.monotonic()
        self.before = self.used()

    def used(self) -> float:
        """Give the CPU seconds of others since the machine started."""
        ours = sum(os.times()[:4])
        return machine_seconds() - cpu_seconds(self.roots) - ours

    def cores(self) -> float:
        """Give the cores that others have used on average until now."""
        return max(0.0, self.used() - self.before) / (time.monotonic() - self.started)


def cpu_by_command(roots: Iterable[int]) -> dict[str, float]:
    """Give the CPU seconds of each living process of the trees, by pid and command line."""
    return {f"{stat.pid} {command(stat)}": stat.ticks / TICKS_PER_SECOND for stat in tree(roots, stats())}


def command(stat: Stat) -> str:
    """Give a short command line of a process: what tells the roles of the gateway apart."""
    try:
        words = (PROC / str(stat.pid) / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return stat.name
    return " ".join(word.decode(errors="replace").rsplit("/", 1)[-1] for word in words)[:60] or stat.name


def pss_bytes(roots: Iterable[int]) -> int:
    """Give the resident memory of the trees together, shared pages divided among those who share them."""
    total = 0
    for stat in tree(roots, stats()):
        try:
            total += parse_pss((PROC / str(stat.pid) / "smaps_rollup").read_text())
        except (OSError, ValueError):  # it has ended in between
            continue
    return total
