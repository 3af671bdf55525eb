"""What a test of a client says of itself for the table of docs/interoperability.md."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Cell:
    """One cell: `door` is the table, `client` and `variant` the line, `check` the column, `limit` why it is empty."""

    door: str
    client: str
    variant: str
    check: str
    limit: str | None = None


def held_to(limit: str | None, run: Callable[[], None]) -> None:
    """Run a check; where a client has a limit it must fail, so that what is said of the client stays true."""
    if limit is None:
        run()
        return
    with pytest.raises((AssertionError, TypeError)):
        run()
