"""What is to be delivered: receipts to those who sent, messages to whoever is bound; again until acknowledged."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.links.link import Link
from gateway.smpp.pdu import DataSm, DeliverSm
from gateway.smpp.states import State
from gateway.smsc.agenda import Agenda

RETRY = 1.0
"""Seconds until what was refused or not answered is delivered again."""

ANYBODY = ""
"""The system_id of messages that are for whoever is bound."""

_RECEIVING = (State.BOUND_RX, State.BOUND_TRX)


@dataclass(slots=True)
class Delivery:
    """One deliver_sm or data_sm for the sessions of `system_id`; `done` is called when it was acknowledged."""

    system_id: str
    pdu: DeliverSm | DataSm
    done: Callable[[], None] | None = None


class Outbox:
    """Deliveries by system_id, in order, over all sessions that receive."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._queues: dict[str, deque[Delivery]] = {}
        self._links: dict[Link, str] = {}

    def bound(self, link: Link, system_id: str) -> None:
        """A session is bound; what waits for it is delivered after its bind_resp."""
        self._links[link] = system_id
        self._flow(system_id)
        self._flow(ANYBODY)

    def gone(self, link: Link) -> None:
        """A session has ended."""
        self._links.pop(link, None)

    def push(self, delivery: Delivery) -> None:
        """Deliver as soon as somebody can take it."""
        self._queues.setdefault(delivery.system_id, deque()).append(delivery)
        self._flow(delivery.system_id)

    def answered(self, delivery: Delivery, *, taken: bool) -> None:
        """A delivery was acknowledged, or refused or left unanswered."""
        if not taken:
            self._agenda.after(RETRY, self._again, delivery)
        elif delivery.done is not None:
            delivery.done()
        self._flow(delivery.system_id)
        self._flow(ANYBODY)

    def lost(self, deliveries: Sequence[Delivery]) -> None:
        """A session ended before these were answered."""
        for delivery in reversed(deliveries):
            self._queues[delivery.system_id].appendleft(delivery)
        for delivery in deliveries:
            self._flow(delivery.system_id)

    def _again(self, delivery: Delivery) -> None:
        self.lost([delivery])

    def _flow(self, system_id: str) -> None:
        queue = self._queues.get(system_id)
        while queue:
            link = self._free(system_id)
            if link is None:
                return
            delivery = queue.popleft()
            link.request(delivery.pdu, delivery)

    def _free(self, system_id: str) -> Link | None:
        """The session with the most room, None where there is none."""
        free = [
            link
            for link, name in self._links.items()
            if system_id in (name, ANYBODY) and link.session.state in _RECEIVING and link.session.free
        ]
        return max(free, key=lambda link: link.session.free, default=None)
