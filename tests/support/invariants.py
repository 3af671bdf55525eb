"""What must hold after any fault: checks over the whole database, what customers were told, and what the carrier got.

Call them when the gateway has stopped: they read in one long transaction each. Each raises AssertionError naming
some of what is wrong.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from gateway.messaging.states import FINAL, State
from gateway.storage.database import Database
from gateway.storage.schema import balance, batch, call_log, ledger, message, segment

_SHOWN = 5

# By the last four digits; a number without a rule is delivered. 0006 has no receipt, and ends a day after its
# validity.
OUTCOMES = {"0002": State.UNDELIVERED, "0003": State.EXPIRED, "0004": State.REJECTED, "0006": State.EXPIRED}
UNREPORTED = "0006"
REFUSED = "0004"

NO_ANSWER = "no answer"  # a segment of which a crash left open whether the carrier has it


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a customer was told: the id, and what he asked for; `price` in micro-credits."""

    message_id: int
    account_id: int
    destination: str
    segments: int
    price: int
    batch_id: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A segment that the simulated carrier took."""

    ref: str
    message_id: int
    seq: int
    attempt: int
    destination: str


@dataclass(frozen=True, slots=True)
class Doubts:
    """What crashes left open: segments on their way without an answer, of those with the carrier, sent twice."""

    unanswered: int
    taken: int
    twice: int


def journal(path: Path) -> list[Taken]:
    """What the simulated carrier took, from its journal (option journal=keep)."""
    taken = []
    with path.open() as lines:
        for line in lines:
            words = line.split()
            if words[0] == "T":
                taken.append(Taken(words[1], int(words[2]), int(words[3]), int(words[4]), words[5]))
    return taken


def expected(destination: str) -> State:
    """The final state of a message to this number."""
    return OUTCOMES.get(destination[-4:], State.DELIVERED)


def check_stored(database: Database, acknowledged: Collection[Acknowledged], accounts: Iterable[int]) -> None:
    """Every acknowledged message is stored as it was asked for, and these accounts have no other messages."""
    told = {item.message_id: item for item in acknowledged}
    _none("acknowledged under one id", len(acknowledged) - len(told))
    listed = list(accounts)
    with database.transaction() as connection:
        rows = _messages(connection, message.c.account_id.in_(listed), _paid())
        logged = Counter(
            connection.scalars(
                select(call_log.c.message_id).where(
                    call_log.c.account_id.in_(listed), call_log.c.outcome == "SUCCESS", call_log.c.message_id > 0
                )
            )
        )
    stored = {
        row.id: Acknowledged(row.id, row.account_id, row.destination, row.segments, row.price, row.batch_id)
        for row in rows
    }
    _none("acknowledged and not stored", told.keys() - stored.keys())
    _none("stored and acknowledged to nobody", stored.keys() - told.keys())
    _none("stored otherwise than acknowledged", [item for item in told.values() if stored[item.message_id] != item])
    single = [item.message_id for item in acknowledged if item.batch_id is None]
    _none("without its row in the log, or with several", [number for number in single if logged[number] != 1])


def check_final(database: Database) -> None:
    """Every paid message is in the one final state that its number means, refunded if the carrier refused it."""
    with database.transaction() as connection:
        rows = _messages(connection, _paid())
    _none("not final", [(row.id, State(row.state).name) for row in rows if row.state not in FINAL])
    _none(
        "in another state than its number means",
        [
            (row.id, row.destination, State(row.state).name, row.error)
            for row in rows
            if row.state != expected(row.destination)
        ],
    )
    _none(
        "assumed wrongly",
        [row.id for row in rows if row.assumed != (row.destination[-4:] == UNREPORTED)],
    )
    _none(
        "refunded wrongly",
        [
            (row.id, row.price, row.refunded)
            for row in rows
            if row.refunded != (row.price if row.destination[-4:] == REFUSED else 0)
        ],
    )


def check_money(database: Database) -> None:
    """Each balance is grants less debits plus refunds, not below zero; debits are the prices, refunds the refunds."""
    with database.transaction() as connection:
        balances = {row[0]: row[1] for row in connection.execute(select(balance.c.account_id, balance.c.credits))}
        booked: dict[int, dict[str, int]] = defaultdict(dict)
        for account, kind, amount in connection.execute(
            select(ledger.c.account_id, ledger.c.kind, func.sum(ledger.c.amount)).group_by(
                ledger.c.account_id, ledger.c.kind
            )
        ):
            booked[account][kind] = int(amount)
        priced = {
            account: (int(price), int(refunded))
            for account, price, refunded in connection.execute(
                select(message.c.account_id, func.sum(message.c.price), func.sum(message.c.refunded))
                .where(_paid())
                .group_by(message.c.account_id)
            )
        }
    _none("overdrawn", [(account, amount) for account, amount in balances.items() if amount < 0])
    for account, amount in balances.items():
        kinds = booked[account]
        price, refunded = priced.get(account, (0, 0))
        assert amount == sum(kinds.values()), f"account {account} has {amount} and booked {kinds}"
        assert -kinds.get("debit", 0) == price, f"account {account} paid {kinds} for {price}"
        assert kinds.get("refund", 0) == refunded, f"account {account} was given back {kinds} of {refunded}"


def check_carrier(database: Database, taken: Sequence[Taken], crashes: int, window: int) -> Doubts:
    """The carrier got every segment it should, once an attempt, each attempt marked before; the rest is doubts.

    `crashes` are those of the carrier's owner; of each, at most `window` segments may be in doubt.
    """
    with database.transaction() as connection:
        messages = {row.id: row for row in _messages(connection)}
        segments = {
            (row.message_id, row.seq, row.attempt): row
            for row in connection.execute(
                select(
                    segment.c.message_id,
                    segment.c.seq,
                    segment.c.attempt,
                    segment.c.carrier_ref,
                    segment.c.state,
                    segment.c.error,
                )
            )
        }
    times = Counter((item.message_id, item.seq, item.attempt) for item in taken)
    _none("sent twice in one attempt", [key for key, count in times.items() if count > 1])
    _none("sent and not marked before", times.keys() - segments.keys())
    _none("sent to another number", [i for i in taken if messages[i.message_id].destination != i.destination])
    unanswered = {key for key, row in segments.items() if row.error == NO_ANSWER}
    answered = {key: row.carrier_ref for key, row in segments.items() if row.carrier_ref is not None}
    _none(
        "taken by the carrier and neither answered nor in doubt",
        [item for item in taken if not _accounted(item, answered, unanswered)],
    )
    _none("answered and not with the carrier", answered.keys() - times.keys())
    _none("still on its way", [key for key, row in segments.items() if row.state == State.SENDING])
    attempts = Counter((item.message_id, item.seq) for item in taken)
    twice = [key for key, count in attempts.items() if count > 1]
    _none("sent twice, unmarked", [key for key in twice if not messages[key[0]].possible_duplicate])
    wanted = (
        (row.id, seq)
        for row in messages.values()
        if expected(row.destination) is not State.REJECTED and row.state != State.STAGED
        for seq in range(1, row.segments + 1)
    )
    _none("never sent", [key for key in wanted if not attempts[key]])
    _none("sent although refused", [key for key in attempts if messages[key[0]].destination[-4:] == REFUSED])
    doubts = Doubts(len(unanswered), len(unanswered & times.keys()), len(twice))
    assert doubts.unanswered <= crashes * window, f"{doubts} of {crashes} crashes with a window of {window}"
    return doubts


def unsettled(database: Database) -> int:
    """How many messages are not final yet."""
    return _count(database, message.c.state < State.DELIVERED)


def unfinished(database: Database) -> int:
    """How many messages have a way to go by themselves: those without a receipt, once sent, do not count."""
    waits = message.c.destination.like(f"%{UNREPORTED}") & (message.c.state == State.SENT)
    return _count(database, message.c.state < State.DELIVERED, ~waits)


def _accounted(
    item: Taken, answered: Mapping[tuple[int, int, int], str], unanswered: Collection[tuple[int, int, int]]
) -> bool:
    key = item.message_id, item.seq, item.attempt
    return answered.get(key) == item.ref or key in unanswered


def _paid() -> Any:
    """Not of a batch that a crash has left unopened: nobody was told of it, and nobody paid."""
    opened = select(batch.c.id).where(batch.c.opened_at.is_not(None))
    return message.c.batch_id.is_(None) | message.c.batch_id.in_(opened)


def _count(database: Database, *conditions: Any) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(message).where(_paid(), *conditions)).scalar_one()


def _messages(connection: Connection, *conditions: Any) -> list[Any]:
    columns = ("id", "account_id", "batch_id", "destination", "segments", "price", "refunded", "state", "error",
               "assumed", "possible_duplicate", "carrier_id")  # fmt: skip
    query = select(*(message.c[name] for name in columns)).where(*conditions)
    return list(connection.execute(query).all())


def _none(what: str, found: Collection[Any] | int) -> None:
    number = found if isinstance(found, int) else len(found)
    some = "" if isinstance(found, int) else f", such as {list(found)[:_SHOWN]}"
    assert not number, f"{number} {what}{some}"
