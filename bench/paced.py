"""A client that offers calls at a fixed rate, as customers do: it does not wait for the server to keep up.

Run as a process of its own: `python -m bench.paced`, a plan as JSON on standard input, the outcome as JSON on
standard output. Each call has its time; one that finds no free connection waits, and its latency counts from
its time, not from when it could leave (else a slow server would slow its own measurement: coordinated
omission).
"""

import asyncio
import json
import math
import resource
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import uvloop

CONNECTIONS = 32
DRAIN = 30.0  # seconds that answers may still take after the last call was due


@dataclass(slots=True)
class Outcome:
    """What came of the offer; times in milliseconds, CPU in seconds."""

    offered: int = 0
    succeeded: int = 0
    refused: int = 0
    unanswered: int = 0
    first_refusal: str = ""
    p50: float = 0.0
    p99: float = 0.0
    longest: float = 0.0
    late_p99: float = 0.0  # how far behind its plan the client itself was
    waited: int = 0  # calls that found no free connection
    cpu: float = 0.0
    seconds: float = 0.0


@dataclass(slots=True)
class Run:
    """The state of one run: what is due, who is free, what was measured."""

    requests: list[bytes]
    due: float = 0.0
    next: int = 0
    free: deque["Connection"] = field(default_factory=deque)
    waiting: deque[tuple[int, float]] = field(default_factory=deque)
    latencies: list[float] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)
    finished: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, due: float) -> None:
        """Make the next call, which is due at `due`, or let it wait for a connection."""
        self.lateness.append(time.perf_counter() - due)
        index, self.next = self.next, self.next + 1
        if self.free:
            self.free.popleft().send(self.requests[index], due)
        else:
            self.outcome.waited += 1
            self.waiting.append((index, due))

    def answered(self, connection: "Connection", due: float, body: bytes) -> None:
        """Record an answer and give the connection to whoever waits."""
        self.latencies.append(time.perf_counter() - due)
        if b'"SUCCESS"' in body:
            self.outcome.succeeded += 1
        else:
            self.outcome.refused += 1
            self.outcome.first_refusal = self.outcome.first_refusal or body[:300].decode(errors="replace")
        if len(self.latencies) == len(self.requests):
            self.finished.set()
        if self.waiting:
            index, waited_since = self.waiting.popleft()
            connection.send(self.requests[index], waited_since)
        else:
            self.free.append(connection)


class Connection(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection, one call at a time."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.buffer = b""
        self.due = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: Any) -> None:
        """Be ready for a call."""
        self.transport = transport
        self.run.free.append(self)

    def send(self, request: bytes, due: float) -> None:
        """Write one request, which was due at `due`."""
        self.due = due
        assert self.transport is not None
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Collect the answer; hand its body on when it is whole."""
        self.buffer += data
        body = complete_body(self.buffer)
        if body is not None:
            self.buffer = b""
            self.run.answered(self, self.due, body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting: what this connection carried stays unanswered, and the outcome says so."""
        if self in self.run.free:
            self.run.free.remove(self)


def complete_body(buffer: bytes) -> bytes | None:
    """Give the body of an HTTP/1.1 answer with Content-Length once all of it is there, else None."""
    head, separator, body = buffer.partition(b"\r\n\r\n")
    if not separator:
        return None
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return body if len(body) >= int(value) else None
    raise ValueError(f"an answer without Content-Length: {head[:200]!r}")


def percentile(ordered: Sequence[float], share: float) -> float:
    """Give the smallest value that at least `share` (0 to 1) of the sorted values do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


async def offer(host: str, port: int, requests: list[bytes], rate: float) -> Outcome:
    """Make the calls at `rate` a second over CONNECTIONS connections."""
    loop = asyncio.get_running_loop()
    run = Run(requests)
    transports = [(await loop.create_connection(lambda: Connection(run), host, port))[0] for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    for index in range(len(requests)):
        due = started + index / rate
        delay = due - time.perf_counter()
        if delay > 0:
            await asyncio.sleep(delay)
        elif index % 16 == 0:
            await asyncio.sleep(0)
        run.offer(due)
    try:
        await asyncio.wait_for(run.finished.wait(), DRAIN)
    except TimeoutError:
        run.outcome.unanswered = len(requests) - len(run.latencies)
    seconds = time.perf_counter() - started
    for transport in transports:
        transport.close()
    return _summary(run, seconds)


def _summary(run: Run, seconds: float) -> Outcome:
    ordered = sorted(run.latencies)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    outcome = run.outcome
    outcome.offered = len(run.requests)
    outcome.p50 = percentile(ordered, 0.5) * 1000
    outcome.p99 = percentile(ordered, 0.99) * 1000
    outcome.longest = percentile(ordered, 1.0) * 1000
    outcome.late_p99 = percentile(sorted(run.lateness), 0.99) * 1000
    outcome.cpu = usage.ru_utime + usage.ru_stime
    outcome.seconds = seconds
    return outcome


def requests_for(paths: list[str], host: str, count: int, first: int) -> list[bytes]:
    """Make `count` GET requests over `paths` in turn, to destinations that no one else uses (thread digit 9)."""
    made = []
    number = first
    for index in range(count):
        number += 1
        if 1 <= number % 10_000 <= 9:  # these mean something to the simulated carrier
            number += 10 - number % 10_000
        path = paths[index % len(paths)] % (9, number)
        made.append(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: bench\r\n\r\n".encode())
    return made


def main() -> None:
    """Read the plan {host, port, paths, rate, seconds, first}, carry it out, print the outcome."""
    plan = json.load(sys.stdin)
    count = int(plan["rate"] * plan["seconds"])
    requests = requests_for(plan["paths"], plan["host"], count, plan["first"])
    outcome = uvloop.run(offer(plan["host"], plan["port"], requests, plan["rate"]))
    json.dump(asdict(outcome), sys.stdout)


if __name__ == "__main__":
    main()
