"""What must hold after any fault where customers are bound by SMPP and carriers are somebody's SMSC.

Beside `invariants`, whose `check_money` holds here too. Call them when the gateway has stopped, but for `waiting` and
`untold`. Each raises AssertionError naming some of what is wrong.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from gateway.messaging.states import FINAL, State
from gateway.smpp.constants import MessageState
from gateway.storage.database import Database
from gateway.storage.schema import call_log, message, outbox, segment
from tests.support.invariants import REFUSED, UNREPORTED, expected
from tests.support.smsc import Segment

_SHOWN = 5
_TELLING = ("id", "carrier_id", "destination", "state", "error", "attempt", "due_at", "sent_at")

STATES = {
    State.DELIVERED: MessageState.DELIVERED,
    State.EXPIRED: MessageState.EXPIRED,
    State.UNDELIVERED: MessageState.UNDELIVERABLE,
    State.REJECTED: MessageState.REJECTED,
}


@dataclass
class Known:
    """What customers know: ids with account and destination, destinations of which they know nothing, receipts.

    No two submits went to one destination. `receipts` are the message_state of each receipt that an account
    acknowledged, by account and id.
    """

    acknowledged: dict[int, tuple[int, str]] = field(default_factory=dict)
    unknown: set[tuple[int, str]] = field(default_factory=set)
    receipts: dict[tuple[int, int], list[int]] = field(default_factory=lambda: defaultdict(list))


def check_stored(database: Database, known: Known, accounts: Iterable[int]) -> None:
    """Acknowledged is stored, once, with its row in the log; what else is stored was submitted and not answered."""
    listed = list(accounts)
    with database.transaction() as connection:
        rows = connection.execute(
            select(message.c.id, message.c.account_id, message.c.destination).where(message.c.account_id.in_(listed))
        ).all()
        logged = Counter(
            connection.scalars(
                select(call_log.c.message_id).where(
                    call_log.c.account_id.in_(listed), call_log.c.outcome == "SUCCESS", call_log.c.message_id > 0
                )
            )
        )
    stored = {row.id: (row.account_id, row.destination) for row in rows}
    _none("acknowledged and not stored", known.acknowledged.keys() - stored.keys())
    _none(
        "stored otherwise than acknowledged",
        [(number, told) for number, told in known.acknowledged.items() if stored[number] != told],
    )
    others = {number: what for number, what in stored.items() if number not in known.acknowledged}
    _none("stored and never submitted, or refused", [item for item in others.items() if item[1] not in known.unknown])
    _none("stored twice", [what for what, count in Counter(stored.values()).items() if count > 1])
    _none("without its row in the log, or with several", [number for number in stored if logged[number] != 1])


def waiting(database: Database, deaths: Mapping[int, int]) -> list[dict[str, Any]]:
    """Messages that have a way to go by themselves.

    Those without a receipt do not count, nor those that are held, nor those that a carrier had taken when it died:
    `deaths` says when each last did, in UTC microseconds, by carrier.
    """
    with database.read() as connection:
        rows = connection.execute(
            select(*(message.c[name] for name in _TELLING)).where(
                message.c.state < State.DELIVERED, message.c.state != State.HELD
            )
        ).all()
        lost = _unreported(connection, deaths) if rows else set()
    return [
        dict(row._mapping)
        for row in rows
        if not (row.state == State.SENT and (row.id in lost or row.destination.endswith(UNREPORTED)))
    ]


def untold(database: Database) -> int:
    """How many receipts customers have not acknowledged."""
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(outbox)).scalar_one()


def in_doubt(database: Database) -> set[int]:
    """The messages that are held because nobody knows whether the carrier has them."""
    with database.read() as connection:
        held = (message.c.state == State.HELD) & (message.c.hold_reason == "doubt")
        return set(connection.scalars(select(message.c.id).where(held)))


def check_final(database: Database, deaths: Mapping[int, int], held: Collection[int]) -> int:
    """Every message is in the one final state that its number means, or was given up for a reason; how many were.

    The reasons: its carrier never reports of it, died with its receipt, or it was `held` in doubt.
    """
    with database.transaction() as connection:
        rows = connection.execute(select(message)).all()
        lost = _unreported(connection, deaths)
    _none("not final", [(row.id, State(row.state).name) for row in rows if row.state not in FINAL])
    given_up = [row for row in rows if row.assumed]
    _none(
        "given up without a reason",
        [
            (row.id, row.destination, row.error)
            for row in given_up
            if row.state != State.EXPIRED
            or not (row.destination.endswith(UNREPORTED) or row.id in lost or row.id in held)
        ],
    )
    _none(
        "in another state than its number means",
        [
            (row.id, row.destination, State(row.state).name, row.error)
            for row in rows
            if not row.assumed and row.state != expected(row.destination)
        ],
    )
    _none(
        "refunded wrongly",
        [
            (row.id, row.price, row.refunded)
            for row in rows
            if row.refunded != (row.price if row.state == State.REJECTED else 0)
        ],
    )
    return len(given_up)


def check_carrier(
    database: Database, carrier_id: int, taken: Sequence[Segment], held: Collection[int], policy: str
) -> int:
    """An SMSC got every segment of its messages, more than once only as possible duplicates, and never with `hold`.

    How many it got more than once. No two messages went to one destination; of those `held` it may have any segment.
    """
    with database.transaction() as connection:
        rows = connection.execute(select(message).where(message.c.carrier_id == carrier_id)).all()
        states = Counter(connection.scalars(select(segment.c.state).where(segment.c.carrier_id == carrier_id)))
    messages = {row.destination: row for row in rows}
    times = Counter((one.destination, one.seq) for one in taken)
    _none("taken and not stored", {to for to, _ in times} - messages.keys())
    twice = [key for key, count in times.items() if count > 1]
    _none("taken twice, unmarked", [key for key in twice if not messages[key[0]].possible_duplicate])
    if policy == "hold":
        _none("taken twice although in doubt they are held", twice)
    wanted = (
        (row.destination, seq)
        for row in messages.values()
        if not row.destination.endswith(REFUSED) and row.id not in held
        for seq in range(1, row.segments + 1)
    )
    _none("never sent", [key for key in wanted if not times[key]])
    _none("taken although refused", [key for key in times if key[0].endswith(REFUSED)])
    if policy == "resend":
        assert not states[State.SENDING], f"{states[State.SENDING]} segments still on their way"
    return len(twice)


def check_receipts(database: Database, known: Known) -> None:
    """Every message's customer, and nobody else, acknowledged its receipt, and always of the one final state."""
    with database.transaction() as connection:
        rows = connection.execute(select(message.c.id, message.c.account_id, message.c.state)).all()
        left = connection.execute(select(func.count()).select_from(outbox)).scalar_one()
    wanted = {(row.account_id, row.id): STATES[State(row.state)] for row in rows}
    _none("without a receipt", wanted.keys() - known.receipts.keys())
    _none("receipts of nothing", known.receipts.keys() - wanted.keys())
    _none(
        "told another state",
        [(key, states, wanted[key].name) for key, states in known.receipts.items() if set(states) != {wanted[key]}],
    )
    _none("left to be told", left)


def _unreported(connection: Any, deaths: Mapping[int, int]) -> set[int]:
    """Messages of which a carrier had taken a segment before it died, and has not reported of it."""
    found: set[int] = set()
    for carrier_id, died_at in deaths.items():
        found.update(
            connection.scalars(
                select(segment.c.message_id).where(
                    segment.c.carrier_id == carrier_id,
                    segment.c.sent_at <= died_at,
                    segment.c.carrier_ref.is_not(None),
                    segment.c.final_at.is_(None),
                )
            )
        )
    return found


def _none(what: str, found: Collection[Any] | int) -> None:
    number = found if isinstance(found, int) else len(found)
    some = "" if isinstance(found, int) else f", such as {list(found)[:_SHOWN]}"
    assert not number, f"{number} {what}{some}"
