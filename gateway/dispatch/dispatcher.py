"""The dispatch role: a keeper for each carrier, somebody who looks for due messages, and the housekeeping."""

import asyncio
import os
from contextlib import suppress
from typing import Any

from gateway import clock
from gateway.carriers.registry import Opens
from gateway.dispatch.holder import Processes
from gateway.dispatch.host import Host
from gateway.dispatch.housekeeping import Housekeeping, every
from gateway.dispatch.keeper import Keeper
from gateway.settings import Settings
from gateway.storage.errors import Unavailable
from gateway.storage.queries import nodes
from gateway.storage.queries.dispatch import claims

REFRESH = 0.25
"""Seconds between two looks at the configuration."""

LOOK = 0.02
"""Seconds between two looks for due messages of a carrier that has nothing to do; twice that when nothing has
been due for a while."""

_QUIET = 2.0


async def run(
    host: Host,
    settings: Settings,
    stop: asyncio.Event,
    sealer: Opens | None = None,
) -> None:
    """Dispatch until `stop` is set; then what is on its way is answered and recorded before it returns.

    `sealer` opens carriers' secrets.
    """
    dispatcher = Dispatcher(host, settings, sealer)
    chores = asyncio.gather(
        every(REFRESH, dispatcher.refresh), every(0, dispatcher.look), dispatcher.housekeeping.run()
    )
    try:
        stopped = asyncio.create_task(stop.wait())
        waited: set[asyncio.Future[Any]] = {stopped, chores}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        # What configures and sweeps ends first; the carriers' workers then finish.
        chores.cancel()
        with suppress(asyncio.CancelledError):
            await chores
    finally:
        await dispatcher.close()


class Dispatcher:
    """See `run`."""

    def __init__(self, host: Host, settings: Settings, sealer: Opens | None) -> None:
        self._host = host
        self._settings = settings
        self._sealer = sealer
        self._processes = Processes()
        self._node = nodes.Node(self._processes.me, self._processes.machine, "dispatch", os.getpid(), clock.now())
        self._keepers: dict[int, tuple[Keeper, asyncio.Task[None]]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._version = -1
        self._found_at = 0.0
        self.housekeeping = Housekeeping(host, settings, self._node, lambda: host.directory.carriers)

    async def refresh(self) -> None:
        """Take up changes: of carriers, and of accounts whose messages were held."""
        # In a thread: a database that does not answer must not keep the leases from being renewed.
        await asyncio.to_thread(self._host.directory.refresh)
        if self._host.directory.version == self._version:
            return
        version = self._host.directory.version
        await self._arrange()
        await self.housekeeping.resume()
        self._version = version

    async def look(self) -> None:
        """Wake the workers of carriers whose messages have become due."""
        quiet = self._host.monotonic() - self._found_at > _QUIET
        await asyncio.sleep(LOOK * (2 if quiet else 1))
        idle = [
            (carrier_id, keeper.worker)
            for carrier_id, (keeper, _) in self._keepers.items()
            if keeper.worker is not None and keeper.worker.idle
        ]
        if not idle:
            return
        now, since = self._host.now(), self._host.since
        due = await self._host.read(
            lambda connection: {carrier: claims.next_due(connection, carrier, since) for carrier, _ in idle}
        )
        for carrier_id, worker in idle:
            moment = due[carrier_id]
            if moment is not None and moment <= now:
                self._found_at = self._host.monotonic()
                worker.nudge()

    async def close(self) -> None:
        """Stop the workers, cleanly."""
        await self._end(list(self._keepers))
        with suppress(Unavailable):
            await self._host.writer.transact(lambda connection: nodes.leave(connection, self._node))

    async def _arrange(self) -> None:
        """Have one keeper for each carrier as it is configured now."""
        records = self._host.directory.carriers
        await self._end(
            [
                carrier_id
                for carrier_id, (keeper, _) in self._keepers.items()
                if records.get(carrier_id) != keeper.record
            ]
        )
        for carrier_id, record in records.items():
            if carrier_id not in self._keepers:
                keeper = Keeper(record, self._host, self._processes, self._sealer, self._settings.data)
                self._keepers[carrier_id] = keeper, asyncio.create_task(keeper.run())

    async def _end(self, carrier_ids: list[int]) -> None:
        """Stop keepers and wait for them; who is cancelled meanwhile leaves them to come to their end."""
        for carrier_id in carrier_ids:
            keeper, task = self._keepers.pop(carrier_id)
            keeper.stop()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
        if self._ending:
            await asyncio.wait(self._ending)
