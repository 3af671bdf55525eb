"""Removing what has been kept long enough: in small steps, and on PostgreSQL by whole days."""

from collections.abc import Callable, Iterator
from functools import partial

from sqlalchemy import Connection

from gateway import clock
from gateway.storage import ids, partitions
from gateway.storage.queries.dispatch.talk import Talk

STEP = 500
"""Rows that one transaction removes."""

IDEMPOTENCY_LIFE = clock.DAY
TOKEN_LIFE = clock.HOUR

PART_LIFE = clock.HOUR
"""How long the parts of a complete message are known again, at most."""

Purge = Callable[[Connection], int]
"""Removes a piece within a write transaction; how much there was, 0 when nothing is left."""


def steps(now: int, message_life: int, log_life: int) -> Iterator[Purge]:
    """Every purge that there is; each is called until it gives 0. Lives in microseconds."""
    yield partial(_old, "idempotency", "at", now - IDEMPOTENCY_LIFE)
    yield partial(_old, "commit_token", "at", now - TOKEN_LIFE)
    yield partial(_old, "outbox", "expires_at", now)
    yield partial(_old, "refresh_token", "expires_at", now)
    yield partial(_old, "revoked_token", "expires_at", now)
    yield partial(_old, "signing_key", "retires_at", now)
    yield partial(_strays, now - message_life)
    yield partial(_calls, ids.first(now - log_life))
    yield partial(_messages, ids.first(now - message_life))
    yield partial(_by_id, "inbound", ids.first(now - message_life))
    yield partial(_parts, now - PART_LIFE)
    yield partial(_batches, ids.first(now - message_life))


def _old(table: str, column: str, before: int, connection: Connection) -> int:
    """Rows by an indexed time (of signing keys there are a few)."""
    row = "rowid" if connection.dialect.name == "sqlite" else "ctid"
    return Talk(connection).change(
        f"DELETE FROM {table} WHERE {row} IN (SELECT {row} FROM {table} WHERE {column} < ? LIMIT ?)", before, STEP
    )


def _by_id(table: str, before: int, connection: Connection) -> int:
    return Talk(connection).change(
        f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE id < ? ORDER BY id LIMIT ?)", before, STEP
    )


def _strays(before: int, connection: Connection) -> int:
    """Receipts that changed nothing; their numbers follow time."""
    return Talk(connection).change(
        "DELETE FROM stray_receipt WHERE id IN (SELECT id FROM stray_receipt ORDER BY id LIMIT ?) AND at < ?",
        STEP,
        before,
    )


def _parts(before: int, connection: Connection) -> int:
    """Parts of messages that came in and are complete; those that wait are ended by `arrivals.end_waiting`."""
    return Talk(connection).change(
        "DELETE FROM inbound_part WHERE id IN (SELECT id FROM inbound_part WHERE received_at < ?"
        " AND inbound_id IS NOT NULL LIMIT ?)",
        before,
        STEP,
    )


def _calls(before: int, connection: Connection) -> int:
    if connection.dialect.name == "postgresql":
        return len(partitions.drop_before(connection, "call_log", before))
    return _by_id("call_log", before, connection)


def _messages(before: int, connection: Connection) -> int:
    """Finished messages with their segments; one that is not finished is kept, with all of its day."""
    talk = Talk(connection)
    if talk.dialect == "postgresql":
        # A day is dropped only when all of it is over.
        oldest = talk.select("SELECT min(id) FROM message WHERE state < 20 AND id < ?", before)[0][0]
        floor = before if oldest is None else min(before, oldest)
        dropped = partitions.drop_before(connection, "segment", floor)
        return len(dropped + partitions.drop_before(connection, "message", floor))
    done = talk.select("SELECT id FROM message WHERE id < ? AND state >= 20 ORDER BY id LIMIT ?", before, STEP)
    listed = [row[0] for row in done]
    talk.change("DELETE FROM segment WHERE message_id IN {}", listed)
    return talk.change("DELETE FROM message WHERE id IN {}", listed)


def _batches(before: int, connection: Connection) -> int:
    """Batches whose messages are gone."""
    return Talk(connection).change(
        "DELETE FROM batch WHERE id IN (SELECT id FROM batch b WHERE id < ? AND NOT EXISTS"
        " (SELECT 1 FROM message m WHERE m.batch_id = b.id) ORDER BY id LIMIT ?)",
        before,
        STEP,
    )
