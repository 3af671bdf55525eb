"""Recording what a carrier answered to what was handed to it."""

from dataclasses import dataclass, field
from typing import Any

from gateway.messaging.states import State
from gateway.storage.queries.dispatch import claims, finals, receipts
from gateway.storage.queries.dispatch.claims import Doubt
from gateway.storage.queries.dispatch.finals import Ending
from gateway.storage.queries.dispatch.leases import Lease
from gateway.storage.queries.dispatch.talk import Talk, Update

_SENDING = frozenset((State.SENDING,))

_TAKEN = Update(
    "segment",
    {"carrier_ref": "text", "sent_at": "bigint"},
    {"message_id": "bigint", "seq": "smallint", "attempt": "smallint"},
    fixed="state = 10",
    where="state = 3",
)
_REFUSED = Update(
    "segment",
    {"error": "text", "final_at": "bigint"},
    {"message_id": "bigint", "seq": "smallint", "attempt": "smallint"},
    fixed="state = 23",
    where="state = 3",
)
_SENT = Update(
    "message", {"sent_at": "bigint"}, {"id": "bigint"}, fixed="state = 10, error = NULL", where="state = 3"
)
_AGAIN = Update(
    "message",
    {"due_at": "bigint", "refusals": "smallint", "error": "text"},
    {"id": "bigint"},
    fixed="state = 2",
    where="state = 3",
)
_ELSEWHERE = Update(
    "message",
    {"carrier_id": "bigint", "due_at": "bigint", "refusals": "smallint", "error": "text"},
    {"id": "bigint"},
    fixed="state = 2",
    where="state = 3",
)


@dataclass(slots=True)
class Answers:
    """What became of messages on their way, as rows.

    `taken` (carrier's id, time, message, seq, attempt) and `refused` (error, time, message, seq, attempt) are
    segments. Messages: `sent` (time, message), of which `long` have several segments; `again` (due, refusals,
    error, message) to the same carrier; `elsewhere` (carrier, due, refusals, error, message) to another;
    `doubtful`, nobody knows whether the carrier has them; `ended`, refused for good or out of time. `others` are
    refs under which the receipt of a taken one may have come before, each with the ref it is taken by.
    """

    taken: list[tuple[str, int, int, int, int]] = field(default_factory=list)
    refused: list[tuple[str | None, int, int, int, int]] = field(default_factory=list)
    sent: list[tuple[int, int]] = field(default_factory=list)
    long: list[int] = field(default_factory=list)
    again: list[tuple[int, int, str | None, int]] = field(default_factory=list)
    elsewhere: list[tuple[int, int, int, str | None, int]] = field(default_factory=list)
    doubtful: list[int] = field(default_factory=list)
    ended: list[tuple[State, str | None, int]] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)

    def messages(self) -> set[int]:
        """The messages that are answered."""
        return {
            *(row[1] for row in self.sent),
            *(row[-1] for row in self.again),
            *(row[-1] for row in self.elsewhere),
            *(row[2] for row in self.ended),
            *self.doubtful,
        }


def record(talk: Talk, lease: Lease, answers: Answers, policy: Doubt, now: int, since: int = 0) -> list[State]:
    """Write answers, refunds and routes taken next; the states that messages have reached.

    Receipts that came before their answer are applied. The caller has checked the lease in this transaction.
    """
    talk.update(_TAKEN, answers.taken)
    talk.update(_REFUSED, answers.refused)
    talk.update(_SENT, answers.sent)
    again, elsewhere, doubtful = _still_here(talk, lease, answers)
    talk.update(_AGAIN, again)
    talk.update(_ELSEWHERE, elsewhere)
    claims.doubt(talk, doubtful, policy, now)
    reached = [State.SENT] * len(answers.sent)
    reached += finals.end(
        talk,
        [Ending(message_id, state, error, expected=_SENDING) for state, error, message_id in answers.ended],
        now,
    )
    early = receipts.take_early(talk, lease.carrier_id, [row[0] for row in answers.taken], now, answers.others)
    reached += receipts.apply(talk, lease.carrier_id, early, now, since)
    if answers.long:
        reached += receipts.settle(talk, answers.long, now)
    return reached


def _still_here(
    talk: Talk, lease: Lease, answers: Answers
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], list[int]]:
    """Of what is to leave the carrier or be tried again, that which it still has.

    Where the answer to COMMIT was lost it is recorded a second time, and another carrier may send it by now.
    """
    rows = answers.again, answers.elsewhere
    listed = [row[-1] for row in (*answers.again, *answers.elsewhere)] + answers.doubtful
    if not listed:
        return [], [], []
    here = {
        found
        for (found,) in talk.select(
            f"SELECT id FROM message WHERE id IN {{}} AND carrier_id = ? AND state = 3 ORDER BY id{talk.locking}",
            listed,
            lease.carrier_id,
        )
    }
    again, elsewhere = ([row for row in kind if row[-1] in here] for kind in rows)
    return again, elsewhere, [message_id for message_id in answers.doubtful if message_id in here]
