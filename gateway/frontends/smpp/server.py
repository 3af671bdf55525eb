"""The SMPP server: the sessions of one process, their bounds, and its end."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from gateway import logs
from gateway.frontends.smpp.binding import Binder
from gateway.frontends.smpp.bound import Bound
from gateway.frontends.smpp.connection import Connection
from gateway.frontends.smpp.journal import PROTOCOL, Journal
from gateway.frontends.smpp.register import Register
from gateway.frontends.smpp.services import Services
from gateway.links.link import Link
from gateway.operations.errors import Refusal
from gateway.pipeline import permit
from gateway.smpp.pdu import Pdu
from gateway.smpp.session import Session
from gateway.smpp.states import Role
from gateway.smpp.timers import Timers
from gateway.storage.errors import Unavailable
from gateway.storage.queries import nodes
from gateway.storage.records import Access

# Seconds without a sign of life after which others may have taken this process, and its sessions, off the lists.
_TAKEN_FOR_GONE = 30.0
# Refusals that wait to be logged, well below what the writer keeps, and seconds until that is looked at again.
_LOG_ROWS = 5_000
_LOOK_AGAIN = 0.05
# Seconds that a stop takes at most: for what was read to be answered, and for customers to answer the unbind.
_DRAIN = 8.0
_FAREWELL = 3.0
_LINGER = 1.0


class Submits(Protocol):
    """What answers customers' requests (`submits.Submits`)."""

    def handle(self, bound: Bound, pdus: Sequence[Pdu]) -> None:
        """Take requests that were read in one go, in wire order; each is answered by `Bound.answer` once."""
        ...

    async def drain(self) -> None:
        """Return when everything handed over is answered."""
        ...


class Deliveries(Protocol):
    """What delivers to customers (`deliveries.Deliveries`)."""

    def bound(self, bound: Bound) -> None:
        """A session was bound; its bind_resp goes out before anything that is requested now."""
        ...

    def unbound(self, bound: Bound) -> None:
        """A session ends: nothing more may be requested of it."""
        ...

    def answered(self, bound: Bound, request: Pdu, context: object, response: Pdu | None) -> None:
        """A request of ours was answered, or was not in time or never will be (None)."""
        ...

    def late(self, bound: Bound, response: Pdu) -> None:
        """A deliver_sm_resp came that nothing waits for any more."""
        ...


