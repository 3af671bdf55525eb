"""The sessions of SMPP customers over every process and machine: what bind limits are counted over.

Each process keeps the rows of its own sessions; those of a process that fell silent do not count, and go with the
housekeeping.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, or_, select

from gateway.storage.queries.nodes import ALIVE
from gateway.storage.schema import access, node, smpp_bind

# Values of one list in a statement.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """A session that is to be bound: its id, whose it is, how many the access may have (None: any number)."""

    id: int
    access_id: int
    limit: int | None


def register(
    connection: Connection, node_id: str, wanted: Sequence[Wanted], gone: Sequence[int], now: int
) -> frozenset[int]:
    """Take sessions of this process off, then note new ones in their order; the ids of those that are too many.

    Within the caller's transaction, which may be run again. `now` is in UTC microseconds.
    """
    _delete(connection, node_id, [*gone, *(one.id for one in wanted)])
    limited = sorted({one.access_id for one in wanted if one.limit is not None})
    counts = _counted(connection, node_id, limited, now)
    refused, rows = set(), []
    for one in wanted:
        count = counts.get(one.access_id, 0)
        if one.limit is not None and count >= one.limit:
            refused.add(one.id)
            continue
        counts[one.access_id] = count + 1
        rows.append({"id": one.id, "node": node_id, "access_id": one.access_id, "at": now})
    if rows:
        connection.execute(insert(smpp_bind), rows)
    return frozenset(refused)


def clear(connection: Connection, node_id: str) -> None:
    """Take every session of a process off: when it starts, as after a crash, and when it stops."""
    connection.execute(delete(smpp_bind).where(smpp_bind.c.node == node_id))


def forget(connection: Connection) -> None:
    """Drop the sessions of processes that are gone."""
    connection.execute(delete(smpp_bind).where(smpp_bind.c.node.not_in(select(node.c.id))))


def _delete(connection: Connection, node_id: str, ids: Sequence[int]) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        connection.execute(delete(smpp_bind).where(smpp_bind.c.id.in_(some), smpp_bind.c.node == node_id))


def _counted(connection: Connection, node_id: str, access_ids: Sequence[int], now: int) -> dict[int, int]:
    """How many living sessions these accesses have; nobody else counts them until the transaction ends."""
    living = select(node.c.id).where(node.c.seen_at > now - ALIVE)
    found: dict[int, int] = {}
    for start in range(0, len(access_ids), _AT_ONCE):
        some = access_ids[start : start + _AT_ONCE]
        lock = select(access.c.id).where(access.c.id.in_(some)).order_by(access.c.id).with_for_update(key_share=True)
        connection.execute(lock)
        query = (
            select(smpp_bind.c.access_id, func.count())
            .where(smpp_bind.c.access_id.in_(some), or_(smpp_bind.c.node == node_id, smpp_bind.c.node.in_(living)))
            .group_by(smpp_bind.c.access_id)
        )
        found.update((access_id, count) for access_id, count in connection.execute(query))
    return found
