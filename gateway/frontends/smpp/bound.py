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

# Below this an ESME knows no TLVs (SMPP 3.4, 4.1.1 and 1.5: interface_version).
_FIRST_WITH_TLVS = 0x34


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
    account), and the session ends when it may no longer be used. `id` is unique over all processes, `source_ip`
    the customer's address as text, `pending` how many requests were read and not yet answered, `open` whether
    anything can still be answered, `since` when it was bound (seconds of `time.monotonic`), `interface_version`
    that of its bind; `tlvs` says whether it may be sent TLVs at all.
    """

    __slots__ = (
        "_settled",
        "access",
        "id",
        "interface_version",
        "link",
        "mode",
        "open",
        "pending",
        "since",
        "source_ip",
    )

    def __init__(
        self,
        number: int,
        access: Access,
        mode: Mode,
        link: Link,
        source_ip: str,
        settled: Callable[[Pdu], None],
        interface_version: int = _FIRST_WITH_TLVS,
    ) -> None:
        """`settled` is called with each answer, when `pending` has gone down."""
        self.id = number
        self.access = access
        self.mode = mode
        self.link = link
        self.source_ip = source_ip
        self.interface_version = interface_version
        self.pending = 0
        self.open = True
        self.since = monotonic()
        self._settled = settled

    @property
    def tlvs(self) -> bool:
        """Whether the peer knows optional parameters."""
        return self.interface_version >= _FIRST_WITH_TLVS

    def answer(self, response: Pdu) -> None:
        """Answer a request that was handed to `Submits.handle`.

        Every one of them exactly once, also when the session has ended meanwhile; nothing is sent then.
        """
        if self.open:
            self.link.respond(response)
        self.pending -= 1
        self._settled(response)
