"""Where deliveries go: the sessions that may take them, and what was claimed for them and not yet sent."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.frontends.smpp.bound import Bound
    from gateway.smpp.pdu import DeliverSm
    from gateway.storage.queries.outbox import Entry, Key

FIRST_AHEAD = 16
MOST_AHEAD = 1_000
"""Rows of one access that are claimed before its windows have room for them, at most."""

FIRST_REST = 1.0
LONGEST_REST = 30.0
"""Seconds that a session rests which refuses what it is given, or does not answer; twice as long each time."""

_MOST_LATE = 100


class Task:
    """A claimed row on its way: its deliver_sm PDUs, one unless the text is long, leave in order over one session.

    `until` is when the claim ends (UTC microseconds), `sent` how many PDUs have left, `unanswered` how many of those
    have no answer, `over` that it was decided what becomes of it; whatever comes then is of no interest.
    """

    __slots__ = ("entry", "outlet", "over", "pdus", "sent", "unanswered", "until")

    def __init__(self, entry: Entry, outlet: Outlet, pdus: list[DeliverSm], until: int) -> None:
        self.entry = entry
        self.outlet = outlet
        self.pdus = pdus
        self.until = until
        self.sent = 0
        self.unanswered = 0
        self.over = False


class Seat:
    """A bound session that takes deliveries. `parts` are long texts whose next parts wait for its window."""

    __slots__ = ("_late", "_rest", "_rests_until", "bound", "outlets", "parts")

    def __init__(self, bound: Bound, outlets: Sequence[Outlet]) -> None:
        self.bound = bound
        self.outlets = outlets
        self.parts: deque[Task] = deque()
        # By the sequence_number of the deliver_sm that was not answered in time, the latest of them.
        self._late: dict[int, Task] = {}
        self._rest = 0.0
        self._rests_until = 0.0

    def ready(self, now: float) -> bool:
        """Whether it takes deliveries at this moment; `now` in seconds of a clock that never goes back."""
        return self._rests_until <= now and self.bound.open and self.bound.link.session.state.bound

    def free(self, now: float) -> int:
        """How many deliver_sm it can be given now; after a rest one, to see whether it takes it."""
        if not self.ready(now):
            return 0
        session = self.bound.link.session
        return min(session.free, 0 if session.unanswered else 1) if self._rest else session.free

    def refused(self, now: float) -> None:
        """It could not take one: it rests a while, longer if it has just done so."""
        if self._rests_until <= now:
            self._rest = min(2 * self._rest, LONGEST_REST) or FIRST_REST
            self._rests_until = now + self._rest

    def took(self) -> None:
        """It took one, so it can take others."""
        self._rest = self._rests_until = 0.0

    def expired(self, sequence_number: int, task: Task) -> None:
        """It did not answer in time; of what is told in one PDU a late answer still counts."""
        if len(task.pdus) == 1:
            self._late[sequence_number] = task
            if len(self._late) > _MOST_LATE:
                del self._late[next(iter(self._late))]

    def late(self, sequence_number: int) -> Task | None:
        """What it answers after its time, once."""
        return self._late.pop(sequence_number, None)


class Outlet:
    """An access with its sessions here, or an account with those of all its accesses (its key ends in 0).

    `more` says that rows may be due which are not claimed; `held` are tasks whose submit_sm_resp is still to leave.
    """

    __slots__ = ("_ahead", "_full", "held", "key", "more", "queue", "seats")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.seats: deque[Seat] = deque()
        self.queue: deque[Task] = deque()
        self.held: list[Task] = []
        self.more = True
        self._ahead = 0
        self._full = False

    def seat(self, now: float) -> Seat | None:
        """A session with room, each in its turn."""
        for _ in range(len(self.seats)):
            self.seats.rotate(-1)
            if self.seats[-1].free(now):
                return self.seats[-1]
        return None

    @property
    def hungry(self) -> bool:
        """Whether it is time to claim again, now that something was answered."""
        return self.more and 2 * len(self.queue) <= self._ahead

    def room(self, now: float) -> int:
        """How many rows to claim now: what the windows have room for, and what they empty until the next claim."""
        ready = [seat for seat in self.seats if seat.ready(now)]
        if not ready:
            return 0
        return max(0, sum(seat.free(now) for seat in ready) + self._ahead - len(self.queue) - len(self.held))

    def adapt(self) -> None:
        """Before a claim: claim more in advance where nothing was left of the last one, less where much is."""
        waiting = len(self.queue) + len(self.held)
        if self._full and not waiting:
            self._ahead = min(2 * self._ahead, MOST_AHEAD) or FIRST_AHEAD
        elif 2 * waiting > self._ahead:
            self._ahead //= 2

    def claimed(self, asked: int, got: int) -> None:
        """A claim for `asked` rows gave so many."""
        self.more = self._full = got >= asked
