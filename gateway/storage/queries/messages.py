"""Messages as the operator sees and steers them: list, show, cancel, hold, release."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Connection, RowMapping, case, func, literal_column, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.messaging.states import State
from gateway.storage.errors import Conflict
from gateway.storage.queries import ledger
from gateway.storage.queries.dispatch import finals
from gateway.storage.queries.dispatch.talk import Talk
from gateway.storage.schema import batch, message, segment

STEP = 1_000
"""Most messages that one transaction changes."""

CANCELLABLE = frozenset((State.SCHEDULED, State.QUEUED, State.STAGED, State.HELD))

_LISTED = (
    message.c.id,
    message.c.account_id,
    message.c.source,
    message.c.destination,
    message.c.segments,
    message.c.price,
    message.c.refunded,
    message.c.state,
    message.c.hold_reason,
    message.c.error,
    message.c.carrier_id,
    message.c.accepted_at,
    message.c.due_at,
    message.c.final_at,
)

# Of a batch that is still being accepted: not paid, and gone if its acceptance ends.
_UNOPENED = (
    select(batch.c.id)
    .where(batch.c.id == message.c.batch_id, batch.c.opened_at.is_(None))
    .correlate(message)
    .exists()
)


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A message was cancelled; `refunded` micro-credits went back to its account."""

    account_id: int
    refunded: int


def page(
    connection: Connection,
    account_id: int | None,
    *,
    state: State | None = None,
    before: int | None = None,
    limit: int = 100,
) -> Sequence[RowMapping]:
    """Messages of an account (None: of all), newest first, those with an id below `before`."""
    query = select(*_LISTED)
    if account_id is not None:
        query = query.where(message.c.account_id == account_id)
    if before is not None:
        query = query.where(message.c.id < before)
    order: ColumnElement[Any] = message.c.id
    if state is not None:
        query = query.where(message.c.state == state.value, *_index_of(state))
        if state < State.SENT:
            order = message.c.id + 0  # few of all messages: gather them by their index, do not walk all
    return connection.execute(query.order_by(order.desc()).limit(limit)).mappings().all()


def show(connection: Connection, account_id: int | None, message_id: int) -> RowMapping | None:
    """The whole row of an account's (None: any account's) message."""
    return connection.execute(select(message).where(*_one(account_id, message_id))).mappings().one_or_none()


def segments(connection: Connection, account_id: int | None, message_id: int) -> Sequence[RowMapping]:
    """What was handed to carriers of the message, in order: seq, attempt, carrier_ref, state, error, times."""
    mine = select(message.c.id).where(*_one(account_id, message_id)).scalar_subquery()
    query = select(segment).where(segment.c.message_id == mine).order_by(segment.c.attempt, segment.c.seq)
    return connection.execute(query).mappings().all()


def cancel(connection: Connection, account_id: int | None, message_id: int, now: int) -> Cancelled | None:
    """Cancel a message that is not on its way, and refund what no carrier has taken; None when there is none.

    An SMPP customer who asked for a receipt gets one. Raises Conflict when it is on its way, or over.
    """
    owner = connection.execute(select(message.c.account_id).where(*_one(account_id, message_id))).scalar()
    if owner is None:
        return None
    ledger.lock(connection, owner)
    row = connection.execute(
        select(message).where(*_one(owner, message_id), ~_UNOPENED).with_for_update()
    ).one_or_none()
    if row is None:
        return None
    state = State(row.state)
    if state not in CANCELLABLE:
        raise Conflict(f"The message {message_id} is {state.name}; only one that is not yet sent can be cancelled.")
    taken = connection.execute(
        select(func.count(segment.c.seq.distinct())).where(
            segment.c.message_id == message_id, segment.c.carrier_ref.is_not(None)
        )
    ).scalar_one()
    refund = max(0, row.price * (row.segments - taken) // row.segments - row.refunded)
    connection.execute(
        update(message)
        .where(message.c.id == message_id)
        .values(state=State.CANCELLED.value, hold_reason=None, refunded=row.refunded + refund, final_at=now)
    )
    if refund:
        ledger.refund(connection, owner, refund, f"cancelled {message_id}", now)
    if finals.wants_notice(row.protocol, row.registered_delivery, State.CANCELLED):
        notice = finals.notice(owner, row.access_id, message_id, State.CANCELLED, now)
        finals.write_notices(Talk(connection), [notice])
    return Cancelled(owner, refund)


def release(connection: Connection, account_id: int | None, message_id: int, now: int) -> bool:
    """Let a held message go; False when there is none. Raises Conflict when it is not held."""
    state = connection.execute(
        select(message.c.state).where(*_one(account_id, message_id)).with_for_update()
    ).scalar()
    if state is None:
        return False
    if state != State.HELD:
        raise Conflict(f"The message {message_id} is {State(state).name}, not HELD.")
    connection.execute(_freed(message.c.id == message_id, now))
    return True


def release_some(connection: Connection, account_id: int | None, reason: str, now: int, limit: int = STEP) -> int:
    """Let up to `limit` messages go that are held for this reason; how many they were."""
    held = select(message.c.id).where(
        message.c.state == State.HELD.value, *_index_of(State.HELD), message.c.hold_reason == reason
    )
    if account_id is not None:
        held = held.where(message.c.account_id == account_id)
    ids = connection.execute(held.limit(limit).with_for_update()).scalars().all()
    if ids:
        connection.execute(_freed(message.c.id.in_(ids), now))
    return len(ids)


def hold_some(connection: Connection, account_id: int | None, limit: int = STEP) -> int:
    """Hold up to `limit` of the messages that are accepted and not yet sent; how many they were.

    As after a restore: they may have been sent since the backup, and are marked so.
    """
    unsent = select(message.c.id).where(
        *(message.c.state < State.SENT.value, *_index_of(State.STAGED), ~_UNOPENED),
        func.coalesce(message.c.hold_reason, "") != "restored",
    )
    if account_id is not None:
        unsent = unsent.where(message.c.account_id == account_id)
    ids = connection.execute(unsent.limit(limit).with_for_update()).scalars().all()
    if ids:
        held = {"state": State.HELD.value, "hold_reason": "restored", "possible_duplicate": True}
        connection.execute(update(message).where(message.c.id.in_(ids)).values(held))
    return len(ids)


def _freed(which: ColumnElement[bool], now: int) -> Any:
    due = case((message.c.due_at > now, State.SCHEDULED.value), else_=State.QUEUED.value)
    doubtful = message.c.possible_duplicate | (message.c.hold_reason == "doubt")
    return update(message).where(which).values(state=due, hold_reason=None, possible_duplicate=doubtful)


def _one(account_id: int | None, message_id: int) -> list[ColumnElement[bool]]:
    conditions = [message.c.id == message_id]
    if account_id is not None:
        conditions.append(message.c.account_id == account_id)
    return conditions


def _index_of(state: State) -> list[ColumnElement[bool]]:
    """The condition of the partial index that holds this state, in the words that a planner recognises."""
    if state in (State.SCHEDULED, State.QUEUED):
        return [literal_column("message.state IN (1, 2)", Boolean)]
    if state in (State.SENDING, State.HELD):
        return [literal_column("message.state IN (3, 5)", Boolean)]
    return [literal_column("message.state < 20", Boolean)] if state < State.DELIVERED else []
