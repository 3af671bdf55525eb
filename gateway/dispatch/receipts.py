"""Receipts on their way from a carrier to the disk."""

import asyncio
from collections import deque
from collections.abc import Sequence

from gateway.carriers.base import Receipt, clip
from gateway.storage.queries.dispatch.receipts import ReceiptRow


class Inbox:
    """Batches of receipts that wait for the owner's next transaction, each with who waits for it."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[list[ReceiptRow], asyncio.Future[None]]] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, receipts: Sequence[Receipt]) -> "asyncio.Future[None]":
        """Queue receipts; the future is done when they are stored."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(([_row(item) for item in receipts], stored))
        return stored

    def head(self, most: int) -> tuple[list[ReceiptRow], int]:
        """The receipts to store next (at least one batch, more up to `most` receipts), and how many batches."""
        rows: list[ReceiptRow] = []
        batches = 0
        for batch, _ in self._waiting:
            if batches and len(rows) + len(batch) > most:
                break
            rows += batch
            batches += 1
        return rows, batches

    def stored(self, batches: int) -> None:
        """Tell those who wait for the first batches."""
        for _ in range(batches):
            _, waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)

    def fail(self, error: Exception) -> None:
        """Tell everyone who waits that theirs were not stored."""
        while self._waiting:
            _, waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(error)


def _row(item: Receipt) -> ReceiptRow:
    error = item.error and clip(item.error)
    if item.others:
        return item.carrier_ref, int(item.state), error, item.at, (item.others, item.numbers)
    return item.carrier_ref, int(item.state), error, item.at
