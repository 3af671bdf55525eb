"""The whole pipeline on a real database, called without a front end: accounts, and the calls they make."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway import app, clock
from gateway.operations.catalogue import Operation
from gateway.operations.context import Credits, Moment, Rows
from gateway.pipeline.call import Call, Reply
from gateway.settings import Settings
from gateway.storage import passwords
from gateway.storage.database import Database
from gateway.storage.hosts import DirectHost
from gateway.storage.queries import accesses, accounts, carriers, contacts, groups, ledger, tariff, templates
from gateway.storage.writer import Writer
from tests.support.books import balance_of

CREDIT = 1_000_000
SECRET = "a-generated-secret-Zk81"
_numbers = itertools.count(1)


@dataclass(slots=True)
class Observer:
    """Collects what a process would count and log."""

    calls: list[tuple[Call, Reply, Operation | None]] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)

    def call(self, call: Call, reply: Reply, operation: Operation | None, *_: Any, **__: Any) -> None:
        self.calls.append((call, reply, operation))

    def failure(self, call: Call, error: BaseException) -> None:
        self.failures.append(error)


@dataclass(slots=True)
class Installation:
    """A gateway as it is at first: one carrier, a route to it for every number, and a price of 1 credit."""

    database: Database
    host: DirectHost
    gateway: app.Gateway
    observer: Observer
    carrier_id: int

    def customer(self, credits_: int = 1_000 * CREDIT, **account: Any) -> "Customer":
        """A new account with this balance in micro-credits, and an access to it."""
        number, now = next(_numbers), clock.now()
        with self.database.transaction() as connection:
            given = {"country": "34", "timezone": "Europe/Madrid"} | account
            account_id = accounts.create(connection, f"c{number}@example.com", now=now, **given)
            login = f"tl_{number}"
            accesses.create(connection, account_id, "main", login, passwords.hash_secret(SECRET), now=now)
            if credits_:
                ledger.grant(connection, account_id, credits_, "test", now)
        self.gateway.refresh()
        return Customer(self, account_id, login)

    def handle(self, call: Call) -> Reply:
        """Answer a call; nothing that is tested may be an error of ours."""
        reply = self.gateway.handle(call)
        if self.observer.failures:
            raise self.observer.failures[0]
        return reply

    def set_price(self, prefix: str, micro: int, account_id: int = tariff.DEFAULT_LIST) -> None:
        with self.database.transaction() as connection:
            tariff.set_price(connection, account_id, prefix, micro)
        self.gateway.refresh()

    def serve_only(self, *prefixes: str) -> None:
        """Have routes for these prefixes and no others."""
        with self.database.transaction() as connection:
            tariff.remove_route(connection, "", self.carrier_id)
            for prefix in prefixes:
                tariff.add_route(connection, prefix, self.carrier_id, 0, 1)
        self.gateway.refresh()


@dataclass(slots=True)
class Customer:
    """An account, and the calls that it makes with its access."""

    installation: Installation
    account_id: int
    login: str

    def call(self, name: str, parameters: dict[str, str]) -> Reply:
        class_name, method = name.split(".")
        return self.installation.handle(
            Call(
                protocol="http",
                source_ip="192.0.2.1",
                login=self.login,
                secret=SECRET,
                class_name=class_name,
                method=method,
                parameters=parameters,
                request_id=f"r{next(_numbers)}",
                received_at=clock.now(),
            )
        )

    def answer(self, name: str, **parameters: str) -> Any:
        """The result of a call that is to succeed, as plain values; `from_` stands for `from`."""
        reply = self.call(name, _wire(parameters))
        assert reply.error is None, reply
        return plain(reply.result)

    def refusal(self, name: str, **parameters: str) -> tuple[str, str | None]:
        """The code and the detail of a call that is to fail; `from_` stands for `from`."""
        reply = self.call(name, _wire(parameters))
        assert reply.error is not None, reply
        return reply.error.value, reply.detail

    @property
    def balance(self) -> int:
        return balance_of(self.installation.database, self.account_id)

    def template(self, text: str) -> str:
        """A new template's id."""
        with self.installation.database.transaction() as connection:
            return str(templates.add(connection, self.account_id, "title", text, "mobile", clock.now()))

    def group(self, *members: str | tuple[str, dict[str, str]], fields: tuple[str, ...] = ()) -> str:
        """A new group's id; members are numbers, or numbers and fields."""
        rows = [member if isinstance(member, tuple) else (member, {}) for member in members]
        with self.installation.database.transaction() as connection:
            group_id = groups.create(connection, self.account_id, "group", "mobile", fields, clock.now())
            for start in range(0, len(rows), contacts.MAX_ROWS):
                piece = rows[start : start + contacts.MAX_ROWS]
                contacts.add_many(connection, self.account_id, group_id, piece, clock.now())
        return str(group_id)


def plain(value: Any) -> Any:
    """A result with its amounts as micro-credits, its dates as text and its lists read to their ends."""
    if isinstance(value, Credits):
        return value.micro
    if isinstance(value, Moment):
        return value.text
    if isinstance(value, Rows):
        return [row for page in value.pages() for row in page]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


@contextmanager
def installed(database: Database, folder: Path, **settings: Any) -> Iterator[Installation]:
    """An installation on a migrated database; `folder` is for its files."""
    with database.read() as connection:
        carrier = carriers.find(connection, "simulator")
    assert carrier is not None
    host, observer = DirectHost(Writer(database)), Observer()
    gateway = app.build(Settings(data=folder, **settings), database, host, observer)
    try:
        yield Installation(database, host, gateway, observer, carrier.id)
    finally:
        host.close()
        gateway.buckets.close()


def _wire(parameters: dict[str, str]) -> dict[str, str]:
    return {"from" if name == "from_" else name: value for name, value in parameters.items()}
