"""An SMPP server in a process of its own, on SQLite, with timers short enough to wait for."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.smpp import Esme
from tests.support.smpp_role import Customers, Role, role
from tests.support.submitters import Desk, desk


@dataclass
class Server:
    """A running server, the database's customers, and how to come in."""

    role: Role
    customers: Customers

    def esme(self, **options: Any) -> Esme:
        """A new connection."""
        return Esme(self.role.port, **options)


@pytest.fixture(scope="module")
def server(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """A server for the tests of a file; its variable `SETTINGS` has the settings."""
    data = tmp_path_factory.mktemp("smpp")
    shutil.copy(sqlite_template, data / "trunkline.db")
    url = f"sqlite:///{data / 'trunkline.db'}"
    customers = Customers(url)
    with role(data, url, **getattr(request.module, "SETTINGS", {})) as running:
        yield Server(running, customers)
    customers.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def submitting(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A server for the tests of a file, on each database; the file's variable `SETTINGS` has the settings."""
    data = tmp_path_factory.mktemp("submitting")
    settings = getattr(request.module, "SETTINGS", {})
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), data / "trunkline.db")
        with desk(f"sqlite:///{data / 'trunkline.db'}", data, **settings) as open_:
            yield open_
    else:
        running = request.getfixturevalue("postgresql")
        with (
            running.database(request.getfixturevalue("postgresql_template")) as name,
            desk(running.url(name), data, **settings) as open_,
        ):
            yield open_
