"""Telling SMPP customers what became of their messages, and what came in for them.

Rows of the outbox are claimed for the accesses that have a receiver or transceiver bound here, sent as deliver_sm to
any of their sessions, and removed when the customer has acknowledged them. What is refused or not answered is due
again later, what is lost with its link at once. A claim is a short lease, renewed while the row is in hand: where
this process is killed, another finds the row due, so that a customer may be told twice, and is never not told.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from gateway import clock, logs
from gateway.frontends.smpp import deliver_sm
from gateway.frontends.smpp.deliver_sm import Fate
from gateway.frontends.smpp.hand import ROUND, Hand
from gateway.frontends.smpp.outlets import Outlet, Seat, Task
from gateway.frontends.smpp.tally import Tally
from gateway.messaging.content import Alphabet
from gateway.smpp.session import WrongState
from gateway.storage.errors import Unavailable
from gateway.storage.queries import outbox
from gateway.storage.queries.dispatch.talk import Talk

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from gateway.frontends.smpp.bound import Bound
    from gateway.frontends.smpp.hand import Writes
    from gateway.settings import Settings
    from gateway.smpp.pdu import Pdu
    from gateway.storage.database import Database
    from gateway.storage.queries.outbox import Entry, Key

T = TypeVar("T")

FIRST_PAUSE = 1 * clock.SECOND
LONGEST_PAUSE = 5 * clock.MINUTE
"""How long a row is put off that was not acknowledged, in microseconds: twice as long each time, up to the latter."""

POLL = 0.1
"""Seconds between two looks for something new; twice that when nothing has been found for a while."""

LOOK_AGAIN = 1.0
"""Seconds after which every access is looked at, new row or none: retries, claims of who died, late commits."""

_KEYS = 300  # that one transaction claims for, at most
_SETTLED = 250  # removed at once, without waiting for the next look
_GATHER = 0.01  # seconds between two transactions
_LOOKS = 20_000  # accesses that are looked at in a second, at most
_QUIET = 2.0  # seconds after which nothing new is expected soon
_TROUBLE = 1.0  # seconds of rest when something went wrong


class Needs(Protocol):
    """What of the process's `Services` is used here. `now` is in UTC microseconds, `monotonic` in seconds."""

    @property
    def settings(self) -> Settings:
        """How data_coding 0 is read."""
        ...

    @property
    def database(self) -> Database:
        """Read from."""
        ...

    @property
    def host(self) -> Writes:
        """Written with."""
        ...

    @property
    def now(self) -> Callable[[], int]:
        """The time of day."""
        ...

    @property
    def monotonic(self) -> Callable[[], float]:
        """A clock that never goes back."""
        ...


def pause(attempt: int) -> int:
    """How long a row is put off after so many claims, in microseconds."""
    return min(FIRST_PAUSE << min(attempt - 1, 30), LONGEST_PAUSE)


