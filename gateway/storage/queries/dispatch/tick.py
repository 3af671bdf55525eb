"""One transaction of a carrier's owner: answers and receipts recorded, the next messages claimed.

All of it together, so that a busy carrier costs few commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from gateway.messaging.states import State
from gateway.storage.queries.dispatch import answers as _answers
from gateway.storage.queries.dispatch import claims, leases, receipts
from gateway.storage.queries.dispatch.answers import Answers
from gateway.storage.queries.dispatch.claims import Claimed, Doubt
from gateway.storage.queries.dispatch.leases import Lease
from gateway.storage.queries.dispatch.receipts import ReceiptRow
from gateway.storage.queries.dispatch.talk import Talk


@dataclass(slots=True)
class Work:
    """What one transaction is to do; `room`, `limit`, `since` and `oversize` are `claims.claim`'s."""

    answers: Answers = field(default_factory=Answers)
    receipts: Sequence[ReceiptRow] = ()
    room: int = 0
    limit: int = 0
    since: int = 0
    oversize: bool = False
    policy: Doubt = "resend"


@dataclass(slots=True)
class Done:
    """What it did: the messages claimed, and the states that messages have reached."""

    claimed: Claimed
    reached: list[State]


def run(connection: Connection, lease: Lease, work: Work, now: int) -> Done:
    """Do the work, all or nothing. Raises StaleLease when the carrier has another owner."""
    talk = Talk(connection)
    leases.check(talk, lease)
    reached = _answers.record(talk, lease, work.answers, work.policy, now, work.since)
    reached += receipts.apply(talk, lease.carrier_id, work.receipts, now, work.since)
    claimed = Claimed()
    if work.limit > 0:
        claimed = claims.claim(talk, lease, now, work.room, work.limit, since=work.since, oversize=work.oversize)
        reached += [State.EXPIRED] * claimed.expired
    return Done(claimed, reached)
