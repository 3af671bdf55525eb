"""What becomes of a segment that is sent to try things out: it follows from its number's last four digits.

The simulated carrier and the SMSC of `trunkline simulator` keep the same rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway import clock
from gateway.carriers.base import Final, Throttled
from gateway.messaging.states import State


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of a segment.

    `refused` is the answer to the first attempt, and to later ones if `always`. `delay` is how long after the
    answer the receipt comes, in microseconds, None for never; `early` before the answer; `copies` how often.
    """

    state: State = State.DELIVERED
    error: str | None = None
    delay: int | None = clock.SECOND
    copies: int = 1
    early: bool = False
    refused: Final | Throttled | None = None
    always: bool = False


RULES: Mapping[str, Rule] = {
    "0001": Rule(delay=0),
    "0002": Rule(State.UNDELIVERED, "absent subscriber"),
    "0003": Rule(State.EXPIRED, "validity period expired"),
    "0004": Rule(refused=Final("invalid destination"), always=True),
    "0005": Rule(refused=Throttled()),
    "0006": Rule(delay=None),
    "0007": Rule(delay=0, early=True),
    "0008": Rule(copies=2),
    "0009": Rule(delay=30 * clock.SECOND),
}
"""By the last four digits of the destination."""

OTHERS = Rule()

AGAIN = 0.2
"""Seconds between a receipt and its duplicate."""


def rule(destination: str) -> Rule:
    """The rule of a destination."""
    return RULES.get(destination[-4:], OTHERS)
