"""Messages that come in, on their way from a carrier to the disk."""

import asyncio
from collections import deque
from collections.abc import Sequence
from functools import partial

from gateway import logs
from gateway.carriers.base import Inbound
from gateway.dispatch.holder import Holder
from gateway.dispatch.host import Host
from gateway.storage.errors import Unavailable
from gateway.storage.queries.dispatch import arrivals
from gateway.storage.queries.dispatch.leases import StaleLease

MOST = 100
"""Messages of one transaction, unless more came in together."""


class Arrivals:
    """Stores what one carrier delivers, in the order in which it came, many in a transaction."""

    def __init__(self, host: Host, holder: Holder, name: str) -> None:
        self._host = host
        self._holder = holder
        self._name = name
        self._waiting: deque[tuple[Sequence[Inbound], asyncio.Future[None]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def store(self, messages: Sequence[Inbound]) -> None:
        """Return when they are committed. Raises Unavailable when they could not be."""
        if self._holder.lost:
            raise Unavailable("The carrier has another owner now.")
        if not messages:
            return
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((messages, stored))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        await stored

    async def _drain(self) -> None:
        while self._waiting:
            batch = self._take()
            messages = [message for listed, _ in batch for message in listed]
            try:
                await self._commit(messages)
            except Exception as error:  # noqa: BLE001 - it is for those who wait
                _tell(batch, _unavailable(error))
            else:
                _tell(batch, None)

    def _take(self) -> list[tuple[Sequence[Inbound], "asyncio.Future[None]"]]:
        batch = [self._waiting.popleft()]
        size = len(batch[0][0])
        while self._waiting and size + len(self._waiting[0][0]) <= MOST:
            batch.append(self._waiting.popleft())
            size += len(batch[-1][0])
        return batch

    async def _commit(self, messages: Sequence[Inbound]) -> None:
        """In one transaction; where the database refuses that, each by itself."""
        try:
            await self._write(messages)
        except (StaleLease, Unavailable, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - one message must not keep the others from the disk
            logs.failure("inbound messages cannot be stored together", error, carrier=self._name)
            for message in messages:
                await self._commit_alone(message)

    async def _commit_alone(self, message: Inbound) -> None:
        try:
            await self._write([message])
        except (StaleLease, Unavailable, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - it would be refused again and again
            logs.failure("inbound message dropped", error, carrier=self._name, source=message.source)

    async def _write(self, messages: Sequence[Inbound]) -> None:
        try:
            await self._host.writer.transact(
                partial(
                    arrivals.store,
                    lease=self._holder.lease,
                    messages=messages,
                    now=self._host.now(),
                    policy=self._host.inbound,
                )
            )
        except StaleLease:
            self._holder.lose()
            raise


def _unavailable(error: Exception) -> Exception:
    if isinstance(error, StaleLease):
        return Unavailable("The carrier has another owner now.")
    return error


def _tell(batch: Sequence[tuple[Sequence[Inbound], "asyncio.Future[None]"]], error: Exception | None) -> None:
    for _, waiter in batch:
        if waiter.done():
            continue
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(error)
