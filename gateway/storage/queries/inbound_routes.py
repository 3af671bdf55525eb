"""Whose the numbers are that messages come in for: an account has a number, or a keyword under one."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, insert, select
from sqlalchemy.sql.elements import ColumnElement

from gateway.storage.errors import Taken
from gateway.storage.schema import account, inbound_route


def add(connection: Connection, account_id: int, number: str, keyword: str) -> int:
    """Give the account a number (`messaging.inbound.address`), or a keyword (folded; "" is none) under it.

    The route's id. Raises Taken where somebody has it.
    """
    holder = connection.execute(_all().where(*_one(number, keyword))).mappings().one_or_none()
    if holder is not None:
        what = f"The keyword {keyword} of {number}" if keyword else f"The number {number}"
        raise Taken(f"{what} is {holder['email']}'s already.")
    row = {"account_id": account_id, "number": number, "keyword": keyword}
    return int(connection.execute(insert(inbound_route).values(row).returning(inbound_route.c.id)).scalar_one())


def remove(connection: Connection, number: str, keyword: str) -> bool:
    """Take it away again; whether anybody had it."""
    return connection.execute(delete(inbound_route).where(*_one(number, keyword))).rowcount > 0


def list_(connection: Connection, limit: int, after: tuple[str, str] = ("", "")) -> Sequence[RowMapping]:
    """At most `limit` routes behind a number and keyword, in their order: id, number, keyword, email."""
    number, keyword = after
    behind = (inbound_route.c.number > number) | (
        (inbound_route.c.number == number) & (inbound_route.c.keyword > keyword)
    )
    query = _all().where(behind).order_by(inbound_route.c.number, inbound_route.c.keyword).limit(limit)
    return connection.execute(query).mappings().all()


def _all() -> Select[Any]:
    return select(inbound_route.c.id, inbound_route.c.number, inbound_route.c.keyword, account.c.email).join(
        account, account.c.id == inbound_route.c.account_id
    )


def _one(number: str, keyword: str) -> list[ColumnElement[bool]]:
    return [inbound_route.c.number == number, inbound_route.c.keyword == keyword]
