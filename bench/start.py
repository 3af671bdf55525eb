"""How soon an existing installation delivers its first message after `trunkline run`."""

import statistics
import time

from bench.databases import KINDS
from bench.gateway_run import Caller, Gateway, running
from bench.table import Figure, Section, Target
from bench.workspace import Installation, Workspace

DELIVERED_AT_ONCE = "34600010001"  # by the simulated carrier's rule of the last four digits
WITHIN = 30.0
TARGET = Target(most=3.0)
Times = tuple[float, float, float]


def measure(workspace: Workspace, kinds: list[str]) -> Section:
    """Start each installation five times (once with --quick) and give the medians."""
    rounds = 1 if workspace.quick else 5
    medians = {}
    for kind in kinds:
        with workspace.trial(kind) as installation:
            with running(installation.data, installation.store.url) as gateway:
                _send(gateway, installation)
            times = [_start(installation) for _ in range(rounds)]
            medians[kind] = [statistics.median(parts) for parts in zip(*times, strict=True)]
    section = Section("start", "Start of an existing installation", [KINDS[kind] for kind in kinds])
    for at, label in enumerate(("ready (/readyz)", "first message accepted", "first message delivered")):
        targets = dict.fromkeys(range(len(kinds)), TARGET) if at == 2 else {}
        section.figures.append(Figure(label, "s", tuple(medians[kind][at] for kind in kinds), targets))
    section.notes.append(
        f"From the start of the process; median of {rounds}; polled every 10 ms by getdeliverystatus."
    )
    return section


def _send(gateway: Gateway, installation: Installation) -> str:
    caller = Caller(gateway, installation.accesses[0])
    return str(caller.call("sms.sendsms", **{"from": "Bench", "to": DELIVERED_AT_ONCE, "sms": "hello"})["messageid"])


def _start(installation: Installation) -> Times:
    gateway = Gateway(installation.data, installation.store.url)
    try:
        gateway.wait_ready()
        ready = time.perf_counter() - gateway.started
        messageid = _send(gateway, installation)
        accepted = time.perf_counter() - gateway.started
        caller = Caller(gateway, installation.accesses[0])
        deadline = time.monotonic() + WITHIN
        while caller.call("sms.getdeliverystatus", messages=messageid)[0]["deliverystatus"] != "DELIVERED":
            if time.monotonic() > deadline:
                raise gateway.failure(f"did not deliver its first message within {WITHIN:.0f} s")
            time.sleep(0.01)
        return ready, accepted, time.perf_counter() - gateway.started
    finally:
        gateway.stop()
