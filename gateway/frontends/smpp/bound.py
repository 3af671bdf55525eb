"""A bound session: who is at the other end, and how much of what it asked is not yet answered."""

from __future__ import annotations

from enum import StrEnum
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.links.link import Link
    from gateway.smpp.pdu import Pdu
    from gateway.storage.records import Access


class Mode(StrEnum):
    """What a session was bound as; the value is the name that logs and metrics give it."""

    TRANSMITTER = "transmitter"
    RECEIVER = "receiver"
    TRANSCEIVER = "transceiver"

    @property
    def submits(self) -> bool:
        """Whether the session may hand messages to us."""
        return self is not Mode.RECEIVER

    @property
    def receives(self) -> bool:
        """Whether receipts and messages may be delivered to the session."""
        return self is not Mode.TRANSMITTER


class Bound:
    """A session that is bound.

    `access` is the access as it is now: it is replaced, within a second, when it changes (rate, permissions,
    account), and the session ends when it may no longer be used. `id` is this process's number of the session,
    `source_ip` the customer's address as text, `pending` how many requests were read and not yet answered, `open`
    whether anything can still be answered.
    """

    __slots__ = ("_settled", "access", "id", "link", "mode", "open", "pending", "since", "source_ip")

    def __init__(
        self, number: int, access: Access, mode: Mode, link: Link, source_ip: str, settled: Callable[[], None]
    ) -> None:
        """`settled` is called when `pending` has gone down."""
        self.id = number
        self.access = access
        self.mode = mode
        self.link = link
        self.source_ip = source_ip
        self.pending = 0
        self.open = True
        self.since = monotonic()
        self._settled = settled

    def answer(self, response: Pdu) -> None:
        """Answer a request that was handed to `Submits.handle`: every one of them exactly once, also when the
        session has ended meanwhile (nothing is sent then).
        """
        if self.open:
            self.link.respond(response)
        self.pending -= 1
        self._settled()
