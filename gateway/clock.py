"""The one clock: UTC microseconds since the epoch."""

import time

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def now() -> int:
    """Microseconds since 1970-01-01T00:00:00Z by the system's clock."""
    return time.time_ns() // 1000
