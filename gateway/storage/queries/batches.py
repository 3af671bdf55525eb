"""Batches: the messages of one bulk send."""

from sqlalchemy import Connection, delete, select

from gateway.storage.schema import batch, message


def destinations(
    connection: Connection, account_id: int, batch_id: int, after: int, limit: int
) -> list[tuple[int, str]]:
    """Ids and destinations of a batch's messages, at most `limit` of those with ids above `after`, in order."""
    query = (
        select(message.c.id, message.c.destination)
        .where(message.c.account_id == account_id, message.c.batch_id == batch_id, message.c.id > after)
        .order_by(message.c.id)
        .limit(limit)
    )
    return [(id_, to) for id_, to in connection.execute(query)]


def discard(connection: Connection, account_id: int, batch_id: int, limit: int) -> int:
    """Remove a piece of a batch that was never opened; how many messages went. At 0 the batch went too."""
    unopened = select(batch.c.id).where(
        batch.c.id == batch_id, batch.c.account_id == account_id, batch.c.opened_at.is_(None)
    )
    if connection.execute(unopened).first() is None:
        return 0
    piece = (
        select(message.c.id).where(message.c.account_id == account_id, message.c.batch_id == batch_id).limit(limit)
    )
    gone = connection.execute(delete(message).where(message.c.id.in_(piece))).rowcount
    if gone == 0:
        connection.execute(delete(batch).where(batch.c.id == batch_id, batch.c.account_id == account_id))
    return gone
