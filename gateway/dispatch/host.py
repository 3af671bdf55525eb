"""What the parts of dispatch share: the writer, the routes, the clocks, and where numbers are counted."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from gateway import clock
from gateway.storage.database import Database
from gateway.storage.directory import Directory
from gateway.storage.queries.dispatch.arrivals import Policy

T = TypeVar("T")


class Writes(Protocol):
    """The committing writer's host for asyncio (`storage.hosts.AsyncHost`)."""

    async def transact(self, change: Callable[[Connection], T]) -> T:
        """Run a change in a transaction and give what it returns; it may run more than once.

        Raises `storage.errors.Unavailable` (the outcome is then unknown) and what the change raised.
        """
        ...


class Metrics(Protocol):
    """Where dispatch counts (`gateway.metrics`)."""

    def messages(self, state: str, n: int) -> None:
        """Messages that reached a state."""
        ...

    def queue(self, carrier: str, depth: int, oldest_seconds: float) -> None:
        """How many messages of a carrier are due, and for how long the oldest is."""
        ...

    def carrier(self, carrier: str, outcome: str, n: int) -> None:
        """A carrier's answers and receipts by kind."""
        ...

    def ready(self, carrier: str, value: bool) -> None:
        """Whether a carrier takes messages."""
        ...


class NoMetrics:
    """Counts nothing."""

    def messages(self, state: str, n: int) -> None:
        """See `Metrics`."""

    def queue(self, carrier: str, depth: int, oldest_seconds: float) -> None:
        """See `Metrics`."""

    def carrier(self, carrier: str, outcome: str, n: int) -> None:
        """See `Metrics`."""

    def ready(self, carrier: str, value: bool) -> None:
        """See `Metrics`."""


@dataclass(slots=True)
class Host:
    """See the module. `since` is an id below which no message is unfinished, `inbound` how what comes in is read."""

    database: Database
    writer: Writes
    directory: Directory
    metrics: Metrics = field(default_factory=NoMetrics)
    now: Callable[[], int] = clock.now
    monotonic: Callable[[], float] = monotonic
    since: int = 0
    inbound: Policy = field(default_factory=Policy)

    async def read(self, look: Callable[[Connection], T]) -> T:
        """Give what a short read finds. Raises Unavailable."""
        if self.database.dialect == "sqlite":
            # Microseconds, and nothing to wait for: a thread would cost more.
            return self._read(look)
        return await asyncio.to_thread(self._read, look)

    async def apart(self, change: Callable[[Connection], T]) -> T:
        """Run a slow or rare change in a transaction beside the writer's, in a thread. Raises Unavailable."""
        return await asyncio.to_thread(self._apart, change)

    def _apart(self, change: Callable[[Connection], T]) -> T:
        with self.database.transaction() as connection:
            return change(connection)

    def _read(self, look: Callable[[Connection], T]) -> T:
        with self.database.read() as connection:
            return look(connection)
