"""A send to a group of 100,000 contacts: how long the call takes, and how much memory it needs."""

import json
import threading
import time
from dataclasses import dataclass

from bench import proc
from bench.databases import KINDS
from bench.gateway_run import Caller, Gateway, GatewayFailed, running
from bench.load import settled_memory, wait_final
from bench.table import Figure, Section
from bench.workspace import Installation, Workspace

MIB = 2**20
SAMPLED_EVERY = 0.1


@dataclass(slots=True)
class Bulk:
    """What one send gave; times in seconds, sizes in bytes."""

    call: float
    answer: int
    at_rest: int
    peak: int
    carrier: float
    final: float
    during: float


class Sampler(threading.Thread):
    """Reads the resident memory of process trees again and again, and keeps the highest."""

    def __init__(self, roots: list[int]) -> None:
        super().__init__(daemon=True)
        self.roots = roots
        self.highest = 0
        self.ended = threading.Event()

    def run(self) -> None:
        """Sample until ended."""
        while not self.ended.wait(SAMPLED_EVERY):
            self.highest = max(self.highest, proc.pss_bytes(self.roots))


def measure(workspace: Workspace, kinds: list[str]) -> Section:
    """Send to a group of 100,000 (10,000 with --quick) on each database."""
    contacts = 10_000 if workspace.quick else 100_000
    runs = []
    for kind in kinds:
        with (
            workspace.trial(kind, contacts) as installation,
            running(installation.data, installation.store.url) as gateway,
        ):
            runs.append(_send(gateway, installation, contacts))
    section = Section("bulk", f"sendsmstogroup to {contacts:,} contacts", [KINDS[kind] for kind in kinds])

    def line(label: str, unit: str, values: list[float]) -> None:
        section.figures.append(Figure(label, unit, tuple(values)))

    line("the call", "s", [run.call for run in runs])
    line("its answer", "MiB", [run.answer / MIB for run in runs])
    line("longest other call meanwhile", "ms", [run.during * 1000 for run in runs])
    line("memory at rest", "MiB", [run.at_rest / MIB for run in runs])
    line("highest memory during the call", "MiB", [run.peak / MIB for run in runs])
    line("last message at the carrier after", "s", [run.carrier for run in runs])
    line("last message final after", "s", [run.final for run in runs])
    section.notes.append("The balance fell by exactly the credits of the answer. The other calls: getbalance.")
    return section


def _send(gateway: Gateway, installation: Installation, contacts: int) -> Bulk:
    roots = [*gateway.pids, *installation.store.pids]
    at_rest = settled_memory(roots)
    caller = Caller(gateway, installation.accesses[0])
    before = caller.call("user.getbalance")
    sampler, others = Sampler(roots), Others(gateway, installation.accesses[1])
    sampler.start()
    others.start()
    started = time.perf_counter()
    body = caller.raw(
        "sms.sendsmstogroup",
        **{"from": "Bench", "countrycode": "34", "idgroup": installation.group or "", "sms": "to all of you"},
    )
    elapsed = time.perf_counter() - started
    for thread in (sampler, others):
        thread.ended.set()
        thread.join()
    reply = json.loads(body)
    if reply["status"] != "SUCCESS" or len(reply["result"]["destinations"]) != contacts:
        raise GatewayFailed(f"the send was not accepted whole: {body[:300]!r}")
    if before - caller.call("user.getbalance") != reply["result"]["credits"]:
        raise GatewayFailed("the balance did not fall by the credits of the answer")
    wait_final(installation.store)
    ((accepted, sent, final),) = installation.store.rows(
        "SELECT min(accepted_at), max(sent_at), max(final_at) FROM message"
    )
    after = ((sent - accepted) / 1e6, (final - accepted) / 1e6)
    return Bulk(elapsed, len(body), at_rest, max(sampler.highest, at_rest), *after, others.longest)


class Others(threading.Thread):
    """Another customer, who asks for the balance again and again; keeps the longest time it took."""

    def __init__(self, gateway: Gateway, access: tuple[str, str]) -> None:
        super().__init__(daemon=True)
        self.caller = Caller(gateway, access)
        self.longest = 0.0
        self.ended = threading.Event()

    def run(self) -> None:
        """Ask until ended."""
        while not self.ended.wait(0.02):
            started = time.perf_counter()
            self.caller.call("user.getbalance")
            self.longest = max(self.longest, time.perf_counter() - started)
