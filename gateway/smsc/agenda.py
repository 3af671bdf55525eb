"""Things to do later: one timer for all of them."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count
from typing import Any


class Agenda:
    """Calls of functions at times to come, in order of time, then of their making."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._calls: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = count()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0  # uvloop's handle of what is due already cannot say

    def after(self, seconds: float, call: Callable[..., None], *arguments: Any) -> None:
        """Call it in so many seconds; at once for 0."""
        if seconds <= 0:
            call(*arguments)
            return
        heapq.heappush(self._calls, (self._loop.time() + seconds, next(self._count), call, arguments))
        self._set_timer()

    def hurry(self) -> None:
        """Call everything now, in order."""
        while self._calls:
            self._pop()

    def clear(self) -> None:
        """Forget everything."""
        self._calls.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        due = self._calls[0][0]
        if self._timer is not None:
            if self._timer_at <= due:
                return
            self._timer.cancel()
        self._timer_at = due
        self._timer = self._loop.call_at(due, self._fire)

    def _fire(self) -> None:
        self._timer = None
        # uvloop counts milliseconds: what is due in the next one is due.
        now = self._loop.time() + 0.001
        while self._calls and self._calls[0][0] <= now:
            self._pop()
        if self._calls:
            self._set_timer()

    def _pop(self) -> None:
        _, _, call, arguments = heapq.heappop(self._calls)
        call(*arguments)
