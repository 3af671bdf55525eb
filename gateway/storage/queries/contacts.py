"""Contacts of an account's groups. A contact's number is kept as `messaging.contact` gives it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, delete, exists, func, insert, select, update

from gateway.storage.queries import groups
from gateway.storage.schema import contact, contact_group

MAX_ROWS = 1_000
"""Most rows of one call that writes, so that no transaction is long."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact: its number and the values of its group's fields, in the order of the group's fields."""

    id: int
    group_id: int
    mobile: str
    fields: dict[str, str]


def add(
    connection: Connection, account_id: int, group_id: int, mobile: str, fields: Mapping[str, str], now: int
) -> int:
    """Store a contact and give its id. Raises `LookupError` where the account has no such group."""
    _hold(connection, account_id, group_id)
    statement = insert(contact).values(_row(account_id, group_id, mobile, fields, now)).returning(contact.c.id)
    return int(connection.execute(statement).scalar_one())


def add_many(
    connection: Connection, account_id: int, group_id: int, rows: Sequence[tuple[str, Mapping[str, str]]], now: int
) -> int:
    """Store contacts, given as number and fields, and give how many.

    Raises `LookupError` where the account has no such group and `ValueError` for more than `MAX_ROWS`.
    """
    if len(rows) > MAX_ROWS:
        raise ValueError(f"at most {MAX_ROWS} contacts at a time, not {len(rows)}")
    _hold(connection, account_id, group_id)
    if rows:
        connection.execute(
            insert(contact), [_row(account_id, group_id, mobile, fields, now) for mobile, fields in rows]
        )
    return len(rows)


def hold(connection: Connection, account_id: int, contact_id: int) -> Contact | None:
    """Give a contact with all it has stored, and keep it from being changed until the transaction ends.

    None where the account has no such contact, or its group was removed.
    """
    query = (
        select(contact.c.id, contact.c.group_id, contact.c.mobile, contact.c.fields)
        .join(contact_group, contact_group.c.id == contact.c.group_id)
        .where(
            contact.c.account_id == account_id,
            contact.c.id == contact_id,
            contact_group.c.removed_at.is_(None),
        )
        .with_for_update(of=contact)
    )
    row = connection.execute(query).first()
    return None if row is None else Contact(row[0], row[1], row[2], orjson.loads(row[3]))


def modify(connection: Connection, account_id: int, contact_id: int, mobile: str, fields: Mapping[str, str]) -> bool:
    """Replace a contact's number and fields; tell whether the account has it."""
    statement = (
        update(contact)
        .where(contact.c.account_id == account_id, contact.c.id == contact_id)
        .values(mobile=mobile, fields=_dump(fields))
    )
    return connection.execute(statement).rowcount == 1


def remove(connection: Connection, account_id: int, contact_id: int) -> bool:
    """Delete a contact; tell whether the account had it, in a group that is not removed."""
    live = select(contact_group.c.id).where(
        contact_group.c.account_id == account_id, contact_group.c.removed_at.is_(None)
    )
    statement = delete(contact).where(
        contact.c.account_id == account_id, contact.c.id == contact_id, contact.c.group_id.in_(live)
    )
    return connection.execute(statement).rowcount == 1


def page(connection: Connection, account_id: int, group_id: int, after: int, limit: int) -> list[Contact]:
    """Give at most `limit` contacts of a group in the order of their ids, of those above `after`.

    Fields that the group has no longer are left out. Nothing where the account has no such group (any
    more).
    """
    names = groups.fields(connection, account_id, group_id)
    if names is None:
        return []
    query = (
        select(contact.c.id, contact.c.group_id, contact.c.mobile, contact.c.fields)
        .where(contact.c.account_id == account_id, contact.c.group_id == group_id, contact.c.id > after)
        .order_by(contact.c.id)
        .limit(limit)
    )
    return [
        Contact(id_, group, mobile, _select(orjson.loads(fields), names))
        for id_, group, mobile, fields in connection.execute(query)
    ]


def count(connection: Connection, account_id: int, group_id: int) -> int:
    """How many contacts a group has; 0 where the account has no such group (any more)."""
    query = (
        select(func.count())
        .select_from(contact)
        .join(contact_group, contact_group.c.id == contact.c.group_id)
        .where(
            contact.c.account_id == account_id,
            contact.c.group_id == group_id,
            contact_group.c.removed_at.is_(None),
        )
    )
    return connection.execute(query).scalar_one()


def purge_orphans(connection: Connection, limit: int = MAX_ROWS) -> int:
    """Delete at most `limit` rows of removed groups, of any account: their contacts, then themselves.

    Gives how many; 0 means that nothing is left. Each call is one short transaction of the housekeeping's.
    """
    removed = select(contact_group.c.id).where(contact_group.c.removed_at.is_not(None))
    purged = 0
    for group_id in connection.execute(removed.order_by(contact_group.c.id).limit(limit)).scalars().all():
        oldest = select(contact.c.id).where(contact.c.group_id == group_id).limit(limit - purged)
        purged += connection.execute(delete(contact).where(contact.c.id.in_(oldest))).rowcount
        if purged >= limit:
            break
        empty = ~exists().where(contact.c.group_id == group_id)
        purged += connection.execute(delete(contact_group).where(contact_group.c.id == group_id, empty)).rowcount
        if purged >= limit:
            break
    return purged


def _hold(connection: Connection, account_id: int, group_id: int) -> None:
    if groups.hold(connection, account_id, group_id) is None:
        raise LookupError(f"account {account_id} has no group {group_id}")


def _row(account_id: int, group_id: int, mobile: str, fields: Mapping[str, str], now: int) -> dict[str, object]:
    return {
        "account_id": account_id,
        "group_id": group_id,
        "mobile": mobile,
        "fields": _dump(fields),
        "created_at": now,
    }


def _dump(fields: Mapping[str, str]) -> str:
    return orjson.dumps(dict(fields)).decode()


def _select(values: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    return {name: values[name] for name in names if name in values}
