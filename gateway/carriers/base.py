"""The contract between dispatch and a carrier's adapter.

An adapter runs in dispatch's event loop. It is handed segments that are already marked as on their way, says
what became of each exactly once, and hands over receipts and messages that come in, which it acknowledges to
the carrier only when they are stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from gateway.messaging.inbound import Inbound, Part
from gateway.messaging.states import State

__all__ = [
    "Carrier",
    "Final",
    "InDoubt",
    "Inbound",
    "NextRoute",
    "Options",
    "Outcome",
    "Outgoing",
    "Owner",
    "Part",
    "Receipt",
    "Retry",
    "Submitted",
    "Throttled",
    "Unsent",
    "clip",
]

ERROR_LENGTH = 64
"""Most characters of an error that are stored."""


@dataclass(slots=True)
class Outgoing:
    """One segment to be handed over.

    `encoding` says what `payload` is, of whatever front end the message came: "GSM7" unpacked septets, as
    `messaging.text.split` gives them, to be written in the carrier's own alphabet; "UCS2" UTF-16BE; "DATA" octets
    that go out as they are. `udh` is the header that a client gave its part, without the payload, else None: of
    several segments of ours (`total` above 1) the carrier makes the header itself. `data_coding`, where it is not
    None, fits `encoding` (0, 8 or 4 and the like) and may hold a message class: 0x10 and 0x18 are a flash.
    `reference` (16 bits) is the same for all `total` segments of a message and for every attempt. `seq` and
    `attempt` begin with 1; `refusals` of the earlier attempts were refused for now. `expires_at` is in UTC
    microseconds. TON, NPI, data_coding, esm_class and registered_delivery are None where no client gave them.
    """

    message_id: int
    seq: int
    total: int
    attempt: int
    source: str
    source_ton: int | None
    source_npi: int | None
    destination: str
    destination_ton: int | None
    destination_npi: int | None
    encoding: str
    payload: bytes
    udh: bytes | None
    reference: int
    data_coding: int | None
    esm_class: int | None
    registered_delivery: int | None
    expires_at: int
    possible_duplicate: bool
    refusals: int = 0


@dataclass(slots=True)
class Submitted:
    """The carrier took it. `ref` is its id of the segment in the form in which receipts will name it.

    Several segments that went as one have the same. `others` are refs under which a receipt may have come before.
    """

    ref: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too fast: the same again in a moment, and slower."""

    error: str = "throttled"


@dataclass(frozen=True, slots=True)
class Retry:
    """Refused for now: the same carrier again later."""

    error: str


@dataclass(frozen=True, slots=True)
class NextRoute:
    """This carrier will not; another may."""

    error: str


@dataclass(frozen=True, slots=True)
class Final:
    """Refused for good."""

    error: str
    state: State = State.REJECTED


@dataclass(frozen=True, slots=True)
class Unsent:
    """It never left: an earlier segment of its message was refused, or there was no link."""

    error: str | None = None


@dataclass(frozen=True, slots=True)
class InDoubt:
    """It left, and no answer will come: the link dropped. The carrier's policy decides."""

    error: str


Outcome = Submitted | Throttled | Retry | NextRoute | Final | Unsent | InDoubt


@dataclass(slots=True)
class Receipt:
    """A carrier's final word on a segment: one of the final states, and when it arrived (UTC microseconds).

    Reports that are not final (en route, accepted) are no receipts. Where it is not certain how the carrier writes
    its ids, `others` are the refs that may be meant, too, and `numbers` the last digits of the receipt's numbers, by
    one of which the segment is known.
    """

    carrier_ref: str
    state: State
    error: str | None
    at: int
    others: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


class Owner(Protocol):
    """Who works a carrier: what an adapter calls."""

    def answered(self, answers: Sequence[tuple[Outgoing, Outcome]]) -> None:
        """Take outcomes; call it with many at once. An adapter answers every segment exactly once."""
        ...

    async def received(self, receipts: Sequence[Receipt]) -> None:
        """Store receipts; returns when they are committed, and only then may they be acknowledged.

        Raises `storage.errors.Unavailable` when they could not be: the carrier has to send them again.
        """
        ...

    async def inbound(self, messages: Sequence[Inbound]) -> None:
        """Store messages; returns when they are committed, and only then may they be acknowledged.

        Raises `storage.errors.Unavailable` when they could not be: the carrier has to send them again. One that
        it sends again although it was stored is stored once.
        """
        ...

    def changed(self) -> None:
        """`ready` or `window` is another now."""
        ...


class Carrier(Protocol):
    """An adapter of one carrier, which may hold several links.

    `window` is how many segments may be without an answer, over all its links; `ready` whether anything can be
    sent now.
    """

    window: int
    ready: bool

    async def start(self, owner: Owner) -> None:
        """Begin to connect; returns at once and goes on trying by itself."""
        ...

    def submit(self, outgoing: Sequence[Outgoing]) -> None:
        """Take segments to send, never more than `window` unanswered ones, and never block.

        The segments of a message come together and in their order, and leave so over one link. When one is
        refused, those after it that have not left are answered `Unsent`.
        """
        ...

    async def stop(self) -> None:
        """Send nothing more, wait a bounded time for answers, answer the rest, then close.

        Receipts may come until the end; none after it.
        """
        ...

    def describe(self) -> Mapping[str, object]:
        """What an operator may see of its settings and links; never a secret."""
        ...


class Options(BaseModel):
    """What can be set for every carrier; each kind adds its own. Values come as text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    throughput: Annotated[float, Field(gt=0, le=100_000)] | None = Field(
        None, description="Most segments a second; unlimited unless given."
    )
    window: int = Field(1000, ge=1, le=10_000, description="Most segments without an answer.")
    doubt: Literal["resend", "hold"] = Field(
        "resend",
        description="What becomes of messages of which a crash or a dropped link leaves it open whether the"
        " carrier has them: sent again (resend), or held for an operator (hold).",
    )
    failover_after: float = Field(
        30, ge=0, le=86_400, description="Seconds without a link after which messages take their next route."
    )
    retries: int = Field(
        3, ge=0, le=1000, description="How often a message that is refused for now is tried before its next route."
    )


def clip(error: str) -> str:
    """An error as it is stored: printable, on one line, at most `ERROR_LENGTH` characters."""
    return "".join(c if c.isprintable() else " " for c in error[:ERROR_LENGTH])
