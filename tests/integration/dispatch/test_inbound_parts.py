"""Long messages that come in are put together, in whatever order and however often their parts come."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import clock
from gateway.messaging.inbound import GAP, Inbound, Part
from gateway.storage.queries.dispatch import leases, parts, purges
from tests.integration.dispatch.test_dispatcher import dispatching
from tests.support.arrivals import ANA, NUMBER, Arrivals, again, arrived, pieces
from tests.support.dispatch import NOW, World, bounded, until

THREE = ("One, ", "two, ", "three.")
WHOLE = "One, two, three."


@pytest.fixture
def desk(world: World) -> Arrivals:
    found = Arrivals(world)
    found.route(world.account)
    return found


def together(desk: Arrivals, messages: Sequence[Inbound]) -> None:
    desk.give(*messages)


def apart(desk: Arrivals, messages: Sequence[Inbound]) -> None:
    for message in messages:
        desk.give(message, now=max(NOW, message.at))


ways = pytest.mark.parametrize("give", [together, apart], ids=["together", "apart"])
Give = Callable[[Arrivals, Sequence[Inbound]], None]


@ways
@pytest.mark.parametrize(
    "order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 0, 1, 1, 2, 2), (2, 0, 2, 1, 0, 2, 1)], ids=str
)
def test_in_any_order_and_repeated(world: World, desk: Arrivals, give: Give, order: Sequence[int]) -> None:
    listed = pieces(THREE, data_coding=3, esm_class=0x40)
    give(desk, [again(listed[place], at=NOW + number) for number, place in enumerate(order)])
    (row,) = desk.stored()
    last = max(order.index(place) for place in range(3))
    assert (row["account_id"], row["source"], row["destination"]) == (world.account, ANA, NUMBER)
    assert (row["text"], row["data_coding"], row["esm_class"]) == (WHOLE, 3, 0x40)
    assert row["payload"] == WHOLE.encode("utf-16-be")
    assert row["received_at"] == NOW + last
    assert sorted(desk.waiting()) == [(1, seq, True) for seq in (1, 2, 3)]


@ways
def test_until_the_last_part_nothing_is_delivered(desk: Arrivals, give: Give) -> None:
    give(desk, pieces(THREE)[:2])
    assert desk.stored() == []
    assert desk.waiting() == [(1, 1, False), (1, 2, False)]


@ways
@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"source": "34600000002"}, id="another sender"),
        pytest.param({"destination": "7374"}, id="another number"),
        pytest.param({"part": Part(2, 3, 2)}, id="another reference"),
        pytest.param({"part": Part(1, 4, 2)}, id="another total"),
    ],
)
def test_what_does_not_belong_together(desk: Arrivals, give: Give, other: dict[str, Any]) -> None:
    first, second, third = pieces(THREE)
    give(desk, [first, again(second, **other), third])
    assert desk.stored() == []
    give(desk, [second])
    assert desk.texts() == [WHOLE]


def test_what_another_carrier_delivers_does_not_belong(world: World, desk: Arrivals) -> None:
    desk.give(*pieces(THREE)[:2])
    mine, desk.lease = desk.lease, world.lease(world.new_carrier("other"))
    desk.give(pieces(THREE)[2])
    assert desk.stored() == []
    desk.lease = mine
    desk.give(pieces(THREE)[2])
    assert desk.texts() == [WHOLE]


@ways
def test_a_reference_that_is_used_again(desk: Arrivals, give: Give) -> None:
    """The phone counts round, or always says 1: the message before is over, with what came of it."""
    before, after = pieces(["a", "b", "c"]), pieces(["x", "y", "z"])
    give(desk, [before[0], before[2], after[0], after[1], after[2]])
    assert desk.texts() == [f"a{GAP}c", "xyz"]
    assert all(complete for _, _, complete in desk.waiting())


@ways
def test_the_same_long_message_twice(desk: Arrivals, give: Give) -> None:
    give(desk, [*pieces(THREE, 1), *pieces(THREE, 2)])
    assert desk.texts() == [WHOLE, WHOLE]


@ways
@pytest.mark.parametrize(
    ("later", "expected"),
    [(clock.MINUTE - 1, [WHOLE]), (clock.MINUTE, [WHOLE, WHOLE])],
    ids=["sent again by the carrier", "said again by the phone, its reference too"],
)
def test_parts_of_a_complete_message(desk: Arrivals, give: Give, later: int, expected: list[str]) -> None:
    give(desk, [*pieces(THREE), *pieces(THREE, at=NOW + later)])
    assert desk.texts() == expected


@pytest.mark.parametrize("part", [Part(1, 1, 1), Part(1, 0, 0), Part(1, 3, 4), Part(1, 300, 1)], ids=str)
def test_counts_that_make_no_sense(desk: Arrivals, part: Part) -> None:
    desk.give(arrived("Hello", part=part))
    assert desk.texts() == ["Hello"]
    assert desk.waiting() == []


def test_a_character_cut_in_two(desk: Arrivals) -> None:
    desk.give(*pieces(["a\ud83d", "\ude00b"]))
    assert desk.texts() == ["a😀b"]


class TestThoseThatNeverCome:
    LATE = NOW + parts.WAIT

    def test_are_not_waited_for_for_ever(self, world: World, desk: Arrivals) -> None:
        desk.access(world.account)
        desk.give(*pieces(THREE)[1:])
        assert desk.end_waiting(self.LATE) == 0
        assert desk.end_waiting(self.LATE + 1) == 1
        assert desk.texts() == [f"{GAP}two, three."]
        assert [row["message_id"] for row in desk.announced()] == [desk.stored()[0]["id"]]
        assert desk.waiting() == []
        assert desk.end_waiting(self.LATE + 1) == 0

    def test_each_message_by_itself(self, desk: Arrivals) -> None:
        desk.give(pieces(THREE, 1)[0], pieces(THREE, 2)[1], pieces(THREE, 3, at=NOW + 5)[0])
        assert desk.end_waiting(self.LATE + 1) == 2
        assert sorted(desk.texts()) == [f"One, {GAP}", f"{GAP}two, {GAP}"]
        assert desk.waiting() == [(3, 1, False)]

    def test_complete_ones_stay_as_they_are(self, desk: Arrivals) -> None:
        desk.give(*pieces(THREE))
        assert desk.end_waiting(self.LATE + clock.DAY) == 0
        assert desk.texts() == [WHOLE]

    def test_one_that_comes_after_all(self, desk: Arrivals) -> None:
        desk.give(*pieces(THREE)[1:])
        desk.end_waiting(self.LATE + 1)
        desk.give(again(pieces(THREE)[0], at=self.LATE + 2), now=self.LATE + 2)
        desk.end_waiting(self.LATE * 2)
        assert desk.texts() == [f"{GAP}two, three.", f"One, {GAP}"]

    def test_the_dispatcher_looks_for_them(self, world: World, desk: Arrivals, tmp_path: Path) -> None:
        desk.give(*pieces(THREE, at=clock.now() - parts.WAIT - clock.MINUTE)[:2])
        world.run(lambda connection: leases.release(connection, desk.lease))

        async def run() -> None:
            async with dispatching(world.database, tmp_path):
                await until(desk.texts)

        bounded(run())
        assert desk.texts() == [f"One, two, {GAP}"]

    def test_they_are_purged_when_they_are_joined(self, world: World, desk: Arrivals) -> None:
        desk.give(*pieces(THREE, 1), *pieces(THREE, 2)[:1])
        for now in (NOW + purges.PART_LIFE, NOW + purges.PART_LIFE + 1):
            left = desk.waiting()
            for step in purges.steps(now, 400 * clock.DAY, 90 * clock.DAY):
                while world.run(step):
                    pass
        assert len(left) == 4
        assert desk.waiting() == [(2, 1, False)]
        assert desk.texts() == [WHOLE]


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[str], list[list[tuple[int, int]]]]:
    """Texts, and batches of (text, part) in which each part of each comes at least once."""
    cut = draw(st.lists(st.lists(st.text("aé😀", max_size=5), min_size=2, max_size=6), min_size=1, max_size=3))
    every = [(number, seq) for number, text in enumerate(cut) for seq in range(len(text))]
    more = draw(st.lists(st.sampled_from(every), max_size=8))
    order = draw(st.permutations([*every, *more]))
    ends = sorted(draw(st.sets(st.integers(1, len(order)), max_size=4)) | {len(order)})
    batches = [list(order[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
    return ["\x00".join(text) for text in cut], batches


@pytest.fixture
def fresh(desk: Arrivals) -> Iterator[tuple[Arrivals, Iterator[int]]]:
    """With numbers for senders that no example has used."""
    yield desk, count(34_610_000_000)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(delivered=deliveries())
def test_every_message_once_and_whole(
    fresh: tuple[Arrivals, Iterator[int]], delivered: tuple[list[str], list[list[tuple[int, int]]]]
) -> None:
    desk, numbers = fresh
    source = str(next(numbers))
    texts, batches = delivered
    cut = [pieces(text.split("\x00"), reference, source=source) for reference, text in enumerate(texts)]
    for batch in batches:
        desk.give(*(cut[number][seq] for number, seq in batch))
    found = [row["text"] for row in desk.stored() if row["source"] == source]
    assert sorted(found) == sorted(text.replace("\x00", "") for text in texts)
