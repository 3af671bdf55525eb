"""What became of messages: the query behind getdeliverystatus."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from gateway.storage.statements import Statements

# Ids of one statement, so that no single read is long however many are asked for.
_PIECE = 500

_AMONG = "SELECT id, text, state, due_at, final_at FROM message WHERE id IN {} AND account_id = ?"
# Each id is looked up in the one partition that may hold it; a list would be looked up in every partition.
_ONE_BY_ONE = (
    "SELECT m.id, m.text, m.state, m.due_at, m.final_at FROM unnest(?::bigint[]) AS asked (id)"
    " CROSS JOIN LATERAL (SELECT * FROM message WHERE message.id = asked.id AND message.account_id = ? LIMIT 1) AS m"
)


class Status(NamedTuple):
    """A message's text and where it is; times in UTC microseconds."""

    text: str
    state: int
    due_at: int
    final_at: int | None


def statuses(connection: Connection, account_id: int, ids: Sequence[int]) -> dict[int, Status]:
    """The messages of these ids that are the account's."""
    statements = Statements(connection, connection.dialect.name)
    found: dict[int, Status] = {}
    for start in range(0, len(ids), _PIECE):
        piece = ids[start : start + _PIECE]
        if statements.dialect == "sqlite":
            rows = statements.fetch(_AMONG, piece, account_id)
        else:
            rows = statements.all(_ONE_BY_ONE, piece, account_id)
        found.update((row[0], Status(*row[1:])) for row in rows)
    return found
