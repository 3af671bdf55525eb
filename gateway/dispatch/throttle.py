"""Pacing a carrier: its throughput as a limit, and slower for as long as it says "too fast"."""

from collections.abc import Callable
from time import monotonic

BURST = 0.1
"""Seconds' worth of segments that may leave at once."""

LEAST = 50.0
"""The rate (segments a second) below which complaints do not slow a carrier that has no slower limit."""

LIFT = 20_000.0
"""The rate at which a slowed carrier without a limit counts as recovered."""

_SPAN = 0.5  # seconds over which the actual rate is measured
_RECOVERY = 2.0  # a slowed rate grows so many times in a second


class Throttle:
    """How many segments may leave now. `limit` is in segments a second, None for unlimited."""

    def __init__(self, limit: float | None, now: Callable[[], float] = monotonic) -> None:
        self._limit = limit
        self._now = now
        self._rate = limit
        self._refilled = now()
        self._tokens = self._burst()
        self._span_began = self._refilled
        self._span_count = 0
        self._actual = 0.0

    @property
    def rate(self) -> float | None:
        """Segments a second that may leave at present; None is unlimited."""
        return self._rate

    def allowance(self) -> int | None:
        """How many segments may leave now; None is any number."""
        self._refill()
        return None if self._rate is None else max(0, int(self._tokens))

    def spend(self, segments: int) -> None:
        """Count segments that leave. More than were allowed (a long message) are waited for afterwards."""
        self._tokens -= segments

    def wait(self) -> float:
        """Seconds until one more may leave."""
        self._refill()
        if self._rate is None or self._tokens >= 1:
            return 0.0
        return (1 - self._tokens) / self._rate

    def answered(self, taken: int, throttled: int) -> None:
        """Count answers: the rate falls with the share of complaints, to half if there was nothing else."""
        now = self._now()
        self._span_count += taken
        span = now - self._span_began
        actual = self._span_count / max(span, BURST)
        if span >= _SPAN:
            self._actual = actual
            self._span_began, self._span_count = now, 0
        if throttled:
            self._refill()
            current = self._rate if self._rate is not None else max(actual, self._actual, LEAST)
            least = min(LEAST, self._limit) if self._limit is not None else LEAST
            self._rate = max(least, current * (1 - throttled / (taken + throttled) / 2))
            self._tokens = min(self._tokens, self._burst())

    def _refill(self) -> None:
        now = self._now()
        elapsed, self._refilled = max(0.0, now - self._refilled), now
        if self._rate is None:
            return
        if self._limit is None or self._rate < self._limit:
            self._rate *= _RECOVERY ** min(elapsed, 10.0)
            if self._limit is not None:
                self._rate = min(self._rate, self._limit)
            elif self._rate >= LIFT:
                self._rate = None
                return
        self._tokens = min(self._burst(), self._tokens + elapsed * self._rate)

    def _burst(self) -> float:
        return max(1.0, (self._rate or 0.0) * BURST)
