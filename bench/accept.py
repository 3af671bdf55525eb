"""How fast messages are accepted, stored with a sync, and brought to their final state; Kannel beside it."""

import statistics
from collections.abc import Callable, Iterable

from bench import kannel
from bench.databases import KINDS, Postgresql
from bench.gateway_run import running
from bench.load import Load, drive
from bench.table import Figure, Section, Target, ratio
from bench.workspace import Workspace

MIB = 2**20
RATE = {"sqlite": Target(least=4000), "postgresql": Target(least=2500)}
CPU = Target(most=0.45)


def measure(workspace: Workspace, kinds: list[str]) -> Section:
    """Run each system in turn, three times (once with --quick), and give the medians."""
    rounds, seconds = (1, 5) if workspace.quick else (3, 15)
    ours: dict[str, list[Load]] = {kind: [] for kind in kinds}
    theirs: list[kannel.Load] = []
    for turn in range(rounds):
        for kind in kinds:
            with workspace.trial(kind) as installation, running(installation.data, installation.store.url) as gateway:
                ours[kind].append(drive(gateway, installation, seconds))
        if workspace.peers:
            theirs.append(kannel.load(workspace.folder / f"kannel-{turn}", seconds))
    return _section(workspace, kinds, ours, theirs, f"{rounds} runs of {seconds} s each, medians")


def _section(
    workspace: Workspace, kinds: list[str], ours: dict[str, list[Load]], theirs: list[kannel.Load], how: str
) -> Section:
    columns = [KINDS[kind] for kind in kinds] + ["Kannel, store file", f"{KINDS[kinds[0]]} ÷ Kannel"]
    section = Section("accept", "Accepting: wrk, 64 connections, 50 accesses, unique destinations", columns)

    def line(
        label: str,
        unit: str,
        of_us: Callable[[Load], float],
        of_them: Callable[[kannel.Load], float] | None,
        targets: dict[str, Target] | None = None,
    ) -> None:
        values: list[float | str | None] = [_median(map(of_us, ours[kind])) for kind in kinds]
        if not workspace.peers:
            values += ["left out (--no-peers)", None]
        else:
            peer = _median(map(of_them, theirs)) if of_them else None
            values += [peer, ratio(values[0], peer)]
        placed = {kinds.index(kind): target for kind, target in (targets or {}).items() if kind in kinds}
        section.figures.append(Figure(label, unit, tuple(values), placed))

    line("accepted", "messages/s", lambda load: load.accepted_rate, lambda load: load.report.rate, RATE)
    line("latency, median", "ms", lambda load: load.report.p50, lambda load: load.report.p50)
    line("latency, 99th percentile", "ms", lambda load: load.report.p99, lambda load: load.report.p99)
    line("to the carrier", "messages/s", lambda load: load.carrier_rate, lambda load: load.carrier_rate)
    line("to the final state", "messages/s", lambda load: load.final_rate, None)
    line(
        "CPU until the last final state",
        "ms/message",
        lambda load: load.cpu * 1000 / load.stored,
        lambda load: load.cpu * 1000 / load.sent,
        {"sqlite": CPU},
    )
    line("memory at rest", "MiB", lambda load: load.memory_at_rest / MIB, lambda load: load.memory_at_rest / MIB)
    line("memory after the load", "MiB", lambda load: load.memory_after / MIB, lambda load: load.memory_after / MIB)
    section.notes = _notes(workspace, kinds, ours, how)
    for load in theirs:
        if load.others > 0.1:
            section.notes.append(f"Kannel: other processes used {load.others:.1f} cores of the machine meanwhile.")
    return section


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


def _notes(workspace: Workspace, kinds: list[str], ours: dict[str, list[Load]], how: str) -> list[str]:
    notes = [how + "; the systems take turns, and share the machine with wrk."]
    if workspace.peers:
        notes.append("Kannel's acknowledgement means written, never synced; it asks fakesmsc for no receipts.")
    if "postgresql" in kinds:
        server = workspace.prepare("postgresql").store
        assert isinstance(server, Postgresql)
        notes.append(f"PostgreSQL: {server.promise()}; CPU and memory include its own processes.")
    for kind in kinds:
        last = ours[kind][-1]
        parts = sorted(last.cpu_parts.items(), key=lambda part: -part[1])
        shares = [
            f"{name} {used * 1000 / last.stored:.3f}" for name, used in parts if used * 1000 / last.stored >= 0.01
        ]
        notes.append(f"{KINDS[kind]}, CPU by process in the last run, ms/message: {', '.join(shares)}.")
        notes += [f"{KINDS[kind]}: {doubt}." for load in ours[kind] for doubt in load.doubts()]
    return notes
