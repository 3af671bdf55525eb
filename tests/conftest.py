"""Fixtures for every test: a migrated database of its own on SQLite and on PostgreSQL.

`database` is open in the test's process; `database_url` is for tests that start processes. A test that takes both
gets one database. `empty_url` is the address of a database without any table.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.storage.database import Database
from gateway.storage.migrate import migrate
from tests.support.gateway import running_gateway
from tests.support.postgresql import Server, server

__all__ = ["running_gateway"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Here and not in `chaos/`, where pytest would look too late."""
    parser.addoption(
        "--kills", type=int, default=10, help="how many processes tests/chaos kills, over both databases"
    )
    parser.addoption("--seed", type=int, default=0, help="for the chance of tests/chaos; it prints what it took")


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Every test that touches a database runs on both."""
    return str(request.param)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """The PostgreSQL server of this test process."""
    with server() as running:
        yield running


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file, closed, for tests to copy."""
    path = tmp_path_factory.mktemp("template") / "trunkline.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql: Server) -> Iterator[str]:
    """The name of a migrated database that nobody is connected to, for tests to copy."""
    with postgresql.database() as name:
        _migrate(postgresql.url(name))
        yield name


@pytest.fixture
def database_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a migrated database of this test's own."""
    if dialect == "sqlite":
        path = _sqlite_path(tmp_path / "data")
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        running: Server = request.getfixturevalue("postgresql")
        with running.database(request.getfixturevalue("postgresql_template")) as name:
            yield running.url(name)


@pytest.fixture
def empty_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database without tables; on SQLite the file does not exist yet."""
    if dialect == "sqlite":
        yield f"sqlite:///{_sqlite_path(tmp_path / 'empty')}"
    else:
        running: Server = request.getfixturevalue("postgresql")
        with running.database() as name:
            yield running.url(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The test's own database, migrated and open."""
    opened = Database.open(database_url)
    yield opened
    opened.close()


def _sqlite_path(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    return folder / "trunkline.db"


def _migrate(url: str) -> None:
    database = Database.open(url)
    migrate(database)
    database.close()
