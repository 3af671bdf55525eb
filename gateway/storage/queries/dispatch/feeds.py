"""Moving the messages of opened batches to the queue, in pieces, and removing batches that nobody opened.

And letting messages go again that were held while their account was suspended.
"""

from sqlalchemy import Connection

from gateway import clock
from gateway.storage.queries import batches
from gateway.storage.queries.dispatch.talk import Talk

PIECE = 1000
"""Most messages that one transaction moves, so that nobody else's commit waits long."""

ABANDONED = 15 * clock.MINUTE
"""After so long, a batch that is not open is one whose process died while staging it (microseconds)."""


def opened(connection: Connection) -> list[int]:
    """The batches that are open and not yet fed, oldest first."""
    rows = Talk(connection).select("SELECT id FROM batch WHERE fed_at IS NULL AND opened_at IS NOT NULL ORDER BY id")
    return [row[0] for row in rows]


def waits_for(connection: Connection, batch_id: int, after: int) -> int | None:
    """The carrier of a batch's first message above `after` that is still staged, or None."""
    rows = Talk(connection).select(f"SELECT carrier_id FROM message {_STAGED} LIMIT 1", batch_id, after)
    return rows[0][0] if rows else None


def feed(connection: Connection, batch_id: int, after: int, now: int, limit: int = PIECE) -> int | None:
    """Queue a batch's next messages with ids above `after`; the last one's id, or None once all are fed."""
    talk = Talk(connection)
    rows = talk.select(f"SELECT id FROM message {_STAGED} LIMIT ?{talk.locking}", batch_id, after, limit)
    if not rows:
        talk.change("UPDATE batch SET fed_at = ? WHERE id = ? AND opened_at IS NOT NULL", now, batch_id)
        return None
    talk.change(
        "UPDATE message SET state = CASE WHEN due_at > ? THEN 1 ELSE 2 END WHERE id IN {} AND state = 4",
        now,
        [row[0] for row in rows],
    )
    return int(rows[-1][0])


def abandoned(connection: Connection, now: int) -> list[tuple[int, int]]:
    """Batches (account, id) whose staging has stopped long ago; they were neither debited nor acknowledged."""
    rows = Talk(connection).select(
        "SELECT account_id, id FROM batch WHERE fed_at IS NULL AND opened_at IS NULL AND created_at < ? ORDER BY id",
        now - ABANDONED,
    )
    return [(row[0], row[1]) for row in rows]


def discard(connection: Connection, account_id: int, batch_id: int, limit: int = PIECE) -> int:
    """Remove a piece of an unopened batch; how many messages went. With 0 it is gone."""
    return batches.discard(connection, account_id, batch_id, limit)


def resume(connection: Connection, carrier_id: int, now: int, since: int = 0, limit: int = PIECE) -> int:
    """Queue messages of accounts that are suspended no more; how many."""
    talk = Talk(connection)
    rows = talk.select(
        "SELECT m.id FROM message m JOIN account a ON a.id = m.account_id"
        " WHERE m.carrier_id = ? AND m.state IN (3, 5) AND m.state = 5 AND m.hold_reason = 'suspended'"
        f" AND a.suspended_at IS NULL {talk.since and 'AND m.id >= ?'} ORDER BY m.id LIMIT ?",
        carrier_id,
        *talk.bound_since(since),
        limit,
    )
    if not rows:
        return 0
    return talk.change(
        "UPDATE message SET state = CASE WHEN due_at > ? THEN 1 ELSE 2 END, hold_reason = NULL"
        " WHERE id IN {} AND state = 5 AND hold_reason = 'suspended'",
        now,
        [row[0] for row in rows],
    )


_STAGED = "WHERE batch_id = ? AND id > ? AND state = 4 ORDER BY id"
