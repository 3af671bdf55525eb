"""Carriers, routes and prices."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from gateway.messaging.states import State
from gateway.storage import versions
from gateway.storage.database import Database
from gateway.storage.errors import Conflict
from gateway.storage.queries import carriers, tariff
from tests.support.rows import NOW, add_account, add_message


def test_carrier_keeps_options_and_sealed_secrets_apart(database: Database) -> None:
    with database.transaction() as connection:
        added = carriers.add(connection, "up", "smpp", {"host": "smsc.example.com"}, b"\x01sealed", NOW)
        found = carriers.find(connection, "up")
        assert [carrier.name for carrier in carriers.list_(connection)] == ["simulator", "up"]
    assert found is not None
    assert (found.id, found.kind, found.options) == (added, "smpp", {"host": "smsc.example.com"})
    assert found.sealed_secrets == b"\x01sealed"
    assert "sealed" not in repr(found)


def test_carrier_name_is_taken_once(database: Database) -> None:
    with pytest.raises(Conflict, match="a carrier 'simulator' already"), database.transaction() as connection:
        carriers.add(connection, "simulator", "simulator", {}, None, NOW)


@pytest.mark.parametrize(
    ("states", "routes", "needed"),
    [
        pytest.param([], 0, None, id="nothing"),
        pytest.param([], 1, "1 route and 0 unsent messages", id="a route"),
        pytest.param([State.QUEUED], 0, "0 routes and 1 unsent message", id="queued"),
        pytest.param([State.SCHEDULED], 0, "0 routes and 1 unsent message", id="scheduled"),
        pytest.param([State.STAGED, State.HELD, State.SENDING], 2, "2 routes and 3 unsent messages", id="unsent"),
        pytest.param([State.SENT, State.DELIVERED, State.CANCELLED], 0, None, id="sent and over"),
    ],
)
def test_carrier_goes_only_when_nothing_needs_it(
    database: Database, states: list[State], routes: int, needed: str | None
) -> None:
    with database.transaction() as connection:
        carrier = carriers.add(connection, "up", "smpp", {}, None, NOW)
        account = add_account(connection)
        for number, state in enumerate(states, 1):
            add_message(connection, account, number, state, carrier_id=carrier)
            add_message(connection, account, 100 + number, State.QUEUED)
        for number in range(routes):
            tariff.add_route(connection, f"3{number}", carrier, 0, 0)
    if needed is None:
        with database.transaction() as connection:
            carriers.remove(connection, carrier)
            assert carriers.find(connection, "up") is None
    else:
        with pytest.raises(Conflict, match=needed + r"\.$"), database.transaction() as connection:
            carriers.remove(connection, carrier)


def test_routes(database: Database) -> None:
    with database.transaction() as connection:
        up = carriers.add(connection, "up", "smpp", {}, None, NOW)
        tariff.add_route(connection, "34", up, 5, 1)
        tariff.add_route(connection, "34", 1, 9, 0)
        named = tariff.named_routes(connection)
        assert [(row["prefix"], row["carrier"], row["priority"]) for row in named] == [
            ("", "simulator", 0),
            ("34", "simulator", 0),
            ("34", "up", 1),
        ]
        assert {(route.prefix, route.carrier_id, route.cost) for route in tariff.routes(connection)} == {
            ("", 1, 0),
            ("34", 1, 9),
            ("34", up, 5),
        }
        assert tariff.remove_route(connection, "34", up)
        assert not tariff.remove_route(connection, "34", up)


def test_route_is_there_once(database: Database) -> None:
    with pytest.raises(Conflict, match="a route of the prefix '' to this carrier"), database.transaction() as c:
        tariff.add_route(c, "", 1, 0, 0)


def test_prices(database: Database) -> None:
    with database.transaction() as connection:
        account = add_account(connection)
        tariff.set_price(connection, account, "", 7)
        tariff.set_price(connection, account, "", 8)
        tariff.set_price(connection, tariff.DEFAULT_LIST, "34", 9)
        assert set(tariff.prices(connection)) == {(None, "", 1_000_000), (None, "34", 9), (account, "", 8)}
        assert [(row["account"], row["prefix"]) for row in tariff.named_prices(connection)] == [
            (None, ""),
            (None, "34"),
            ("ana@example.com", ""),
        ]
        assert tariff.remove_price(connection, account, "")
        assert not tariff.remove_price(connection, account, "")
        assert (None, "", 1_000_000) in tariff.prices(connection)


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda c: carriers.add(c, "up", "smpp", {}, None, NOW), id="carrier added"),
        pytest.param(lambda c: carriers.remove(c, 2), id="carrier removed"),
        pytest.param(lambda c: tariff.add_route(c, "34", 1, 0, 0), id="route added"),
        pytest.param(lambda c: tariff.remove_route(c, "", 1), id="route removed"),
        pytest.param(lambda c: tariff.set_price(c, 0, "34", 1), id="price set"),
        pytest.param(lambda c: tariff.remove_price(c, 0, ""), id="price removed"),
    ],
)
def test_every_change_bumps_the_version(database: Database, work: Callable[[Connection], object]) -> None:
    with database.transaction() as connection:
        carriers.add(connection, "idle", "smpp", {}, None, NOW)
        before = versions.current(connection)
        work(connection)
        assert versions.current(connection) > before
