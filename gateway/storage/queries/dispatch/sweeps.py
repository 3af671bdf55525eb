"""Ending what has waited too long: unsent past its validity, or sent without a receipt a day after it."""

from dataclasses import dataclass, field

from sqlalchemy import Connection

from gateway import clock
from gateway.messaging.states import State
from gateway.storage import ids, partitions
from gateway.storage.queries.dispatch import finals
from gateway.storage.queries.dispatch.finals import Ending
from gateway.storage.queries.dispatch.talk import Talk

PATIENCE = clock.DAY
"""How long after a message's validity its receipt may still come, in microseconds."""

NO_RECEIPT = "no receipt"
"""The error of a message that was given up without a carrier's word."""

Place = tuple[int, int]
"""A validity's end and an id: how far a sweep has come."""

START: Place = (0, 0)

_UNSENT = frozenset((State.SCHEDULED, State.QUEUED, State.STAGED, State.HELD))
_UNREPORTED = frozenset((State.SENDING, State.HELD, State.SENT))

_PAST = (
    "SELECT m.expires_at, m.id, m.state, m.hold_reason, b.id, b.opened_at"
    " FROM message m LEFT JOIN batch b ON b.id = m.batch_id"
    " WHERE m.state < 20 AND m.expires_at >= ? AND m.expires_at <= ? AND (m.expires_at > ? OR m.id > ?) {since}"
    " ORDER BY m.expires_at, m.id LIMIT ?"
)


@dataclass(slots=True)
class Found:
    """What a look found: the messages to end, and from where to look on. `more` says that there may be others."""

    endings: list[Ending] = field(default_factory=list)
    place: Place = START
    more: bool = False


def unsent(connection: Connection, place: Place, now: int, since: int = 0, limit: int = 500) -> Found:
    """Messages that no carrier was given by the end of their validity.

    Not those of a batch that is still being staged (they were never paid), nor those in doubt.
    """
    rows = _past(connection, place, now, since, limit)
    found = Found(place=_place(rows, place), more=len(rows) == limit)
    for _, message_id, state, reason, batch_id, opened_at in rows:
        unpaid = state == State.STAGED and batch_id is not None and opened_at is None
        if state in _UNSENT and reason != "doubt" and not unpaid:
            found.endings.append(Ending(message_id, State.EXPIRED, expected=_UNSENT))
    return found


def unreported(connection: Connection, place: Place, now: int, since: int = 0, limit: int = 500) -> Found:
    """Messages that a carrier has, or may have, and of which nothing was heard: EXPIRED, and marked as assumed."""
    rows = _past(connection, place, now - PATIENCE, since, limit)
    found = Found(place=_place(rows, place), more=len(rows) == limit)
    for _, message_id, state, _, _, _ in rows:
        if state in _UNREPORTED:
            found.endings.append(
                Ending(message_id, State.EXPIRED, NO_RECEIPT, assumed=True, refund=False, expected=_UNREPORTED)
            )
    return found


def end(connection: Connection, endings: list[Ending], now: int) -> list[State]:
    """End them, each with its refund; the states written."""
    return finals.end(Talk(connection), endings, now)


def floor(connection: Connection, now: int) -> int:
    """An id below which no message is unfinished, nor will be: the partitions below it need not be looked at.

    0 on SQLite, which has none.
    """
    talk = Talk(connection)
    if talk.dialect != "postgresql":
        return 0
    recent = ids.first(now - clock.HOUR)
    for (name,) in talk.select(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'message'::regclass ORDER BY c.relname"
    ):
        bounds = partitions.bounds(name)
        low = bounds[0] if bounds is not None else 0
        if low < recent and talk.select(f"SELECT 1 FROM {name} WHERE state < 20 LIMIT 1"):
            return low
    return recent


def _past(
    connection: Connection, place: Place, until: int, since: int, limit: int
) -> list[tuple[int, int, int, str | None, int | None, int | None]]:
    moment, message_id = place
    talk = Talk(connection)
    query = _PAST.format(since=talk.since and "AND m.id >= ?")
    return talk.select(query, moment, until, moment, message_id, *talk.bound_since(since), limit)


def _place(rows: list[tuple[int, int, int, str | None, int | None, int | None]], place: Place) -> Place:
    return rows[-1][:2] if rows else place
