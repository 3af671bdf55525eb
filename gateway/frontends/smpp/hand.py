"""The rows of the outbox that this process has claimed, and what is to be written about them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from gateway import clock
from gateway.storage.queries import outbox
from gateway.storage.queries.dispatch.talk import Talk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from gateway.frontends.smpp.outlets import Task
    from gateway.storage.queries.outbox import Entry

T = TypeVar("T")

LEASE = 8 * clock.SECOND
"""How long a claim holds, in microseconds: when its holder is killed, another server delivers after this time."""

ROUND = 500
"""Rows that one transaction claims at most."""


class Writes(Protocol):
    """The committing writer's host for asyncio (`storage.hosts.AsyncHost`)."""

    async def transact(self, change: Callable[[Connection], T]) -> T:
        """Run a change in a transaction and give what it returns; it may run more than once. Raises Unavailable."""
        ...


class Hand:
    """See the module. Nothing is written before the next `write`, then everything in one transaction."""

    def __init__(self, writer: Writes) -> None:
        self._writer = writer
        # By the row's number; the claim that ends first is in front.
        self._tasks: dict[int, Task] = {}
        self._done: list[Entry] = []
        self._later: list[tuple[Entry, int]] = []

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def tasks(self) -> list[Task]:
        """All of them."""
        return list(self._tasks.values())

    @property
    def settled(self) -> int:
        """How many rows wait to be removed."""
        return len(self._done)

    def add(self, task: Task) -> None:
        """It was claimed."""
        self._tasks[task.entry.id] = task

    def done(self, task: Task) -> None:
        """The customer was told, or never can be: its row is removed."""
        self._drop(task)
        self._done.append(task.entry)

    def remove(self, entry: Entry) -> None:
        """A claimed row of which no task can be made is removed."""
        self._done.append(entry)

    def later(self, task: Task, due_at: int) -> None:
        """Its row is to be due again at that time (UTC microseconds)."""
        self._drop(task)
        self._later.append((task.entry, due_at))

    def forget(self, task: Task) -> None:
        """Its claim is over: others may have it, nothing is written."""
        task.over = True
        if self._tasks.get(task.entry.id) is task:
            del self._tasks[task.entry.id]

    async def write(self, wanted: Sequence[tuple[int, int, int]], now: int) -> tuple[list[Entry], int]:
        """Write what waits, renew claims, and claim more (see `outbox.claim`): the rows, and until when.

        Raises Unavailable; then nothing is lost, and all may be written again.
        """
        done, self._done = self._done, []
        later, self._later = self._later, []
        renewed = self._half_over(now)
        until = now + LEASE
        if not (done or later or renewed or wanted):
            return [], until
        moved = [*later, *((task.entry, until) for task in renewed)]
        try:
            entries = await self._writer.transact(partial(_write, done, moved, wanted, now, until))
        except BaseException:
            self._done[:0], self._later[:0] = done, later
            raise
        for task in renewed:
            task.until = until
            if self._tasks.get(task.entry.id) is task:
                self._tasks[task.entry.id] = self._tasks.pop(task.entry.id)
        return entries, until

    def _half_over(self, now: int) -> list[Task]:
        found = []
        for task in self._tasks.values():
            if task.until - now > LEASE // 2:
                break
            # What others may have by now is theirs.
            if task.until > now:
                found.append(task)
        return found

    def _drop(self, task: Task) -> None:
        task.over = True
        # Where its claim was over it may have been claimed here again: it is not told twice. SQLite uses the numbers
        # of removed rows again; the message tells them apart.
        held = self._tasks.get(task.entry.id)
        if held is not None and held.entry.message_id == task.entry.message_id:
            del self._tasks[task.entry.id]
            held.over = True


def _write(
    done: Sequence[Entry],
    moved: Sequence[tuple[Entry, int]],
    wanted: Sequence[tuple[int, int, int]],
    now: int,
    until: int,
    connection: Connection,
) -> list[Entry]:
    talk = Talk(connection)
    outbox.remove(talk, done)
    outbox.put_off(talk, moved)
    return outbox.claim(talk, wanted, now, until, ROUND) if wanted else []
