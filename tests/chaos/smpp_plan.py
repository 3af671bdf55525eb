"""What customers who are bound by SMPP send: submit `n` is the same whoever asks, and no two go to one number."""

from dataclasses import dataclass
from typing import Final

from gateway.smpp.constants import Tag
from gateway.smpp.pdu import SubmitSm

CREDIT = 1_000_000

SHORT = b"It never rains but it pours."
LONG = SHORT * 12  # 336 septets
LONG_SEGMENTS = 3
INTERNATIONAL = 1
ALPHANUMERIC = 5


@dataclass(frozen=True)
class Customer:
    """An account; micro-credits. `sessions` are the modes in which it is bound, each with a connection."""

    email: str
    granted: int
    price: int
    sessions: tuple[str, ...]


CUSTOMERS = (
    Customer("ana@example.com", 10_000_000 * CREDIT, CREDIT, ("transceiver", "transceiver")),
    Customer("bruno@example.com", 10_000_000 * CREDIT, 1_234_567, ("transmitter", "transmitter", "receiver")),
    Customer("chen@example.com", 10_000_000 * CREDIT, 1, ("transceiver", "receiver", "transmitter")),
    # Runs out of credits while others compete with it for the commit.
    Customer("dora@example.com", 30 * CREDIT + 1, 700_001, ("transceiver",)),
)
LAST: Final = len(CUSTOMERS) - 1

# By the submit's number modulo 100; the digits are those of the simulator's rules. Few are throttled: each
# complaint slows the carrier.
_SPECIAL = {0: "0005", 21: "0004", 22: "0002", 43: "0003", 54: "0006", 65: "0007", 76: "0008"} | dict.fromkeys(
    (7, 37, 57, 87), "0001"
)


@dataclass(frozen=True)
class Submit:
    """The customer's place in `CUSTOMERS`, the carrier's in the list of carriers, the number, how many segments."""

    customer: int
    carrier: int
    destination: str
    segments: int

    def pdu(self) -> SubmitSm:
        """The request."""
        tlvs = {} if self.segments == 1 else {int(Tag.MESSAGE_PAYLOAD): LONG}
        return SubmitSm(
            source_addr="Chaos",
            source_addr_ton=ALPHANUMERIC,
            destination_addr=self.destination,
            dest_addr_ton=INTERNATIONAL,
            dest_addr_npi=1,
            registered_delivery=1,
            short_message=SHORT if self.segments == 1 else b"",
            tlvs=tlvs,
        )


def prefix(carrier: int) -> str:
    """The numbers that a carrier is sent."""
    return f"4915{carrier}"


def submit(n: int, carriers: int) -> Submit:
    """The submit with this number, for so many carriers."""
    last = _SPECIAL.get(n % 100)
    if last is None:
        rest, segments = f"{n // 9000:06d}{1000 + n % 9000}", LONG_SEGMENTS if n % 25 == 18 else 1
    else:
        rest, segments = f"{n // 25:06d}{last}", 1
    # The last carrier's share is small, and so is the last customer's, most of which is refused.
    carrier = carriers - 1 if n // 3 % 10 == 9 else n // 3 % (carriers - 1)
    customer = LAST if n % 23 == 22 else n // 2 % LAST
    return Submit(customer, carrier, prefix(carrier) + rest, segments)
