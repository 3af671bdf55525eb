"""Groups of contacts of an account, and the names of their contacts' fields."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, Select, func, insert, select, update

from gateway.storage.schema import contact, contact_group


@dataclass(frozen=True, slots=True)
class Group:
    """A group; `count` of its contacts is None unless it was asked for."""

    id: int
    name: str
    type: str
    fields: tuple[str, ...]
    count: int | None = None


_COLUMNS = (contact_group.c.id, contact_group.c.name, contact_group.c.type, contact_group.c.fields)


def create(connection: Connection, account_id: int, name: str, type_: str, fields: Sequence[str], now: int) -> int:
    """Store a group with these fields and give its id."""
    row = {
        "account_id": account_id,
        "name": name,
        "type": type_,
        "fields": orjson.dumps(fields).decode(),
        "created_at": now,
    }
    return int(connection.execute(insert(contact_group).values(row).returning(contact_group.c.id)).scalar_one())


def get(connection: Connection, account_id: int, group_id: int) -> Group | None:
    """Give a group, or None where the account has none of that id (any more)."""
    return _one(connection, _live(account_id).where(contact_group.c.id == group_id))


def hold(connection: Connection, account_id: int, group_id: int) -> Group | None:
    """Give a group as `get` does, and keep it from being changed or removed until the transaction ends."""
    # NO KEY UPDATE: the foreign key of a contact that is added elsewhere need not wait.
    query = _live(account_id).where(contact_group.c.id == group_id).with_for_update(key_share=True)
    return _one(connection, query)


def list_(connection: Connection, account_id: int, after: int = 0, limit: int = 100) -> list[Group]:
    """Give at most `limit` groups with their counts in the order of their ids, of those above `after`."""
    size = select(func.count()).select_from(contact).where(contact.c.group_id == contact_group.c.id)
    query = (
        _live(account_id)
        .add_columns(size.scalar_subquery())
        .where(contact_group.c.id > after)
        .order_by(contact_group.c.id)
        .limit(limit)
    )
    return [_group(*row) for row in connection.execute(query)]


def count(connection: Connection, account_id: int) -> int:
    """How many groups the account has."""
    query = (
        select(func.count())
        .select_from(contact_group)
        .where(contact_group.c.account_id == account_id, contact_group.c.removed_at.is_(None))
    )
    return connection.execute(query).scalar_one()


def remove(connection: Connection, account_id: int, group_id: int, now: int) -> bool:
    """Remove a group and its contacts from its owner's sight; tell whether the account had it.

    The rows themselves go in steps, by `contacts.purge_orphans`.
    """
    statement = (
        update(contact_group)
        .where(
            contact_group.c.account_id == account_id,
            contact_group.c.id == group_id,
            contact_group.c.removed_at.is_(None),
        )
        .values(removed_at=now)
    )
    return connection.execute(statement).rowcount == 1


def fields(connection: Connection, account_id: int, group_id: int) -> tuple[str, ...] | None:
    """The names of a group's fields in the order they were added, or None as `get`."""
    group = get(connection, account_id, group_id)
    return None if group is None else group.fields


def add_field(connection: Connection, account_id: int, group_id: int, name: str) -> bool:
    """Add a field to a group; False where the account has no such group, or the group that field already."""
    group = hold(connection, account_id, group_id)
    if group is None or name in group.fields:
        return False
    _set_fields(connection, account_id, group_id, (*group.fields, name))
    return True


def remove_field(connection: Connection, account_id: int, group_id: int, name: str) -> bool:
    """Remove a field from a group; False where the account has no such group or the group no such field.

    Contacts keep what they had in it, unseen (`contacts.page`), until they are next modified.
    """
    group = hold(connection, account_id, group_id)
    if group is None or name not in group.fields:
        return False
    _set_fields(connection, account_id, group_id, [field for field in group.fields if field != name])
    return True


def _live(account_id: int) -> Select[int, str, str, str]:
    return select(*_COLUMNS).where(contact_group.c.account_id == account_id, contact_group.c.removed_at.is_(None))


def _one(connection: Connection, query: Select[int, str, str, str]) -> Group | None:
    row = connection.execute(query).first()
    return None if row is None else _group(*row)


def _group(id_: int, name: str, type_: str, names: str, size: int | None = None) -> Group:
    return Group(id_, name, type_, tuple(orjson.loads(names)), size)


def _set_fields(connection: Connection, account_id: int, group_id: int, names: Sequence[str]) -> None:
    connection.execute(
        update(contact_group)
        .where(contact_group.c.account_id == account_id, contact_group.c.id == group_id)
        .values(fields=orjson.dumps(names).decode())
    )
