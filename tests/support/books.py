"""Accounts with credits, rows for the committing writer, and the check that every balance adds up."""

import itertools
from typing import Any

from sqlalchemy import func, select

from gateway import clock
from gateway.storage import ids
from gateway.storage.database import Database
from gateway.storage.queries import accounts, ledger
from gateway.storage.schema import balance, message
from gateway.storage.schema import ledger as ledger_table
from gateway.storage.submission import LOG_COLUMNS, MESSAGE_COLUMNS, Claim, Row, Submission

_numbers = itertools.count()


def new_id() -> int:
    """An id of the present that no other row of this process has."""
    return ids.first(clock.now()) + next(_numbers)


def open_account(database: Database, credits_: int, email: str | None = None) -> int:
    """A new account with this balance in micro-credits; its id."""
    now = clock.now()
    with database.transaction() as connection:
        account_id = accounts.create(connection, email or f"a{next(_numbers)}@example.com", now=now)
        if credits_:
            ledger.grant(connection, account_id, credits_, "test", now)
    return account_id


def a_message(account_id: int, price: int = 0, **changes: Any) -> Row:
    """A message row that waits for the carrier 1."""
    now = clock.now()
    values = {
        "id": new_id(),
        "account_id": account_id,
        "access_id": 1,
        "protocol": "http",
        "source": "Test",
        "destination": "34600000001",
        "text": "hello",
        "encoding": "GSM7",
        "segments": 1,
        "price": price,
        "refunded": 0,
        "state": 2,
        "carrier_id": 1,
        "attempt": 0,
        "accepted_at": now,
        "due_at": now,
        "expires_at": now + clock.HOUR,
    }
    return tuple((values | changes).get(column) for column in MESSAGE_COLUMNS)


def a_log_row(account_id: int | None, **changes: Any) -> Row:
    """A row of the log of calls."""
    values = {
        "id": new_id(),
        "at": clock.now(),
        "account_id": account_id,
        "source_ip": "192.0.2.1",
        "protocol": "http",
        "parameters": "{}",
        "outcome": "SUCCESS",
        "response": "{}",
        "duration_us": 1,
        "request_id": "r",
        "count": 1,
    }
    return tuple((values | changes).get(column) for column in LOG_COLUMNS)


def a_send(account_id: int, price: int = 1, key: str | None = None, fingerprint: str = "same") -> Submission:
    """One message for `price` micro-credits, with an idempotency key or without; the answer is the message's id."""
    row = a_message(account_id, price)
    claim = Claim(key, fingerprint, f'"{row[0]}"') if key is not None else None
    return Submission(
        account_id=account_id,
        debit=price,
        messages=(row,),
        claim=claim,
        log=lambda verdict: a_log_row(account_id, outcome=type(verdict).__name__),
    )


def balance_of(database: Database, account_id: int) -> int:
    """The account's micro-credits."""
    with database.read() as connection:
        return ledger.balance(connection, account_id)


def rows_of(database: Database, table: Any, *conditions: Any) -> list[Any]:
    """The rows of a table that meet the conditions."""
    with database.read() as connection:
        return list(connection.execute(select(table).where(*conditions)).mappings().all())


def check_books(database: Database) -> None:
    """Every balance is the sum of its ledger and not below zero; what was debited is what messages cost."""
    with database.read() as connection:
        balances = {row[0]: row[1] for row in connection.execute(select(balance.c.account_id, balance.c.credits))}
        sums = _sums(connection, ledger_table.c.account_id, ledger_table.c.amount)
        debits = _sums(connection, ledger_table.c.account_id, ledger_table.c.amount, ledger_table.c.kind == "debit")
        prices = _sums(connection, message.c.account_id, message.c.price)
    assert {account: credits_ for account, credits_ in balances.items() if credits_} == sums
    assert all(credits_ >= 0 for credits_ in balances.values())
    assert {account: -amount for account, amount in debits.items()} == prices


def _sums(connection: Any, by: Any, what: Any, *conditions: Any) -> dict[int, int]:
    rows = connection.execute(select(by, func.sum(what)).where(*conditions).group_by(by))
    return {account: int(total) for account, total in rows if total}
