"""Templates of an account."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from gateway.storage.schema import template


@dataclass(frozen=True, slots=True)
class Template:
    """A template; `message` holds placeholders (`messaging.template`)."""

    id: int
    title: str
    message: str
    type: str


_COLUMNS = (template.c.id, template.c.title, template.c.message, template.c.type)


def add(connection: Connection, account_id: int, title: str, message: str, type_: str, now: int) -> int:
    """Store a template and give its id."""
    row = {"account_id": account_id, "title": title, "message": message, "type": type_, "created_at": now}
    return int(connection.execute(insert(template).values(row).returning(template.c.id)).scalar_one())


def get(connection: Connection, account_id: int, template_id: int) -> Template | None:
    """Give a template, or None where the account has none of that id."""
    query = select(*_COLUMNS).where(template.c.account_id == account_id, template.c.id == template_id)
    row = connection.execute(query).first()
    return None if row is None else Template(*row)


def list_(
    connection: Connection, account_id: int, type_: str | None = None, after: int = 0, limit: int = 1_000
) -> list[Template]:
    """Give at most `limit` templates in the order of their ids, of those above `after`."""
    query = select(*_COLUMNS).where(template.c.account_id == account_id, template.c.id > after)
    if type_ is not None:
        query = query.where(template.c.type == type_)
    return [Template(*row) for row in connection.execute(query.order_by(template.c.id).limit(limit))]


def count(connection: Connection, account_id: int) -> int:
    """How many templates the account has."""
    query = select(func.count()).select_from(template).where(template.c.account_id == account_id)
    return connection.execute(query).scalar_one()


def remove(connection: Connection, account_id: int, template_id: int) -> bool:
    """Delete a template; tell whether the account had it. Messages sent from it keep their text."""
    statement = delete(template).where(template.c.account_id == account_id, template.c.id == template_id)
    return connection.execute(statement).rowcount == 1
