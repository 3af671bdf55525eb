"""A connection that carries an SMPP session.

All of the protocol is the session's. Here are bytes, timers and bounds: writes are gathered, once for each turn
of the loop; reading stops while the peer does not take what was written; a close flushes, but not for ever.
"""

import asyncio
from typing import Any, Protocol, cast

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

        The link itself deals with `Close`; it is here for the log. `Lost` comes when no answer will be
        read any more, which may be some time before `disconnected`.
        """
        ...

    def disconnected(self, link: "Link", error: Exception | None) -> None:
        """The connection is gone. Nothing follows. `error` is None where it was closed in good order."""
        ...


class Link(asyncio.Protocol):
    """One connection with its session; give it to `create_server` or `create_connection` as the protocol.

    `stall` and `linger` are seconds, see `STALL` and `LINGER`.
    """

    def __init__(self, session: Session, handler: Handler, *, stall: float = STALL, linger: float = LINGER) -> None:
        self.session = session
        self.peer: tuple[str, int] = ("", 0)
        self._handler = handler
        self._stall = stall
        self._linger = linger
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._flush_soon: asyncio.Handle | None = None
        # One timer for everything. A deadline that was put off leaves it as it is: it then fires for nothing.
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
        self._flush_after_this()
        return number

    def respond(self, pdu: Pdu) -> None:
        """Answer a request, as `Session.respond` does. Once the link is closed nothing happens."""
        close = self.session.respond(pdu)
        if close is None:
            self._flush_after_this()
        else:
            self._deal_with([close])

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
        """Send what is to be sent, then close, without an unbind. The handler gets a `Close` with the reason."""
        if self._transport is not None and self._closing_at is None:
            self._handler.events(self, [Close(reason)])
            self._finish()

    def abort(self) -> None:
        """Close at once; what the peer has not taken is lost."""
        self.session.abort()
        if self._transport is not None:
            self._closing_at = self._loop.time()
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the connection is gone and the handler has been told."""
        await self._gone.wait()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        # Streams have no other; uvloop's is one by its methods, not by its class.
        self._transport = stream = cast(asyncio.Transport, transport)
        stream.set_write_buffer_limits(HIGH_WATER, LOW_WATER)
        name = transport.get_extra_info("peername")
        if isinstance(name, tuple):
            self.peer = (str(name[0]), int(name[1]))
        self._handler.connected(self)
        self._set_timer()

    def data_received(self, data: bytes) -> None:
        """Bytes were read. What comes after the end is dropped."""
        if self._closing_at is None:
            self._deal_with(self.session.receive(data, self._loop.time()))

    def eof_received(self) -> bool:
        """The peer sends no more: what is to be sent still is, then the connection is closed."""
        self._flush()
        return False

    def pause_writing(self) -> None:
        """The peer is behind."""
        self._stalls_at = self._loop.time() + self._stall
        self._left = self._unsent()
        self._read_or_not()
        self._set_timer()

    def resume_writing(self) -> None:
        """The peer has caught up."""
        self._stalls_at = None
        self._flush_after_this()
        self._read_or_not()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        for handle in (self._timer, self._flush_soon):
            if handle is not None:
                handle.cancel()
        self._transport = None
        self._tell_lost()
        self._handler.disconnected(self, exc)
        self._gone.set()

    # Events and bytes

    def _deal_with(self, events: list[Event]) -> None:
        if events:
            self._handler.events(self, events)
        if self.session.state is State.CLOSED:
            self._finish()
        else:
            self._flush_after_this()

    def _flush_after_this(self) -> None:
        """Write once this turn of the loop is over, however much is given until then."""
        if self._flush_soon is None and self._transport is not None:
            self._flush_soon = self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_soon = None
        # To a peer that is behind nothing is added: what waits is bounded by windows.
        if self._stalls_at is None and self._transport is not None and self._closing_at is None:
            data = self.session.data_to_send()
            if data:
                self._transport.write(data)
        self._set_timer()

    def _unsent(self) -> int:
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def _read_or_not(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        # Leaving, it reads: the unbind_resp, and the peer's end.
        paused = self._host_paused and self.session.state is not State.UNBINDING
        read = self._closing_at is not None or (self._stalls_at is None and not paused)
        if read and not self._reading:
            transport.resume_reading()
            self.session.release(self._loop.time())
        elif self._reading and not read:
            transport.pause_reading()
            self.session.hold(self._loop.time())
        self._reading = read
        self._set_timer()

    def _tell_lost(self) -> None:
        """No answer will be read any more."""
        lost = self.session.closed()
        if lost:
            self._handler.events(self, lost)

    def _finish(self) -> None:
        """Send the rest and close. The end of the stream is told first, and the peer's awaited: to close while
        something unread comes in would make the kernel take back what the peer has not read yet."""
        transport = self._transport
        if transport is None or self._closing_at is not None:
            return
        self._closing_at = self._loop.time() + self._linger
        data = self.session.data_to_send()
        self._tell_lost()
        if not transport.is_closing():
            transport.write(data)
            if transport.can_write_eof():
                transport.write_eof()
            else:
                transport.close()
            self._read_or_not()
        self._set_timer()

    # Time

    def _set_timer(self) -> None:
        due = self._closing_at
        if due is None:
            due = self.session.next_deadline()
            if self._stalls_at is not None:
                due = self._stalls_at if due is None else min(due, self._stalls_at)
        if due is None or (self._timer is not None and self._timer_at <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due + _EARLY, self._tick)
        self._timer_at = due

    def _tick(self) -> None:
        self._timer = None
        now = self._loop.time()
        if self._closing_at is not None:
            if self._closing_at <= now and self._transport is not None:
                self._transport.abort()
        elif self._stalls_at is not None and self._stalls_at <= now:
            self._look_at_stall(now)
        else:
            self._deal_with(self.session.tick(now))
        self._set_timer()

    def _look_at_stall(self, now: float) -> None:
        left = self._unsent()
        if left < self._left:
            self._left = left
            self._stalls_at = now + self._stall
            return
        self._handler.events(self, [Close(f"the peer took nothing for {self._stall:g} s")])
        self.abort()
