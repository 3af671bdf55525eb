"""A connection that carries an SMPP session.

All of the protocol is the session's. Here are bytes, timers and bounds: writes are gathered, once for each turn
of the loop; reading stops while the peer does not take what was written; a close flushes, but not for ever.
"""

import asyncio
from typing import Any, Protocol

from gateway.smpp.events import Close, Event
from gateway.smpp.pdu import Pdu
from gateway.smpp.session import Session
from gateway.smpp.states import State

HIGH_WATER = 256 * 1024
"""Bytes written but not taken at which reading stops: some thousand answers, a connection's share of memory."""

LOW_WATER = 64 * 1024
"""Bytes at which it goes on."""

STALL = 30.0
"""Seconds in which a peer that is behind must take something; then the connection is aborted."""

LINGER = 5.0
"""Seconds that a close waits for the peer to take the rest and to close, too."""

_EARLY = 0.001  # uvloop's timers count milliseconds and may come that much too soon


class Handler(Protocol):
    """Whoever uses links: what a link calls. Its methods are not to raise, nor to block."""

    def connected(self, link: "Link") -> None:
        """The connection is there (with TLS, after the handshake)."""
        ...

    def events(self, link: "Link", events: list[Event]) -> None:
        """What the session has to tell, in wire order: all that came in one read at once.

        The link itself deals with `Close`; it is here for the log. `Lost` comes before `disconnected`.
        """
        ...

    def disconnected(self, link: "Link", error: Exception | None) -> None:
        """The connection is gone. Nothing follows. `error` is None where it was closed in good order."""
        ...


class Link(asyncio.Protocol):
    """One connection with its session; give it to `create_server` or `create_connection` as the protocol."""

    def __init__(self, session: Session, handler: Handler) -> None:
        self.session = session
        self.peer: tuple[str, int] = ("", 0)
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._flush_soon: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._host_paused = False
        self._reading = True
        # While the peer is behind: when it must have taken something, and how much was left when last looked at.
        self._stalls_at: float | None = None
        self._left = 0
        self._closing_at: float | None = None
        self._gone = asyncio.Event()

    def request(self, pdu: Pdu, context: Any = None) -> int:
        """Send a request, as `Session.request` does; raises what it raises."""
        number = self.session.request(pdu, self._loop.time(), context)
        self._write_soon()
        return number

    def respond(self, pdu: Pdu) -> None:
        """Answer a request, as `Session.respond` does. Once the link is closed nothing happens."""
        close = self.session.respond(pdu)
        self._write_soon()
        if close is not None:
            self._handler.events(self, [close])
            self._finish()

    def pause(self) -> None:
        """Stop reading, for a while: meanwhile a dead peer is not noticed, nor a live one answered."""
        self._host_paused = True
        self._read_or_not()

    def resume(self) -> None:
        """Read again."""
        self._host_paused = False
        self._read_or_not()

    def unbind(self) -> None:
        """End the session in good order, then close; `wait_closed` tells when. Reads on, whatever was paused."""
        self._deal_with(self.session.unbind(self._loop.time()))
        self._read_or_not()

    def close(self, reason: str) -> None:
        """Send what is to be sent, then close, without an unbind. `reason` comes back in a `Close` event."""
        if self._closing_at is None and not self._gone.is_set():
            self._handler.events(self, [Close(reason)])
            self._finish()

    def abort(self) -> None:
        """Close at once; what the peer has not taken is lost."""
        self.session.abort()
        if self._transport is not None:
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the connection is gone and the handler has been told."""
        await self._gone.wait()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (connections of streams have no other)
        self._transport = transport
        transport.set_write_buffer_limits(HIGH_WATER, LOW_WATER)
        name = transport.get_extra_info("peername")
        if isinstance(name, tuple):
            self.peer = (str(name[0]), int(name[1]))
        self._handler.connected(self)
        self._set_timer()

    def data_received(self, data: bytes) -> None:
        if self._closing_at is not None:
            return
        self._deal_with(self.session.receive(data, self._loop.time()))

    def eof_received(self) -> bool | None:
        self._flush()
        return None

    def pause_writing(self) -> None:
        self._stalls_at = self._loop.time() + STALL
        self._left = self._unsent()
        self._read_or_not()
        self._set_timer()

    def resume_writing(self) -> None:
        self._stalls_at = None
        self._write_soon()
        self._read_or_not()

    def connection_lost(self, exc: Exception | None) -> None:
        for handle in (self._timer, self._flush_soon):
            if handle is not None:
                handle.cancel()
        self._transport = None
        lost = self.session.closed()
        if lost:
            self._handler.events(self, lost)
        self._handler.disconnected(self, exc)
        self._gone.set()
