"""A message's life, from accepted to one final state."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from types import MappingProxyType


class State(IntEnum):
    """Where a message or a segment is; the numbers are stored."""

    SCHEDULED = 1
    """Accepted, due later."""
    QUEUED = 2
    """Accepted, due, and free to be claimed."""
    SENDING = 3
    """Claimed: on its way to the carrier."""
    STAGED = 4
    """Of a batch that is not yet fed to the queue."""
    HELD = 5
    """Kept back: account suspended, perhaps with the carrier already, or restored from a backup."""
    SENT = 10
    """The carrier answered with its id."""
    DELIVERED = 20
    UNDELIVERED = 21
    EXPIRED = 22
    REJECTED = 23
    CANCELLED = 24


FINAL = frozenset((State.DELIVERED, State.UNDELIVERED, State.EXPIRED, State.REJECTED, State.CANCELLED))
"""States that never change."""

_QUEUED = frozenset((State.QUEUED, State.SENDING))
_FAILED = FINAL - {State.DELIVERED}
_UNSENT_ENDS = frozenset((State.EXPIRED, State.REJECTED, State.CANCELLED))
_RECEIPTS = frozenset((State.DELIVERED, State.UNDELIVERED, State.EXPIRED, State.REJECTED))

# A receipt may come before the carrier's answer (SENDING), or for a message held because that answer was
# lost.
TRANSITIONS: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.SCHEDULED: _UNSENT_ENDS | {State.QUEUED, State.SENDING, State.HELD},
        State.QUEUED: _UNSENT_ENDS | {State.SCHEDULED, State.SENDING, State.HELD},
        State.STAGED: _UNSENT_ENDS | {State.SCHEDULED, State.QUEUED, State.SENDING, State.HELD},
        State.HELD: _UNSENT_ENDS | _RECEIPTS | {State.SCHEDULED, State.QUEUED, State.SENT},
        State.SENDING: _RECEIPTS | {State.SCHEDULED, State.QUEUED, State.HELD, State.SENT},
        State.SENT: _RECEIPTS,
        **dict.fromkeys(FINAL, frozenset[State]()),
    }
)
"""The states each state may change to."""


def may(old: State, new: State) -> bool:
    """Whether a message may change from one state to the other; staying is no change."""
    return new in TRANSITIONS[old]


def public(state: State, due_at: int, now: int) -> str:
    """Give the name customers see; times are UTC microseconds.

    What has not reached the carrier reads SCHEDULED while the time its customer gave is to come, and QUEUED from
    then on: a message that was queued once stays so however long a retry is put off.
    """
    if state >= State.SENT:
        return state.name
    return "SCHEDULED" if due_at > now and state not in _QUEUED else "QUEUED"


def of_segments(states: Sequence[State], total: int) -> State:
    """Give a sent message's state from those of its segments, in the order they became known.

    DELIVERED when all `total` segments are; otherwise the state of the first that finally failed; otherwise
    SENT.
    """
    for state in states:
        if state in _FAILED:
            return state
    return State.DELIVERED if 0 < total <= states.count(State.DELIVERED) else State.SENT
