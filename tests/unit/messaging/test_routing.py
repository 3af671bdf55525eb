"""Routes and prices by prefix, against a plain search through all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messaging.routing import PriceTable, Route, RouteTable

prefixes = st.text("0123", max_size=5)
destinations = st.text("0123", max_size=8)
routes = st.lists(
    st.builds(
        Route,
        id=st.integers(1, 10_000),
        prefix=prefixes,
        carrier_id=st.integers(1, 3),
        cost=st.integers(0, 3),
        priority=st.integers(0, 3),
    ),
    unique_by=lambda route: route.id,
)
prices = st.dictionaries(st.tuples(st.sampled_from([None, 1, 2]), prefixes), st.integers(0, 9))

ANY = Route(1, "", 1, 100, 0)
SPAIN = Route(2, "34", 1, 50, 5)
SPAIN_FALLBACK = Route(3, "34", 2, 10, 9)
SPAIN_CHEAP = Route(4, "34", 3, 40, 5)
SPAIN_TWIN = Route(5, "34", 4, 40, 5)
SPAIN_MOBILE = Route(6, "346", 2, 90, 99)
TABLE = RouteTable([SPAIN_TWIN, SPAIN_FALLBACK, ANY, SPAIN_MOBILE, SPAIN, SPAIN_CHEAP])


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        pytest.param("33600000001", (ANY,), id="empty-prefix"),
        pytest.param("", (ANY,), id="empty-destination"),
        pytest.param(
            "34900000001", (SPAIN_CHEAP, SPAIN_TWIN, SPAIN, SPAIN_FALLBACK, ANY), id="priority-then-cost-then-id"
        ),
        pytest.param(
            "34600000001",
            (SPAIN_MOBILE, SPAIN_CHEAP, SPAIN_TWIN, SPAIN, SPAIN_FALLBACK, ANY),
            id="longest-prefix-before-all",
        ),
        pytest.param("3", (ANY,), id="shorter-than-the-prefixes"),
    ],
)
def test_candidates(destination: str, expected: tuple[Route, ...]) -> None:
    assert TABLE.candidates(destination) == expected
    assert TABLE.first(destination) == expected[0]


def test_no_route() -> None:
    table = RouteTable([SPAIN])
    assert table.candidates("33600000001") == ()
    assert table.first("33600000001") is None
    assert RouteTable([]).first("34600000001") is None


@given(routes, destinations)
def test_candidates_are_those_a_search_finds(table: list[Route], destination: str) -> None:
    expected = sorted(
        (route for route in table if destination.startswith(route.prefix)),
        key=lambda route: (-len(route.prefix), route.priority, route.cost, route.id),
    )
    built = RouteTable(iter(table))
    assert list(built.candidates(destination)) == expected
    assert built.first(destination) == (expected[0] if expected else None)


@pytest.mark.parametrize(
    ("account", "destination", "micro"),
    [
        pytest.param(1, "34600000001", 70, id="own-longest"),
        pytest.param(1, "34900000001", 60, id="own-shorter-beats-default-longer"),
        pytest.param(1, "33600000001", 10, id="default-where-own-has-none"),
        pytest.param(2, "34900000001", 90, id="default-longest"),
        pytest.param(2, "33600000001", 10, id="default-of-all"),
        pytest.param(3, "34600000001", 0, id="own-price-of-nothing"),
    ],
)
def test_price(account: int, destination: str, micro: int) -> None:
    table = PriceTable(
        [(None, "", 10), (None, "349", 90), (1, "34", 60), (1, "346", 70), (3, "34", 0), (None, "34", 20)]
    )
    assert table.price(account, destination) == micro


def test_no_price() -> None:
    assert PriceTable([(1, "34", 5)]).price(1, "33600000001") is None
    assert PriceTable([(1, "34", 5)]).price(2, "34600000001") is None


@given(prices, st.sampled_from([1, 2, 3]), destinations)
def test_prices_are_those_a_search_finds(
    table: dict[tuple[int | None, str], int], account: int, destination: str
) -> None:
    def longest(owner: int | None) -> int | None:
        own = {prefix: micro for (who, prefix), micro in table.items() if who == owner}
        found = [prefix for prefix in own if destination.startswith(prefix)]
        return own[max(found, key=len)] if found else None

    own = longest(account)
    built = PriceTable((who, prefix, micro) for (who, prefix), micro in table.items())
    assert built.price(account, destination) == (own if own is not None else longest(None))
