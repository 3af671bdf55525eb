"""Answers kept for those who repeat an idempotency key come back as they were."""

from typing import Any

import pytest

from gateway.operations.answers import keep, recall
from gateway.operations.context import Credits, Rows

BATCH = Rows(lambda: iter(()), 7)


@pytest.mark.parametrize(
    "result",
    [
        pytest.param({"messageid": "95", "credits": Credits(1_234_567), "segments": 1}, id="amount"),
        pytest.param({"count": 2, "credits": Credits(0), "destinations": BATCH}, id="rows of a batch"),
        pytest.param([{"a": [Credits(-1)]}], id="nested"),
        pytest.param(None, id="nothing"),
        pytest.param("text", id="text"),
    ],
)
def test_kept_and_recalled(result: Any) -> None:
    assert recall(keep(result), {7: BATCH}.__getitem__) == result
