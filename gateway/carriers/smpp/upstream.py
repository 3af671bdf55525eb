"""One link to a carrier, made again whenever it is lost."""

import asyncio
import os
import random
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from gateway import clock, logs
from gateway.carriers.base import Final, InDoubt, Outcome, Outgoing, Submitted, Unsent
from gateway.carriers.smpp import statuses, tls
from gateway.carriers.smpp.encode import Request
from gateway.carriers.smpp.ids import Ids
from gateway.carriers.smpp.incoming import Read, Reader
from gateway.carriers.smpp.options import SmppOptions
from gateway.carriers.smpp.statuses import Table
from gateway.links.link import Link
from gateway.smpp import events as smpp
from gateway.smpp.codec import EncodeError
from gateway.smpp.constants import CommandStatus
from gateway.smpp.pdu import Bind, DataSm, DeliverSm, GenericNack, Pdu, SubmitSmResp
from gateway.smpp.session import Session
from gateway.smpp.states import Role, State
from gateway.smpp.timers import Timers

Answers = list[tuple[Outgoing, Outcome]]

MOST_OWED = 2000
"""Deliveries that are read and not yet stored, above which a link is not read until half of them are."""

STEADY = 10.0
"""Seconds after which a link that is lost was a good one: it is tried again as soon as the first time."""

_BIND = object()
_LATE = "no answer in time"
_LOST = "the link was lost before the answer"


class Hub(Protocol):
    """The carrier that the link belongs to."""

    def answered(self, answers: Answers) -> None:
        """Outcomes of segments."""
        ...

    def delivered(self, upstream: "Upstream", link: Link, read: Read) -> None:
        """What the carrier delivered in one read: to be answered on `link`, then `acknowledged` here."""
        ...

    def changed(self) -> None:
        """The link is bound now, or no longer."""
        ...


