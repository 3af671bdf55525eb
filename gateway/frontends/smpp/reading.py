"""Short reads of the database for requests of sessions: in threads, so that no session waits for another's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.operations.sending import opted_out

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gateway.frontends.smpp.requests import Request
    from gateway.operations.context import Context

T = TypeVar("T")

_THREADS = 2
_PIECE = 1000


class Reader:
    """Reads in threads of its own; `start` runs what waits for a read."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="reads")
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run this beside everything else."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def read(self, context: Context, ask: Callable[[Connection], T]) -> T:
        """What `ask` gives. Raises `Unavailable`."""

        def read() -> T:
            with context.read() as connection:
                return ask(connection)

        return await self.call(read)

    async def call(self, work: Callable[[], T]) -> T:
        """What `work`, which reads, gives."""
        return await self._loop.run_in_executor(self._pool, work)


@dataclass(frozen=True, slots=True)
class _Asked:
    request: Request
    context: Context
    numbers: tuple[str, ...]
    then: Callable[[set[str]], None]


class OptOuts:
    """Looks at accounts' opt-out lists before messages are taken; what one session sent stays in its order.

    Only accounts whose list is not empty come here.
    """

    def __init__(self, reader: Reader, refuse: Callable[[Request, Exception], None]) -> None:
        self._reader = reader
        self._refuse = refuse
        self._asked: list[_Asked] = []
        self._in_turn = asyncio.Lock()

    def ask(
        self, request: Request, context: Context, numbers: tuple[str, ...], then: Callable[[set[str]], None]
    ) -> None:
        """Have `then` called with those of the numbers that want no more from the account."""
        self._asked.append(_Asked(request, context, numbers, then))

    def look(self) -> None:
        """Look up what was asked since the last time: that of one read of a session."""
        if self._asked:
            asked, self._asked = self._asked, []
            self._reader.start(self._answer(asked))

    async def _answer(self, asked: list[_Asked]) -> None:
        context = asked[0].context
        numbers = iter({number for one in asked for number in one.numbers})
        async with self._in_turn:
            try:
                found = await self._reader.call(lambda: _listed(context, numbers))
            except Exception as error:  # noqa: BLE001 - a request is always answered
                for one in asked:
                    self._refuse(one.request, error)
                return
            for one in asked:
                try:
                    one.then(found)
                except Exception as error:  # noqa: BLE001
                    self._refuse(one.request, error)


def _listed(context: Context, numbers: Iterable[str]) -> set[str]:
    found: set[str] = set()
    numbers = iter(numbers)
    while piece := list(islice(numbers, _PIECE)):
        found |= opted_out(context, piece)
    return found
