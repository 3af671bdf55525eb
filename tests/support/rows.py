"""Rows of the database that tests begin with."""

from typing import Any

from sqlalchemy import Connection, insert

from gateway.messaging.states import State
from gateway.storage import passwords
from gateway.storage.queries import accesses, accounts, ledger
from gateway.storage.schema import batch, message, segment

NOW = 1_800_000_000_000_000
HOUR = 3_600_000_000
CREDIT = 1_000_000


def add_account(connection: Connection, email: str = "ana@example.com", *, granted: int = 0, **rest: Any) -> int:
    """An account with whole credits; its id."""
    account_id = accounts.create(connection, email, now=NOW, **rest)
    if granted:
        ledger.grant(connection, account_id, granted * CREDIT, "for the test", NOW)
    return account_id


def add_access(connection: Connection, account_id: int, name: str = "shop", **rest: Any) -> int:
    """An access whose login is its name and whose secret is `name-secret`; its id."""
    secret = passwords.hash_secret(f"{name}-secret")
    return accesses.create(connection, account_id, name, rest.pop("login", name), secret, now=NOW, **rest)


def add_message(connection: Connection, account_id: int, message_id: int, state: State, **changes: Any) -> int:
    """A message of one segment at a credit, due now; its id."""
    row = {
        "id": message_id,
        "account_id": account_id,
        "access_id": 1,
        "protocol": "http",
        "source": "Trunkline",
        "destination": "34600000001",
        "text": "hello",
        "encoding": "gsm",
        "segments": 1,
        "price": CREDIT,
        "refunded": 0,
        "state": state.value,
        "carrier_id": 1,
        "attempt": 0,
        "accepted_at": NOW,
        "due_at": NOW,
        "expires_at": NOW + 48 * HOUR,
    }
    connection.execute(insert(message).values(**row | changes))
    return message_id


def add_segment(connection: Connection, message_id: int, seq: int, **changes: Any) -> None:
    """A segment that a carrier has taken."""
    row = {
        "message_id": message_id,
        "seq": seq,
        "attempt": 1,
        "carrier_id": 1,
        "carrier_ref": f"{message_id}-{seq}",
        "state": State.SENT.value,
        "sent_at": NOW,
    }
    connection.execute(insert(segment).values(**row | changes))


def add_batch(connection: Connection, account_id: int, batch_id: int, *, opened: bool) -> int:
    """A batch; its id."""
    connection.execute(
        insert(batch).values(
            id=batch_id,
            account_id=account_id,
            created_at=NOW,
            opened_at=NOW if opened else None,
            count=1,
            credits=CREDIT,
        )
    )
    return batch_id
