"""Waiting for a condition instead of sleeping."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


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
