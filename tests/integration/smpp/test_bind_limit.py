"""How many sessions an access may have, counted over processes and machines, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from gateway import clock
from gateway.smpp.constants import CommandStatus as Status
from gateway.storage.database import Database
from gateway.storage.queries import nodes, smpp_binds
from gateway.storage.queries.nodes import Node
from gateway.storage.queries.smpp_binds import Wanted
from gateway.storage.schema import access, node, smpp_bind
from tests.support.smpp import Esme
from tests.support.smpp_role import Customers, Login, Role, role
from tests.support.wait import until

DEFAULT = 3


@pytest.fixture
def customers(database_url: str) -> Iterator[Customers]:
    found = Customers(database_url)
    yield found
    found.close()


@pytest.fixture
def pair(database_url: str, tmp_path: Path) -> Iterator[tuple[Role, Role]]:
    """Two servers on one database, each with a folder of its own, as on two machines."""
    settings = {"TRUNKLINE_SMPP_BINDS": str(DEFAULT)}
    folders = tmp_path / "one", tmp_path / "two"
    for folder in folders:
        folder.mkdir()
    with role(folders[0], database_url, **settings) as one, role(folders[1], database_url, **settings) as two:
        yield one, two


def status(running: Role, login: Login, kept: list[Esme]) -> int:
    """What a bind is answered; one that was taken stays."""
    esme = Esme(running.port)
    kept.append(esme)
    return int(esme.bind(login.user, login.secret).command_status)


def test_limit_is_counted_over_processes(pair: tuple[Role, Role], customers: Customers) -> None:
    login, other = customers.access(bind_limit=2), customers.access()
    kept: list[Esme] = []
    assert [status(running, login, kept) for running in pair] == [Status.ESME_ROK] * 2
    assert [status(running, login, kept) for running in pair] == [Status.ESME_RALYBND] * 2
    (first, second) = customers.logged(2, access_id=login.access_id, outcome="TOO_MANY_REQUESTS")
    assert "2 sessions at once" in first["response"]
    assert second["method"] == "bind_transceiver"
    # The limit of one is no other's; without one of its own an access has the installation's.
    everybody = [status(pair[number % 2], other, kept) for number in range(DEFAULT + 1)]
    assert everybody == [Status.ESME_ROK] * DEFAULT + [Status.ESME_RALYBND]
    # Who has left makes room at once, on either.
    kept[0].unbind()
    until(lambda: status(pair[1], login, kept) == Status.ESME_ROK, 10, "room for another session")
    assert status(pair[0], login, kept) == Status.ESME_RALYBND


def test_many_at_once_are_no_more_than_may(pair: tuple[Role, Role], customers: Customers) -> None:
    login = customers.access(bind_limit=5)
    kept: list[Esme] = []
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda number: status(pair[number % 2], login, kept), range(20)))
    assert sorted(found) == [Status.ESME_ROK] * 5 + [Status.ESME_RALYBND] * 15
    with customers.database.read() as connection:
        assert len(connection.execute(select(smpp_bind)).all()) == 5


def test_raised_limit_counts_at_once(pair: tuple[Role, Role], customers: Customers) -> None:
    login = customers.access(bind_limit=1)
    kept: list[Esme] = []
    assert status(pair[0], login, kept) == Status.ESME_ROK
    assert status(pair[0], login, kept) == Status.ESME_RALYBND
    customers.change(update(access).where(access.c.id == login.access_id).values(bind_limit=2))
    until(lambda: status(pair[0], login, kept) == Status.ESME_ROK, 10, "the raised limit")


def test_sessions_of_a_killed_server_count_no_longer(pair: tuple[Role, Role], customers: Customers) -> None:
    login = customers.access(bind_limit=1)
    kept: list[Esme] = []
    assert status(pair[0], login, kept) == Status.ESME_ROK
    pair[0].process.kill()
    pair[0].process.wait()
    until(lambda: status(pair[1], login, kept) == Status.ESME_ROK, 15, "a session in place of the lost one")


# The register itself.

ME, OTHER = (Node(name, name, "smpp", 1, 0) for name in ("me", "other"))


def registered(database: Database, owner: Node, *ids: int, limit: int | None, gone: tuple[int, ...] = ()) -> set[int]:
    """Which of these sessions of one access are refused."""
    wanted = [Wanted(number, 7, limit) for number in ids]
    with database.transaction() as connection:
        nodes.beat(connection, owner, clock.now())
        return set(smpp_binds.register(connection, owner.id, wanted, gone, clock.now()))


def rows(database: Database) -> set[tuple[int, str]]:
    with database.read() as connection:
        return {(row.id, row.node) for row in connection.execute(select(smpp_bind))}


def test_register(database: Database) -> None:
    assert registered(database, OTHER, 1, limit=2) == set()
    assert registered(database, ME, 2, 3, 4, limit=2) == {3, 4}
    assert rows(database) == {(1, "other"), (2, "me")}
    # What left goes first; what was noted before, in an attempt whose answer was lost, does not count twice.
    assert registered(database, ME, 3, limit=2, gone=(2,)) == set()
    assert registered(database, ME, 3, limit=2) == set()
    # Nobody takes off another's.
    assert registered(database, ME, gone=(1,), limit=2) == set()
    assert registered(database, ME, 5, 6, limit=None) == set()
    assert rows(database) == {(1, "other"), (3, "me"), (5, "me"), (6, "me")}


def test_who_is_silent_does_not_count_and_is_forgotten(database: Database) -> None:
    registered(database, OTHER, 1, 2, limit=2)
    with database.transaction() as connection:
        connection.execute(update(node).where(node.c.id == "other").values(seen_at=clock.now() - nodes.ALIVE - 1))
    assert registered(database, ME, 3, limit=1) == set()
    with database.transaction() as connection:
        smpp_binds.forget(connection)
    assert rows(database) == {(1, "other"), (2, "other"), (3, "me")}
    with database.transaction() as connection:
        connection.execute(delete(node).where(node.c.id == "other"))
        smpp_binds.forget(connection)
    assert rows(database) == {(3, "me")}
    with database.transaction() as connection:
        smpp_binds.clear(connection, "me")
    assert rows(database) == set()


def test_register_of_more_than_one_statement_holds(database: Database) -> None:
    many = tuple(range(1, 1200))
    assert registered(database, ME, *many, limit=1000) == set(range(1001, 1200))
    assert registered(database, ME, gone=many, limit=1000) == set()
    assert rows(database) == set()
