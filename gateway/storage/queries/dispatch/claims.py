"""Taking messages that are due, and marking them as on their way before a byte of them leaves."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection

from gateway import clock
from gateway.messaging.states import State
from gateway.storage.queries.dispatch import finals, leases
from gateway.storage.queries.dispatch.finals import Ending
from gateway.storage.queries.dispatch.leases import Lease
from gateway.storage.queries.dispatch.talk import Talk, Update
from gateway.storage.submission import Row

CLAIM_COLUMNS = (
    "id",
    "account_id",
    "segments",
    "attempt",
    "expires_at",
    "possible_duplicate",
    "source",
    "source_ton",
    "source_npi",
    "destination",
    "destination_ton",
    "destination_npi",
    "text",
    "encoding",
    "data_coding",
    "esm_class",
    "payload",
    "udh",
    "registered_delivery",
    "refusals",
)
"""The order of the values in a claimed message's row; `attempt` is the one that begins now."""

_SEGMENT = ("message_id", "seq", "attempt", "carrier_id", "state")
_UNSENT = frozenset((State.SCHEDULED, State.QUEUED))

_DUE = (
    f"SELECT {', '.join(f'm.{name}' for name in CLAIM_COLUMNS)}, a.suspended_at"
    " FROM message m LEFT JOIN account a ON a.id = m.account_id"
    " WHERE m.carrier_id = ? AND m.state IN (1, 2) AND m.due_at <= ? {since}"
    " ORDER BY m.due_at, m.accepted_at, m.id LIMIT ? {lock}"
)
# PostgreSQL leaves out the partitions before the oldest unfinished message.
_DUE_IN = {
    "sqlite": _DUE.format(since="", lock=""),
    "postgresql": _DUE.format(since="AND m.id >= ?", lock="FOR UPDATE OF m SKIP LOCKED"),
}

Doubt = Literal["resend", "hold"]
"""What becomes of messages of which nobody knows whether the carrier has them: sent again, or held."""

DOUBT_FIRST = clock.SECOND
DOUBT_MOST = 10 * clock.MINUTE
"""How long a message waits that was in doubt a second time, and at most, in microseconds; the wait doubles.

It may be what the carrier cuts the link at: each time, all else in the window would be sent once more.
"""

_RESEND = Update(
    "message",
    {"due_at": "bigint"},
    {"id": "bigint"},
    fixed="state = 2, possible_duplicate = true",
    where="state = 3",
)


@dataclass(slots=True)
class Claimed:
    """What a claim took.

    `messages` are rows in `CLAIM_COLUMNS` order, in the order to send them; `parts` names, of those long
    messages whose other segments the carrier has already, the ones that are still to be sent. `exhausted`
    says that nothing else was due.
    """

    messages: list[tuple[Any, ...]] = field(default_factory=list)
    parts: dict[int, list[int]] = field(default_factory=dict)
    held: int = 0
    expired: int = 0
    exhausted: bool = True


def claim(
    talk: Talk, lease: Lease, now: int, room: int, limit: int, *, since: int = 0, oversize: bool = False
) -> Claimed:
    """Take due messages of the carrier, in the order due, accepted, id, and mark them as being sent.

    `room` is how many segments may be on their way in addition, `limit` how many rows are looked at; a message
    that is larger than the room waits, unless it is the first and `oversize`. Those of suspended accounts are
    held, those past their validity end and are refunded. `since` is an id below which nothing is unfinished.
    The caller has checked the lease in this transaction.
    """
    rows = talk.all(_DUE_IN[talk.dialect], lease.carrier_id, now, *talk.bound_since(since), limit)
    claimed = Claimed(exhausted=len(rows) < limit)
    suspended: list[int] = []
    late: list[Ending] = []
    for row in rows:
        message_id, _, segments, _, expires_at = row[:5]
        if row[-1] is not None:
            suspended.append(message_id)
        elif expires_at <= now:
            late.append(Ending(message_id, State.EXPIRED, expected=_UNSENT))
        elif segments <= room or (oversize and not claimed.messages):
            claimed.messages.append(row[:-1])
            room -= segments
        else:
            claimed.exhausted = False
            break
    _mark(talk, lease, claimed)
    if suspended:
        talk.change("UPDATE message SET state = 5, hold_reason = 'suspended' WHERE id IN {}", suspended)
    claimed.held = len(suspended)
    claimed.expired = len(finals.end(talk, late, now))
    return claimed


def _mark(talk: Talk, lease: Lease, claimed: Claimed) -> None:
    """Set the messages to SENDING and write a row for each segment that is about to leave."""
    if not claimed.messages:
        return
    talk.change(
        "UPDATE message SET state = 3, attempt = attempt + 1 WHERE id IN {}", [row[0] for row in claimed.messages]
    )
    _find_parts(talk, claimed)
    segments: list[Row] = []
    for position, row in enumerate(claimed.messages):
        attempt = row[3] + 1
        claimed.messages[position] = (*row[:3], attempt, *row[4:])
        if row[2] == 1:
            segments.append((row[0], 1, attempt, lease.carrier_id, 3))
        else:
            seqs = claimed.parts.get(row[0]) or range(1, row[2] + 1)
            segments.extend((row[0], seq, attempt, lease.carrier_id, 3) for seq in seqs)
    talk.insert("segment", _SEGMENT, segments)


