"""Trying for a carrier's lease, and working the carrier whenever it is ours."""

import asyncio
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection

from gateway import logs
from gateway.carriers import registry
from gateway.carriers.registry import Opens, UnknownKind, WrongOption
from gateway.dispatch.carrier_worker import CarrierWorker
from gateway.dispatch.holder import Processes, acquire
from gateway.dispatch.host import Host
from gateway.storage.errors import Incompatible, Unavailable
from gateway.storage.queries.dispatch import leases
from gateway.storage.records import Carrier as Record

PAUSE = 0.5
"""Seconds between two tries for a lease, and until a worker that failed is started again."""


class Keeper:
    """One carrier, for as long as its record stays the same."""

    def __init__(self, record: Record, host: Host, processes: Processes, sealer: Opens | None, folder: Path) -> None:
        self.record = record
        self.worker: CarrierWorker | None = None
        self._host = host
        self._processes = processes
        self._sealer = sealer
        self._folder = folder
        self._stopping = asyncio.Event()
        self._problem = ""

    def stop(self) -> None:
        """Let `run` come to a clean end."""
        self._stopping.set()
        if self.worker is not None:
            self.worker.stop()

    async def run(self) -> None:
        """Work the carrier whenever its lease can be had, until `stop`."""
        while not self._stopping.is_set():
            try:
                await self._hold()
            except (Unavailable, Incompatible) as error:
                # Of the latter: the key file is missing or another one, until somebody puts it back.
                self._say(str(error))
            except (UnknownKind, WrongOption) as error:
                logs.error("carrier cannot be used", carrier=self.record.name, problem=str(error))
                await self._stopping.wait()
            except Exception as error:  # noqa: BLE001 - one carrier's fault must not stop the others
                logs.failure("carrier failed", error, carrier=self.record.name)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), PAUSE)

    def _say(self, problem: str) -> None:
        """Log why the carrier is not worked, once for each reason."""
        if problem != self._problem:
            self._problem = problem
            logs.warning("carrier waits", carrier=self.record.name, problem=problem)

    async def _hold(self) -> None:
        """Work it once, if nobody else does."""
        options = registry.check(self.record.kind, self.record.options)
        if not await self._host.read(self._is_free):
            return
        adapter = registry.build(self.record, self._sealer, self._folder)
        holder = await acquire(self._host, self.record.id, self._processes.me, self._processes.is_dead)
        if holder is None:
            return
        worker = CarrierWorker(self.record, options, adapter, holder, self._host)
        self.worker, self._problem = worker, ""
        try:
            if self._stopping.is_set():
                worker.stop()
            await worker.run()
        finally:
            self.worker = None

    def _is_free(self, connection: Connection) -> bool:
        return leases.is_free(connection, self.record.id, self._processes.is_dead)