class Upstream:
    """See the module. `name` is the link's in logs; it handles its `Link`'s events."""

    def __init__(
        self,
        carrier: str,
        name: str,
        options: SmppOptions,
        bind: Callable[[], Bind],
        hub: Hub,
        ids: Ids,
        table: Table,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._about = {"carrier": carrier, "link": name}
        self._name = name
        self._options = options
        self._bind = bind
        self._hub = hub
        self._ids = ids
        self._table = table
        self._reader = Reader(carrier, ids, options.alphabet)
        self._chance = chance
        self._link: Link | None = None
        self._queue: deque[Request] = deque()
        # Why the present connection ends, why there is none, and which of the latter was last logged.
        self._cause = ""
        self._reason = ""
        self._said = ""
        self._bound_at = 0.0
        self._paused = False
        self._task: asyncio.Task[None] | None = None

    @property
    def sends(self) -> bool:
        """Whether segments can be submitted now."""
        return self._link is not None and self._link.session.state in (State.BOUND_TX, State.BOUND_TRX)

    @property
    def bound(self) -> bool:
        """Whether it is bound, in whatever mode."""
        return self._link is not None and self._link.session.state.bound

    @property
    def unanswered(self) -> int:
        """How many submit_sm are without an answer, or wait for a place in the window."""
        return len(self._queue) + (self._link.session.unanswered if self._link is not None else 0)

    def start(self) -> None:
        """Begin to connect."""
        self._task = asyncio.get_running_loop().create_task(self._keep())

    def submit(self, requests: Sequence[Request]) -> None:
        """Send requests in their order, as the window allows."""
        self._queue.extend(requests)
        self._pump()

    def drop_queue(self) -> None:
        """Answer what has not left as not sent."""
        if self._queue:
            unsent: Answers = [(item, Unsent()) for request in self._queue for item in request.segments]
            self._queue.clear()
            self._hub.answered(unsent)

    async def stop(self, seconds: float) -> None:
        """Unbind and close within so many seconds; requests that are still without an answer are in doubt."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        link = self._link
        if link is None:
            return
        link.unbind()
        try:
            await asyncio.wait_for(link.wait_closed(), seconds)
        except TimeoutError:
            link.abort()
            await link.wait_closed()

    def describe(self) -> dict[str, object]:
        """What an operator may see."""
        state = self._link.session.state.value if self._link is not None else "DOWN"
        shown: dict[str, object] = {"link": self._name, "state": state, "unanswered": self.unanswered}
        if self._reason:
            shown["problem"] = self._reason
        return shown

    # The life of a link

    async def _keep(self) -> None:
        failures = 0
        while True:
            began = asyncio.get_running_loop().time()
            try:
                link = await self._connect()
                await link.wait_closed()
            except Exception as error:  # noqa: BLE001 - whatever it was, it is tried again
                self._reason = _why(error)
            if self._bound_at >= began and asyncio.get_running_loop().time() - self._bound_at >= STEADY:
                failures = 0
            self._say_lost()
            await asyncio.sleep(self._delay(failures))
            failures += 1

    async def _connect(self) -> Link:
        options = self._options
        loop = asyncio.get_running_loop()
        context = await asyncio.to_thread(tls.context, options)
        timers = Timers(
            session_init=options.connect_timeout,
            enquire_link=options.enquire_link,
            inactivity=0,
            response=options.response_timeout,
        )

        def made() -> Link:
            return Link(Session(Role.ESME, timers, options.window, now=loop.time()), self)

        name = (options.tls_name or options.host) if context is not None else None
        async with asyncio.timeout(options.connect_timeout):
            _, link = await loop.create_connection(
                made, options.host, options.port, ssl=context, server_hostname=name
            )
        return link

    def _delay(self, failures: int) -> float:
        """Seconds until the next try: doubling, and shortened by chance by up to a half, so that many spread."""
        full = min(self._options.reconnect_most, self._options.reconnect * 2.0 ** min(failures, 40))
        return full * (1 - self._chance() / 2)

    def _say_lost(self) -> None:
        """Log why there is no link, once for each reason."""
        if self._reason != self._said:
            self._said = self._reason
            logs.warning("link down", **self._about, problem=self._reason)

    # What the link calls

    def connected(self, link: Link) -> None:
        """The connection is there: bind."""
        self._link = link
        self._cause = ""
        self._paused = False
        link.request(self._bind(), _BIND)

    def events(self, link: Link, events: list[smpp.Event]) -> None:
        """All that came in one read, in wire order."""
        answers: Answers = []
        read = Read()
        now = clock.now()
        for event in events:
            kind = event.__class__
            if kind is smpp.Response:
                assert isinstance(event, smpp.Response)  # noqa: S101 (for the type checker)
                self._response(link, event, answers)
            elif kind is smpp.Request:
                assert isinstance(event, smpp.Request)  # noqa: S101
                if isinstance(event.pdu, DeliverSm | DataSm):
                    self._reader.read(event.pdu, now, read)
            else:
                self._other(event, answers)
        if answers:
            self._hub.answered(answers)
        if read.receipts or read.inbound or read.idle:
            self._hub.delivered(self, link, read)
            self._pause_or_not(link)
        self._pump()

    def disconnected(self, link: Link, error: Exception | None) -> None:
        """The connection is gone; what was on its way has been answered for as lost."""
        self._reason = self._cause or (_why(error) if error is not None else "the connection was closed")
        self._link = None
        self.drop_queue()
        self._hub.changed()

    def acknowledged(self, link: Link) -> None:
        """Deliveries were answered: there may be room to read on."""
        if link is self._link:
            self._pause_or_not(link)

    # Events

    def _response(self, link: Link, event: smpp.Response, answers: Answers) -> None:
        if event.context is _BIND:
            if event.response.command_status or isinstance(event.response, GenericNack):
                self._cause = f"the bind was refused: {statuses.describe(_status(event.response))}"
                link.close(self._cause)
            return
        segments: Sequence[Outgoing] = event.context
        response = event.response
        if isinstance(response, SubmitSmResp) and not response.command_status:
            for item in segments:
                answers.append((item, self._taken(item, response.message_id)))
            return
        outcome = self._table.outcome(_status(response))
        answers.extend((item, outcome) for item in segments)
        if self._queue:
            self._forget(segments[0].message_id, answers)

    def _taken(self, item: Outgoing, message_id: str) -> Submitted:
        if not message_id:
            # No receipt can name it; what is stored of others must still differ.
            return Submitted(f"none-{item.message_id}-{item.seq}-{item.attempt}")
        return Submitted(*self._ids.answered(message_id, item.destination))

    def _forget(self, message_id: int, answers: Answers) -> None:
        """Of a message that was refused the rest need not leave."""
        kept: deque[Request] = deque()
        for request in self._queue:
            if request.segments[0].message_id == message_id:
                answers.extend((item, Unsent()) for item in request.segments)
            else:
                kept.append(request)
        self._queue = kept

    def _other(self, event: smpp.Event, answers: Answers) -> None:
        match event:
            case smpp.Bound(mode=mode):
                self._bound_at = asyncio.get_running_loop().time()
                self._reason = self._said = ""
                logs.info("link bound", **self._about, mode=mode.value)
                self._hub.changed()
            case smpp.Expired(context=context) | smpp.Lost(context=context) if context is not _BIND:
                problem = _LATE if isinstance(event, smpp.Expired) else _LOST
                answers.extend((item, InDoubt(problem)) for item in context)
            case smpp.Unbound():
                self.drop_queue()
                self._hub.changed()
            case smpp.Close(reason=reason):
                self._cause = self._cause or reason
                # The peer's end may take a while to come.
                self.drop_queue()
                self._hub.changed()
            case smpp.Answered(command_status=status, reason=reason):
                logs.warning(
                    "refused what the carrier sent", **self._about, status=statuses.describe(status), problem=reason
                )
            case smpp.Ignored(reason=reason):
                logs.debug("ignored what the carrier sent", **self._about, problem=reason)

    # Sending and reading

    def _pump(self) -> None:
        """Send what waits, as far as the window allows."""
        link, queue = self._link, self._queue
        if link is None or not queue or not self.sends:
            return
        for _ in range(min(link.session.free, len(queue))):
            request = queue.popleft()
            try:
                link.request(request.pdu, request.segments)
            except EncodeError:
                logs.error("message cannot be encoded", **self._about, message=request.segments[0].message_id)
                self._hub.answered([(item, Final("cannot be encoded")) for item in request.segments])

    def _pause_or_not(self, link: Link) -> None:
        owed = link.session.owed
        if self._paused and owed <= MOST_OWED // 2:
            self._paused = False
            link.resume()
        elif not self._paused and owed > MOST_OWED:
            self._paused = True
            link.pause()


def _status(response: Pdu) -> int:
    """The status of a refusal; a generic_nack is one even where it does not say so."""
    return response.command_status or CommandStatus.ESME_RUNKNOWNERR


def _why(error: BaseException) -> str:
    """An error of the connection in a line that names no secret."""
    if isinstance(error, TimeoutError):
        return "no connection in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    if isinstance(error, OSError) and (error.errno or 0) > 0 and not isinstance(error, ssl.SSLError):
        # asyncio puts the address in the place of what went wrong.
        return os.strerror(error.errno or 0)
    return str(error) or type(error).__name__
