"""SMPP, both ways: how fast customers' messages are accepted, how fast ours pass to a carrier, what a bind holds."""

import json
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import jasmin, load, proc, wrk
from bench.databases import KINDS
from bench.gateway_run import Gateway, GatewayFailed, environment, running
from bench.helpers import Program, program
from bench.table import Figure, Section, Target, ratio
from bench.workspace import Installation, Workspace, trunkline

MB = 1_000_000
IDLE = 1_000
SETTLED_AFTER = 3.0


@dataclass(frozen=True, slots=True)
class Shape:
    """A load of submit_sm: how many connections, and the window of each."""

    label: str
    connections: int
    window: int
    rate: Target | None = None
    cpu: Target | None = None


SHAPES = (
    Shape("one connection, window 10", 1, 10),
    Shape("one connection, window 100", 1, 100, Target(least=10_000), Target(most=0.12)),
    Shape("ten connections, window 10", 10, 10, None, Target(most=0.12)),
)
THROUGH_RATE = Target(least=2500)
THROUGH_CPU = Target(most=0.6)
BINDS = Target(most=60)
DUE = "one connection, window 100, due at once"
THROUGH = "HTTP in, SMPP out, receipt stored"
WORDS = {"rate": "rate", "cost": "CPU", "p99": "latency, 99th percentile"}
HOW = "all share the machine with the client and with the carrier's SMSC, whose own CPU does not count."
NOTES = (
    "submit_sm: acknowledged means committed and synced, counted again in the database; CPU of all our processes from"
    " the first submit_sm to the last response. The messages are scheduled for tomorrow, so that accepting alone is"
    " measured; where they are *due at once* the dispatcher hands them to the simulated carrier meanwhile.",
    f"{THROUGH}: wrk with 64 connections, one link of window 100, a receipt of every message; the rate and the CPU"
    " are up to the last receipt stored.",
)


@dataclass(slots=True)
class Submits:
    """What one load of submit_sm gave; CPU in seconds until the last response."""

    rate: float
    p50: float
    p99: float
    cpu: float
    accepted: int
    doubts: list[str]

    @property
    def cost(self) -> float:
        """CPU of all processes for an accepted message, in ms."""
        return self.cpu * 1000 / max(1, self.accepted)


@dataclass(slots=True)
class Through:
    """Messages that came by HTTP and left by SMPP; CPU in seconds until the last receipt was stored."""

    rate: float
    cost: float
    doubts: list[str]


@dataclass(slots=True)
class Results:
    """All that one system gave: loads of submit_sm by their labels, and messages that passed through."""

    name: str
    accepting: dict[str, list[Submits]] = field(default_factory=dict)
    through: list[Through] = field(default_factory=list)

    def add(self, accepting: dict[str, Submits], through: Through) -> None:
        """Take in a round."""
        for label, run in accepting.items():
            self.accepting.setdefault(label, []).append(run)
        self.through.append(through)

    def doubts(self) -> list[str]:
        """Say what did not go as it should."""
        found = [(label, run.doubts) for label, runs in self.accepting.items() for run in runs]
        found += [(THROUGH, run.doubts) for run in self.through]
        return [f"{self.name}, {label}: {doubt}." for label, doubts in found for doubt in doubts]


def measure(workspace: Workspace, kinds: list[str]) -> Section:
    """Run every load in turn, three times (once with --quick); give the medians. Jasmin where it is installed."""
    rounds, seconds = (1, 4) if workspace.quick else (3, 12)
    peer, absent = jasmin.found() if workspace.peers else (None, "left out (--no-peers)")
    ours = {kind: Results(KINDS[kind]) for kind in kinds}
    theirs = Results("Jasmin")
    for _ in range(rounds):
        for kind in kinds:
            ours[kind].add(_accepting(workspace, kind, seconds), _through(workspace, kind, seconds))
        if peer is not None:
            theirs.add(_of_jasmin(workspace, peer, seconds), _through_jasmin(workspace, peer, seconds))
    idle = [_idle(workspace, kind) / MB for kind in kinds]
    section = _section(kinds, [ours[kind] for kind in kinds], theirs, idle)
    section.notes = [f"{rounds} runs of {seconds} s each, medians; {HOW}", *NOTES]
    section.notes.append(
        f"Jasmin: {absent}."
        if peer is None
        else f"Jasmin {jasmin.version(peer)}, with its broker and Redis: acknowledged means in its broker's memory,"
        f" and *{THROUGH}* is up to the last message at the SMSC."
    )
    for results in (*ours.values(), theirs):
        section.notes += dict.fromkeys(results.doubts())
    return section


