"""Customers who are bound by SMPP and submit at a steady rate, and bind again whenever they lose a session.

Run as a process of its own, `python -m tests.chaos.smpp_load`: a plan as JSON on the first line of standard input,
{"ports", "rate", "carriers", "logins": [[user, secret], …] in the order of `smpp_plan.CUSTOMERS`, "file"}. A second
line has it submit no more: it prints its outcome as JSON once nothing is without an answer, and goes on taking
receipts until its input ends. Each line of the file is what a customer knows, as JSON:
["acknowledged", n, id], ["refused", n, status], ["unknown", n] when the session was lost or the gateway was away,
["receipt", customer, id, message_state] before the receipt is acknowledged.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

import uvloop

from gateway.smpp import pdu
from gateway.smpp.codec import decode, encode
from gateway.smpp.constants import CommandStatus as Status
from gateway.smpp.constants import Tag
from gateway.smpp.framing import Framer
from tests.chaos.smpp_plan import CUSTOMERS, submit

TICK = 0.005
WINDOW = 20
PATIENCE = 6.0  # seconds until a session that does not answer is given up
AGAIN = 0.1
DRAIN = 60.0
# One receipt in so many is refused for now, and has to come again.
REFUSED = 400

_BINDS: dict[str, type[pdu.Bind]] = {
    "transmitter": pdu.BindTransmitter,
    "receiver": pdu.BindReceiver,
    "transceiver": pdu.BindTransceiver,
}


@dataclass
class Outcome:
    """What came of it; `odd` must be empty."""

    acknowledged: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    unknown: int = 0
    receipts: int = 0
    repeated: int = 0
    binds: int = 0
    odd: list[str] = field(default_factory=list)


class Customers:
    """Offers submits, and keeps account of them and of receipts."""

    def __init__(self, plan: dict[str, Any], file: TextIO) -> None:
        self.outcome = Outcome()
        self._plan = plan
        self._file = file
        self._next = 0
        self._refused: Counter[str] = Counter()
        self._told: set[str] = set()
        self._sessions: list[list[Session]] = [[] for _ in CUSTOMERS]

    @property
    def pending(self) -> int:
        return sum(len(session.pending) for sessions in self._sessions for session in sessions)

    async def run(self, quiet: asyncio.Event, stop: asyncio.Event) -> None:
        keeping = [
            asyncio.create_task(self._keep(number, mode))
            for number, customer in enumerate(CUSTOMERS)
            for mode in customer.sessions
        ]
        allowance, before = 0.0, time.monotonic()
        while not quiet.is_set():
            await asyncio.sleep(TICK)
            now = time.monotonic()
            # What could not be sent while the gateway was away is not made up for.
            allowance = min(allowance + (now - before) * self._plan["rate"], 10)
            before = now
            while allowance >= 1:
                allowance -= 1
                self._offer()
            self._look_after(now)
        deadline = time.monotonic() + DRAIN
        while self.pending and time.monotonic() < deadline:
            self._look_after(time.monotonic())
            await asyncio.sleep(TICK)
        if self.pending:
            self.outcome.odd.append(f"{self.pending} submits without an answer")
        self.outcome.refused = dict(self._refused)
        sys.stdout.write(json.dumps(asdict(self.outcome)) + "\n")
        sys.stdout.flush()
        while not stop.is_set():
            self._look_after(time.monotonic())
            await asyncio.sleep(TICK)
        for task in keeping:
            task.cancel()

    def _offer(self) -> None:
        """Submit the next one, if one of the customer's sessions has room for it."""
        asked = submit(self._next + 1, self._plan["carriers"])
        free = [session for session in self._sessions[asked.customer] if session.sends and session.room]
        if free:
            self._next += 1
            random.choice(free).submit(self._next, asked.pdu())

    def _look_after(self, now: float) -> None:
        self._file.flush()
        for sessions in self._sessions:
            for session in list(sessions):
                session.look_after(now)

    async def _keep(self, number: int, mode: str) -> None:
        """Have one session, and another when it is lost."""
        loop = asyncio.get_running_loop()
        user, secret = self._plan["logins"][number]
        while True:
            session = Session(self, number, _BINDS[mode](system_id=user, password=secret, interface_version=0x34))
            try:
                await loop.create_connection(
                    lambda made=session: made, "127.0.0.1", random.choice(self._plan["ports"])
                )
            except OSError:
                await asyncio.sleep(AGAIN)
                continue
            self._sessions[number].append(session)
            await session.ended.wait()
            self._sessions[number].remove(session)
            await asyncio.sleep(AGAIN * random.random())

    # What sessions call

    def acknowledged(self, n: int, message_id: str) -> None:
        self.outcome.acknowledged += 1
        self._note("acknowledged", n, message_id)

    def refused(self, n: int, status: int) -> None:
        self._refused[Status(status).name] += 1
        if status == Status.ESME_RSYSERR:
            # The gateway itself may not know whether it is stored: the answer of its database was lost.
            self.unknown(n)
        else:
            self._note("refused", n, status)

    def unknown(self, n: int) -> None:
        self.outcome.unknown += 1
        self._note("unknown", n)

    def receipt(self, number: int, message_id: str, state: int) -> None:
        if message_id in self._told:
            self.outcome.repeated += 1
        self._told.add(message_id)
        self.outcome.receipts += 1
        self._note("receipt", number, message_id, state)
        # It must be known before the gateway may forget it.
        self._file.flush()

    def _note(self, *what: Any) -> None:
        self._file.write(json.dumps(what) + "\n")


