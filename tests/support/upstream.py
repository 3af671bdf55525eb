"""A carrier's SMSC that answers as a test says, and an owner that keeps what an SMPP carrier tells it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from gateway import clock
from gateway.carriers.base import Inbound, Outcome, Outgoing, Receipt, Submitted
from gateway.carriers.smpp.adapter import SmppCarrier
from gateway.carriers.smpp.options import SmppOptions
from gateway.links.link import Link
from gateway.smpp import receipts
from gateway.smpp.constants import MessageState, Tag
from gateway.smpp.events import Event, Request, Response
from gateway.smpp.pdu import Bind, DeliverSm, GenericNack, Pdu, SubmitSm, response_of
from gateway.smpp.receipts import DeliveryReceipt
from gateway.smpp.session import Session
from gateway.smpp.states import Role
from gateway.smpp.timers import Timers
from gateway.storage.errors import Unavailable
from tests.support.dispatch import until

Script = Callable[[SubmitSm], "Pdu | int | str | None"]


@dataclass
class Smsc:
    """An SMSC. `script` gives the answer to a submit_sm: an id, a status, a PDU, or None for none."""

    script: Script = lambda pdu: f"{pdu.sequence_number:x}"
    password: str = "secret"
    binds_status: int = 0
    links: list[Link] = field(default_factory=list)
    binds: list[Bind] = field(default_factory=list)
    got: list[tuple[Link, SubmitSm]] = field(default_factory=list)
    acknowledged: list[tuple[Any, int]] = field(default_factory=list)
    address: tuple[str, int] = ("", 0)

    @property
    def submits(self) -> list[SubmitSm]:
        return [pdu for _, pdu in self.got]

    def connected(self, link: Link) -> None:
        self.links.append(link)

    def events(self, link: Link, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Response):
                self.acknowledged.append((event.context, event.response.command_status))
            elif isinstance(event, Request):
                self._request(link, event.pdu)

    def disconnected(self, link: Link, error: Exception | None) -> None:
        self.links.remove(link)

    def _request(self, link: Link, pdu: Pdu) -> None:
        if isinstance(pdu, Bind):
            self.binds.append(pdu)
            status = self.binds_status or (0 if pdu.password == self.password else 0x0E)
            link.respond(response_of(pdu, status))
        elif isinstance(pdu, SubmitSm):
            self.got.append((link, pdu))
            self.answer(link, pdu, self.script(pdu))

    def answer(self, link: Link, pdu: SubmitSm, answer: "Pdu | int | str | None") -> None:
        """Answer a submit_sm."""
        if isinstance(answer, str):
            link.respond(response_of(pdu, message_id=answer))
        elif isinstance(answer, GenericNack):
            answer.sequence_number = pdu.sequence_number
            link.respond(answer)
        elif answer is not None:
            link.respond(response_of(pdu, answer) if isinstance(answer, int) else answer)

    def deliver(self, pdu: Pdu, context: Any = None, link: Link | None = None) -> None:
        """Deliver over a link that takes it."""
        if link is None:
            link = next(link for link in self.links if link.session.state.value in ("BOUND_RX", "BOUND_TRX"))
        link.request(pdu, context)

    def report(self, ref: str, context: Any = None, state: int = MessageState.DELIVERED, **values: Any) -> None:
        """Deliver a receipt with TLVs and text."""
        self.deliver(receipt(ref, state, **values), ref if context is None else context)


def receipt(
    ref: str, state: int = MessageState.DELIVERED, number: str = "34600111222", tlvs: bool = True, **values: Any
) -> DeliverSm:
    """A deliver_sm that is a receipt."""
    text = receipts.format(DeliveryReceipt(ref, MessageState(state), "001"))
    carried = {Tag.RECEIPTED_MESSAGE_ID: ref.encode() + b"\0", Tag.MESSAGE_STATE: bytes((state,))} if tlvs else {}
    given: dict[str, Any] = {"esm_class": 4, "short_message": text, "tlvs": carried, **values}
    return DeliverSm(source_addr=number, destination_addr="Shop", **given)


@asynccontextmanager
async def listening(
    smsc: Smsc, tls: ssl.SSLContext | None = None, timers: Timers | None = None, port: int = 0
) -> AsyncIterator[tuple[str, int]]:
    """Have the SMSC listen; its links are aborted at the end."""
    loop = asyncio.get_running_loop()

    def make() -> Link:
        return Link(Session(Role.SMSC, timers or Timers(inactivity=0), 5000, now=loop.time()), smsc)

    server = await loop.create_server(make, "127.0.0.1", port, ssl=tls, reuse_address=True)
    smsc.address = server.sockets[0].getsockname()[:2]
    try:
        yield smsc.address
    finally:
        server.close()
        for link in tuple(smsc.links):
            link.abort()
            await link.wait_closed()


@dataclass
class Desk:
    """An owner that keeps what it is told; while `away`, nothing can be stored; while `slow` is clear, it waits."""

    answers: list[tuple[Outgoing, Outcome]] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    messages: list[Inbound] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    changes: int = 0
    away: bool = False
    broken: bool = False
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.open.set()

    @property
    def outcomes(self) -> list[Outcome]:
        return [outcome for _, outcome in self.answers]

    @property
    def refs(self) -> list[str]:
        return [outcome.ref for outcome in self.outcomes if isinstance(outcome, Submitted)]

    def answered(self, answers: Sequence[tuple[Outgoing, Outcome]]) -> None:
        self.answers += answers
        self.order += ["answer"] * len(answers)

    async def received(self, listed: Sequence[Receipt]) -> None:
        await self._store()
        self.receipts += listed
        self.order += ["receipt"] * len(listed)

    async def inbound(self, messages: Sequence[Inbound]) -> None:
        await self._store()
        self.messages += messages

    async def _store(self) -> None:
        await self.open.wait()
        if self.broken:
            raise ZeroDivisionError
        if self.away:
            raise Unavailable("away")

    def changed(self) -> None:
        self.changes += 1


@asynccontextmanager
async def bound(smsc: Smsc, desk: Desk, ready: bool = True, **options: Any) -> AsyncIterator[SmppCarrier]:
    """A carrier at the SMSC's address, which is bound unless `ready` is False."""
    given = {"host": smsc.address[0], "port": smsc.address[1], "system_id": "me", "reconnect": 0.1, **options}
    carrier = SmppCarrier("up", SmppOptions.model_validate(given), "secret")
    await carrier.start(desk)
    try:
        if ready:
            wanted = carrier.window
            await until(lambda: carrier.ready and carrier.window >= wanted, what="a link")
        yield carrier
    finally:
        await carrier.stop()


def outgoing(
    number: str = "34600111222", message_id: int = 1, seq: int = 1, total: int = 1, **values: Any
) -> Outgoing:
    """A segment to send."""
    given: dict[str, Any] = {
        "attempt": 1,
        "source": "Shop",
        "source_ton": None,
        "source_npi": None,
        "destination_ton": None,
        "destination_npi": None,
        "encoding": "GSM7",
        "payload": f"{message_id}.{seq}".encode(),
        "udh": None,
        "reference": message_id & 0xFFFF,
        "data_coding": None,
        "esm_class": None,
        "registered_delivery": None,
        "expires_at": clock.now() + clock.DAY,
        "possible_duplicate": False,
        **values,
    }
    return Outgoing(message_id=message_id, seq=seq, total=total, destination=number, **given)


def long(message_id: int = 1, total: int = 3, **values: Any) -> list[Outgoing]:
    """The segments of a long message."""
    return [outgoing(message_id=message_id, seq=seq, total=total, **values) for seq in range(1, total + 1)]
