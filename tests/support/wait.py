"""Waiting for a condition instead of sleeping."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# A process looks for changes four times a second: what held for a second without a break, each of them has seen.
_ASKS = 8
_APART = 0.15


def until(condition: Callable[[], T], timeout: float = 30, what: str = "the condition") -> T:
    """Ask until the condition's answer is true, and give it; fail naming `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    pause = 0.001
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {timeout:g} s; the last answer was {answer!r}")
        time.sleep(pause)
        pause = min(pause * 2, 0.05)
    return answer


def settled(condition: Callable[[], bool], what: str, timeout: float = 20) -> None:
    """Wait until a change is seen by every process of a gateway, whichever of them the condition asks."""

    def held() -> bool:
        for _ in range(_ASKS):
            if not condition():
                return False
            time.sleep(_APART)
        return True

    until(held, timeout, what)
