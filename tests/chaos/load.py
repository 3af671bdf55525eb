"""Customers who send at a steady rate, and repeat with the same idempotency key whatever was not answered.

Run as a process of its own, `python -m tests.chaos.load`: a plan as JSON on the first line of standard input,
{"port", "rate", "accesses": [[user, secret, group], …], "acknowledged": FILE}. It sends until its input ends; then
it waits until every call has its answer and prints the outcome as JSON. Each acknowledged call is a line in FILE,
as JSON: the call's number, the credits, the batch or null, [[message's id, number], …].
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlencode

import uvloop

from tests.chaos.plan import call

CONNECTIONS = 128  # as a busy site has: the more calls wait, the more go into a commit
TICK = 0.005
SLOT = 0.1  # seconds over which it is decided whether the gateway was up
PATIENCE = 15.0  # seconds until a connection that says nothing is given up
DRAIN = 60.0
AGAIN = 0.05
LIFE = (50, 150)  # calls that a connection is used for: the next one may reach another worker


@dataclass
class Outcome:
    """What came of it. `seconds` are those in which anything was acknowledged, `rate` the messages in each."""

    acknowledged: int = 0
    repeated: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    unanswered: int = 0
    odd: list[str] = field(default_factory=list)
    seconds: float = 0.0
    rate: float = 0.0


class Client:
    """Offers calls, and keeps account of them."""

    def __init__(self, plan: dict[str, Any], acknowledged: TextIO) -> None:
        self._plan = plan
        self._acknowledged = acknowledged
        self._next = 0
        self._again: deque[int] = deque()
        self._made: dict[int, int] = {}
        self._slots: Counter[int] = Counter()
        self._refused: Counter[str] = Counter()
        self._free: deque[Connection] = deque()
        self._all: set[Connection] = set()
        self._outcome = Outcome()

    async def run(self, stop: asyncio.Event) -> Outcome:
        """Send until `stop`, then wait for what is open."""
        opening = [asyncio.create_task(self._connect()) for _ in range(CONNECTIONS)]
        allowance, before = 0.0, time.monotonic()
        while not stop.is_set():
            await asyncio.sleep(TICK)
            now = time.monotonic()
            # What could not be sent while the gateway was away is not made up for.
            allowance = min(allowance + (now - before) * self._plan["rate"], self._plan["rate"] * SLOT)
            before = now
            while allowance >= 1 and self._free:
                allowance -= 1
                self._send(self._again.popleft() if self._again else self._fresh())
            self._look_after(now)
        await self._drain()
        for task in opening:
            task.cancel()
        return self._summary()

    async def _drain(self) -> None:
        deadline = time.monotonic() + DRAIN
        while self._made and time.monotonic() < deadline:
            while self._again and self._free:
                self._send(self._again.popleft())
            self._look_after(time.monotonic())
            await asyncio.sleep(TICK)

    def _fresh(self) -> int:
        self._next += 1
        return self._next

    def _send(self, n: int) -> None:
        self._made[n] = self._made.get(n, 0) + 1
        self._free.popleft().send(n, self._request(n))

    def _request(self, n: int) -> bytes:
        asked = call(n)
        user, secret, group = self._plan["accesses"][asked.customer]
        parameters = {
            "class": "sms", "user": user, "password": secret, "from": "Chaos", "sms": asked.text,
            "idempotencykey": f"call-{n}",
        }  # fmt: skip
        if asked.destination:
            parameters |= {"method": "sendsms", "to": asked.destination}
        else:
            parameters |= {"method": "sendsmstogroup", "idgroup": group, "countrycode": "34"}
        query = urlencode(parameters)
        return f"GET /api/http/?{query} HTTP/1.1\r\nHost: gateway\r\n\r\n".encode()

    def _look_after(self, now: float) -> None:
        self._acknowledged.flush()
        for connection in self._all:
            connection.give_up_before(now - PATIENCE)

    async def _connect(self) -> None:
        """Have one connection, and another when it is lost."""
        loop = asyncio.get_running_loop()
        while True:
            connection = Connection(self)
            try:
                await loop.create_connection(lambda made=connection: made, "127.0.0.1", self._plan["port"])
            except OSError:
                await asyncio.sleep(AGAIN)
                continue
            self._all.add(connection)
            await connection.ended.wait()
            self._all.discard(connection)

    def free(self, connection: "Connection") -> None:
        """Have a connection that can take a call."""
        self._free.append(connection)

    def answered(self, n: int, body: bytes) -> None:
        """Take an answer."""
        reply = json.loads(body, parse_float=str, parse_int=str)
        error = reply.get("error")
        if reply["status"] == "SUCCESS":
            del self._made[n]
            result = reply["result"]
            if "messageid" in result:
                messages = [[result["messageid"], call(n).destination]]
            else:
                messages = [[item["messageid"], item["destination"]] for item in result["destinations"]]
            line = [n, result["credits"], result.get("id"), messages]
            self._acknowledged.write(json.dumps(line) + "\n")
            self._slots[int(time.monotonic() / SLOT)] += len(messages)
        elif error == "UNAVAILABLE":
            self._refused[error] += 1
            asyncio.get_running_loop().call_later(AGAIN, self._again.append, n)
        else:
            self._refused[error] += 1
            del self._made[n]
            if error != "NO_CREDITS":
                self._outcome.odd.append(body.decode(errors="replace")[:300])

    def lost(self, connection: "Connection", n: int | None) -> None:
        """Take note that a connection ended, and which call it had open."""
        if connection in self._free:
            self._free.remove(connection)
        if n is not None:
            self._outcome.repeated += 1
            self._again.append(n)

    def _summary(self) -> Outcome:
        outcome = self._outcome
        outcome.acknowledged = self._slots.total()
        outcome.refused = dict(self._refused)
        outcome.unanswered = len(self._made)
        outcome.seconds = len(self._slots) * SLOT
        outcome.rate = outcome.acknowledged / outcome.seconds if outcome.seconds else 0.0
        return outcome


class Connection(asyncio.Protocol):
    """A keep-alive connection, one call at a time."""

    def __init__(self, client: Client) -> None:
        self.ended = asyncio.Event()
        self._client = client
        self._call: int | None = None
        self._left = random.randint(*LIFE)
        self._since = 0.0
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._client.free(self)

    def send(self, n: int, request: bytes) -> None:
        self._call, self._since = n, time.monotonic()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        whole = _body(head.lower(), body)
        if whole is None or self._call is None:
            return
        n, self._call, self._buffer = self._call, None, b""
        self._left -= 1
        if not self._left or b"\r\nconnection: close" in head.lower():
            self._transport.close()
        else:
            self._client.free(self)
        self._client.answered(n, whole)

    def give_up_before(self, moment: float) -> None:
        if self._call is not None and self._since < moment:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._client.lost(self, self._call)
        self.ended.set()


def _body(head: bytes, received: bytes) -> bytes | None:
    """The body, once it is there (RFC 9112, sections 6.2 and 7.1)."""
    if b"\r\ntransfer-encoding: chunked" not in head:
        length = int(head.partition(b"\r\ncontent-length:")[2].split()[0])
        return received if len(received) >= length else None
    body = b""
    while True:
        size, end, received = received.partition(b"\r\n")
        if not end:
            return None
        length = int(size, 16)
        if len(received) < length + 2:
            return None
        if not length:
            return body
        body, received = body + received[:length], received[length + 2 :]


async def main(plan: dict[str, Any]) -> Outcome:
    """Run the plan until standard input ends."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ended() -> None:
        loop.remove_reader(sys.stdin.fileno())
        stop.set()

    loop.add_reader(sys.stdin.fileno(), ended)
    with Path(plan["acknowledged"]).open("w") as acknowledged:
        return await Client(plan, acknowledged).run(stop)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(uvloop.run(main(json.loads(sys.stdin.readline()))))))