def _find_parts(talk: Talk, claimed: Claimed) -> None:
    """Leave out what the carrier took at an earlier attempt."""
    totals = {row[0]: row[2] for row in claimed.messages if row[2] > 1 and row[3]}
    if not totals:
        return
    taken: dict[int, set[int]] = {}
    for message_id, seq in talk.select(
        "SELECT message_id, seq FROM segment WHERE message_id IN {} AND carrier_ref IS NOT NULL", list(totals)
    ):
        taken.setdefault(message_id, set()).add(seq)
    for message_id, seqs in taken.items():
        claimed.parts[message_id] = [seq for seq in range(1, totals[message_id] + 1) if seq not in seqs]


def recover(connection: Connection, lease: Lease, policy: Doubt, now: int, limit: int = 1000) -> int:
    """Settle messages that a former owner left on their way; how many, to be called until it is 0.

    `resend` puts them back to the queue as possible duplicates, `hold` keeps them for an operator. Segments
    that the carrier has confirmed are not sent again. Raises StaleLease.
    """
    talk = Talk(connection)
    leases.check(talk, lease)
    doubtful = _sending(talk, lease, limit)
    doubt(talk, doubtful, policy, now)
    return len(doubtful)


def doubt(talk: Talk, message_ids: Sequence[int], policy: Doubt, now: int) -> None:
    """Treat messages on their way by the carrier's policy; those that were in doubt before wait first."""
    if not message_ids:
        return
    listed = list(message_ids)
    if policy == "hold":
        talk.change("UPDATE message SET state = 5, hold_reason = 'doubt' WHERE id IN {} AND state = 3", listed)
        return
    # The attempt is over without an answer; what counts from now on is the next one's.
    talk.change("UPDATE segment SET state = 22, error = 'no answer' WHERE message_id IN {} AND state = 3", listed)
    rows = talk.select(
        "SELECT m.id, m.due_at, (SELECT count(DISTINCT s.attempt) FROM segment s"
        " WHERE s.message_id = m.id AND s.state = 22 AND s.carrier_ref IS NULL)"
        " FROM message m WHERE m.id IN {} AND m.state = 3 ORDER BY m.id",
        listed,
    )
    talk.update(_RESEND, [(_due_again(due_at, times, now), message_id) for message_id, due_at, times in rows])


def _due_again(due_at: int, times: int, now: int) -> int:
    """When a message is due that has been in doubt so many times."""
    return due_at if times <= 1 else now + min(DOUBT_MOST, DOUBT_FIRST << min(times - 2, 40))


def reclaim(connection: Connection, lease: Lease, known: frozenset[int]) -> int:
    """Put back what a claim marked whose answer was lost; how many. Raises StaleLease.

    `known` are the messages that the owner has in hand; any other on its way never left.
    """
    talk = Talk(connection)
    leases.check(talk, lease)
    lost = [message_id for message_id in _sending(talk, lease, 1000 + len(known)) if message_id not in known]
    if lost:
        talk.change("UPDATE segment SET state = 23, error = 'not sent' WHERE message_id IN {} AND state = 3", lost)
        talk.change("UPDATE message SET state = 2 WHERE id IN {} AND state = 3", lost)
    return len(lost)


def _sending(talk: Talk, lease: Lease, limit: int) -> list[int]:
    rows = talk.select(
        # The first condition names the index, the second what of it is meant.
        "SELECT id FROM message WHERE carrier_id = ? AND state IN (3, 5) AND state = 3 ORDER BY id LIMIT ?",
        lease.carrier_id,
        limit,
    )
    return [row[0] for row in rows]


def next_due(connection: Connection, carrier_id: int, since: int = 0) -> int | None:
    """When the next message of the carrier is due (UTC microseconds), or None; one look into the index."""
    talk = Talk(connection)
    rows = talk.select(
        f"SELECT due_at FROM message WHERE carrier_id = ? AND state IN (1, 2) {talk.since} ORDER BY due_at LIMIT 1",
        carrier_id,
        *talk.bound_since(since),
    )
    return rows[0][0] if rows else None


def depth(
    connection: Connection, carrier_id: int, now: int, most: int = 100_000, since: int = 0
) -> tuple[int, int | None]:
    """How many messages of the carrier are due (counted up to `most`), and since when the oldest is."""
    talk = Talk(connection)
    rows = talk.select(
        f"SELECT count(*), min(due_at) FROM (SELECT due_at FROM message"
        f" WHERE carrier_id = ? AND state IN (1, 2) AND due_at <= ? {talk.since} ORDER BY due_at LIMIT ?) AS due",
        carrier_id,
        now,
        *talk.bound_since(since),
        most,
    )
    return rows[0][0], rows[0][1]
