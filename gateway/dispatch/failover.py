"""What becomes of the messages of a carrier that is down: they take their next route to one that is up."""

import asyncio
from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection

from gateway import logs
from gateway.carriers import registry
from gateway.carriers.base import Carrier
from gateway.dispatch.holder import Holder
from gateway.dispatch.host import Host
from gateway.storage.errors import Unavailable
from gateway.storage.queries.dispatch import failover, leases
from gateway.storage.queries.dispatch.failover import START, Place, Waiting
from gateway.storage.queries.dispatch.leases import StaleLease
from gateway.storage.records import Carrier as Record

LOOK = 1.0
"""Seconds between two looks whether the carrier is up."""

REST = 0.02
"""Seconds between two pieces, for others to commit."""

IN_VAIN = 5.0
"""Seconds until messages that had nowhere to go are looked at again."""


def serving(host: Host, record: Record, destination: str) -> list[int]:
    """The carriers that serve a destination, in the order of routes, each once, `record` among them if it does.

    What was meant for a real one is never given to one that only pretends: nobody would get it.
    """
    listed = dict.fromkeys(route.carrier_id for route in host.directory.routes.candidates(destination))
    if registry.pretends(record.kind):
        return list(listed)
    records = host.directory.carriers
    return [number for number in listed if number in records and not registry.pretends(records[number].kind)]


class Failover:
    """Watches one carrier, and moves what is due from it once it has been down for `after` seconds."""

    def __init__(self, record: Record, adapter: Carrier, holder: Holder, host: Host, after: float) -> None:
        self._record = record
        self._adapter = adapter
        self._holder = holder
        self._host = host
        self._after = after
        self._down_since: float | None = host.monotonic()
        self._again_at = 0.0

    async def run(self) -> None:
        """Watch, until it is cancelled or the lease is lost."""
        # One that never comes up is to be seen as well.
        self._host.metrics.ready(self._record.name, self._adapter.ready)
        while not self._holder.lost:
            try:
                await self._observe()
                if self._overdue():
                    await self._divert()
            except Unavailable:
                pass
            except StaleLease:
                self._holder.lose()
                return
            except Exception as error:  # noqa: BLE001 - nobody else would say whether the carrier is up
                logs.failure("failover failed", error, carrier=self._record.name)
            await asyncio.sleep(LOOK)

    async def _observe(self) -> None:
        ready = self._adapter.ready
        if ready:
            self._down_since = None
            self._again_at = 0.0
        elif self._down_since is None:
            self._down_since = self._host.monotonic()
        if ready is not self._holder.up:
            self._holder.up = ready
            self._host.metrics.ready(self._record.name, ready)
            # Others need not wait for the next renewal to know.
            await self._holder.renew()

    def _overdue(self) -> bool:
        now = self._host.monotonic()
        return self._down_since is not None and now - self._down_since >= self._after and now >= self._again_at

    async def _divert(self) -> None:
        """Look at everything that is due once."""
        place, moved = START, 0
        up = await self._host.read(leases.up) - {self._record.id}
        while up and not self._adapter.ready:
            found = await self._host.read(partial(self._look, place=place))
            moves = [(to, item.id) for item in found if (to := self._elsewhere(item, up)) is not None]
            if moves:
                await self._host.writer.transact(partial(failover.move, lease=self._holder.lease, moves=moves))
                moved += len(moves)
            if len(found) < failover.PIECE:
                break
            place = found[-1].due_at, found[-1].id
            await asyncio.sleep(REST)
        if moved:
            logs.warning("carrier down, messages take the next route", carrier=self._record.name, messages=moved)
        else:
            self._again_at = self._host.monotonic() + IN_VAIN

    def _look(self, connection: Connection, place: Place) -> Sequence[Waiting]:
        return failover.waiting(connection, self._record.id, place, self._host.now(), self._host.since)

    def _elsewhere(self, item: Waiting, up: frozenset[int]) -> int | None:
        """The best carrier that is up; of a message that was refused only one that comes after ours.

        Otherwise it could go round for ever between one that refuses and one that is down.
        """
        carriers = serving(self._host, self._record, item.destination)
        if item.refused and self._record.id in carriers:
            carriers = carriers[carriers.index(self._record.id) + 1 :]
        return next((carrier_id for carrier_id in carriers if carrier_id in up), None)
