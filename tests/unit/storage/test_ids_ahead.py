"""Ids that are there before they are needed, because nobody can wait for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.storage.errors import Unavailable
from gateway.storage.ids import BLOCK, BLOCK_LIFE, IdsAhead


class Supply:
    """Ids with a clock that the test moves, and a count of how often more were wanted."""

    def __init__(self) -> None:
        self.now = 1_000
        self.wanted = 0
        self.next = 1
        self.ids = IdsAhead(lambda: self.now, self._want)

    def fill(self, size: int = BLOCK) -> None:
        self.ids.add(range(self.next, self.next + size))
        self.next += size

    def _want(self) -> None:
        self.wanted += 1


@pytest.fixture
def supply() -> Supply:
    return Supply()


def test_nothing_is_there_before_the_first_block(supply: Supply) -> None:
    assert supply.ids.wanting
    with pytest.raises(Unavailable):
        supply.ids.take()
    assert supply.wanted == 1


def test_ids_are_consecutive_and_never_given_twice(supply: Supply) -> None:
    supply.fill()
    assert [supply.ids.take(n) for n in (1, 3, 1)] == [range(1, 2), range(2, 5), range(5, 6)]


def test_what_a_block_cannot_give_at_once_comes_from_the_next(supply: Supply) -> None:
    supply.fill(10)
    supply.fill(10)
    assert supply.ids.take(8) == range(1, 9)
    assert supply.ids.take(5) == range(11, 16)
    assert supply.ids.take(5) == range(16, 21)
    with pytest.raises(Unavailable):
        supply.ids.take()


def test_more_is_wanted_while_less_than_a_block_is_left(supply: Supply) -> None:
    supply.fill()
    supply.fill()
    assert not supply.ids.wanting
    supply.ids.take(BLOCK)
    assert (supply.wanted, supply.ids.wanting) == (0, False)
    supply.ids.take()
    assert (supply.wanted, supply.ids.wanting) == (1, True)


def test_old_blocks_are_replaced_before_they_end(supply: Supply) -> None:
    supply.fill()
    supply.now += BLOCK_LIFE // 2
    assert supply.ids.wanting
    supply.fill()
    assert not supply.ids.wanting
    supply.now += BLOCK_LIFE // 2
    # Of the first nothing is left, so that ids follow time.
    assert supply.ids.take() == range(BLOCK + 1, BLOCK + 2)
    supply.now += BLOCK_LIFE
    with pytest.raises(Unavailable):
        supply.ids.take()


def test_clock_that_was_set_back_ends_blocks_too(supply: Supply) -> None:
    supply.fill()
    supply.now -= 1
    with pytest.raises(Unavailable):
        supply.ids.take()


def test_an_idle_process_keeps_no_heap_of_old_blocks(supply: Supply) -> None:
    for _ in range(100):
        supply.fill()
        supply.now += BLOCK_LIFE
    supply.fill()
    assert supply.ids.take(BLOCK) == range(100 * BLOCK + 1, 101 * BLOCK + 1)
    with pytest.raises(Unavailable):
        supply.ids.take()


@pytest.mark.parametrize("number", [0, -1])
def test_nothing_cannot_be_taken(supply: Supply, number: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        supply.ids.take(number)


@given(st.lists(st.one_of(st.integers(1, 40), st.just(None), st.just("later")), max_size=60))
def test_whatever_happens_no_id_comes_twice(steps: list[int | str | None]) -> None:
    supply = Supply()
    given_out: list[int] = []
    for step in steps:
        if step is None:
            supply.fill(50)
        elif isinstance(step, str):
            supply.now += BLOCK_LIFE // 3
        else:
            try:
                taken = supply.ids.take(step)
            except Unavailable:
                continue
            assert len(taken) == step
            given_out.extend(taken)
    assert len(given_out) == len(set(given_out))
    assert given_out == sorted(given_out)
