"""Operators: who may use the operators' pages."""

from sqlalchemy import Connection, RowMapping, insert, select, update

from gateway.storage.errors import Taken
from gateway.storage.schema import operator


def create(connection: Connection, login: str, secret: str, now: int) -> int:
    """Make an operator with a hash of `storage.passwords`; its id. Raises Taken when the login is taken."""
    if find(connection, login) is not None:
        raise Taken(f"There is an operator {login!r} already.")
    row = insert(operator).values(login=login, secret=secret, created_at=now).returning(operator.c.id)
    return int(connection.execute(row).scalar_one())


def find(connection: Connection, login: str) -> RowMapping | None:
    """The operator of this login: id, login, secret (a hash), created_at."""
    return connection.execute(select(operator).where(operator.c.login == login)).mappings().one_or_none()


def any_exists(connection: Connection) -> bool:
    """Whether there is an operator at all."""
    return connection.execute(select(operator.c.id).limit(1)).first() is not None


def set_secret(connection: Connection, operator_id: int, secret: str) -> None:
    """Give an operator another secret (a hash of `storage.passwords`)."""
    connection.execute(update(operator).where(operator.c.id == operator_id).values(secret=secret))
