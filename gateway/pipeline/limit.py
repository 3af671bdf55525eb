"""How many calls a second an access may make, counted over every process of the machine."""

from collections.abc import Callable

from gateway.operations.errors import Code, Refusal
from gateway.pipeline.buckets import Buckets
from gateway.storage.records import Access

_SECOND = 1_000_000_000


class Limiter:
    """Holds accesses to their rates; one without a rate costs nothing.

    A machine allows its share of the rate: `machines` gives how many there are. What one second allows may come
    at once.
    """

    def __init__(self, buckets: Buckets, machines: Callable[[], int] = lambda: 1) -> None:
        self._buckets = buckets
        self._machines = machines

    def check(self, access: Access) -> None:
        """Count a call; raises `Refusal` (TOO_MANY_REQUESTS, naming the rate) where it is one too many."""
        rate = access.rate
        if rate is None:
            return
        share = rate / max(1, self._machines())
        key = self._buckets.key("rate", str(access.id))
        if share <= 0 or not self._buckets.take(key, int(_SECOND / share), max(1.0, share)):
            raise Refusal(
                Code.TOO_MANY_REQUESTS, f"This access may make {rate:g} calls a second: wait, then call again."
            )
