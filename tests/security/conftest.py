"""A whole gateway without its server: calls go in as WSGI requests, and the log is read back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from gateway import app
from gateway.frontends import http_query
from gateway.operations.catalogue import Operation
from gateway.pipeline.call import Call, Reply
from gateway.settings import Settings
from gateway.storage import passwords
from gateway.storage.database import Database
from gateway.storage.hosts import DirectHost
from gateway.storage.queries import accesses, accounts, log
from gateway.storage.writer import Writer
from tests.support.tokens import Doors

NOW = 1_700_000_000_000_000
PASSWORD = "Zk-correct-horse-battery"
PASSWORD_HASH = passwords.hash_password(PASSWORD)
OFFICE = "192.0.2.10"
STRANGER = "198.51.100.66"


class Observer:
    """Takes failures to be the tests' own."""

    def call(self, call: Call, reply: Reply, operation: Operation | None) -> None:
        pass

    def failure(self, call: Call, error: BaseException) -> None:
        raise error


class Site:
    """The gateway with an account whose accesses are: its e-mail (a password), `tl_open` (anywhere), `tl_office`
    (from 192.0.2.0/24 only); both have the secret `secret`. `hashed` counts the slow verifications."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.secret = passwords.new_secret()
        self.hashed = 0
        settings = Settings(data=folder, trusted_proxies="10.0.0.0/8")
        with database.transaction() as connection:
            self.account_id = accounts.create(connection, "ana@example.com", now=NOW)
            stored = passwords.hash_secret(self.secret)
            accesses.create(connection, self.account_id, "main", "ana@example.com", PASSWORD_HASH, now=NOW)
            accesses.create(connection, self.account_id, "open", "tl_open", stored, now=NOW)
            accesses.create(
                connection, self.account_id, "office", "tl_office", stored, now=NOW, networks='["192.0.2.0/24"]'
            )
        self.host = DirectHost(Writer(database))
        self.gateway = app.build(settings, database, self.host, Observer(), offload=self._count)
        # Guesses are counted in a moment that does not pass, however long their hashing takes here.
        self.gateway.buckets._clock = lambda: 10**15
        route, *_ = http_query.routes(self.gateway)
        self._client = Client(route.application)

    def _count(self, work: Any) -> bool:
        self.hashed += 1
        return bool(work())

    def call(
        self, user: str, password: str, source: str = STRANGER, headers: dict[str, str] | None = None, **more: str
    ) -> dict[str, Any]:
        """The reply to a balance query, or to what `more` makes of it."""
        self.gateway.refresh()
        query = {"class": "user", "method": "getbalance", "user": user, "password": password, **more}
        response = self._client.get(
            "/api/http/", query_string=query, headers=headers, environ_overrides={"REMOTE_ADDR": source}
        )
        reply: dict[str, Any] = json.loads(response.data)
        return reply

    def outcome(self, *given: Any, **more: Any) -> str:
        """SUCCESS or the error's code."""
        reply = self.call(*given, **more)
        return str(reply.get("error") or reply["status"])

    def logged(self) -> list[dict[str, Any]]:
        """Every entry of the log, the oldest first."""
        for row in self.gateway.logbook.due(None):
            self.host.post(row)
        self.host.flush()
        with self.database.read() as connection:
            return log.search(connection, since=NOW, limit=1000).entries[::-1]

    def close(self) -> None:
        self.host.close()
        self.gateway.buckets.close()


@pytest.fixture
def dialect() -> str:
    """What is tested here is before the storage: one kind is enough."""
    return "sqlite"


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Iterator[Site]:
    made = Site(database, tmp_path / "site")
    yield made
    made.close()


@pytest.fixture
def doors(database: Database, tmp_path: Path) -> Iterator[Doors]:
    made = Doors(database, tmp_path / "doors")
    yield made
    made.close()
