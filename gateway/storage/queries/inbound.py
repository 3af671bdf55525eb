"""Messages that came in, as their accounts and the operator read them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from gateway.storage.schema import account, carrier, inbound

_SHOWN = (inbound.c.id, inbound.c.source, inbound.c.destination, inbound.c.text, inbound.c.received_at)


def page(connection: Connection, account_id: int, after: int, limit: int) -> Sequence[RowMapping]:
    """At most `limit` messages of the account with ids above `after`, in the order in which they were stored."""
    query = select(*_SHOWN).where(inbound.c.account_id == account_id, inbound.c.id > after)
    return connection.execute(query.order_by(inbound.c.id).limit(limit)).mappings().all()


def latest(
    connection: Connection,
    account_id: int | None,
    *,
    unmatched: bool = False,
    before: int | None = None,
    limit: int = 100,
) -> Sequence[RowMapping]:
    """Messages of an account (None: of all), newest first, those below the id `before`, with carrier and e-mail.

    With `unmatched` those of no account instead.
    """
    query: Select[Any] = (
        select(*_SHOWN, carrier.c.name.label("carrier"), account.c.email)
        .outerjoin(carrier, carrier.c.id == inbound.c.carrier_id)
        .outerjoin(account, account.c.id == inbound.c.account_id)
    )
    if unmatched:
        query = query.where(inbound.c.account_id.is_(None))
    elif account_id is not None:
        query = query.where(inbound.c.account_id == account_id)
    if before is not None:
        query = query.where(inbound.c.id < before)
    return connection.execute(query.order_by(inbound.c.id.desc()).limit(limit)).mappings().all()
