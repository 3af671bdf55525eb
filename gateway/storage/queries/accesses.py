"""Accesses: the ways into an account. They are revoked, never deleted: the log points at them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, or_, select, update

from gateway.storage import versions
from gateway.storage.errors import Taken
from gateway.storage.schema import access

_MAX_NAME = 64


def create(
    connection: Connection,
    account_id: int,
    name: str,
    login: str,
    secret: str,
    *,
    now: int,
    protocols: str | None = None,
    operations: str | None = None,
    networks: str | None = None,
    rate: int | None = None,
    expires_at: int | None = None,
    bind_limit: int | None = None,
) -> int:
    """Make an access; its id.

    `secret` is a hash of `storage.passwords`; `protocols`, `operations` and `networks` are JSON lists, None
    for no restriction; `rate` is in calls per 1,000 seconds, `bind_limit` in SMPP sessions at a time. A revoked
    access gives its name up. Raises Taken when the account has an access of this name, or anybody one of this
    login.
    """
    former = find(connection, account_id, name)
    if former is not None:
        if former["revoked_at"] is None:
            raise Taken(f"The account has an access named {name!r} already.")
        mark = f"~{former['id']}"
        _change(connection, account_id, former["id"], name=name[: _MAX_NAME - len(mark)] + mark)
    if login_taken(connection, login):
        raise Taken(f"The login {login!r} is taken.")
    access_id = connection.execute(
        insert(access)
        .values(
            account_id=account_id,
            name=name,
            login=login,
            secret=secret,
            protocols=protocols,
            operations=operations,
            networks=networks,
            rate=rate,
            expires_at=expires_at,
            bind_limit=bind_limit,
            created_at=now,
        )
        .returning(access.c.id)
    ).scalar_one()
    versions.bump(connection)
    return int(access_id)


def find(connection: Connection, account_id: int, name: str) -> RowMapping | None:
    """The account's access of this name, a revoked one too."""
    query = select(access).where(access.c.account_id == account_id, access.c.name == name)
    return connection.execute(query).mappings().one_or_none()


def list_(connection: Connection, account_id: int) -> Sequence[RowMapping]:
    """The account's accesses in the order they were made, revoked ones too."""
    query = select(access).where(access.c.account_id == account_id).order_by(access.c.id)
    return connection.execute(query).mappings().all()


def named(connection: Connection, name: str) -> Sequence[RowMapping]:
    """The accesses, of whichever account, that have this name or login."""
    query = select(access).where(or_(access.c.name == name, access.c.login == name)).order_by(access.c.id)
    return connection.execute(query).mappings().all()


def confine(connection: Connection, account_id: int, access_id: int, **restrictions: str | int | None) -> None:
    """Give an access other restrictions, those of `create` that are named; None lifts one."""
    _change(connection, account_id, access_id, **restrictions)


def set_secret(connection: Connection, account_id: int, access_id: int, secret: str) -> None:
    """Give an access another secret (a hash of `storage.passwords`); the old one ends, and every token got by it."""
    _change(connection, account_id, access_id, secret=secret, generation=access.c.generation + 1)


def end_tokens(connection: Connection, account_id: int, access_id: int) -> None:
    """End every token that the access was given; what it signs itself stands."""
    _change(connection, account_id, access_id, generation=access.c.generation + 1)


def revoke(connection: Connection, account_id: int, access_id: int, now: int) -> None:
    """End an access for good."""
    _change(connection, account_id, access_id, revoked_at=func.coalesce(access.c.revoked_at, now))


def login_taken(connection: Connection, login: str) -> bool:
    """Whether any access, of whichever account, has this login."""
    return connection.execute(select(access.c.id).where(access.c.login == login)).first() is not None


def by_login(connection: Connection, login: str) -> RowMapping | None:
    """The access of this login, of whichever account, a revoked one too: for authentication."""
    return connection.execute(select(access).where(access.c.login == login)).mappings().one_or_none()


def by_id(connection: Connection, access_id: int) -> RowMapping | None:
    """The access of this id, of whichever account, a revoked one too."""
    return connection.execute(select(access).where(access.c.id == access_id)).mappings().one_or_none()


def _change(connection: Connection, account_id: int, access_id: int, **values: Any) -> None:
    connection.execute(
        update(access).where(access.c.id == access_id, access.c.account_id == account_id).values(**values)
    )
    versions.bump(connection)
