"""Ids are unique everywhere and follow time."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from gateway import clock
from gateway.storage import ids
from gateway.storage.database import Database
from gateway.storage.ids import BLOCK, BLOCK_LIFE, EPOCH, Ids, take_block
from gateway.storage.schema import counter

SECOND = 1_000_000
NOW = EPOCH + 90_000_000 * SECOND  # some day in 2026
YEAR = 365 * 86_400 * SECOND

moments = st.integers(min_value=EPOCH, max_value=EPOCH + 272 * YEAR)


def block_at(database: Database, size: int, now: int) -> range:
    with database.transaction() as connection:
        return take_block(connection, size, now)


class Clock:
    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def time() -> Clock:
    return Clock()


@pytest.fixture
def blocks() -> list[range]:
    return []


@pytest.fixture
def supply(time: Clock, blocks: list[range]) -> Iterator[Ids]:
    """Ids whose blocks come one after the other, and are listed in `blocks`."""

    def refill(size: int) -> range:
        start = max(blocks[-1].stop if blocks else 0, ids.first(time()))
        blocks.append(range(start, start + size))
        return blocks[-1]

    yield Ids(refill, time)


def test_a_block_starts_at_the_present_second(database: Database) -> None:
    block = block_at(database, 10, NOW)
    assert block == range(90_000_000 << 20, (90_000_000 << 20) + 10)


def test_blocks_of_one_second_follow_each_other(database: Database) -> None:
    first, second = block_at(database, 3, NOW), block_at(database, 5, NOW + 1)
    assert second == range(first.stop, first.stop + 5)


def test_a_clock_set_back_repeats_no_id(database: Database) -> None:
    first = block_at(database, 3, NOW)
    assert block_at(database, 3, NOW - 3600 * SECOND).start == first.stop


def test_a_later_second_moves_the_counter(database: Database) -> None:
    block_at(database, 3, NOW)
    assert block_at(database, 3, NOW + SECOND).start == ids.first(NOW + SECOND)


def test_a_block_of_a_transaction_rolled_back_is_not_used_up(database: Database) -> None:
    with pytest.raises(LookupError), database.transaction() as connection:
        take_block(connection, 3, NOW)
        raise LookupError
    with database.read() as connection:
        assert connection.scalar(select(counter.c.next)) == 1


def test_takers_at_once_get_different_blocks(database: Database) -> None:
    taken: list[int] = []

    def take() -> None:
        for _ in range(10):
            taken.extend(block_at(database, 7, NOW))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(taken) == len(set(taken)) == 4 * 10 * 7


@given(moments)
def test_an_id_carries_its_second(micros: int) -> None:
    assert ids.moment(ids.first(micros)) == EPOCH + (micros - EPOCH) // SECOND * SECOND


@given(moments)
def test_ids_stay_below_what_javascript_holds(micros: int) -> None:
    assert ids.first(micros) + (1 << 20) <= 2**53


@given(micros=moments, waited=st.integers(0, BLOCK_LIFE - 1), used=st.integers(0, (1 << 20) - 1))
def test_floor_and_ceiling_enclose_what_is_handed_out(micros: int, waited: int, used: int) -> None:
    """An id of a block taken at `micros` and handed out `waited` later belongs to a call of that moment."""
    number = ids.first(micros) + used
    assert ids.floor(micros + waited) <= number < ids.ceiling(micros + waited)


@given(moments, moments)
def test_the_mappings_keep_the_order(one: int, other: int) -> None:
    low, high = sorted((one, other))
    for mapping in (ids.first, ids.floor, ids.ceiling):
        assert mapping(low) <= mapping(high)


@pytest.mark.parametrize("mapping", [ids.first, ids.floor], ids=["first", "floor"])
def test_times_before_the_epoch_are_the_first_id(mapping: object) -> None:
    assert mapping(0) == mapping(EPOCH) == 0  # type: ignore[operator]


def test_one_block_serves_many_takes(supply: Ids, blocks: list[range]) -> None:
    assert [number for _ in range(BLOCK) for number in supply.take(1)] == list(blocks[0])
    assert len(blocks) == 1
    supply.take(1)
    assert len(blocks) == 2


def test_a_take_is_consecutive_across_the_end_of_a_block(supply: Ids) -> None:
    supply.take(BLOCK - 10)
    taken = supply.take(20)
    assert len(taken) == 20
    assert taken.step == 1


def test_a_big_take_leaves_the_block_in_use(supply: Ids, blocks: list[range]) -> None:
    first = supply.take(1)
    big = supply.take(100_000)
    assert len(big) == 100_000
    assert supply.take(1) == range(first.stop, first.stop + 1)
    assert len(blocks) == 2


@pytest.mark.parametrize(
    ("step", "same_block"),
    [(BLOCK_LIFE - 1, True), (BLOCK_LIFE, False), (-1, False)],
    ids=["within its life", "after a minute", "clock set back"],
)
def test_a_block_is_dropped_with_its_time(
    supply: Ids, time: Clock, blocks: list[range], step: int, same_block: bool
) -> None:
    supply.take(1)
    time.now += step
    supply.take(1)
    assert (len(blocks) == 1) is same_block


def test_no_id_twice_when_others_take_during_a_refill(time: Clock) -> None:
    """What a greenlet does while another waits for its block; they ask for no more than they need."""
    asked: list[int] = []
    taken: list[int] = []
    next_free = 1

    def refill(size: int) -> range:
        nonlocal next_free
        asked.append(size)
        block = range(next_free, next_free + size)
        next_free = block.stop
        if len(asked) <= 3:
            taken.extend(supply.take(2))
        return block

    supply = Ids(refill, time)
    for _ in range(100):
        taken.extend(supply.take(3))
    assert len(taken) == len(set(taken)) == 3 * 2 + 100 * 3
    assert asked == [BLOCK, 2, 2, 2]


def test_a_refill_that_fails_harms_no_later_take(time: Clock) -> None:
    answers: list[range | Exception] = [LookupError("away"), range(1, 1 + BLOCK)]
    asked: list[int] = []

    def refill(size: int) -> range:
        asked.append(size)
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    supply = Ids(refill, time)
    with pytest.raises(LookupError):
        supply.take(1)
    assert supply.take(1) == range(1, 2)
    assert asked == [BLOCK, BLOCK]


@pytest.mark.parametrize("n", [0, -1], ids=["none", "negative"])
def test_none_is_not_a_number_to_take(supply: Ids, n: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        supply.take(n)


def test_a_process_numbers_from_the_database(database: Database) -> None:
    supply = Ids(lambda size: block_at(database, size, clock.now()), clock.now)
    before = clock.now()
    number = supply.take(1)[0]
    assert ids.floor(before) <= number < ids.ceiling(clock.now())
