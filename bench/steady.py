"""Whether sending keeps up with accepting: a fixed rate offered for a while, and how long messages wait."""

import json
import subprocess
import sys
from dataclasses import dataclass

from bench import proc, wrk
from bench.databases import KINDS
from bench.gateway_run import Gateway, GatewayFailed, running
from bench.load import wait_final
from bench.paced import DRAIN, Outcome, percentile
from bench.table import Figure, Section, Target
from bench.workspace import Installation, Workspace

RATE = 1000
LONGEST_WAIT = Target(most=2.0)
ACCEPTED = Target(least=0.99 * RATE)  # else waits say nothing: what was not accepted cannot wait


@dataclass(slots=True)
class Steady:
    """What one run gave; waits in seconds, in ascending order."""

    outcome: Outcome
    waits: list[float]
    cpu: float
    others: float


def measure(workspace: Workspace, kinds: list[str]) -> Section:
    """Offer RATE messages a second for a minute (5 s with --quick) on each database."""
    seconds = 5 if workspace.quick else 60
    runs = {}
    for kind in kinds:
        with workspace.trial(kind) as installation, running(installation.data, installation.store.url) as gateway:
            runs[kind] = _run(gateway, installation, seconds)
    title = f"Steady: {RATE:,} messages/s offered for {seconds} s"
    section = Section("steady", title, [KINDS[kind] for kind in kinds])

    def line(label: str, unit: str, values: list[float], target: Target | None = None) -> None:
        targets = dict.fromkeys(range(len(kinds)), target) if target else {}
        section.figures.append(Figure(label, unit, tuple(values), targets))

    every = [runs[kind] for kind in kinds]
    line("accepted", "messages/s", [run.outcome.succeeded / run.outcome.seconds for run in every], ACCEPTED)
    line("longest wait for the carrier", "s", [run.waits[-1] for run in every], LONGEST_WAIT)
    line("wait for the carrier, 99th percentile", "s", [percentile(run.waits, 0.99) for run in every])
    line("wait for the carrier, median", "s", [percentile(run.waits, 0.5) for run in every])
    line("latency of accepting, median", "ms", [run.outcome.p50 for run in every])
    line("latency of accepting, 99th percentile", "ms", [run.outcome.p99 for run in every])
    line("latency of accepting, longest", "ms", [run.outcome.longest for run in every])
    line("CPU until the last final state", "ms/message", [run.cpu * 1000 / len(run.waits) for run in every])
    section.notes.append("Wait: from the message's accepted_at to its sent_at, read from the database.")
    section.notes.append(
        "Latency counts from when a call was due, so a call that had to wait for a connection shows."
    )
    for kind, run in runs.items():
        section.notes += [f"{KINDS[kind]}: {note}" for note in _notes(run)]
    return section


def _notes(run: Steady) -> list[str]:
    outcome = run.outcome
    share = outcome.cpu / outcome.seconds
    notes = [
        f"the client itself used {share:.0%} of a core and was {outcome.late_p99:.1f} ms late at its 99th percentile."
    ]
    if outcome.refused or outcome.unanswered:
        why = f" ({outcome.first_refusal})" if outcome.refused else ""
        notes.append(f"{outcome.refused} refused{why}, {outcome.unanswered} not answered within {DRAIN:.0f} s.")
    if run.others > 0.1:
        notes.append(f"other processes used {run.others:.1f} cores of the machine meanwhile.")
    return notes


def _run(gateway: Gateway, installation: Installation, seconds: int) -> Steady:
    roots = [*gateway.pids, *installation.store.pids]
    plan = {
        "host": "127.0.0.1",
        "port": gateway.port,
        "paths": wrk.sendsms_paths(installation.accesses),
        "rate": RATE,
        "seconds": seconds,
        "first": 0,
    }
    before = proc.cpu_seconds(roots)
    others = proc.Others(roots)
    done = subprocess.run(
        [sys.executable, "-m", "bench.paced"],
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 120,
    )
    if done.returncode:
        raise GatewayFailed(f"the client failed: {done.stderr}")
    cores = others.cores()
    wait_final(installation.store)
    cpu = proc.cpu_seconds(roots) - before
    rows = installation.store.rows("SELECT sent_at - accepted_at FROM message WHERE sent_at IS NOT NULL")
    if not rows:
        raise GatewayFailed("no message reached the carrier")
    return Steady(Outcome(**json.loads(done.stdout)), sorted(wait / 1e6 for (wait,) in rows), cpu, cores)