class Deliveries:
    """See the module. Everything in the thread of the event loop; `run` is to be started as a task.

    `unanswered` has the ids of messages that are committed and whose submit_sm_resp has not left yet: what is to
    be told of them waits.
    """

    def __init__(self, services: Needs, unanswered: Container[int] = frozenset()) -> None:
        self._services = services
        self._unanswered = unanswered
        self._alphabet = Alphabet(services.settings.smpp_default_alphabet)
        self._hand = Hand(services.host)
        self._tally = Tally()
        self._seats: dict[Bound, Seat] = {}
        self._outlets: dict[Key, Outlet] = {}
        # Those that say `more`; who was asked for last is at the end.
        self._due: dict[Key, Outlet] = {}
        self._wanted = asyncio.Event()
        self._newest: tuple[int, int] | None = None
        self._asked_at = self._looked_at = float("-inf")
        self._found_at = float("-inf")

    # What the server calls

    def bound(self, bound: Bound) -> None:
        """A session was bound; one that only transmits is of no interest."""
        if not bound.mode.receives or bound in self._seats:
            return
        account_id = bound.access.account.id
        outlets = [self._outlet((account_id, 0)), self._outlet((account_id, bound.access.id))]
        seat = self._seats[bound] = Seat(bound, outlets)
        for outlet in outlets:
            outlet.seats.append(seat)
            self._expect(outlet)
        self._wanted.set()
        self._fill(seat)

    def unbound(self, bound: Bound) -> None:
        """A session ended. What it has not answered comes to `answered`, before or after."""
        seat = self._seats.pop(bound, None)
        if seat is None:
            return
        for task in seat.parts:
            self._give_back(task)
        for outlet in seat.outlets:
            outlet.seats.remove(seat)
            if not outlet.seats:
                del self._outlets[outlet.key]
                self._due.pop(outlet.key, None)
                for task in (*outlet.queue, *outlet.held):
                    self._give_back(task)
        self._wanted.set()

    def answered(self, bound: Bound, request: Pdu, context: Any, response: Pdu | None) -> None:
        """A deliver_sm was answered; `response` is None where it was not in time, or the link was lost."""
        task: Task = context
        task.unanswered -= 1
        fate = deliver_sm.fate(response)
        if not task.over:
            self._decide(task, fate, bound, response)
        seat = self._seats.get(bound)
        if seat is not None:
            if response is None:
                seat.expired(request.sequence_number, task)
            if fate is Fate.AGAIN:
                seat.refused(self._services.monotonic())
            else:
                seat.took()
            self._fill(seat)
        if self._hand.settled >= _SETTLED or task.outlet.hungry:
            self._wanted.set()

    def late(self, bound: Bound, response: Pdu) -> None:
        """A deliver_sm was answered after its time: where it was taken, it is not told again."""
        seat = self._seats.get(bound)
        task = None if seat is None else seat.late(response.sequence_number)
        if seat is not None and task is not None and deliver_sm.fate(response) is Fate.DONE:
            self._hand.done(task)
            self._tally.count(Fate.DONE.value)
            seat.took()
            self._fill(seat)

    async def run(self) -> None:
        """Claim, send, remove, until it is cancelled; what goes wrong is logged once, and tried again."""
        well = True
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._round()
            except Exception as error:  # noqa: BLE001 - whatever it was, customers wait
                if well and isinstance(error, Unavailable):
                    logs.warning("deliveries wait", problem=str(error))
                elif well:
                    logs.failure("deliveries failed", error)
                well = False
                await asyncio.sleep(_TROUBLE)
            else:
                if not well:
                    logs.info("deliveries go on")
                well = True
                await asyncio.sleep(_GATHER)

    async def close(self) -> None:
        """When `run` and every session have ended: write what is known, give back the rest. Raises Unavailable."""
        for task in self._hand.tasks:
            self._give_back(task)
        await self._hand.write((), self._services.now())
        self._tally.publish(float("inf"))

    # A round: what is new, then one transaction

    def _pause(self) -> float:
        return POLL if self._services.monotonic() - self._found_at < _QUIET else 2 * POLL

    async def _round(self) -> None:
        moment, now = self._services.monotonic(), self._services.now()
        if self._hand:
            self._stir()
        if self._outlets:
            await self._look(moment, now)
        wanted = self._needed(moment)
        entries, until = await self._hand.write(wanted, now)
        for entry in entries:
            self._take(entry, until)
        self._claimed(wanted, entries)
        self._tally.publish(moment)

    def _stir(self) -> None:
        """Send what waits for a time: for a session's rest to end, for a submit_sm_resp to leave."""
        for seat in self._seats.values():
            if seat.parts:
                self._fill(seat)
        for outlet in self._outlets.values():
            if outlet.held:
                outlet.queue.extend(outlet.held)
                outlet.held.clear()
            if outlet.queue:
                self._spread(outlet)

    async def _look(self, moment: float, now: int) -> None:
        """Find out for whom something is due."""
        # With thousands of accesses a little less often.
        if moment - self._asked_at < POLL + len(self._outlets) / _LOOKS:
            return
        self._asked_at = moment
        newest = await self._read(outbox.newest)
        if newest == self._newest and moment - self._looked_at < LOOK_AGAIN:
            return
        self._newest, self._looked_at = newest, moment
        keys = [key for key, outlet in self._outlets.items() if not outlet.more]
        if newest is None or not keys:
            return
        for key in await self._read(lambda talk: outbox.waiting(talk, keys, now)):
            if key in self._outlets:
                self._expect(self._outlets[key])

    async def _read(self, look: Callable[[Talk], T]) -> T:
        if self._services.database.dialect == "sqlite":
            # Microseconds, and nothing to wait for: a thread would cost more.
            return self._read_here(look)
        return await asyncio.to_thread(self._read_here, look)

    def _read_here(self, look: Callable[[Talk], T]) -> T:
        with self._services.database.read() as connection:
            return look(Talk(connection))

    def _needed(self, moment: float) -> list[tuple[int, int, int]]:
        """What to claim: account, access and how many rows. Who is asked for now comes last the next time."""
        wanted: list[tuple[int, int, int]] = []
        for key, outlet in list(self._due.items()):
            outlet.adapt()
            if room := outlet.room(moment):
                wanted.append((*key, room))
                self._due[key] = self._due.pop(key)
                if len(wanted) == _KEYS:
                    break
        return wanted

    def _take(self, entry: Entry, until: int) -> None:
        """A row was claimed."""
        try:
            pdus = deliver_sm.make(entry, self._alphabet)
        except ValueError as error:
            self._hand.remove(entry)
            self._tally.failed(entry.key[1], Fate.DROPPED.value, str(error))
            return
        outlet = self._outlets.get(entry.key)
        task = Task(entry, outlet or Outlet(entry.key), pdus, until)
        self._hand.add(task)
        if outlet is None:
            self._give_back(task)  # its last session ended meanwhile
        else:
            outlet.queue.append(task)

    def _claimed(self, wanted: Sequence[tuple[int, int, int]], entries: Sequence[Entry]) -> None:
        moment = self._services.monotonic()
        if entries:
            self._found_at = moment
        got = Counter(entry.key for entry in entries)
        again = len(wanted) == _KEYS
        for account_id, access_id, asked in wanted:
            outlet = self._outlets.get((account_id, access_id))
            if outlet is not None:
                # Where the round was full, this one may have got less than there is.
                outlet.claimed(asked, asked if len(entries) >= ROUND else got[outlet.key])
                if not outlet.more:
                    self._due.pop(outlet.key, None)
                self._spread(outlet)
                again = again or (outlet.more and outlet.room(moment) > 0)
        if again:
            self._wanted.set()

    # Sending

    def _outlet(self, key: Key) -> Outlet:
        outlet = self._outlets.get(key)
        if outlet is None:
            outlet = self._outlets[key] = Outlet(key)
        return outlet

    def _expect(self, outlet: Outlet) -> None:
        """Something may be due for it."""
        outlet.more = True
        self._due[outlet.key] = outlet

    def _fill(self, seat: Seat) -> None:
        """Send to a session what its window has room for: first the rest of what has begun."""
        moment, now = self._services.monotonic(), self._services.now()
        while seat.parts and seat.free(moment):
            task = seat.parts.popleft()
            if not task.over:
                self._send(task, seat)
        for outlet in seat.outlets:
            while outlet.queue and seat.free(moment) and (found := self._next(outlet, now)):
                self._send(found, seat)

    def _spread(self, outlet: Outlet) -> None:
        """Send what an access is to be told to its sessions, in turn."""
        moment, now = self._services.monotonic(), self._services.now()
        while outlet.queue and (seat := outlet.seat(moment)) and (task := self._next(outlet, now)):
            self._send(task, seat)

    def _next(self, outlet: Outlet, now: int) -> Task | None:
        while outlet.queue:
            task = outlet.queue.popleft()
            if task.over:
                continue
            if task.until <= now:
                self._hand.forget(task)
            elif task.entry.message_id in self._unanswered:
                outlet.held.append(task)
            else:
                return task
        return None

    def _send(self, task: Task, seat: Seat) -> None:
        """Send what is left of a task, as far as the window has room."""
        link = seat.bound.link
        try:
            while task.sent < len(task.pdus):
                if task.sent and not link.session.free:
                    seat.parts.append(task)
                    return
                pdu = task.pdus[task.sent]
                if not seat.bound.tlvs:
                    deliver_sm.strip(pdu)
                link.request(pdu, task)
                task.sent += 1
                task.unanswered += 1
        except WrongState:
            self._give_back(task)
        except ValueError as error:
            # A value that does not fit its field would not fit it the next time.
            self._hand.done(task)
            self._tally.failed(task.entry.key[1], Fate.DROPPED.value, str(error))

    # What becomes of it

    def _decide(self, task: Task, fate: Fate, bound: Bound, response: Pdu | None) -> None:
        if fate is Fate.DONE:
            if task.sent == len(task.pdus) and not task.unanswered:
                self._hand.done(task)
                self._tally.count(fate.value)
            return
        why = "no answer" if response is None else f"status 0x{response.command_status:02X}"
        self._tally.failed(bound.access.id, fate.value, why)
        if fate is Fate.DROPPED:
            self._hand.done(task)
        elif response is None and not bound.link.session.state.bound:
            # Lost with its link, which says nothing against telling it to the next session.
            self._give_back(task)
        else:
            self._hand.later(task, self._services.now() + pause(task.entry.attempt))

    def _give_back(self, task: Task) -> None:
        """Let anybody have it at once."""
        if not task.over:
            self._hand.later(task, self._services.now())
