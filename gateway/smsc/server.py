"""The simulated SMSC: sessions, binds, submits and what becomes of them."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from gateway import logs
from gateway.links.link import Link
from gateway.smpp.constants import CommandStatus
from gateway.smpp.events import Close, Event, Expired, Lost, Request, Response
from gateway.smpp.pdu import (
    Bind,
    CancelSm,
    DataSm,
    Pdu,
    QuerySm,
    ReplaceSm,
    SubmitMulti,
    SubmitSm,
    response_of,
)
from gateway.smpp.session import Session
from gateway.smpp.states import Role
from gateway.smpp.timers import Timers
from gateway.smsc.agenda import Agenda
from gateway.smsc.options import Options
from gateway.smsc.outbox import ANYBODY, Delivery, Outbox
from gateway.smsc.submits import Counter, Submit
from gateway.smsc.texts import Message, pdus

NAME = "simulator"
"""Its own system_id."""

LEAVING = 5.0
"""Seconds that peers have to answer the last unbind."""

REFUSED: Mapping[type[Pdu], CommandStatus] = {
    SubmitMulti: CommandStatus.ESME_RSUBMITFAIL,
    QuerySm: CommandStatus.ESME_RQUERYFAIL,
    CancelSm: CommandStatus.ESME_RCANCELFAIL,
    ReplaceSm: CommandStatus.ESME_RREPLACEFAIL,
}
"""What it takes is submit_sm and data_sm; the rest is refused by its own response."""


@dataclass(slots=True)
class Peer:
    """Who is at the other end: its system_id once it is bound, and how many submits came from it."""

    system_id: str = ""
    submits: int = 0


class Smsc:
    """An SMSC for whoever connects; `links.Handler` says what its links call.

    Make it within the loop that it shall run in. Raises OSError if the journal cannot be written.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._loop = asyncio.get_running_loop()
        self._timers = Timers(response=options.response)
        self._agenda = Agenda()
        self._outbox = Outbox(self._agenda)
        self._counter = Counter(options, self._agenda, self._outbox)
        self._peers: dict[Link, Peer] = {}
        self._reference = 0
        self._server: asyncio.Server | None = None

    async def start(self, listener: socket.socket) -> None:
        """Take connections from a socket that listens."""
        self._server = await self._loop.create_server(self._make_link, sock=listener)

    async def stop(self) -> None:
        """Unbind everybody, and close."""
        if self._server is not None:
            self._server.close()
        self._counter.answer_all()
        links = list(self._peers)
        for link in links:
            link.unbind()
        if links:
            waits = [asyncio.ensure_future(link.wait_closed()) for link in links]
            _, late = await asyncio.wait(waits, timeout=LEAVING)
            for link in tuple(self._peers):
                link.abort()
            if late:
                await asyncio.wait(late)
        self._agenda.clear()
        self._counter.close()

    def send(self, message: Message) -> None:
        """Deliver a message to whoever is bound, now or later."""
        self._reference = self._reference % 255 + 1
        for pdu in pdus(message, self._reference, self._options.alphabet):
            self._outbox.push(Delivery(ANYBODY, pdu))

    # links.Handler

    def connected(self, link: Link) -> None:
        """Somebody connects."""
        self._peers[link] = Peer()

    def events(self, link: Link, events: list[Event]) -> None:
        """Submits that were read together are taken together."""
        submits: list[Submit] = []
        lost: list[Delivery] = []
        for event in events:
            if isinstance(event, Request):
                pdu = event.pdu
                if isinstance(pdu, SubmitSm | DataSm):
                    submits.append(pdu)
                elif isinstance(pdu, Bind):
                    self._bind(link, pdu)
                else:
                    link.respond(response_of(pdu, REFUSED[type(pdu)]))
            elif isinstance(event, Response):
                self._outbox.answered(event.context, taken=event.response.command_status == CommandStatus.ESME_ROK)
            elif isinstance(event, Expired):
                self._outbox.answered(event.context, taken=False)
            elif isinstance(event, Lost):
                lost.append(event.context)
            elif isinstance(event, Close):
                self._outbox.gone(link)
                logs.info(
                    "connection closed", peer=link.peer, system_id=self._peers[link].system_id, why=event.reason
                )
        if lost:
            self._outbox.lost(lost)
        if submits:
            self._submit(link, submits)

    def disconnected(self, link: Link, error: Exception | None) -> None:
        """The connection is gone."""
        self._outbox.gone(link)
        del self._peers[link]

    # What it does

    def _make_link(self) -> Link:
        return Link(Session(Role.SMSC, self._timers, now=self._loop.time()), self)

    def _bind(self, link: Link, bind: Bind) -> None:
        status = self._bind_status(bind)
        link.respond(response_of(bind, status, system_id=NAME))
        logs.info("bind", peer=link.peer, system_id=bind.system_id, kind=type(bind).__name__, status=status.name)
        if status == CommandStatus.ESME_ROK:
            self._peers[link].system_id = bind.system_id
            self._outbox.bound(link, bind.system_id)

    def _bind_status(self, bind: Bind) -> CommandStatus:
        options = self._options
        if options.system_id is not None and bind.system_id != options.system_id:
            return CommandStatus.ESME_RINVSYSID
        if options.password is not None and bind.password != options.password:
            return CommandStatus.ESME_RINVPASWD
        return CommandStatus.ESME_ROK

    def _submit(self, link: Link, submits: list[Submit]) -> None:
        peer = self._peers[link]
        limit = self._options.drop_after
        if limit is not None:
            submits = submits[: limit - peer.submits]
        peer.submits += len(submits)
        self._counter.take(link, peer.system_id, submits)
        if peer.submits == limit:
            self._outbox.gone(link)
            logs.info("link cut", peer=link.peer, system_id=peer.system_id, submits=peer.submits)
            link.abort()
