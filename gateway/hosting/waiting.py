"""Waiting for what another process does, where nothing tells when it is done."""

import time
from collections.abc import Callable

_PAUSE = 0.05


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Look every twentieth of a second until `condition` holds, at most `seconds`; whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_PAUSE)
    return True
