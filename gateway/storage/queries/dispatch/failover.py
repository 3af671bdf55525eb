"""Moving what waits for a carrier that is down to one that is up."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from gateway.storage.queries.dispatch import leases
from gateway.storage.queries.dispatch.leases import Lease
from gateway.storage.queries.dispatch.talk import Talk, Update

PIECE = 200
"""Most messages that one look gives and one transaction moves."""

Place = tuple[int, int]
"""A due time and an id: how far a look has come."""

START: Place = (0, 0)

_MOVE = Update(
    "message",
    {"carrier_id": "bigint"},
    {"id": "bigint"},
    where="state IN (1, 2)",
)


class Waiting(NamedTuple):
    """A message that is due. `refused` says that some carrier refused it before."""

    due_at: int
    id: int
    destination: str
    refused: bool


def waiting(
    connection: Connection, carrier_id: int, place: Place, now: int, since: int = 0, limit: int = PIECE
) -> list[Waiting]:
    """The carrier's next due messages, of which no carrier has a part yet; `since` as in `claims.claim`."""
    talk = Talk(connection)
    due_at, message_id = place
    rows = talk.select(
        "SELECT due_at, id, destination, error IS NOT NULL FROM message m"
        " WHERE carrier_id = ? AND state IN (1, 2) AND due_at <= ? AND due_at >= ?"
        f" AND (due_at > ? OR id > ?) {talk.since}"
        " AND NOT EXISTS (SELECT 1 FROM segment s WHERE s.message_id = m.id AND s.carrier_ref IS NOT NULL)"
        " ORDER BY due_at, id LIMIT ?",
        carrier_id,
        now,
        due_at,
        due_at,
        message_id,
        *talk.bound_since(since),
        limit,
    )
    return [Waiting(row[0], row[1], row[2], bool(row[3])) for row in rows]


def move(connection: Connection, lease: Lease, moves: Sequence[tuple[int, int]]) -> None:
    """Give messages to other carriers: rows of carrier and message. Raises StaleLease.

    What has been cancelled meanwhile stays.
    """
    talk = Talk(connection)
    leases.check(talk, lease)
    talk.update(_MOVE, moves)
