"""What the customers of the chaos test ask for: call `n` is the same whoever asks, so that it can be repeated."""

from dataclasses import dataclass

CREDIT = 1_000_000
SHORT = "It never rains but it pours."
LONG = SHORT * 8  # two segments
LONG_UCS2 = "Дождь " * 25  # three


@dataclass(frozen=True)
class Customer:
    """An account; micro-credits."""

    email: str
    granted: int
    price: int


CUSTOMERS = (
    Customer("ana@example.com", 10_000_000 * CREDIT, CREDIT),
    Customer("bruno@example.com", 10_000_000 * CREDIT, CREDIT),
    Customer("chen@example.com", 10_000_000 * CREDIT, 1_234_567),
    Customer("dora@example.com", 10_000_000 * CREDIT, 1),
    # Runs out of credits while others compete with it for the commit.
    Customer("emil@example.com", 100 * CREDIT + 1, 700_001),
)
LAST = len(CUSTOMERS) - 1

# The contacts of each customer's group.
GROUP = tuple(f"34699{n:02d}{last}" for n, last in enumerate(("0001", "0002", "0004", "0008", *["1234"] * 26), 10))

# By the call's number modulo 500; what the digits mean is in the simulated carrier's table of rules. Few are
# throttled: each complaint slows the carrier.
_SPECIAL = {
    0: "0005",
    **dict.fromkeys((1, 101, 201, 301), "0004"),
    **dict.fromkeys((2, 102, 202), "0002"),
    **dict.fromkeys((3, 103, 203), "0003"),
    **dict.fromkeys((4, 204), "0006"),
    **dict.fromkeys((5, 105, 205), "0007"),
    **dict.fromkeys((6, 106, 206), "0008"),
    **dict.fromkeys(range(10, 500, 10), "0001"),
}


@dataclass(frozen=True)
class Call:
    """The customer's place in `CUSTOMERS`, the number ("" is his group), the text and how many segments it makes."""

    customer: int
    destination: str
    text: str
    segments: int


def call(n: int) -> Call:
    """The call with this number: sendsms, now and then sendsmstogroup."""
    if n % 150 == 77:
        return Call(n % LAST, "", SHORT, 1)
    last = _SPECIAL.get(n % 500) or f"{1000 + n % 9000}"
    text, segments = SHORT, 1
    if n % 50 in (1, 17):
        text, segments = LONG, 2
    elif n % 250 == 18:
        text, segments = LONG_UCS2, 3
    # The last customer's share is small: most of his calls are refused.
    customer = LAST if n % 23 == 22 else n // 2 % LAST
    return Call(customer, f"346{n // 9000 % 10_000:04d}{last}", text, segments)
