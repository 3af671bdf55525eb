"""One run of full load against the gateway, measured from outside: what `accept` and `memory` are made of."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench import proc, wrk
from bench.databases import Store
from bench.gateway_run import Gateway, GatewayFailed
from bench.workspace import Installation

FINAL_WITHIN = 300.0
SETTLED_AFTER = 3.0
DELIVERED = 20
FIRST_FINAL = 20
UNFINISHED = f"SELECT 1 FROM message WHERE state < {FIRST_FINAL} LIMIT 1"


@dataclass(slots=True)
class Load:
    """What one run gave; memory in bytes, CPU in seconds, rates per second, latencies in ms."""

    report: wrk.Report
    stored: int
    delivered: int
    logged: int
    carrier_rate: float
    final_rate: float
    cpu: float
    cpu_parts: dict[str, float]
    memory_at_rest: int
    memory_after: int
    others: float = 0.0

    @property
    def accepted_rate(self) -> float:
        """Messages acknowledged and stored, per second: what wrk saw answered, never more than is stored."""
        return min(self.report.requests, self.stored) / self.report.seconds

    def doubts(self) -> list[str]:
        """Say what did not happen as it should."""
        found = []
        if self.stored < self.report.requests:
            found.append(f"{self.report.requests - self.stored} of {self.report.requests} calls were refused")
        if self.delivered < self.stored:
            found.append(f"{self.stored - self.delivered} of {self.stored} messages were not delivered")
        if self.logged < self.stored:
            found.append(f"the log lacks {self.stored - self.logged} of {self.stored} calls")
        if self.others > 0.1:
            found.append(f"other processes used {self.others:.1f} cores of the machine meanwhile")
        if self.report.errors:
            found.append(f"wrk: {self.report.errors}")
        return found


def drive(
    gateway: Gateway,
    installation: Installation,
    seconds: int,
    requests: Sequence[wrk.Request] | None = None,
    beside: Sequence[int] = (),
) -> Load:
    """Drive a fresh installation with wrk for `seconds`, wait for the last message's final state, and count.

    `requests` are plain HTTP's, one per access, unless others are given; `beside` are the benchmark's own processes
    that take part, which are no strangers to the machine.
    """
    if requests is None:
        requests = wrk.gets(wrk.sendsms_paths(installation.accesses))
    store = installation.store
    roots = [*gateway.pids, *store.pids]
    at_rest = settled_memory(roots)
    parts = proc.cpu_by_command(roots)
    before = proc.cpu_seconds(roots)
    others = proc.Others([*roots, *beside])
    report = wrk.run(gateway.url, requests, seconds, installation.data.parent)
    cores = others.cores()
    wait_final(store)
    cpu = proc.cpu_seconds(roots) - before
    parts = {name: used - parts.get(name, 0.0) for name, used in proc.cpu_by_command(roots).items()}
    after = settled_memory(roots)
    load = _count(store, report, cpu, parts, at_rest, after)
    load.others = cores
    return load


def _count(store: Store, report: wrk.Report, cpu: float, parts: dict[str, float], rest: int, after: int) -> Load:
    ((stored, first, sent, final, delivered),) = store.rows(
        "SELECT count(*), min(accepted_at), max(sent_at), max(final_at),"
        f" sum(CASE WHEN state = {DELIVERED} THEN 1 ELSE 0 END) FROM message"
    )
    if not stored:
        raise GatewayFailed(f"the gateway accepted nothing; outcomes of the calls: {outcomes(store)}")
    return Load(
        report=report,
        stored=stored,
        delivered=delivered,
        logged=store.value("SELECT count(*) FROM call_log WHERE outcome = 'SUCCESS'"),
        carrier_rate=stored * 1e6 / max(1, sent - first),
        final_rate=stored * 1e6 / max(1, final - first),
        cpu=cpu,
        cpu_parts=parts,
        memory_at_rest=rest,
        memory_after=after,
    )


def outcomes(store: Store) -> dict[str, int]:
    """Give how often each outcome stands in the log of calls."""
    return dict(store.rows("SELECT outcome, sum(count) FROM call_log GROUP BY outcome"))


def wait_final(store: Store) -> None:
    """Wait until every message is in its final state."""
    deadline = time.monotonic() + FINAL_WITHIN
    while store.value(UNFINISHED) is not None:
        if time.monotonic() > deadline:
            states = store.rows("SELECT state, count(*) FROM message GROUP BY state ORDER BY state")
            raise GatewayFailed(f"messages had no final state within {FINAL_WITHIN:.0f} s; by state: {states}")
        time.sleep(0.25)


def settled_memory(roots: list[int]) -> int:
    """Give the resident memory after a short rest, in bytes."""
    time.sleep(SETTLED_AFTER)
    return proc.pss_bytes(roots)
