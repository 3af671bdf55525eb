"""What dispatch does by the clock, whoever owns the carriers.

Everything here may run in several processes at once: each change looks at the rows it locks.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from sqlalchemy import Connection

from gateway import clock, logs
from gateway.dispatch.host import Host
from gateway.messaging.states import State
from gateway.settings import Settings
from gateway.storage import partitions
from gateway.storage.errors import Unavailable
from gateway.storage.queries import nodes, smpp_binds
from gateway.storage.queries.dispatch import arrivals, claims, feeds, purges, sweeps
from gateway.storage.queries.dispatch.sweeps import START, Found, Place
from gateway.storage.records import Carrier as Record

QUEUE_BOUND = 2000
"""Due messages of a carrier above which batches are not fed to it, so that single messages need not wait."""

PAUSE = 1.0
"""Seconds, at least, until a chore that failed is tried again."""

REST = 0.02
"""Seconds between two pieces of the same work, for others to commit."""


async def every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` again and again; what goes wrong is logged once, and it is tried again."""
    well = True
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - the other chores go on
            if well and isinstance(error, Unavailable):
                logs.warning("housekeeping waits", chore=work.__name__, problem=str(error))
            elif well:
                logs.failure("housekeeping failed", error, chore=work.__name__)
            well = False
            await asyncio.sleep(max(seconds, PAUSE))
        else:
            if not well:
                logs.info("housekeeping goes on", chore=work.__name__)
            well = True
            await asyncio.sleep(seconds)


class Housekeeping:
    """Feeds, sweeps, purges, signs of life. `carriers` gives those there are at present, by id."""

    def __init__(
        self, host: Host, settings: Settings, node: nodes.Node, carriers: Callable[[], Mapping[int, Record]]
    ) -> None:
        self._host = host
        self._settings = settings
        self._node = node
        self._carriers = carriers
        self._fed: dict[int, int] = {}
        self._unsent: Place = START
        self._unreported: Place = START

    async def run(self) -> None:
        """Everything, until it is cancelled."""
        await asyncio.gather(
            every(1.0, self.beat),
            every(0.2, self.feed),
            every(1.0, self.sweep),
            every(clock.HOUR / clock.SECOND, self.sweep_anew),
            every(5.0, self.measure),
            every(60.0, self.bound),
            every(60.0, self.discard),
            every(60.0, self.end_waiting),
            every(300.0, self.purge),
            every(3600.0, self.divide),
        )

    async def beat(self) -> None:
        """Say that this process is alive."""
        await self._host.writer.transact(lambda connection: nodes.beat(connection, self._node, self._host.now()))

    async def feed(self) -> None:
        """Queue the messages of opened batches, a piece of each in turn."""
        while opened := await self._host.read(feeds.opened):
            self._fed = {batch_id: self._fed.get(batch_id, 0) for batch_id in opened}
            if not [batch_id for batch_id in opened if await self._feed_piece(batch_id)]:
                return
            await asyncio.sleep(REST)

    async def _feed_piece(self, batch_id: int) -> bool:
        """Feed a piece; whether there was room in the queue."""
        after = self._fed[batch_id]
        carrier_id = await self._host.read(lambda connection: feeds.waits_for(connection, batch_id, after))
        if carrier_id is not None:
            depth, _ = await self._host.read(
                lambda connection: claims.depth(
                    connection, carrier_id, self._host.now(), QUEUE_BOUND, self._host.since
                )
            )
            if depth >= QUEUE_BOUND:
                return False
        fed = await self._host.writer.transact(
            partial(feeds.feed, batch_id=batch_id, after=after, now=self._host.now())
        )
        if fed is not None:
            self._fed[batch_id] = fed
        return True

    async def resume(self) -> None:
        """Queue what was held while its account was suspended; to be called when the configuration changed."""
        for carrier_id in self._carriers():
            while await self._host.writer.transact(
                partial(feeds.resume, carrier_id=carrier_id, now=self._host.now(), since=self._host.since)
            ):
                await asyncio.sleep(REST)

    async def sweep(self) -> None:
        """End what has waited too long, from where the last sweep came to."""
        self._unsent = await self._sweep(sweeps.unsent, self._unsent)
        self._unreported = await self._sweep(sweeps.unreported, self._unreported)

    async def sweep_anew(self) -> None:
        """Begin the sweeps from the start: what was passed over may be overdue by now."""
        self._unsent = self._unreported = START

    async def _sweep(self, look: Callable[[Connection, Place, int, int], Found], place: Place) -> Place:
        while True:
            now = self._host.now()
            found = await self._host.read(partial(_look, look, place, now, self._host.since))
            if found.endings:
                states = await self._host.writer.transact(partial(sweeps.end, endings=found.endings, now=now))
                self._count(states)
            place = found.place
            if not found.more:
                return place
            await asyncio.sleep(REST)

    async def measure(self) -> None:
        """Depth and age of each carrier's queue."""
        for carrier_id, record in self._carriers().items():
            now = self._host.now()
            depth, oldest = await self._host.read(
                partial(claims.depth, carrier_id=carrier_id, now=now, since=self._host.since)
            )
            age = (now - oldest) / clock.SECOND if oldest is not None else 0.0
            self._host.metrics.queue(record.name, depth, age)

    async def bound(self) -> None:
        """Find out below which id nothing is unfinished."""
        self._host.since = await self._host.read(partial(sweeps.floor, now=self._host.now()))

    async def discard(self) -> None:
        """Remove batches that were never opened, and processes that fell silent."""
        await self._host.writer.transact(lambda connection: nodes.forget(connection, self._host.now()))
        await self._host.writer.transact(smpp_binds.forget)
        for account_id, batch_id in await self._host.read(partial(feeds.abandoned, now=self._host.now())):
            while await self._host.writer.transact(partial(feeds.discard, account_id=account_id, batch_id=batch_id)):
                await asyncio.sleep(REST)

    async def end_waiting(self) -> None:
        """Deliver long messages whose other parts never came."""
        work = partial(arrivals.end_waiting, now=self._host.now(), policy=self._host.inbound)
        while await self._host.writer.transact(work):
            await asyncio.sleep(REST)

    async def purge(self) -> None:
        """Remove what was kept long enough."""
        kept = self._settings.message_retention_days, self._settings.log_retention_days
        message_life, log_life = (days * clock.DAY for days in kept)
        for step in purges.steps(self._host.now(), message_life, log_life):
            while await self._host.apart(step):
                await asyncio.sleep(REST)

    async def divide(self) -> None:
        """Make the partitions of the days to come."""
        await self._host.apart(lambda connection: partitions.ensure(connection, self._host.now()))

    def _count(self, states: Sequence[State]) -> None:
        for state, n in Counter(states).items():
            self._host.metrics.messages(state.name, n)


def _look(
    look: Callable[[Connection, Place, int, int], Found], place: Place, now: int, since: int, connection: Connection
) -> Found:
    return look(connection, place, now, since)
