"""Messages as whoever submitted them by SMPP asks after them and takes them back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from gateway.storage.errors import Conflict
from gateway.storage.queries import messages
from gateway.storage.statements import Statements

MOST_CANCELLED = 100
"""Most messages that one request between two addresses cancels."""

LATEST = 10_000
"""How many of an account's latest messages are looked through for those between two addresses."""

_AMONG = "SELECT id, source, destination, state, due_at, final_at FROM message WHERE id IN {} AND account_id = ?"
# Each id is looked up in the one partition that may hold it; a list would be looked up in every partition.
_ONE_BY_ONE = (
    "SELECT m.id, m.source, m.destination, m.state, m.due_at, m.final_at FROM unnest(?::bigint[]) AS asked (id)"
    " CROSS JOIN LATERAL (SELECT * FROM message WHERE message.id = asked.id AND message.account_id = ? LIMIT 1) AS m"
)
_WAITING = (
    "SELECT id FROM (SELECT id, source, destination, state FROM message WHERE account_id = ?"
    " ORDER BY id DESC LIMIT ?) AS latest"
    " WHERE source = ? AND destination = ? AND state IN (1, 2) ORDER BY id LIMIT ?"
)


class Submitted(NamedTuple):
    """Between whom a message is, and where it is; times in UTC microseconds."""

    source: str
    destination: str
    state: int
    due_at: int
    final_at: int | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What a cancelling did: the messages, at least one, and the micro-credits that went back for them."""

    message_ids: Sequence[int]
    refunded: int


def find(connection: Connection, account_id: int, ids: Sequence[int]) -> dict[int, Submitted]:
    """The messages of these ids, some hundreds at most, that are the account's."""
    statements = Statements(connection, connection.dialect.name)
    if statements.dialect == "sqlite":
        rows = statements.fetch(_AMONG, ids, account_id)
    else:
        rows = statements.all(_ONE_BY_ONE, list(ids), account_id)
    return {row[0]: Submitted(*row[1:]) for row in rows}


def waiting(connection: Connection, account_id: int, source: str, destination: str) -> list[int]:
    """Messages between two addresses that are not yet sent, of the `LATEST`: the oldest `MOST_CANCELLED` of them."""
    statements = Statements(connection, connection.dialect.name)
    return [row[0] for row in statements.all(_WAITING, account_id, LATEST, source, destination, MOST_CANCELLED)]


def cancel(connection: Connection, account_id: int, ids: Sequence[int], now: int) -> Taken | None:
    """Cancel those of the messages that are not on their way, with their refund; None where there is none of them."""
    taken: list[int] = []
    refunded = 0
    for message_id in ids:
        try:
            cancelled = messages.cancel(connection, account_id, message_id, now)
        except Conflict:
            continue
        if cancelled is not None:
            taken.append(message_id)
            refunded += cancelled.refunded
    return Taken(taken, refunded) if taken else None
