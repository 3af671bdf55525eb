"""The opt-out list: what is on it, and that the first and the last of an account are told to every process."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from gateway.storage import versions
from gateway.storage.database import Database
from gateway.storage.queries import optouts
from tests.support.rows import NOW, add_account

ANA, BOB, EVA = "34600000001", "34600000002", "34600000003"


@pytest.fixture
def account_id(database: Database) -> int:
    with database.transaction() as connection:
        return add_account(connection)


def version(database: Database) -> int:
    with database.read() as connection:
        return versions.current(connection).config


def listed(database: Database, account_id: int, after: str = "", limit: int = 10) -> list[str]:
    with database.read() as connection:
        return [row["destination"] for row in optouts.page(connection, account_id, after, limit)]


def test_a_list_has_each_number_once_and_in_order(database: Database, account_id: int) -> None:
    with database.transaction() as connection:
        told = [optouts.add(connection, account_id, number, NOW) for number in (BOB, ANA, BOB, "34")]
    assert told == [True, True, False, True]
    assert listed(database, account_id) == ["34", ANA, BOB]
    assert listed(database, account_id, after="34", limit=1) == [ANA]
    assert listed(database, account_id, after=BOB) == []
    with database.transaction() as connection:
        assert [optouts.remove(connection, account_id, number) for number in (ANA, ANA)] == [True, False]
        assert optouts.among(connection, account_id, [ANA, BOB, EVA]) == {BOB}
        assert optouts.among(connection, account_id, []) == set()


def test_of_nobody(database: Database) -> None:
    with database.transaction() as connection:
        assert not optouts.add(connection, 999, ANA, NOW)
        assert not optouts.remove(connection, 999, ANA)
    assert listed(database, 999) == []


@pytest.mark.parametrize(
    ("before", "change", "moved"),
    [
        pytest.param([], lambda c, a: optouts.add(c, a, ANA, NOW), 1, id="the first comes"),
        pytest.param([ANA], lambda c, a: optouts.add(c, a, BOB, NOW), 0, id="the second comes"),
        pytest.param([ANA], lambda c, a: optouts.add(c, a, ANA, NOW), 0, id="the same comes"),
        pytest.param([ANA, BOB], lambda c, a: optouts.remove(c, a, BOB), 0, id="one of two goes"),
        pytest.param([ANA], lambda c, a: optouts.remove(c, a, ANA), 1, id="the last goes"),
        pytest.param([ANA], lambda c, a: optouts.remove(c, a, BOB), 0, id="none goes"),
    ],
)
def test_what_moves_the_version(
    database: Database, account_id: int, before: list[str], change: Callable[[Connection, int], bool], moved: int
) -> None:
    with database.transaction() as connection:
        for number in before:
            optouts.add(connection, account_id, number, NOW)
    was = version(database)
    with database.transaction() as connection:
        change(connection, account_id)
    assert version(database) - was == moved


@pytest.mark.parametrize("dialect", ["postgresql"])  # SQLite has one who writes
def test_a_last_one_that_goes_while_another_comes(database: Database, account_id: int) -> None:
    """Else the one who goes would say that none is left after the other had said nothing."""
    with database.transaction() as connection:
        optouts.add(connection, account_id, ANA, NOW)
    was = version(database)
    other = threading.Thread(target=_add, args=(database, account_id))
    with database.transaction() as connection:
        assert optouts.remove(connection, account_id, ANA)
        other.start()
        other.join(0.3)
        assert other.is_alive(), "it does not wait"
    other.join(10)
    assert listed(database, account_id) == [BOB]
    assert version(database) == was + 2


def _add(database: Database, account_id: int) -> None:
    with database.transaction() as connection:
        optouts.add(connection, account_id, BOB, NOW)
