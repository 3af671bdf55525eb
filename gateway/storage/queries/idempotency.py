"""Idempotency keys that were claimed before."""

from sqlalchemy import Connection, select

from gateway.storage.schema import idempotency


def find(connection: Connection, account_id: int, key: str, since: int) -> tuple[str, str] | None:
    """Fingerprint and answer of the call that claimed the key after `since` (UTC microseconds), or None."""
    query = select(idempotency.c.fingerprint, idempotency.c.answer).where(
        idempotency.c.account_id == account_id, idempotency.c.key == key, idempotency.c.at > since
    )
    row = connection.execute(query).first()
    return None if row is None else (row[0], row[1])