class Session(asyncio.Protocol):
    """A session of a customer; `pending` are its submits by sequence_number."""

    def __init__(self, customers: Customers, number: int, bind: pdu.Bind) -> None:
        self.ended = asyncio.Event()
        self.pending: dict[int, tuple[int, float]] = {}
        self._customers = customers
        self._number = number
        self._bind = bind
        self._bound = False
        self._framer = Framer()
        self._sequence = 0
        self._since = time.monotonic()
        self._asked = False
        self._answered: set[str] = set()
        self._early: set[str] = set()
        self._transport: Any = None

    @property
    def sends(self) -> bool:
        return self._bound and not isinstance(self._bind, pdu.BindReceiver)

    @property
    def room(self) -> bool:
        return len(self.pending) < WINDOW

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send(self._bind)

    def submit(self, n: int, request: pdu.SubmitSm) -> None:
        self._send(request)
        self.pending[request.sequence_number] = n, time.monotonic()

    def look_after(self, now: float) -> None:
        """Give it up where it does not answer; without anything to answer, ask whether it lives."""
        oldest = next(iter(self.pending.values()), (0, now))[1]
        if now - oldest > PATIENCE or now - self._since > PATIENCE:
            self._transport.abort()
        elif self._bound and now - self._since > PATIENCE / 3 and not self._asked:
            self._asked = True
            self._send(pdu.EnquireLink())

    def data_received(self, data: bytes) -> None:
        self._since, self._asked = time.monotonic(), False
        for frame in self._framer.feed(data):
            self._take(decode(frame))

    def connection_lost(self, exc: Exception | None) -> None:
        self._bound = False
        for n, _ in self.pending.values():
            self._customers.unknown(n)
        self.pending.clear()
        self.ended.set()

    def _take(self, one: pdu.Pdu) -> None:
        match one:
            case pdu.SubmitSmResp():
                self._answer(one)
            case pdu.DeliverSm():
                self._deliver(one)
            case pdu.EnquireLink() | pdu.Unbind():
                self._respond(one)
            case pdu.EnquireLinkResp():
                pass
            case pdu.BindTransmitterResp() | pdu.BindReceiverResp() | pdu.BindTransceiverResp():
                self._bound = one.command_status == Status.ESME_ROK
                self._customers.outcome.binds += self._bound
                if not self._bound:
                    self._odd_unless(one.command_status == Status.ESME_RSYSERR, f"bind refused: {one}")
                    self._transport.abort()
            case _:
                self._customers.outcome.odd.append(repr(one)[:300])

    def _answer(self, one: pdu.SubmitSmResp) -> None:
        n, _ = self.pending.pop(one.sequence_number, (0, 0.0))
        self._odd_unless(n > 0, f"an answer to nothing: {one}")
        if one.command_status != Status.ESME_ROK:
            self._customers.refused(n, one.command_status)
            return
        self._odd_unless(one.message_id not in self._early, f"the receipt of {one.message_id} came before its answer")
        self._customers.acknowledged(n, one.message_id)
        self._answered.add(one.message_id)

    def _deliver(self, one: pdu.DeliverSm) -> None:
        message_id = one.tlvs[Tag.RECEIPTED_MESSAGE_ID].rstrip(b"\0").decode()
        # Only within a session: of several connections none can say which was first.
        if message_id not in self._answered:
            self._early.add(message_id)
        if not random.randrange(REFUSED):
            self._respond(one, Status.ESME_RX_T_APPN)
            return
        self._customers.receipt(self._number, message_id, one.tlvs[Tag.MESSAGE_STATE][0])
        self._respond(one)

    def _respond(self, request: pdu.Pdu, status: int = 0) -> None:
        self._transport.write(encode(pdu.response_of(request, status)))

    def _send(self, request: pdu.Pdu) -> None:
        self._sequence += 1
        request.sequence_number = self._sequence
        self._transport.write(encode(request))

    def _odd_unless(self, fine: bool, what: str) -> None:
        if not fine:
            self._customers.outcome.odd.append(what[:300])


async def main(plan: dict[str, Any]) -> None:
    """Run the plan."""
    quiet, stop = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def said() -> None:
        if sys.stdin.readline():
            quiet.set()
        else:
            loop.remove_reader(sys.stdin.fileno())
            quiet.set()
            stop.set()

    loop.add_reader(sys.stdin.fileno(), said)
    with Path(plan["file"]).open("w") as file:
        await Customers(plan, file).run(quiet, stop)


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.stdin.readline())))