def _section(kinds: list[str], ours: list[Results], theirs: Results, idle: list[float]) -> Section:
    columns = [*(results.name for results in ours), theirs.name, f"{ours[0].name} ÷ {theirs.name}"]
    section = Section("smpp", "SMPP: submit_sm in, a carrier's SMPP out, idle binds", columns)

    def line(label: str, unit: str, us: list[float], them: float | None, target: Target | None) -> None:
        targets = {kinds.index("sqlite"): target} if target is not None and "sqlite" in kinds else {}
        section.figures.append(Figure(label, unit, (*us, them, ratio(us[0], them)), targets))

    def lines(title: str, label: str, wanted: Iterable[tuple[str, str, Target | None]]) -> None:
        for name, unit, target in wanted:
            us = [_median(results.accepting[label], name) or 0.0 for results in ours]
            line(f"{title}: {WORDS[name]}", unit, us, _median(theirs.accepting.get(label, []), name), target)

    for shape in SHAPES:
        wanted = (("rate", "messages/s", shape.rate), ("cost", "ms/message", shape.cpu), ("p99", "ms", None))
        lines(f"submit_sm, {shape.label}", shape.label, wanted)
    lines(f"submit_sm, {DUE}", DUE, (("rate", "messages/s", None), ("cost", "ms/message", None)))
    for name, unit, target in (("rate", "messages/s", THROUGH_RATE), ("cost", "ms/message", THROUGH_CPU)):
        us = [_median(results.through, name) or 0.0 for results in ours]
        line(f"{THROUGH}: {WORDS[name]}", unit, us, _median(theirs.through, name), target)
    line(f"{IDLE:,} idle binds: memory", "MB more", idle, None, BINDS)
    return section


def _median(runs: Sequence[Submits | Through], name: str) -> float | None:
    return statistics.median(getattr(run, name) for run in runs) if runs else None


def _accepting(workspace: Workspace, kind: str, seconds: int) -> dict[str, Submits]:
    """Every shape on an installation of its own."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%y%m%d%H%M%S000+")
    wanted = [(shape.label, shape, tomorrow) for shape in SHAPES]
    wanted.append((DUE, SHAPES[1], ""))
    found = {}
    for label, shape, due in wanted:
        with workspace.trial(kind) as installation, running(installation.data, installation.store.url) as gateway:
            roots = [*gateway.pids, *installation.store.pids]
            result = submits(gateway.smpp_port, installation.accesses, shape, seconds, roots, due)
            stored = int(installation.store.value("SELECT count(*) FROM message"))
            if stored < result.accepted:
                result.doubts.append(f"{result.accepted - stored} acknowledged messages are not stored")
            found[label] = result
    return found


def submits(
    port: int,
    accesses: list[tuple[str, str]],
    shape: Shape,
    seconds: int,
    roots: list[int],
    due: str = "",
    beside: Sequence[int] = (),
) -> Submits:
    """Drive an SMPP server at `port` by `shape`; `roots` are its processes, `beside` the benchmark's own."""
    plan = {
        "host": "127.0.0.1",
        "port": port,
        "binds": [accesses[number % len(accesses)] for number in range(shape.connections)],
        "window": shape.window,
        "seconds": seconds,
        "text": wrk.TEXT,
        "due": due,
    }
    with program("bench.smpp_load") as client:
        _bound(client, plan)
        before, others = proc.cpu_seconds(roots), proc.Others([*roots, client.pid, *beside])
        client.say()
        outcome = json.loads(client.hear())
        cores = others.cores()
        cpu = proc.cpu_seconds(roots) - before
    if not outcome["accepted"]:
        raise GatewayFailed(f"no submit_sm was accepted; refused by status: {outcome['refused']}")
    doubts = [f"{outcome[what]} {what}" for what in ("unanswered", "lost") if outcome[what]]
    doubts += [f"{count} refused with {status}" for status, count in outcome["refused"].items()]
    if cores > 0.1:
        doubts.append(f"other processes used {cores:.1f} cores of the machine meanwhile")
    rate = outcome["accepted"] / outcome["seconds"]
    return Submits(rate, outcome["p50"], outcome["p99"], cpu, outcome["accepted"], doubts)


