"""SMPP links for tests: a handler that keeps what it is told, listeners, and peers that speak in octets."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import uvloop

from gateway.links.link import Link
from gateway.smpp.codec import decode, encode
from gateway.smpp.events import Close, Event, Request
from gateway.smpp.framing import Framer
from gateway.smpp.pdu import Bind, BindTransceiver, Pdu, response_of
from gateway.smpp.session import Session
from gateway.smpp.states import Role
from gateway.smpp.timers import Timers

T = TypeVar("T")

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


def run(loop: str, work: Awaitable[T], seconds: float = 40) -> T:
    """Run a test's coroutine on a kind of loop; it fails after `seconds`."""

    async def within() -> T:
        return await asyncio.wait_for(work, seconds)

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        return runner.run(within())


@dataclass
class Recorder:
    """A handler that answers every request at once, unless `answers` is off, and keeps what it is told."""

    answers: bool = True
    links: list[Link] = field(default_factory=list)
    heard: list[Event] = field(default_factory=list)
    ended: list[Exception | None] = field(default_factory=list)

    def connected(self, link: Link) -> None:
        self.links.append(link)

    def events(self, link: Link, events: list[Event]) -> None:
        self.heard += events
        for event in events:
            if isinstance(event, Request) and (self.answers or isinstance(event.pdu, Bind)):
                link.respond(response_of(event.pdu))

    def disconnected(self, link: Link, error: Exception | None) -> None:
        self.ended.append(error)

    @property
    def link(self) -> Link:
        [link] = self.links
        return link

    @property
    def pdus(self) -> list[Pdu]:
        """The requests, but for binds."""
        return [event.pdu for event in self.heard if isinstance(event, Request) and not isinstance(event.pdu, Bind)]

    @property
    def closed(self) -> str:
        """Why the link was closed."""
        [reason] = [event.reason for event in self.heard if isinstance(event, Close)]
        return reason

    def of(self, kind: type[T]) -> list[T]:
        """The events of a kind."""
        return [event for event in self.heard if isinstance(event, kind)]


@asynccontextmanager
async def listening(
    handler: Recorder, timers: Timers | None = None, tls: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[tuple[str, int]]:
    """An SMSC's links at the address that it gives, aborted at the end."""
    loop = asyncio.get_running_loop()

    def make() -> Link:
        return Link(Session(Role.SMSC, timers or Timers(), now=loop.time()), handler, **options)

    server = await loop.create_server(make, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[:2]
    finally:
        server.close()
        for link in handler.links:
            link.abort()
            await link.wait_closed()


async def connect(
    address: tuple[str, int], handler: Recorder, window: int = 100, timers: Timers | None = None, **options: Any
) -> Link:
    """An ESME's link, bound as a transceiver."""
    loop = asyncio.get_running_loop()
    session = Session(Role.ESME, timers or Timers(), window, now=loop.time())
    _, link = await loop.create_connection(lambda: Link(session, handler), *address, **options)
    link.request(BindTransceiver(system_id="tester"))
    while not session.state.bound:
        await asyncio.sleep(0.005)
    return link


class Octets:
    """A peer that speaks in octets, over a plain socket that the loop does not read by itself."""

    def __init__(self, address: tuple[str, int], receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(address)
        self.socket.setblocking(False)
        self._framer = Framer(limit=1 << 24)
        self._read: list[Pdu] = []
        self._loop = asyncio.get_running_loop()

    async def send(self, *pdus: Pdu) -> None:
        await self.say(b"".join(map(encode, pdus)))

    async def say(self, octets: bytes) -> None:
        """Send octets, whatever they are."""
        await self._loop.sock_sendall(self.socket, octets)

    async def hear(self, count: int) -> bytes:
        """The next octets, so many or more."""
        pieces = []
        while count > 0:
            pieces.append(await self._loop.sock_recv(self.socket, 65_536))
            assert pieces[-1], "the stream has ended"
            count -= len(pieces[-1])
        return b"".join(pieces)

    async def next(self) -> Pdu | None:
        """The next PDU; None at the end of the stream."""
        while not self._read:
            octets = await self._loop.sock_recv(self.socket, 65_536)
            if not octets:
                return None
            self._read = [decode(frame) for frame in self._framer.feed(octets)]
        return self._read.pop(0)

    async def rest(self) -> list[Pdu]:
        """All PDUs until the end of the stream."""
        found = []
        while (pdu := await self.next()) is not None:
            found.append(pdu)
        return found

    async def bind(self) -> None:
        await self.send(BindTransceiver(sequence_number=1))
        answer = await self.next()
        assert answer is not None and answer.command_status == 0

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Close without a word of farewell: a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()
