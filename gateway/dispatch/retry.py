"""How long to wait before the next attempt."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from gateway import clock


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from `first` to `most` (microseconds), each shortened by up to a quarter by chance.

    Chance keeps messages that failed together from coming back together.
    """

    first: int
    most: int
    chance: Callable[[], float] = random.random

    def delay(self, times: int) -> int:
        """Microseconds to wait after the carrier answered so for the `times`th time (from 1)."""
        # Beyond 2**40 every first wait is over the most.
        full = min(self.most, self.first << min(max(times - 1, 0), 40))
        return int(full * (1 - self.chance() / 4))


THROTTLED = Backoff(clock.SECOND // 4, 30 * clock.SECOND)
"""After "too fast": the carrier slows down as a whole, so each message waits little."""

REFUSED = Backoff(5 * clock.SECOND, 10 * clock.MINUTE)
"""After a refusal for now."""
