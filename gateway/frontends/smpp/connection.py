"""One customer's connection: its bind, its requests in wire order, its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway import logs
from gateway.frontends.smpp.bound import Bound, Mode
from gateway.frontends.smpp.journal import MODES
from gateway.smpp.constants import INTERFACE_VERSION, CommandStatus, Tag
from gateway.smpp.events import Answered, Close, Event, Expired, Ignored, Lost, Request, Response, Unbound
from gateway.smpp.pdu import Bind, DeliverSmResp, Pdu, response_of
from gateway.smpp.states import State
from gateway.storage.errors import Unavailable

if TYPE_CHECKING:
    from gateway.frontends.smpp.server import SmppServer
    from gateway.links.link import Link

# Seconds that a customer whose session we end has to answer the unbind.
_FAREWELL = 0.75


class Connection:
    """A link's handler. `source_ip` is the customer's address, `secure` whether the link has TLS."""

    __slots__ = (
        "_binding",
        "_farewell",
        "_reason",
        "_server",
        "bound",
        "link",
        "opening",
        "paused",
        "secure",
        "source_ip",
    )

    def __init__(self, server: SmppServer, source_ip: str, *, secure: bool) -> None:
        self._server = server
        self.source_ip = source_ip
        self.secure = secure
        self.link: Link | None = None
        self.opening: asyncio.Task[None] | None = None
        self.bound: Bound | None = None
        self.paused = False
        self._binding: asyncio.Task[None] | None = None
        self._farewell: asyncio.TimerHandle | None = None
        self._reason = ""

    # What a link tells

    def connected(self, link: Link) -> None:
        """The connection is there, with TLS too."""
        self.link = link

    def events(self, link: Link, events: list[Event]) -> None:
        """What came in one read, in wire order: requests of the same read are handed on together."""
        requests: list[Pdu] = []
        for event in events:
            if isinstance(event, Request):
                if self.bound is None:
                    self._bind(link, event.pdu)
                else:
                    requests.append(event.pdu)
            else:
                if requests:
                    self._hand_over(requests)
                    requests = []
                self._event(event)
        if requests:
            self._hand_over(requests)

    def disconnected(self, link: Link, error: Exception | None) -> None:
        """The connection is gone."""
        if self._farewell is not None:
            self._farewell.cancel()
        self.note(
            f"the link was lost: {type(error).__name__}" if error is not None else "the customer closed the link"
        )
        self._left()
        if self.bound is not None:
            self.bound.open = False
            self._server.left(self, self.bound, self._reason)
        else:
            logs.debug("smpp connection closed unbound", source_ip=self.source_ip, reason=self._reason)
        self._server.gone(self)

    # What the server does

    def end(self, reason: str, patience: float = _FAREWELL) -> None:
        """Unbind, and close after `patience` seconds whatever the customer does; unbound, close at once."""
        self.note(reason)
        if self.link is None:
            if self.opening is not None:
                self.opening.cancel()
        elif self.bound is None:
            self.link.close(reason)
        elif self._farewell is None:
            self._left()
            self.link.unbind()
            self._farewell = asyncio.get_running_loop().call_later(patience, self.link.close, reason)

    def abort(self) -> None:
        """Close at once; nobody is waited for."""
        if self.link is not None:
            self.link.abort()
        elif self.opening is not None:
            self.opening.cancel()

    def pause(self) -> None:
        """Stop reading until `resume`."""
        if not self.paused and self.link is not None:
            self.paused = True
            self.link.pause()

    def resume(self) -> None:
        """Read again."""
        if self.paused and self.link is not None:
            self.paused = False
            self.link.resume()

    def note(self, reason: str) -> None:
        """Why the session ends; the first reason is the one."""
        self._reason = self._reason or reason

    # Events

    def _event(self, event: Event) -> None:
        server = self._server
        if isinstance(event, Response):
            server.journal.answered(event.response)
            if self.bound is not None:
                server.deliveries.answered(self.bound, event.request, event.context, event.response)
        elif isinstance(event, Expired | Lost):
            if self.bound is not None:
                server.deliveries.answered(self.bound, event.request, event.context, None)
        elif isinstance(event, Unbound):
            self.note("the customer unbound" if event.by_peer else "unbound")
            self._left()
        elif isinstance(event, Answered):
            server.journal.refused(self.source_ip, event, self.bound)
        elif isinstance(event, Ignored):
            if self.bound is not None and isinstance(event.pdu, DeliverSmResp):
                server.deliveries.late(self.bound, event.pdu)
            logs.debug(
                "smpp pdu ignored", source_ip=self.source_ip, command=f"0x{event.command_id:08X}", reason=event.reason
            )
        elif isinstance(event, Close):
            self.note(event.reason)

    def _hand_over(self, pdus: list[Pdu]) -> None:
        if self.bound is not None:
            self._server.hand_over(self, self.bound, pdus)

    def _left(self) -> None:
        """Nothing more is to be delivered to the session."""
        if self.bound is not None:
            self._server.leaving(self.bound)

    # The bind

    def _bind(self, link: Link, pdu: Pdu) -> None:
        mode = MODES.get(pdu.command_id)
        if mode is None or not isinstance(pdu, Bind):
            raise AssertionError("a session that is not bound gave a request that is no bind")
        self._binding = asyncio.get_running_loop().create_task(self._decide(link, pdu, mode))

    async def _decide(self, link: Link, pdu: Bind, mode: Mode) -> None:
        server = self._server
        version = server.version
        try:
            session = server.number()
        except Unavailable:
            self._answer(link, response_of(pdu, CommandStatus.ESME_RSYSERR))
            return
        found = await server.binder.bind(pdu, mode, self.source_ip, session)
        if isinstance(found, CommandStatus):
            self._answer(link, response_of(pdu, found))
            return
        bound = Bound(session, found, mode, link, self.source_ip, self._settled, pdu.interface_version)
        if link.session.state is not State.BINDING:
            # It went while its bind was looked at.
            server.left(self, bound, self._reason)
            return
        self.bound = bound
        tlvs = {int(Tag.SC_INTERFACE_VERSION): bytes((INTERFACE_VERSION,))} if bound.tlvs else {}
        self._answer(link, response_of(pdu, system_id=server.system_id, tlvs=tlvs))
        server.entered(self, bound, version)

    def _answer(self, link: Link, response: Pdu) -> None:
        self._server.journal.answered(response)
        link.respond(response)

    def _settled(self, response: Pdu) -> None:
        self._server.settled(self, response)
