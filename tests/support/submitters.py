"""Customers who submit by SMPP to a server process, and what the database has of it."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from gateway import clock
from gateway.smpp import pdu
from gateway.smpp.pdu import Pdu
from gateway.storage import passwords
from gateway.storage.database import Database
from gateway.storage.queries import accesses, accounts, ledger
from gateway.storage.schema import call_log, message
from tests.support.books import balance_of
from tests.support.smpp import Esme
from tests.support.smpp_role import Role, role
from tests.support.wait import until

CREDIT = 1_000_000
SENT = {
    "source_addr": "Shop",
    "source_addr_ton": 5,
    "destination_addr": "34600000001",
    "dest_addr_ton": 1,
    "dest_addr_npi": 1,
    "short_message": b"Hi",
}
_numbers = itertools.count(1)


@dataclass(slots=True)
class Submitter:
    """An account with an access, bound by one connection."""

    database: Database
    port: int
    account_id: int
    access_id: int
    login: str
    secret: str
    esme: Esme

    def ask(self, request: Pdu) -> Any:
        """Send a request and give its response."""
        return self.esme.request(request)

    def submit(self, **fields: Any) -> Any:
        """Send a submit_sm, `SENT` but for these fields; the response."""
        return self.ask(pdu.SubmitSm(**SENT | fields))

    def sent(self, **fields: Any) -> Any:
        """Submit what must be taken; the row of the message."""
        response = self.submit(**fields)
        assert response.command_status == 0, response
        return self.message(int(response.message_id))

    def another(self, mode: str = "transceiver") -> Esme:
        """Another session of the access."""
        return Esme(self.port).bound(self.login, self.secret, mode)

    @property
    def balance(self) -> int:
        return balance_of(self.database, self.account_id)

    def message(self, message_id: int) -> Any:
        """A message of the account."""
        query = select(message).where(message.c.account_id == self.account_id, message.c.id == message_id)
        with self.database.read() as connection:
            return connection.execute(query).mappings().one()

    def messages(self) -> list[Any]:
        """All its messages, in the order of their ids."""
        query = select(message).where(message.c.account_id == self.account_id).order_by(message.c.id)
        with self.database.read() as connection:
            return list(connection.execute(query).mappings())

    def logged(self, method: str, count: int = 1) -> list[Any]:
        """Its rows in the log of this method, once there are as many; a second at most after the answer."""
        query = (
            select(call_log)
            .where(call_log.c.account_id == self.account_id, call_log.c.method == method)
            .order_by(call_log.c.id)
        )

        def rows() -> list[Any] | None:
            with self.database.read() as connection:
                found = list(connection.execute(query).mappings())
            return found if len(found) >= count else None

        found = until(rows, what=f"{count} rows of {method}")
        assert found is not None
        return found

    def refused_as(self, method: str, outcome: str) -> Any:
        """The log's row of a request of this method with this outcome."""
        found = until(
            lambda: next((row for row in self.logged(method) if row["outcome"] == outcome), None), what=outcome
        )
        assert found is not None
        return found


@dataclass(slots=True)
class Desk:
    """A server process and the database that it works on."""

    database: Database
    role: Role

    def customer(
        self, credits_: int = 100 * CREDIT, account: dict[str, Any] | None = None, **access: Any
    ) -> Submitter:
        """A new account with this balance in micro-credits, its access, and a session."""
        number, now = next(_numbers), clock.now()
        login, secret = f"sub{number}", passwords.new_secret()
        given = {"country": "34", "timezone": "Europe/Madrid"} | (account or {})
        with self.database.transaction() as connection:
            account_id = accounts.create(connection, f"{login}@example.com", now=now, **given)
            access_id = accesses.create(
                connection, account_id, "main", login, passwords.hash_secret(secret), now=now, **access
            )
            if credits_:
                ledger.grant(connection, account_id, credits_, "test", now)
        esme = Esme(self.role.port).bound(login, secret)
        return Submitter(self.database, self.role.port, account_id, access_id, login, secret, esme)


@contextmanager
def desk(url: str, data: Path, **variables: str) -> Iterator[Desk]:
    """A server on this database within the block, with `variables` (TRUNKLINE_*)."""
    database = Database.open(url)
    try:
        with role(data, url, **variables) as running:
            yield Desk(database, running)
    finally:
        database.close()
