"""Answers kept for those who repeat an idempotency key: a result as JSON, and back."""

from collections.abc import Callable
from typing import Any

import orjson

from gateway.operations.context import Credits, Rows

_CREDITS = "$credits"
_BATCH = "$batch"


def keep(result: Any) -> str:
    """A result as JSON text; amounts and the rows of a batch are written as what they were made from."""
    # Else orjson would write a dataclass by its fields, and not ask.
    return orjson.dumps(result, default=_plain, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Credits):
        return {_CREDITS: value.micro}
    if isinstance(value, Rows):
        return {_BATCH: value.batch_id}
    raise TypeError(f"a result cannot hold {type(value).__name__}")


def recall(text: str, rows: Callable[[int], Rows]) -> Any:
    """The result that `keep` wrote; `rows` gives the messages of a batch."""
    return _revive(orjson.loads(text), rows)


def _revive(value: Any, rows: Callable[[int], Rows]) -> Any:
    if isinstance(value, list):
        return [_revive(one, rows) for one in value]
    if not isinstance(value, dict):
        return value
    if _CREDITS in value:
        return Credits(value[_CREDITS])
    if _BATCH in value:
        return rows(value[_BATCH])
    return {name: _revive(one, rows) for name, one in value.items()}
