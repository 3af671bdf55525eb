"""Routes and prices by the longest prefix of a destination.

Tables are built once and then only read. A look-up probes a dictionary once for each length that prefixes
have, longest first, however many prefixes there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Route:
    """A way to the destinations that begin with `prefix` (digits; empty for all), in a carrier's hands.

    `cost` is what a segment costs us in micro-credits; of several routes a lower `priority` number is
    preferred.
    """

    id: int
    prefix: str
    carrier_id: int
    cost: int
    priority: int


class _Prefixes(Generic[_Value]):
    """Values by prefix."""

    __slots__ = ("_lengths", "_values")

    def __init__(self, values: dict[str, _Value]) -> None:
        self._values = values
        self._lengths = sorted({len(prefix) for prefix in values}, reverse=True)

    def longest(self, destination: str) -> _Value | None:
        values = self._values
        for length in self._lengths:
            value = values.get(destination[:length])
            if value is not None:
                return value
        return None


class RouteTable:
    """Routes, to be asked for those that serve a destination."""

    __slots__ = ("_candidates",)

    def __init__(self, routes: Iterable[Route]) -> None:
        own: dict[str, list[Route]] = {}
        for route in routes:
            own.setdefault(route.prefix, []).append(route)
        candidates: dict[str, tuple[Route, ...]] = {}
        # Shorter prefixes come first, so that the longest one that begins this one has its whole list
        # already.
        for prefix in sorted(own, key=len):
            ordered = sorted(own[prefix], key=lambda route: (route.priority, route.cost, route.id))
            shorter = next(
                (candidates[prefix[:n]] for n in range(len(prefix) - 1, -1, -1) if prefix[:n] in candidates),
                (),
            )
            candidates[prefix] = (*ordered, *shorter)
        self._candidates = _Prefixes(candidates)

    def candidates(self, destination: str) -> tuple[Route, ...]:
        """Give all routes whose prefix begins the destination: longest prefix, priority, cost, id."""
        return self._candidates.longest(destination) or ()

    def first(self, destination: str) -> Route | None:
        """Give the route to try first, or None where no route serves the destination."""
        candidates = self._candidates.longest(destination)
        return candidates[0] if candidates else None


class PriceTable:
    """Prices from rows of account id (None for the default list), prefix, micro-credits a segment."""

    __slots__ = ("_default", "_own")

    def __init__(self, prices: Iterable[tuple[int | None, str, int]]) -> None:
        lists: dict[int | None, dict[str, int]] = {}
        for account_id, prefix, micro in prices:
            lists.setdefault(account_id, {})[prefix] = micro
        self._default = _Prefixes(lists.pop(None, {}))
        self._own = {account_id: _Prefixes(prefixes) for account_id, prefixes in lists.items()}

    def price(self, account_id: int, destination: str) -> int | None:
        """Give a segment's price: the account's own longest prefix, else the default list's, or None."""
        own = self._own.get(account_id)
        micro = own.longest(destination) if own is not None else None
        return micro if micro is not None else self._default.longest(destination)
