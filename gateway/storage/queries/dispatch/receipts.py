"""Applying carriers' receipts.

A receipt that changes nothing (late, repeated, of a message that is not ours or whose answer has not come
yet) is kept in `stray_receipt`. A receipt never changes a final state.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from gateway import clock
from gateway.messaging.states import FINAL, State, of_segments
from gateway.storage.queries.dispatch import finals
from gateway.storage.queries.dispatch.talk import Talk, Update
from gateway.storage.submission import Row

Meant = tuple[tuple[str, ...], tuple[str, ...]]
"""Other ids that a receipt may mean, and last digits of the numbers that its message may have been to."""

ReceiptRow = tuple[str, int, str | None, int] | tuple[str, int, str | None, int, Meant]
"""The carrier's id of the segment, its final state, the carrier's error, when it arrived; what else it may mean."""

EARLY = 10 * clock.MINUTE
"""How long before the carrier's answer a receipt may come, in microseconds."""

_FOUND = (
    "SELECT s.carrier_ref, s.message_id, s.seq, s.attempt, s.state, m.state, m.segments, m.account_id,"
    " m.access_id, m.protocol, m.registered_delivery"
    " FROM segment s JOIN message m ON m.id = s.message_id"
    " WHERE s.carrier_id = ? AND s.carrier_ref IS NOT NULL AND s.carrier_ref IN {{}} {since}"
    " ORDER BY s.message_id, s.attempt {lock}"
)
_BY_REF = {
    "sqlite": _FOUND.format(since="", lock=""),
    # The partitions before the oldest unfinished message are left out.
    "postgresql": _FOUND.format(since="AND s.message_id >= ?", lock="FOR UPDATE OF m"),
}

_MEANT = (
    "SELECT s.carrier_ref, s.state, m.destination FROM segment s JOIN message m ON m.id = s.message_id"
    " WHERE s.carrier_id = ? AND s.carrier_ref IS NOT NULL AND s.carrier_ref IN {{}} {since}"
    " ORDER BY s.message_id, s.attempt"
)
_BY_MEANING = {
    "sqlite": _MEANT.format(since=""),
    "postgresql": _MEANT.format(since="AND s.message_id >= ?"),
}

_NONE: Mapping[str, str] = MappingProxyType({})

_STRAY = ("carrier_id", "carrier_ref", "state", "error", "at", "message_id")
_SEGMENT = Update(
    "segment",
    {"state": "smallint", "error": "text", "final_at": "bigint"},
    {"message_id": "bigint", "seq": "smallint", "attempt": "smallint"},
    where="state = 10",
)
_MESSAGE = Update(
    "message",
    {"state": "smallint", "error": "text", "final_at": "bigint"},
    {"id": "bigint"},
    where="state = 10",
)


def apply(talk: Talk, carrier_id: int, receipts: Sequence[ReceiptRow], now: int, since: int = 0) -> list[State]:
    """Apply a carrier's receipts in their order; the final states that messages have reached.

    `since` is an id below which no message is unfinished: a receipt for one below it comes too late.
    """
    if not receipts:
        return []
    certain = _ascertain(talk, carrier_id, receipts, since)
    found, wholes = _find(talk, carrier_id, [receipt[0] for receipt in certain], since)
    segments: list[Row] = []
    strays: list[Row] = []
    deciding: dict[int, Row] = {}
    long: list[int] = []
    notices: list[Row] = []
    settled: set[str] = set()
    for reference, state, error, at in certain:
        row = found.get(reference)
        if row is None:
            strays.append((carrier_id, reference, state, error, at, None))
            continue
        message_id, seq, attempt, before, message_state, total = row[:6]
        if before != State.SENT or reference in settled or (total == 1 and message_state != State.SENT):
            strays.append((carrier_id, reference, state, error, at, message_id))
            continue
        settled.add(reference)
        segments.append((state, error, at, message_id, seq, attempt))
        if reference in wholes:
            segments.extend((state, error, at, message_id, other, attempt) for other in wholes[reference])
        if total > 1:
            long.append(message_id)
        else:
            deciding[message_id] = (state, error, at, message_id)
            if finals.wants_notice(row[8], row[9], State(state)):
                notices.append(finals.notice(row[6], row[7], message_id, State(state), now))
    talk.update(_SEGMENT, segments)
    talk.update(_MESSAGE, list(deciding.values()))
    talk.insert("stray_receipt", _STRAY, strays)
    finals.write_notices(talk, notices)
    reached = [State(row[0]) for row in deciding.values()]
    if long:
        reached += settle(talk, long, now)
    return reached


