"""Credits: the balance of each account, and the ledger that says how it came to be.

Every change writes both in one transaction. Amounts are micro-credits; a balance never goes below zero.
Balances are locked in the order of account ids, before anything else of these accounts.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from gateway.messaging.money import LIMIT, format_credits
from gateway.storage.errors import Conflict
from gateway.storage.schema import balance as _balance
from gateway.storage.schema import ledger as _ledger

_BALANCE = select(_balance.c.credits).where(_balance.c.account_id == bindparam("account_id"))


def balance(connection: Connection, account_id: int) -> int:
    """The account's micro-credits; 0 for an account that does not exist."""
    return connection.execute(_BALANCE, {"account_id": account_id}).scalar() or 0


def lock(connection: Connection, account_id: int) -> None:
    """Lock the balance until the transaction ends: the first of an account's rows to be locked."""
    connection.execute(_BALANCE.with_for_update(), {"account_id": account_id})


def grant(connection: Connection, account_id: int, amount: int, note: str, now: int) -> int:
    """Give credits, or take them back (a negative amount); the new balance.

    Raises Conflict when the balance does not cover it, or would be too large to be exact everywhere.
    """
    return _change(connection, account_id, "grant", amount, note, now)


def refund(connection: Connection, account_id: int, amount: int, note: str, now: int) -> int:
    """Give back what a message had cost; the new balance."""
    return _change(connection, account_id, "refund", amount, note, now)


def move(connection: Connection, account_id: int, to_id: int, amount: int, note: str, now: int) -> None:
    """Move credits from the account to another. Raises Conflict when its balance does not cover them."""
    for changed, by in sorted(((account_id, -amount), (to_id, amount))):
        _change(connection, changed, "move", by, note, now)


def entries(
    connection: Connection, account_id: int, before: int | None = None, limit: int = 100
) -> Sequence[RowMapping]:
    """The account's ledger, newest first: id, at, kind, amount, note; `before` is an id to go on from."""
    query = select(_ledger).where(_ledger.c.account_id == account_id)
    if before is not None:
        query = query.where(_ledger.c.id < before)
    return connection.execute(query.order_by(_ledger.c.id.desc()).limit(limit)).mappings().all()


def _change(connection: Connection, account_id: int, kind: str, amount: int, note: str, now: int) -> int:
    after = _balance.c.credits + amount
    changed = connection.execute(
        update(_balance)
        .where(_balance.c.account_id == account_id, after >= 0, after < LIMIT)
        .values(credits=after)
        .returning(_balance.c.credits)
    ).scalar()
    if changed is None:
        present = balance(connection, account_id)
        fault = "does not cover" if amount < 0 else "would become too large by"
        raise Conflict(f"The balance of {format_credits(present)} {fault} {format_credits(abs(amount))}.")
    connection.execute(insert(_ledger).values(account_id=account_id, at=now, kind=kind, amount=amount, note=note))
    return int(changed)
