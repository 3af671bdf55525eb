"""Customers who are bound, over real connections, to a server that does nothing but deliver."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from gateway import clock
from gateway.frontends.smpp.bound import Bound, Mode
from gateway.frontends.smpp.deliveries import Deliveries
from gateway.links.link import Link
from gateway.settings import Settings
from gateway.smpp.constants import CommandId
from gateway.smpp.events import Event, Expired, Ignored, Lost, Request, Response, Unbound
from gateway.smpp.pdu import (
    Bind,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DeliverSm,
    DeliverSmResp,
    Pdu,
    response_of,
)
from gateway.smpp.session import Session
from gateway.smpp.states import Role
from gateway.smpp.timers import Timers
from gateway.storage.database import Database
from gateway.storage.hosts import AsyncHost
from gateway.storage.records import Access, Account
from gateway.storage.writer import Writer
from tests.support.dispatch import until

_BINDS: dict[Mode, type[Bind]] = {
    Mode.TRANSMITTER: BindTransmitter,
    Mode.RECEIVER: BindReceiver,
    Mode.TRANSCEIVER: BindTransceiver,
}
_MODES: dict[int, Mode] = {kind.command_id: mode for mode, kind in _BINDS.items()}

# Gives the command_status of a deliver_sm_resp, None for no answer.
Answer = Callable[[DeliverSm], int | None]


@dataclass
class Needs:
    """What `Deliveries` takes of a process."""

    database: Database
    host: Any
    settings: Settings = field(default_factory=Settings)
    now: Callable[[], int] = clock.now
    monotonic: Callable[[], float] = monotonic


class Tower:
    """A server on a free port: who binds is served by `deliveries`. The system_id is "account/access"."""

    def __init__(self, deliveries: Deliveries, window: int = 10, response: float = 30) -> None:
        self.deliveries = deliveries
        self.window = window
        self.response = response
        self.port = 0
        self.links: list[Link] = []
        self._numbers: Iterator[int] = iter(range(1, 1_000_000))
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._link, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for link in self.links:
            link.abort()
        for link in self.links:
            await link.wait_closed()

    def _link(self) -> Link:
        now = asyncio.get_running_loop().time()
        session = Session(Role.SMSC, Timers(response=self.response), self.window, now=now)
        link = Link(session, _Served(self, next(self._numbers)))
        self.links.append(link)
        return link


class _Served:
    """The server's side of a connection."""

    def __init__(self, tower: Tower, number: int) -> None:
        self._tower = tower
        self._number = number
        self.bound: Bound | None = None

    def connected(self, link: Link) -> None:
        """Nothing to do before the bind."""

    def events(self, link: Link, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Request) and isinstance(event.pdu, Bind):
                self._bind(link, event.pdu)
            elif isinstance(event, Response) and self.bound:
                self._tower.deliveries.answered(self.bound, event.request, event.context, event.response)
            elif isinstance(event, Lost | Expired) and self.bound:
                self._tower.deliveries.answered(self.bound, event.request, event.context, None)
            elif isinstance(event, Ignored) and isinstance(event.pdu, DeliverSmResp) and self.bound:
                self._tower.deliveries.late(self.bound, event.pdu)
            elif isinstance(event, Unbound):
                self._leave()

    def disconnected(self, link: Link, error: Exception | None) -> None:
        self._leave()

    def _bind(self, link: Link, pdu: Bind) -> None:
        account_id, access_id = map(int, pdu.system_id.split("/"))
        account = Account(account_id, "customer@example.com", ZoneInfo("UTC"))
        access = Access(access_id, account, "access", pdu.system_id, "")
        link.respond(response_of(pdu))
        mode = _MODES[pdu.command_id]
        version = pdu.interface_version
        self.bound = Bound(self._number, access, mode, link, link.peer[0], lambda _: None, version)
        self._tower.deliveries.bound(self.bound)

    def _leave(self) -> None:
        if self.bound is not None and self.bound.open:
            self.bound.open = False
            self._tower.deliveries.unbound(self.bound)


@dataclass(eq=False)
class Customer:
    """A customer's session; `got` are the deliver_sm in the order they came, `most` the most unanswered at once."""

    answer: Answer = lambda pdu: 0
    got: list[DeliverSm] = field(default_factory=list)
    most: int = 0
    link: Link | None = None
    kept: list[DeliverSm] = field(default_factory=list)
    gone: bool = False

    @classmethod
    async def bind(
        cls,
        tower: Tower,
        account_id: int,
        access_id: int,
        mode: Mode = Mode.RECEIVER,
        answer: Answer = lambda pdu: 0,
        interface_version: int = 0x34,
    ) -> "Customer":
        customer = cls(answer)
        loop = asyncio.get_running_loop()
        session = Session(Role.ESME, now=loop.time())
        _, link = await loop.create_connection(lambda: Link(session, customer), "127.0.0.1", tower.port)
        customer.link = link
        link.request(_BINDS[mode](f"{account_id}/{access_id}", interface_version=interface_version))
        await until(lambda: session.state.bound, what="the bind")
        return customer

    @property
    def ids(self) -> list[int]:
        """The messages of the receipts that came."""
        return [receipted(pdu) for pdu in self.got]

    def respond(self, pdu: DeliverSm, status: int = 0) -> None:
        assert self.link is not None
        self.link.respond(response_of(pdu, status))

    def respond_all(self, status: int = 0) -> None:
        """Answer what was kept."""
        kept, self.kept = self.kept, []
        for pdu in kept:
            self.respond(pdu, status)

    async def cut(self) -> None:
        """Lose the connection."""
        assert self.link is not None
        self.link.abort()
        await self.link.wait_closed()

    async def unbind(self) -> None:
        assert self.link is not None
        self.link.unbind()
        await self.link.wait_closed()

    # What the link calls

    def connected(self, link: Link) -> None:
        """Nothing to do before the bind."""

    def events(self, link: Link, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Request) and isinstance(event.pdu, DeliverSm):
                self.got.append(event.pdu)
                self.kept.append(event.pdu)
        self.most = max(self.most, len(self.kept))
        for pdu in list(self.kept):
            status = self.answer(pdu)
            if status is not None:
                self.kept.remove(pdu)
                self.respond(pdu, status)

    def disconnected(self, link: Link, error: Exception | None) -> None:
        self.gone = True


def receipted(pdu: Pdu) -> int:
    """The message that a receipt is about, from its text."""
    assert pdu.command_id == CommandId.DELIVER_SM
    assert isinstance(pdu, DeliverSm)
    return int(pdu.short_message.split(b" ")[0].removeprefix(b"id:"))


@asynccontextmanager
async def delivering(
    database: Database,
    unanswered: Any = frozenset(),
    *,
    killed: bool = False,
    between: Callable[[AsyncHost], Any] = lambda host: host,
    **options: Any,
) -> AsyncIterator[tuple[Tower, Deliveries]]:
    """A process's deliveries with a server, at work; to its end in good order, or at once, as if it were killed.

    `between` may put something between the deliveries and the writer.
    """
    host = AsyncHost(Writer(database), database.dialect)
    deliveries = Deliveries(Needs(database, between(host)), unanswered)
    tower = Tower(deliveries, **options)
    await tower.start()
    running = asyncio.create_task(deliveries.run())
    try:
        yield tower, deliveries
    finally:
        if killed:
            running.cancel()
        await tower.stop()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        if not killed:
            await deliveries.close()
        await host.close()


@contextmanager
def second(url: str) -> Iterator[Database]:
    """The same database as another process opens it."""
    database = Database.open(url)
    try:
        yield database
    finally:
        database.close()
