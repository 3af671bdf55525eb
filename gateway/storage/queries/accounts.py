"""Customers' accounts, as the operator makes and changes them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, insert, select, update

from gateway.storage import versions
from gateway.storage.errors import Taken
from gateway.storage.schema import account, account_sender, balance

MAX_PAGE = 1_000


def create(
    connection: Connection,
    email: str,
    *,
    now: int,
    timezone: str = "UTC",
    country: str = "",
    sender: str = "",
    parent_id: int | None = None,
    redact_text: bool = False,
) -> int:
    """Make an account with an empty balance; its id.

    `email` is in lower case, `country` a calling code or "", `sender` the default sender or "". Raises
    Taken when the e-mail is taken.
    """
    if find(connection, email) is not None:
        raise Taken(f"There is an account {email} already.")
    account_id = connection.execute(
        insert(account)
        .values(
            email=email,
            parent_id=parent_id,
            timezone=timezone,
            country=country,
            sender=sender,
            redact_text=redact_text,
            created_at=now,
        )
        .returning(account.c.id)
    ).scalar_one()
    connection.execute(insert(balance).values(account_id=account_id, credits=0))
    versions.bump(connection)
    return int(account_id)


def find(connection: Connection, email: str) -> RowMapping | None:
    """The account of this e-mail: its row, with `credits` (micro) and its parent's e-mail as `parent`."""
    return connection.execute(_all().where(account.c.email == email)).mappings().one_or_none()


def get(connection: Connection, account_id: int) -> RowMapping | None:
    """The account of this id, as `find` gives it."""
    return connection.execute(_all().where(account.c.id == account_id)).mappings().one_or_none()


def page(connection: Connection, after: int = 0, limit: int = MAX_PAGE) -> Sequence[RowMapping]:
    """Accounts in the order of their ids, those after the id `after`, each as `find` gives it."""
    return connection.execute(_all().where(account.c.id > after).order_by(account.c.id).limit(limit)).mappings().all()


def any_exists(connection: Connection) -> bool:
    """Whether there is an account at all."""
    return connection.execute(select(account.c.id).limit(1)).first() is not None


def change(connection: Connection, account_id: int, **values: Any) -> None:
    """Set columns of the account: timezone, country, sender, listed_senders, redact_text, suspended_at."""
    connection.execute(update(account).where(account.c.id == account_id).values(**values))
    versions.bump(connection)


def senders(connection: Connection, account_id: int) -> list[str]:
    """The senders that the account may use where `listed_senders` restricts it to these."""
    query = select(account_sender.c.sender).where(account_sender.c.account_id == account_id)
    return list(connection.execute(query.order_by(account_sender.c.sender)).scalars())


def list_senders(connection: Connection, account_id: int, listed: Sequence[str]) -> None:
    """Restrict the account to these senders; to none in particular when there are none."""
    connection.execute(delete(account_sender).where(account_sender.c.account_id == account_id))
    if listed:
        connection.execute(
            insert(account_sender), [{"account_id": account_id, "sender": sender} for sender in listed]
        )
    change(connection, account_id, listed_senders=bool(listed))


def _all() -> Select[Any]:
    parent = account.alias("parent")
    return (
        select(account, balance.c.credits, parent.c.email.label("parent"))
        .join(balance, balance.c.account_id == account.c.id)
        .outerjoin(parent, parent.c.id == account.c.parent_id)
    )