def _bound(client: Program, plan: dict[str, Any]) -> None:
    client.say(json.dumps(plan))
    if client.hear() != "bound":
        raise GatewayFailed("the SMPP client did not bind")


def _through(workspace: Workspace, kind: str, seconds: int) -> Through:
    """Messages by HTTP, out over a carrier of the kind smpp, until the last receipt is stored."""
    with workspace.trial(kind) as installation, program("bench.smsc") as smsc:
        _route_to(installation, int(smsc.hear()))
        with running(installation.data, installation.store.url) as gateway:
            result = load.drive(gateway, installation, seconds, beside=[smsc.pid])
        counts = smsc.end()
    doubts = result.doubts()
    if counts["submitted"] != result.stored or counts["acknowledged"] != result.stored:
        doubts.append(
            f"of {result.stored} messages the SMSC got {counts['submitted']},"
            f" and {counts['acknowledged']} receipts were acknowledged"
        )
    return Through(result.final_rate, result.cpu * 1000 / result.stored, doubts)


def _route_to(installation: Installation, port: int) -> None:
    """Have everything leave to the SMSC at `port`."""
    settings = {"TRUNKLINE_DATA": str(installation.data), "TRUNKLINE_DATABASE_URL": installation.store.url}
    password = installation.data.parent / "smsc-password"
    password.write_text("bench")
    options = {"host": "127.0.0.1", "port": port, "system_id": "bench", "password": f"@{password}", "window": 100}
    given = [word for name, value in options.items() for word in ("--option", f"{name}={value}")]
    for command in (
        ("carrier", "add", "smsc", "--kind", "smpp", *given),
        ("route", "add", "", "smsc"),
        ("route", "remove", "", "simulator"),
    ):
        trunkline(environment(settings), *command)


def _idle(workspace: Workspace, kind: str) -> float:
    """What a thousand binds that say nothing add to the memory of all processes, in bytes."""
    with workspace.trial(kind) as installation, running(installation.data, installation.store.url) as gateway:
        roots = [*gateway.pids, *installation.store.pids]
        _warm(gateway, installation)
        before = load.settled_memory(roots)
        binds = [installation.accesses[number % len(installation.accesses)] for number in range(IDLE)]
        with program("bench.smpp_load") as client:
            _bound(client, {"host": "127.0.0.1", "port": gateway.smpp_port, "binds": binds})
            time.sleep(SETTLED_AFTER)
            after = load.settled_memory(roots)
            client.say()
            outcome = json.loads(client.hear())
    if outcome["bound"] != IDLE or outcome["lost"]:
        raise GatewayFailed(f"of {IDLE} binds {outcome['bound']} were made and {outcome['lost']} lost")
    return after - before


def _warm(gateway: Gateway, installation: Installation) -> None:
    """One bind and some messages first: what the first ones load is not the binds' own."""
    plan = {"host": "127.0.0.1", "port": gateway.smpp_port, "binds": installation.accesses[:1], "window": 10}
    with program("bench.smpp_load") as client:
        _bound(client, {**plan, "seconds": 1, "text": wrk.TEXT})
        client.say()
        client.hear()
    load.wait_final(installation.store)


def _of_jasmin(workspace: Workspace, peer: jasmin.Installed, seconds: int) -> dict[str, Submits]:
    """The same loads for Jasmin, each on a start of its own."""
    found = {}
    for shape in SHAPES:
        with program("bench.smsc") as smsc, jasmin.running(peer, workspace.folder, int(smsc.hear())) as server:
            found[shape.label] = submits(
                server.smpp_port, server.accesses, shape, seconds, server.pids, beside=[smsc.pid]
            )
    return found


def _through_jasmin(workspace: Workspace, peer: jasmin.Installed, seconds: int) -> Through:
    with program("bench.smsc") as smsc, jasmin.running(peer, workspace.folder, int(smsc.hear())) as server:
        return Through(*server.through(seconds, workspace.folder))
