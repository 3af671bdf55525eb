"""Answers kept for those who repeat a key come back as they were."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.operations.answers import keep, recall
from gateway.operations.context import Credits, Rows

PLAIN = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.text(st.characters(exclude_categories=["Cs"])).filter(lambda name: not name.startswith("$"))
RESULTS = st.recursive(
    PLAIN | st.builds(Credits, st.integers(0, 2**53)),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
)


def pages() -> Iterator[Sequence[dict[str, Any]]]:
    yield [{"messageid": "8", "destination": "34600000001"}]


def no_rows(batch_id: int) -> Rows:
    raise AssertionError(f"the rows of {batch_id} were asked for")


@given(RESULTS)
def test_a_result_comes_back_as_it_was(result: Any) -> None:
    assert recall(keep(result), no_rows) == result


@pytest.mark.parametrize("micro", [0, 1, 123_456, 2**53 - 1])
def test_amounts_stay_amounts(micro: int) -> None:
    recalled = recall(keep({"credits": Credits(micro)}), no_rows)
    assert recalled == {"credits": Credits(micro)}
    assert isinstance(recalled["credits"], Credits)


def test_a_batchs_rows_are_kept_by_its_id() -> None:
    result = {"id": "7", "count": 1, "credits": Credits(5), "destinations": Rows(pages, 7)}
    text = keep(result)
    assert "34600000001" not in text
    assert recall(text, lambda batch_id: Rows(pages, batch_id)) == result


def test_an_answer_is_small_however_long_its_rows_are() -> None:
    assert len(keep({"destinations": Rows(pages, 2**53 - 1)})) < 60


def test_what_cannot_be_kept_is_named() -> None:
    with pytest.raises(TypeError, match="set"):
        keep({"x": {1}})
