"""A carrier of the kind smpp: its links, and what goes over which."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TypeVar

from gateway import clock, logs, metrics
from gateway.carriers.base import Final, Outgoing, Owner, Unsent
from gateway.carriers.smpp.addressing import AddressError
from gateway.carriers.smpp.encode import Encoder
from gateway.carriers.smpp.ids import Auto, Ids
from gateway.carriers.smpp.incoming import Delivery, Read
from gateway.carriers.smpp.options import SmppOptions
from gateway.carriers.smpp.statuses import Table
from gateway.carriers.smpp.upstream import Answers, Upstream
from gateway.links.link import Link
from gateway.smpp.constants import CommandStatus
from gateway.smpp.pdu import Bind, BindReceiver, BindTransceiver, BindTransmitter, response_of
from gateway.storage.errors import Unavailable

ANSWERS = 8.0
"""Seconds to wait for answers when it stops."""

FAREWELL = 3.0
"""Seconds to wait for the end of its sessions then."""

_MODES: Mapping[str, tuple[tuple[str, type[Bind]], ...]] = {
    "transceiver": (("transceiver", BindTransceiver),),
    "separate": (("transmitter", BindTransmitter), ("receiver", BindReceiver)),
    "transmitter": (("transmitter", BindTransmitter),),
    "receiver": (("receiver", BindReceiver),),
}

_message_id = attrgetter("message_id")

_Stored = TypeVar("_Stored")


class SmppCarrier:
    """See `base.Carrier`."""

    def __init__(self, name: str, options: SmppOptions, password: str) -> None:
        self.window = options.window
        self.ready = False
        self._name = name
        self._options = options
        self._encoder = Encoder(options)
        ids: Ids = Auto(self._learned) if options.ids == "auto" else Ids(options.ids)
        table = Table(options.errors)
        self._links = [
            Upstream(name, f"{mode} {number}", options, self._binder(pdu, password), self, ids, table)
            for number in range(1, options.links + 1)
            for mode, pdu in _MODES[options.bind]
        ]
        self._stopping = False
        self._bound = 0
        self._answered = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, owner: Owner) -> None:
        """Begin to connect every link."""
        self._owner = owner
        for link in self._links:
            link.start()

    def submit(self, outgoing: Sequence[Outgoing]) -> None:
        """Take segments: each message's over one link, that which has most room."""
        senders = [link for link in self._links if link.sends]
        answers: Answers = []
        now = clock.now()
        for _, group in groupby(outgoing, _message_id):
            segments = list(group)
            if self._stopping or not senders:
                answers.extend((item, Unsent()) for item in segments)
                continue
            try:
                requests = self._encoder.requests(segments, now)
            except AddressError as error:
                refusal = Final(str(error))
                answers.extend((item, refusal) for item in segments)
                continue
            self._link_for(segments[0], senders).submit(requests)
        if answers:
            self._owner.answered(answers)

    async def stop(self) -> None:
        """Answer what has not left, wait for the answers of the rest, then unbind."""
        self._stopping, self.ready = True, False
        for link in self._links:
            link.drop_queue()
        try:
            async with asyncio.timeout(min(ANSWERS, self._options.response_timeout)):
                while self._unanswered():
                    self._answered.clear()
                    await self._answered.wait()
        except TimeoutError:
            logs.warning("carrier does not answer", carrier=self._name, unanswered=self._unanswered())
        # What is being stored is acknowledged before its session ends.
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=FAREWELL)
        await asyncio.gather(*(link.stop(FAREWELL) for link in self._links))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def describe(self) -> Mapping[str, object]:
        """Its settings and the state of its links."""
        options = self._options
        return {
            "kind": "smpp",
            "name": self._name,
            "host": options.host,
            "port": options.port,
            "tls": options.tls,
            "system_id": options.system_id,
            "window": self.window,
            "ready": self.ready,
            "links": [link.describe() for link in self._links],
        }

    # What links call

    def answered(self, answers: Answers) -> None:
        """Hand on outcomes."""
        self._owner.answered(answers)
        if self._stopping:
            self._answered.set()

    def delivered(self, upstream: Upstream, link: Link, read: Read) -> None:
        """Store what was delivered, and acknowledge it then."""
        for pdu in read.idle:
            link.respond(response_of(pdu))
        if read.receipts:
            self._spawn(self._store(upstream, link, self._owner.received, read.receipts))
        if read.inbound:
            self._spawn(self._store(upstream, link, self._owner.inbound, read.inbound))

    def changed(self) -> None:
        """Count the links that are bound."""
        bound = sum(link.bound for link in self._links)
        senders = sum(link.sends for link in self._links)
        window = self._options.window * max(1, senders)
        ready = bool(senders) and not self._stopping
        metrics.links(self._name, bound)
        if self._stopping:
            self._answered.set()
        if (ready, window) != (self.ready, self.window):
            self.ready, self.window = ready, window
            self._owner.changed()

    # Small steps

    def _link_for(self, first: Outgoing, senders: Sequence[Upstream]) -> Upstream:
        if len(senders) == 1:
            return senders[0]
        if first.udh:
            # Parts that a customer made come one by one, and are to keep their order.
            return senders[hash((first.source, first.destination)) % len(senders)]
        return min(senders, key=attrgetter("unanswered"))

    async def _store(
        self,
        upstream: Upstream,
        link: Link,
        store: Callable[[Sequence[_Stored]], Awaitable[None]],
        read: Sequence[tuple[Delivery, _Stored]],
    ) -> None:
        status = CommandStatus.ESME_ROK
        try:
            await store([item for _, item in read])
        except Exception as error:  # noqa: BLE001 - the carrier keeps it, and delivers it again
            status = CommandStatus.ESME_RX_T_APPN
            if not isinstance(error, Unavailable):
                logs.failure("delivery cannot be stored", error, carrier=self._name)
        for pdu, _ in read:
            link.respond(response_of(pdu, status))
        upstream.acknowledged(link)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _unanswered(self) -> int:
        return sum(link.unanswered for link in self._links)

    def _binder(self, kind: type[Bind], password: str) -> Callable[[], Bind]:
        options = self._options

        def bind() -> Bind:
            return kind(
                system_id=options.system_id,
                password=password,
                system_type=options.system_type,
                addr_ton=options.address_ton,
                addr_npi=options.address_npi,
                address_range=options.address_range,
            )

        return bind

    def _learned(self, style: str) -> None:
        logs.info("ids of receipts understood", carrier=self._name, ids=style)