class SmppServer:
    """See the module. `submits` and `deliveries` are set before the first connection."""

    submits: Submits
    deliveries: Deliveries

    def __init__(self, services: Services) -> None:
        settings = services.settings
        self._services = services
        self._timers = Timers(
            settings.smpp_session_init, settings.smpp_enquire_link, settings.smpp_inactivity, settings.smpp_response
        )
        self.system_id = settings.smpp_system_id
        self.journal = Journal(services)
        self.register = Register(services)
        self.binder = Binder(services, self.register, self.journal)
        # Connections that are not bound in the order they came, and those that are.
        self._unbound: dict[Connection, None] = {}
        self._bound: dict[Connection, Bound] = {}
        self._delivered: set[int] = set()
        # Unanswered requests of all sessions: at half of what the writer queues nobody is read any more, so that
        # customers are slowed down and not refused; nor where refusals come faster than they can be logged.
        self._pending = 0
        self._most = settings.writer_queue // 2
        self._choked = False
        self._looks: asyncio.TimerHandle | None = None
        self._stopping = False
        self._unchecked = False
        self._beaten_at = services.monotonic()

    # Connections

    def admit(self, source_ip: str, *, secure: bool) -> Connection | None:
        """A place for a connection that has come, or None where there is none."""
        settings = self._services.settings
        if self._stopping:
            return None
        if len(self._unbound) + len(self._bound) >= settings.smpp_max_sessions:
            self.journal.turned_away(source_ip, "there are as many connections as there may be (smpp_max_sessions)")
            return None
        if len(self._unbound) >= settings.smpp_max_unbound:
            # Who means to bind does so at once; who came first and did not is the likeliest to be in the way.
            oldest = next(iter(self._unbound))
            self.journal.turned_away(oldest.source_ip, "others came, and it had not bound (smpp_max_unbound)")
            self._unbound.pop(oldest, None)
            oldest.abort()
        connection = Connection(self, source_ip, secure=secure)
        self._unbound[connection] = None
        return connection

    def link(self, connection: Connection) -> Link:
        """The link of an admitted connection, for the event loop."""
        now = asyncio.get_running_loop().time()
        session = Session(Role.SMSC, self._timers, self._services.settings.smpp_window, now=now)
        return Link(session, connection)

    def gone(self, connection: Connection) -> None:
        """A connection ended, or never came to be."""
        self._unbound.pop(connection, None)

    def number(self) -> int:
        """A number for a session. Raises `Unavailable`."""
        return self._services.ids.take(1)[0]

    # Sessions

    @property
    def sessions(self) -> list[Bound]:
        """The sessions that are bound now."""
        return list(self._bound.values())

    @property
    def version(self) -> int:
        """That of the configuration by which a bind is decided now, for `entered`."""
        return self._services.directory.version

    def entered(self, connection: Connection, bound: Bound, version: int) -> None:
        """A connection was bound; `version` is from before its access was looked up."""
        self._unbound.pop(connection, None)
        self._bound[connection] = bound
        self._delivered.add(bound.id)
        self.deliveries.bound(bound)
        if version != self.version:
            # The access may have been revoked meanwhile: who was not yet bound was not looked over.
            self._unchecked = True
        if self._stopping:
            connection.end("the server stops", _FAREWELL)

    def leaving(self, bound: Bound) -> None:
        """A session ends: nothing is delivered to it any more."""
        if bound.id in self._delivered:
            self._delivered.discard(bound.id)
            self.deliveries.unbound(bound)

    def left(self, connection: Connection, bound: Bound, reason: str) -> None:
        """A session's connection is gone."""
        self._bound.pop(connection, None)
        self.register.remove(bound.id)
        self.journal.unbound(bound, reason)

    def hand_over(self, connection: Connection, bound: Bound, pdus: list[Pdu]) -> None:
        """Requests of a session, in wire order. Reading stops where too many are unanswered."""
        bound.pending += len(pdus)
        self._pending += len(pdus)
        try:
            self.submits.handle(bound, pdus)
        except Exception as error:  # noqa: BLE001 - one session's trouble is not the others'
            logs.failure("smpp requests failed", error, session=bound.id)
            connection.end("something failed here")
        if self._choked or bound.pending > self._services.settings.smpp_pending:
            connection.pause()
        if not self._choked and (self._pending > self._most or self._log_is_behind(_LOG_ROWS)):
            self._choked = True
            for other in self._bound:
                other.pause()
            self._look_again()

    def settled(self, connection: Connection, response: Pdu) -> None:
        """A request was answered."""
        self.journal.answered(response)
        self._pending -= 1
        if self._choked:
            self._relax()
        elif connection.paused and connection.bound is not None:
            self._resume(connection, connection.bound)

    def _look_again(self) -> None:
        """Soon: the log may have caught up though nobody's request was answered since."""
        if self._choked and self._looks is None:
            self._looks = asyncio.get_running_loop().call_later(_LOOK_AGAIN, self._look)

    def _look(self) -> None:
        self._looks = None
        if self._choked:
            self._relax()
            self._look_again()

    def _relax(self) -> None:
        if self._pending <= self._most // 2 and not self._log_is_behind(_LOG_ROWS // 2):
            self._choked = False
            for other, bound in self._bound.items():
                self._resume(other, bound)

    def _log_is_behind(self, most: int) -> bool:
        """Whether so many refusals wait to be logged; while the database is away nobody waits for that."""
        if self._services.host.posts <= most:
            return False
        try:
            self._services.directory.check_fresh()
        except Unavailable:
            return False
        return True

    def _resume(self, connection: Connection, bound: Bound) -> None:
        if bound.pending <= self._services.settings.smpp_pending // 2:
            connection.resume()

    # Chores

    async def refresh(self) -> None:
        """Take up changes of the configuration, and end the sessions that it no longer allows."""
        try:
            changed = await asyncio.to_thread(self._services.directory.refresh)
        except Unavailable:
            return
        if changed or self._unchecked:
            self._unchecked = False
            try:
                await self._look_over()
            except Exception as error:
                self._unchecked = True
                if not isinstance(error, Unavailable):
                    raise

    async def beat(self) -> None:
        """Say that this process is alive, write what is due, end the sessions of accesses that expired."""
        services = self._services
        now = services.now()
        for connection, bound in list(self._bound.items()):
            try:
                permit.check_access(bound.access, PROTOCOL, now)
            except Refusal as refusal:
                connection.end(refusal.detail)
        modes = Counter(str(bound.mode) for bound in self._bound.values())
        modes["unbound"] = len(self._unbound)
        self.journal.flush(modes)
        try:
            services.machines = await services.host.transact(partial(nodes.beat, me=services.node, now=now))
            for row in services.logbook.due(now):
                services.host.post(row)
            if services.monotonic() - self._beaten_at > _TAKEN_FOR_GONE:
                await self._note_again()
            self._beaten_at = services.monotonic()
        except Unavailable:
            return

    async def _note_again(self) -> None:
        sessions = {bound.id: bound.access for bound in self._bound.values()}
        await self.register.again(sessions)
        for session in sessions.keys() - {bound.id for bound in self._bound.values()}:
            self.register.remove(session)

    async def _look_over(self) -> None:
        sessions = list(self._bound.items())
        found = await asyncio.to_thread(lambda: [self._now(bound) for _, bound in sessions])
        for (connection, bound), now in zip(sessions, found, strict=True):
            if isinstance(now, Access):
                bound.access = now
            else:
                connection.end(now.detail)

    def _now(self, bound: Bound) -> Access | Refusal:
        try:
            return self.binder.still(bound.access, bound.source_ip)
        except Refusal as refusal:
            return refusal

    # The end

    async def stop(self) -> None:
        """Unbind everybody, answer what was read, and leave nothing behind. Takes some seconds at most."""
        self._stopping = True
        for connection in [*self._unbound, *self._bound]:
            connection.end("the server stops", _DRAIN + _FAREWELL)
        drained = await _within(_DRAIN, self.submits.drain())
        if not drained:
            logs.warning("smpp requests are left unanswered at the stop", count=self._pending)
        links = [connection.link for connection in [*self._unbound, *self._bound] if connection.link is not None]
        if not await _within(_FAREWELL, *(link.wait_closed() for link in links)):
            for link in links:
                link.close("the server stops")
            if not await _within(_LINGER, *(link.wait_closed() for link in links)):
                for link in links:
                    link.abort()
                await _within(_LINGER, *(link.wait_closed() for link in links))
        self.journal.flush(Counter())
        self.binder.close()


async def _within(seconds: float, *waits: object) -> bool:
    """Whether all of it was done in time."""
    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(*waits)  # type: ignore[call-overload]
    except TimeoutError:
        return False
    return True
