"""The register of this process's sessions in the database, where bind limits are counted over all processes.

Whoever binds or leaves at the same time shares a transaction: a thousand customers who come back at once are a
few commits.
"""

import asyncio
from collections.abc import Mapping
from functools import partial

from gateway.frontends.smpp.services import Services
from gateway.storage.errors import Unavailable
from gateway.storage.queries import smpp_binds
from gateway.storage.queries.smpp_binds import Wanted
from gateway.storage.records import Access

# Seconds until what could not be written is tried again.
_AGAIN = 0.5
# Sessions of one transaction.
_MOST = 500


class Register:
    """See the module. `run` is to be a task as long as sessions come and go."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._wanted: list[tuple[Wanted, asyncio.Future[bool]]] = []
        self._gone: list[int] = []
        self._work = asyncio.Event()

    def limit(self, access: Access) -> int | None:
        """How many sessions an access may have at once, None for any number."""
        return access.bind_limit if access.bind_limit is not None else self._services.settings.smpp_binds or None

    async def add(self, session: int, access: Access) -> bool:
        """Note a session of an access; False, and it is not noted, where it is one too many. Raises Unavailable."""
        noted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._wanted.append((Wanted(session, access.id, self.limit(access)), noted))
        self._work.set()
        return await noted

    async def again(self, sessions: Mapping[int, Access]) -> None:
        """Note sessions once more, by their ids, that others may have taken for gone. Raises Unavailable."""
        noted = [asyncio.get_running_loop().create_future() for _ in sessions]
        self._wanted += [
            (Wanted(session, access.id, None), future)
            for (session, access), future in zip(sessions.items(), noted, strict=True)
        ]
        self._work.set()
        await asyncio.gather(*noted)

    def remove(self, session: int) -> None:
        """Take a session off, soon; before any that is added later."""
        self._gone.append(session)
        self._work.set()

    async def run(self) -> None:
        """Write what is to be written, until cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            while self._wanted or self._gone:
                if not await self._write():
                    await asyncio.sleep(_AGAIN)

    async def clear(self) -> None:
        """Take every session of this process off. Raises Unavailable."""
        node = self._services.node.id
        await self._services.host.transact(lambda connection: smpp_binds.clear(connection, node))

    async def _write(self) -> bool:
        wanted, self._wanted = self._wanted[:_MOST], self._wanted[_MOST:]
        gone, self._gone = self._gone, []
        change = partial(
            smpp_binds.register,
            node_id=self._services.node.id,
            wanted=[one for one, _ in wanted],
            gone=gone,
            now=self._services.now(),
        )
        try:
            refused = await self._services.host.transact(change)
        except Exception as error:  # noqa: BLE001 - who waits is told
            # Whether they were noted is not known; refused, they are to be off.
            self._gone = [*gone, *(one.id for one, _ in wanted), *self._gone]
            for _, noted in wanted:
                if not noted.done():
                    noted.set_exception(error if isinstance(error, Unavailable) else Unavailable(str(error)))
            return False
        for one, noted in wanted:
            if not noted.done():
                noted.set_result(one.id not in refused)
            elif one.id not in refused:
                self.remove(one.id)
        return True
