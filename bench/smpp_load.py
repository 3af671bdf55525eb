"""A customer's SMPP client: binds, then keeps a window of submit_sm full on each connection, or stays idle.

Run as a process of its own: `python -m bench.smpp_load`. The first line of its standard input is the plan as JSON; it
answers `bound` when all connections are; on the next line it begins (or ends, when idle) and prints the outcome as
JSON. Every submit_sm has a destination of its own. A latency is from writing a submit_sm to reading its response.
"""

import asyncio
import json
import resource
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import uvloop

from bench import smpp_wire as wire
from bench.paced import percentile

CONNECT_WITHIN = 30.0
DRAIN = 30.0
BINDING = 50  # binds under way at a time


@dataclass(slots=True)
class Outcome:
    """What came of it; times in seconds, latencies in milliseconds."""

    bound: int = 0
    lost: int = 0
    submitted: int = 0
    accepted: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    unanswered: int = 0
    seconds: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    cpu: float = 0.0


class Run:
    """The plan, and what all connections count together."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.window: int = plan.get("window", 0)
        self.before, self.after = wire.submit_parts(plan.get("text", "x"), plan.get("due", ""))
        self.number: int = plan.get("first", 0)
        self.going = False
        self.waiting = 0
        self.outcome = Outcome()
        self.refusals: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.last = 0.0
        self.drained = asyncio.Event()

    def submits(self, connection: "Connection", count: int) -> bytes:
        """Give `count` PDUs, each to the next destination."""
        now = time.perf_counter()
        made = []
        for _ in range(count):
            self.number += 1
            if 1 <= self.number % 10_000 <= 9:  # these mean something to the simulated carrier
                self.number += 10 - self.number % 10_000
            connection.sequence += 1
            connection.sent[connection.sequence] = now
            body = b"%s346%08d%s" % (self.before, self.number, self.after)
            made.append(wire.frame(wire.SUBMIT_SM, connection.sequence, body))
        self.outcome.submitted += count
        self.waiting += count
        return b"".join(made)

    def answered(self, status: int, waited: float) -> None:
        """Count a response."""
        self.waiting -= 1
        if status:
            self.refusals[f"0x{status:08X}"] += 1
        else:
            self.outcome.accepted += 1
            self.latencies.append(waited)
        if not self.going and not self.waiting:
            self.drained.set()


class Connection(asyncio.Protocol):
    """One session."""

    def __init__(self, run: Run, login: str, password: str) -> None:
        self.run = run
        self.credentials = (login, password)
        self.frames = wire.Frames()
        self.sequence = 1
        self.sent: dict[int, float] = {}
        self.bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Bind."""
        self.transport = transport
        transport.write(wire.frame(wire.BIND_TRANSCEIVER, 1, wire.bind_transceiver(*self.credentials)))

    def begin(self) -> None:
        """Fill the window."""
        self.transport.write(self.run.submits(self, self.run.window))

    def data_received(self, data: bytes) -> None:
        """Count responses and put as many submit_sm in their places; answer what the server asks."""
        now = time.perf_counter()
        answers, done = [], 0
        for command, status, sequence, _ in self.frames.feed(data):
            if command == wire.SUBMIT_SM | wire.RESPONSE:
                self.run.answered(status, now - self.sent.pop(sequence))
                done += 1
            elif command == wire.BIND_TRANSCEIVER | wire.RESPONSE:
                self.bound.set_result(status)
            elif command == wire.DELIVER_SM:
                answers.append(wire.frame(command | wire.RESPONSE, sequence, b"\0"))
            elif not command & wire.RESPONSE:
                answers.append(wire.frame(command | wire.RESPONSE, sequence))
        if done:
            self.run.last = now
            if self.run.going:
                answers.append(self.run.submits(self, done))
        if answers:
            self.transport.write(b"".join(answers))

    def connection_lost(self, exc: Exception | None) -> None:
        """A session that ended while it was needed."""
        if not self.bound.done():
            self.bound.set_exception(exc or ConnectionError("closed before it was bound"))
        elif self.run.outcome.bound:
            self.run.outcome.lost += 1


async def main() -> None:
    """Carry the plan out."""
    loop = asyncio.get_running_loop()
    plan = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    run = Run(plan)
    connections = await _bind(run)
    run.outcome.bound = len(connections)
    print("bound", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    if run.window:
        await _submit(run, connections)
    result = run.outcome
    result.refused = dict(run.refusals)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    result.cpu = usage.ru_utime + usage.ru_stime
    print(json.dumps(asdict(result)), flush=True)
    for connection in connections:
        connection.transport.abort()


async def _bind(run: Run) -> list[Connection]:
    at_once = asyncio.Semaphore(BINDING)

    async def one(login: str, password: str) -> Connection:
        async with at_once:
            connection = await _connected(run, login, password)
            status = await asyncio.wait_for(connection.bound, CONNECT_WITHIN)
        if status:
            raise ConnectionError(f"the bind of {login} was refused with 0x{status:08X}")
        return connection

    return await asyncio.gather(*(one(login, password) for login, password in run.plan["binds"]))


async def _connected(run: Run, login: str, password: str) -> Connection:
    loop = asyncio.get_running_loop()
    deadline = time.monotonic() + CONNECT_WITHIN
    while True:
        try:
            _, connection = await loop.create_connection(
                lambda: Connection(run, login, password), run.plan["host"], run.plan["port"]
            )
        except OSError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
        else:
            return connection


async def _submit(run: Run, connections: list[Connection]) -> None:
    started = time.perf_counter()
    run.going = True
    for connection in connections:
        connection.begin()
    await asyncio.sleep(run.plan["seconds"])
    run.going = False
    if run.waiting:
        try:
            await asyncio.wait_for(run.drained.wait(), DRAIN)
        except TimeoutError:
            run.outcome.unanswered = run.waiting
    ordered = sorted(run.latencies)
    run.outcome.seconds = run.last - started
    run.outcome.p50 = percentile(ordered, 0.5) * 1000
    run.outcome.p99 = percentile(ordered, 0.99) * 1000


if __name__ == "__main__":
    uvloop.run(main())
