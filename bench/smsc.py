"""A carrier's SMSC: takes every bind and every submit_sm, and sends a receipt of each message a moment later.

Run as a process of its own: `python -m bench.smsc`. It prints the port that it listens at, serves until its standard
input ends, and then prints what it counted as JSON.
"""

import asyncio
import json
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

import uvloop

from bench import smpp_wire as wire

WINDOW = 200  # receipts on a link that are not answered yet
LATER = 0.02


@dataclass(slots=True)
class Counts:
    """What came and went; times by the clock of the process, in seconds."""

    binds: int = 0
    submitted: int = 0
    receipts: int = 0
    acknowledged: int = 0
    refused: int = 0
    seconds: float = 0.0


class Link(asyncio.Protocol):
    """One of the gateway's links."""

    def __init__(self, counts: Counts, times: list[float]) -> None:
        self.counts = counts
        self.times = times
        self.frames = wire.Frames()
        self.waiting: deque[bytes] = deque()
        self.unanswered = 0
        self.sequence = 0
        self.due = False
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Keep it."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer all that came in one go; receipts wait a moment."""
        answers = []
        for command, status, sequence, body in self.frames.feed(data):
            if command == wire.SUBMIT_SM:
                answers.append(self._submitted(sequence, body))
            elif command == wire.DELIVER_SM | wire.RESPONSE:
                self.unanswered -= 1
                self.counts.acknowledged += not status
                self.counts.refused += bool(status)
            elif command in wire.BINDS:
                self.counts.binds += 1
                answers.append(wire.frame(command | wire.RESPONSE, sequence, b"bench\0"))
            elif not command & wire.RESPONSE:
                answers.append(wire.frame(command | wire.RESPONSE, sequence))
        if answers:
            self.transport.write(b"".join(answers))
        if self.waiting and not self.due:
            self.due = True
            asyncio.get_running_loop().call_later(LATER, self._deliver)

    def _submitted(self, sequence: int, body: bytes) -> bytes:
        counts = self.counts
        now = time.perf_counter()
        self.times[:] = [self.times[0] if self.times else now, now]
        counts.submitted += 1
        message_id = b"%d" % counts.submitted
        source, destination = wire.addresses(body)
        self.waiting.append(wire.receipt(source, destination, message_id))
        return wire.frame(wire.SUBMIT_SM | wire.RESPONSE, sequence, message_id + b"\0")

    def _deliver(self) -> None:
        self.due = False
        leaving = []
        while self.waiting and self.unanswered < WINDOW:
            self.sequence += 1
            self.unanswered += 1
            self.counts.receipts += 1
            leaving.append(wire.frame(wire.DELIVER_SM, self.sequence, self.waiting.popleft()))
        if leaving and not self.transport.is_closing():
            self.transport.write(b"".join(leaving))


async def main() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    counts = Counts()
    times: list[float] = []
    server = await loop.create_server(lambda: Link(counts, times), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    counts.seconds = times[-1] - times[0] if times else 0.0
    print(json.dumps(asdict(counts)), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
