"""Final states that need no receipt, and what goes with them: the refund and the customer's notice.

Everything here follows from the message's row as it is locked in this transaction, so that a second try
changes nothing: a final state stays, and what was refunded is subtracted from what is due.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway import clock
from gateway.messaging.states import FINAL, State
from gateway.storage.queries.dispatch.talk import Talk, Update
from gateway.storage.submission import Row

RECEIPT_LIFE = 7 * clock.DAY
"""How long a receipt waits for an SMPP customer to fetch it, in microseconds."""

_OUTBOX = ("kind", "account_id", "access_id", "message_id", "state", "at", "due_at", "expires_at", "attempts")
_LEDGER = ("account_id", "at", "kind", "amount", "note")

_END = Update(
    "message",
    {
        "state": "smallint",
        "error": "text",
        "assumed": "boolean",
        "refunded": "bigint",
        "final_at": "bigint",
    },
    {"id": "bigint"},
    fixed="hold_reason = NULL",
)


@dataclass(slots=True)
class Ending:
    """A message's final state; `error` is at most 64 characters.

    `assumed` says that no carrier told us. `expected` are the states it may still be in; in any other it is
    left alone. Without `refund` nothing is given back.
    """

    message_id: int
    state: State
    error: str | None = None
    assumed: bool = False
    refund: bool = True
    expected: frozenset[State] = frozenset(State) - FINAL


def end(talk: Talk, endings: Sequence[Ending], now: int) -> list[State]:
    """Write final states, refunds (what no carrier has taken) and notices; the states written."""
    if not endings:
        return []
    wanted = {ending.message_id: ending for ending in endings}
    rows = talk.select(
        "SELECT id, state, price, segments, refunded, account_id, access_id, protocol, registered_delivery"
        f" FROM message WHERE id IN {{}} ORDER BY id{talk.locking}",
        list(wanted),
    )
    taken = _taken(talk, [row[0] for row in rows if wanted[row[0]].refund])
    changes: list[Row] = []
    refunds: dict[int, int] = {}
    notices: list[Row] = []
    for message_id, state, price, segments, refunded, account_id, access_id, protocol, wish in rows:
        ending = wanted[message_id]
        if state not in ending.expected:
            continue
        refund = 0
        if ending.refund:
            refund = max(0, price * (segments - taken.get(message_id, 0)) // segments - refunded)
        if refund:
            refunds[account_id] = refunds.get(account_id, 0) + refund
        changes.append((int(ending.state), ending.error, ending.assumed, refunded + refund, now, message_id))
        if wants_notice(protocol, wish, ending.state):
            notices.append(notice(account_id, access_id, message_id, ending.state, now))
    talk.update(_END, changes)
    _give_back(talk, refunds, now)
    talk.insert("outbox", _OUTBOX, notices)
    return [State(change[0]) for change in changes]


def wants_notice(protocol: str, registered_delivery: int | None, state: State) -> bool:
    """Whether an SMPP customer asked for a receipt of this outcome (SMPP 3.4, 5.2.17: bits 1 and 0)."""
    if protocol != "smpp" or not registered_delivery:
        return False
    wish = registered_delivery & 3
    return wish == 1 or (wish == 2 and state is not State.DELIVERED)


def notice(account_id: int, access_id: int, message_id: int, state: State, now: int) -> Row:
    """A row of the outbox that tells a customer of a final state."""
    return ("receipt", account_id, access_id, message_id, int(state), now, now, now + RECEIPT_LIFE, 0)


def write_notices(talk: Talk, notices: Sequence[Row]) -> None:
    """Insert rows made by `notice`."""
    talk.insert("outbox", _OUTBOX, notices)


def _taken(talk: Talk, message_ids: Iterable[int]) -> dict[int, int]:
    """How many segments of each message a carrier has, or may have."""
    listed = list(message_ids)
    if not listed:
        return {}
    counted: list[tuple[Any, ...]] = talk.select(
        "SELECT s.message_id, count(DISTINCT s.seq) FROM segment s JOIN message m ON m.id = s.message_id"
        # Of an earlier attempt without an answer, what the later one was told counts.
        " WHERE s.message_id IN {} AND (s.carrier_ref IS NOT NULL OR (s.state = 3 AND s.attempt = m.attempt))"
        " GROUP BY s.message_id",
        listed,
    )
    return {row[0]: row[1] for row in counted}


def _give_back(talk: Talk, refunds: dict[int, int], now: int) -> None:
    """One row of the ledger for each account; balances are locked in the order of their accounts."""
    for account_id in sorted(refunds):
        talk.change("UPDATE balance SET credits = credits + ? WHERE account_id = ?", refunds[account_id], account_id)
    talk.insert("ledger", _LEDGER, [(account, now, "refund", amount, "") for account, amount in refunds.items()])