def settle(talk: Talk, message_ids: Sequence[int], now: int) -> list[State]:
    """Decide messages of several segments from what is known of these; the final states reached.

    Only those that are SENT: one with segments still to send is decided once they are sent.
    """
    messages = talk.select(
        "SELECT id, segments, account_id, access_id, protocol, registered_delivery FROM message"
        f" WHERE id IN {{}} AND state = 10 ORDER BY id{talk.locking}",
        sorted(set(message_ids)),
    )
    known: dict[int, list[tuple[State, str | None, int]]] = {}
    for message_id, state, error, at in talk.select(
        "SELECT message_id, state, error, final_at FROM segment"
        " WHERE message_id IN {} AND carrier_ref IS NOT NULL AND state >= 20 ORDER BY final_at, seq",
        [row[0] for row in messages],
    ):
        known.setdefault(message_id, []).append((State(state), error, at))
    decided: list[Row] = []
    notices: list[Row] = []
    for message_id, total, account_id, access_id, protocol, wish in messages:
        segments = known.get(message_id, [])
        state = of_segments([segment[0] for segment in segments], total)
        if state not in FINAL:
            continue
        error, at = next((found[1:] for found in segments if found[0] is state and state is not State.DELIVERED),
                         (None, segments[-1][2]))  # fmt: skip
        decided.append((int(state), error, at, message_id))
        if finals.wants_notice(protocol, wish, state):
            notices.append(finals.notice(account_id, access_id, message_id, state, now))
    talk.update(_MESSAGE, decided)
    finals.write_notices(talk, notices)
    return [State(row[0]) for row in decided]


def take_early(
    talk: Talk, carrier_id: int, references: Sequence[str], now: int, others: Mapping[str, str] = _NONE
) -> list[ReceiptRow]:
    """Take the receipts that came before the carrier's answer out of the strays, in the order they came.

    `others` are refs under which they may have come instead, each with the answer's. Older ones than `EARLY` are
    another message's: carriers use their numbers again.
    """
    if not references:
        return []
    early = talk.select(
        "DELETE FROM stray_receipt WHERE message_id IS NULL AND carrier_id = ? AND carrier_ref IN {} AND at > ?"
        " RETURNING id, carrier_ref, state, error, at",
        carrier_id,
        [*references, *others],
        now - EARLY,
    )
    return [(others.get(ref, ref), state, error, at) for _, ref, state, error, at in sorted(early)]


def _find(
    talk: Talk, carrier_id: int, references: list[str], since: int
) -> tuple[dict[str, tuple[Any, ...]], dict[str, list[int]]]:
    """The segments by the carrier's ids, each with its message, locked against whoever else might end it.

    Where the carrier has used a number again, the latest. Where it took several segments as one, the numbers (seq)
    of the others come by that id beside it.
    """
    rows = talk.select(_BY_REF[talk.dialect], carrier_id, references, *talk.bound_since(since))
    found: dict[str, tuple[Any, ...]] = {}
    wholes: dict[str, list[int]] = {}
    for row in rows:
        earlier = found.get(row[0])
        if earlier is not None:
            # The same message and attempt.
            if earlier[0] == row[1] and earlier[2] == row[3]:
                wholes.setdefault(row[0], []).append(earlier[1])
            else:
                wholes.pop(row[0], None)
        found[row[0]] = row[1:]
    return found, wholes


def _ascertain(
    talk: Talk, carrier_id: int, receipts: Sequence[ReceiptRow], since: int
) -> Sequence[tuple[str, int, str | None, int]]:
    """The receipts, each with the one of the ids that it may mean under which there is a segment.

    A segment to one of the receipt's numbers is preferred, then one that is still without a receipt, then the id
    that comes first.
    """
    unsure = [row for row in receipts if len(row) == 5]
    if not unsure:
        return receipts  # type: ignore[return-value] # none has a fifth
    asked = list({ref for row in unsure for ref in (row[0], *row[4][0])})
    known = {
        ref: (state, destination)
        for ref, state, destination in talk.select(
            _BY_MEANING[talk.dialect], carrier_id, asked, *talk.bound_since(since)
        )
    }
    return [(_meant(row[0], row[4], known), *row[1:4]) if len(row) == 5 else row for row in receipts]


def _meant(ref: str, meant: Meant, known: Mapping[str, tuple[int, str]]) -> str:
    others, numbers = meant
    best, chosen = (False, False), ref
    for form in (ref, *others):
        if form not in known:
            continue
        state, destination = known[form]
        fits = not numbers or destination.endswith(numbers)
        if form != ref and not fits:
            continue
        rank = fits, state == State.SENT
        if rank > best:
            best, chosen = rank, form
    return chosen
