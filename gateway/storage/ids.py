"""Numbers for messages, batches, log rows and inbound messages: unique everywhere, and following time.

One counter in the database hands out blocks. A block starts no lower than the current second since `EPOCH`,
shifted left by 20 bits: the id is a time, and ranges of time are ranges of ids. Ids stay below 2^53 (what
JavaScript can hold) for 272 years, at up to 2^20 a second.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, func, literal, update

from gateway.storage.errors import Unavailable
from gateway.storage.schema import counter

EPOCH: Final = 1_704_067_200_000_000  # 2024-01-01T00:00Z, UTC microseconds
BLOCK: Final = 32_768
BLOCK_LIFE: Final = 60_000_000  # microseconds after which the rest of a block is dropped

_SHIFT: Final = 20
_SECOND: Final = 1_000_000


def first(micros: int) -> int:
    """The id at which a block taken at `micros` (UTC microseconds) starts, at the lowest."""
    return max(0, (micros - EPOCH) // _SECOND) << _SHIFT


def floor(micros: int) -> int:
    """The smallest id that can be handed out at `micros` (UTC microseconds) or later.

    For "since": blocks are used for up to `BLOCK_LIFE`, so it is the first of that much earlier.
    """
    return first(micros - BLOCK_LIFE)


def ceiling(micros: int) -> int:
    """An id above all that belong to calls which came in by `micros` (UTC microseconds).

    For "until", as an exclusive bound; it allows a call `BLOCK_LIFE` to get its ids. As `floor` it is the
    bound for the index: what must be exact compares the row's own time as well.
    """
    return first(micros + BLOCK_LIFE) + (1 << _SHIFT)


def moment(number: int) -> int:
    """The time (UTC microseconds, in whole seconds) that an id carries."""
    return EPOCH + (number >> _SHIFT) * _SECOND


def take_block(connection: Connection, size: int, now: int) -> range:
    """Take `size` ids nobody else gets, within the caller's write transaction. `now` is in UTC microseconds.

    Where the transaction is rolled back the ids must not be used.
    """
    greatest = func.max if connection.dialect.name == "sqlite" else func.greatest
    end = connection.execute(
        update(counter)
        .where(counter.c.name == "id")
        .values(next=greatest(counter.c.next, literal(first(now))) + size)
        .returning(counter.c.next)
    ).scalar_one()
    return range(end - size, end)


class Ids:
    """A process's supply of ids, in the thread (greenlets and tasks included) of its writer's host.

    `refill(size)` gives a block of at least `size` ids, by `take_block` in a committed transaction; it may
    switch to other greenlets, which may take meanwhile. `clock` gives UTC microseconds.
    """

    def __init__(self, refill: Callable[[int], range], clock: Callable[[], int]) -> None:
        self._refill = refill
        self._clock = clock
        self._block = range(0)
        self._taken_at = 0
        self._refilling = 0

    def take(self, n: int = 1) -> range:
        """`n` (at least 1) consecutive ids. Raises what `refill` raises."""
        if n < 1:
            raise ValueError("at least one id must be taken")
        now = self._clock()
        if not 0 <= now - self._taken_at < BLOCK_LIFE:
            self._block = range(0)
        block = self._block
        if len(block) >= n:
            self._block = block[n:]
            return block[:n]
        return self._from_new_block(n, now)

    def _from_new_block(self, n: int, now: int) -> range:
        """While a full block is on its way, others ask for just what they need: no herd of full blocks."""
        size = n if self._refilling else max(n, BLOCK)
        self._refilling += 1
        try:
            block = self._refill(size)
        finally:
            self._refilling -= 1
        rest = block[n:]
        if len(rest) > len(self._block):
            self._block, self._taken_at = rest, now
        return block[:n]


class IdsAhead:
    """A process's supply of ids where nobody can wait for one: filled ahead of need, by its host.

    The host looks at `wanting`, or is told by `wanted` (called when `take` leaves little behind), and gives blocks
    of `take_block` to `add`. `clock` gives UTC microseconds. For one thread.
    """

    def __init__(self, clock: Callable[[], int], wanted: Callable[[], None] = lambda: None) -> None:
        self._clock = clock
        self._wanted = wanted
        self._blocks: deque[tuple[range, int]] = deque()
        self._left = 0

    def take(self, n: int = 1) -> range:
        """`n` (at least 1) consecutive ids. Raises `Unavailable` where there are none."""
        if n < 1:
            raise ValueError("at least one id must be taken")
        now = self._clock()
        while self._blocks:
            block, taken_at = self._blocks[0]
            if len(block) >= n and 0 <= now - taken_at < BLOCK_LIFE:
                self._blocks[0] = (block[n:], taken_at)
                self._left -= n
                if self._left < BLOCK:
                    self._wanted()
                return block[:n]
            self._blocks.popleft()
            self._left -= len(block)
        self._wanted()
        raise Unavailable("There are no ids now; try again in a moment.")

    @property
    def wanting(self) -> bool:
        """Whether another block should be added: less than one is left, or what is left grows old."""
        if self._left < BLOCK:
            return True
        return not 0 <= self._clock() - self._blocks[-1][1] < BLOCK_LIFE // 2

    def add(self, block: range) -> None:
        """Take in a block that was got just now."""
        now = self._clock()
        while self._blocks and not 0 <= now - self._blocks[0][1] < BLOCK_LIFE:
            self._left -= len(self._blocks.popleft()[0])
        self._blocks.append((block, now))
        self._left += len(block)
