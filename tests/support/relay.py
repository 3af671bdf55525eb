"""A TCP relay in a thread of its own, whose links are cut when a test says so."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 10.0


class Relay:
    """Passes bytes on to a port of this machine; `port` is its own.

    A link that is cut loses what was read and not passed on, on either side, also half a PDU.
    """

    def __init__(self, target: int) -> None:
        self.cuts = 0
        self._target = target
        self._links: set[_Side] = set()
        self._deaf = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(PATIENCE)
        self.port = int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> int:
        """Reset every link; how many there were."""
        return self._do(self._cut)

    def fall_silent(self) -> None:
        """Pass nothing on any more, of old links and new ones, and close none: as when a cable is pulled."""
        self._do(lambda: self._hear(deaf=True))

    def speak(self) -> None:
        """Pass on again, what was kept back first."""
        self._do(lambda: self._hear(deaf=False))

    def close(self) -> None:
        """Cut every link, and take no more."""

        def end() -> None:
            self._server.close()
            self._cut()
            self._loop.call_soon(self._loop.stop)

        self._loop.call_soon_threadsafe(end)
        self._thread.join(PATIENCE)
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(lambda: _Side(self, None), "127.0.0.1", 0)

    def _do(self, work: Callable[[], T]) -> T:
        async def done() -> T:
            return work()

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(PATIENCE)

    def _cut(self) -> int:
        cut = [link for link in self._links if link.other is not None]
        for link in cut:
            link.abort()
        self.cuts += len(cut) // 2
        return len(cut) // 2

    def _hear(self, *, deaf: bool) -> None:
        self._deaf = deaf
        for link in self._links:
            link.hear(not deaf)

    # What the sides call

    def opened(self, side: "_Side") -> None:
        self._links.add(side)
        side.hear(not self._deaf)
        if side.other is None:
            asyncio.ensure_future(self._reach(side), loop=self._loop)  # noqa: RUF006 (it ends with its link)

    def closed(self, side: "_Side") -> None:
        self._links.discard(side)

    async def _reach(self, side: "_Side") -> None:
        try:
            await self._loop.create_connection(lambda: _Side(self, side), "127.0.0.1", self._target)
        except OSError:
            side.abort()


class _Side(asyncio.Protocol):
    """One end of a link; `other` is the one that it passes to, None while that is not there."""

    def __init__(self, relay: Relay, other: "_Side | None") -> None:
        self.other = other
        self._relay = relay
        self._kept = b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._relay.opened(self)
        if self.other is not None:
            self.other.meet(self)

    def meet(self, other: "_Side") -> None:
        """The other end is there."""
        self.other = other
        kept, self._kept = self._kept, b""
        other.send(kept)
        if self._transport.is_closing():
            other.abort()

    def send(self, data: bytes) -> None:
        if data:
            self._transport.write(data)

    def hear(self, ears: bool) -> None:
        with suppress(RuntimeError):
            (self._transport.resume_reading if ears else self._transport.pause_reading)()

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._kept += data
        else:
            self.other.send(data)

    def abort(self) -> None:
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._relay.closed(self)
        if self.other is not None:
            # After an end in good order what is on its way arrives.
            (self.other.abort if exc else self.other.leave)()

    def leave(self) -> None:
        self._transport.close()


@contextmanager
def relay(target: int) -> Iterator[Relay]:
    """A relay within the block."""
    running = Relay(target)
    try:
        yield running
    finally:
        running.close()
