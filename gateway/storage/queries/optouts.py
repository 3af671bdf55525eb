"""The recipients that want nothing more from an account.

The directory knows of every account whether it has any, so that sends of the others look nothing up: the first and
the last one of an account count the configuration's version up.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, RowMapping, delete, exists, insert, select

from gateway.storage import versions
from gateway.storage.schema import account, opt_out


def add(connection: Connection, account_id: int, destination: str, now: int) -> bool:
    """Put a number (E.164 digits) on the list; False where it is on it already, or there is no such account."""
    if not _hold(connection, account_id) or among(connection, account_id, [destination]):
        return False
    first = not any_(connection, account_id)
    connection.execute(insert(opt_out).values(account_id=account_id, destination=destination, created_at=now))
    if first:
        versions.bump(connection)
    return True


def remove(connection: Connection, account_id: int, destination: str) -> bool:
    """Take a number off the list; whether it was on it."""
    if not _hold(connection, account_id):
        return False
    statement = delete(opt_out).where(opt_out.c.account_id == account_id, opt_out.c.destination == destination)
    if connection.execute(statement).rowcount == 0:
        return False
    if not any_(connection, account_id):
        versions.bump(connection)
    return True


def any_(connection: Connection, account_id: int) -> bool:
    """Whether the account's list has anything on it."""
    return bool(connection.execute(select(exists().where(opt_out.c.account_id == account_id))).scalar_one())


def among(connection: Connection, account_id: int, destinations: Collection[str]) -> set[str]:
    """Which of these numbers (a thousand at most) are on the list."""
    query = select(opt_out.c.destination).where(
        opt_out.c.account_id == account_id, opt_out.c.destination.in_(destinations)
    )
    return set(connection.execute(query).scalars())


def page(connection: Connection, account_id: int, after: str, limit: int) -> Sequence[RowMapping]:
    """At most `limit` of those behind `after`, in the order of their digits: destination and created_at."""
    query = (
        select(opt_out.c.destination, opt_out.c.created_at)
        .where(opt_out.c.account_id == account_id, opt_out.c.destination > after)
        .order_by(opt_out.c.destination)
        .limit(limit)
    )
    return connection.execute(query).mappings().all()


def _hold(connection: Connection, account_id: int) -> bool:
    """Keep others from changing the list until the transaction ends: else first and last could cross."""
    query = select(account.c.id).where(account.c.id == account_id).with_for_update(key_share=True)
    return connection.execute(query).first() is not None
