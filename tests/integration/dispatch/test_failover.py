"""What becomes of messages when their carrier is down, or refuses again and again."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway import clock
from gateway.carriers.base import NextRoute, Outcome, Outgoing, Retry, Submitted, Throttled, Unsent
from gateway.dispatch import failover
from gateway.dispatch.carrier_worker import CarrierWorker
from gateway.dispatch.host import NoMetrics
from gateway.messaging.states import State
from gateway.storage.queries.dispatch import leases
from tests.integration.dispatch.test_carrier_worker import Bench
from tests.support.dispatch import NOW, Scripted, World, bounded, until

LONG = "x" * 400
NEVER = NOW + 10_000 * clock.DAY


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failover, "LOOK", 0.02)
    monkeypatch.setattr(failover, "IN_VAIN", 0.05)


@pytest.fixture
def bench(world: World) -> Bench:
    world.new_route("34", 1, priority=1)
    world.new_carrier("second")
    world.new_route("34", 2, priority=2)
    world.new_carrier("third")
    world.new_route("34", 3, priority=3)
    return Bench(world)


class Readiness(NoMetrics):
    """What was counted of which carrier takes messages."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bool]] = []

    def ready(self, carrier: str, value: bool) -> None:
        self.told.append((carrier, value))


async def working_until(condition: Callable[[], bool], *workers: CarrierWorker) -> None:
    """Wait while the workers look again and again whether messages are due, as the dispatcher has them do."""

    def holds() -> bool:
        for worker in workers:
            worker.nudge()
        return condition()

    await until(holds)


def is_up(world: World, *carriers: int) -> Callable[[], bool]:
    return lambda: world.run(leases.up) >= set(carriers)


def test_from_a_carrier_that_is_down_to_the_next_that_is_up(world: World, bench: Bench) -> None:
    due = world.messages([str(34600000000 + n) for n in range(450)])
    elsewhere = world.message("4915112345678")
    later = world.message(due_at=NOW + clock.HOUR, state=int(State.SCHEDULED))
    down, third = Scripted(ready=False), Scripted(window=1000)

    async def run() -> None:
        async with bench.working(third, 3) as worker, bench.working(down, 1, failover_after=0):
            await working_until(lambda: {world.state(number) for number in due} == {State.SENT}, worker)

    bounded(run())
    assert {world.row(number)["carrier_id"] for number in due} == {3}
    assert (world.row(elsewhere)["carrier_id"], world.row(later)["carrier_id"]) == (1, 1)
    assert down.got == []
    assert {item.attempt for item in third.got} == {1}


def test_a_carrier_that_never_came_up_is_counted(world: World, bench: Bench) -> None:
    counted = Readiness()
    bench.host = replace(bench.host, metrics=counted)
    down = Scripted(ready=False)

    async def run() -> None:
        async with bench.working(down, 2):
            await until(lambda: counted.told)
            assert counted.told == [("carrier 2", False)]
            down.ready = True
            await until(lambda: counted.told[1:])

    bounded(run())
    assert counted.told[:2] == [("carrier 2", False), ("carrier 2", True)]


def test_not_before_it_was_down_for_long(world: World, bench: Bench) -> None:
    message_id = world.message()
    down, second = Scripted(ready=False), Scripted()

    async def run() -> None:
        async with bench.working(second, 2) as taker, bench.working(down, 1, failover_after=30) as worker:
            await until(is_up(world, 2))
            bench.seconds += 29
            await asyncio.sleep(0.2)
            assert world.row(message_id)["carrier_id"] == 1
            # Up for a moment: the time begins anew.
            down.ready = True
            down.script = lambda item: Unsent()
            worker.nudge()
            await until(lambda: down.got)
            down.ready = False
            await asyncio.sleep(0.2)
            bench.seconds += 29
            await asyncio.sleep(0.2)
            assert second.got == []
            bench.seconds += 2
            await working_until(lambda: bool(second.got), taker)
            await until(lambda: world.state(message_id) is State.SENT)

    bounded(run())
    assert world.state(message_id) is State.SENT


def test_back_to_an_earlier_route_where_the_later_one_is_down(world: World, bench: Bench) -> None:
    message_id = world.message(carrier_id=2)
    first = Scripted()

    async def run() -> None:
        async with bench.working(first, 1) as worker, bench.working(Scripted(ready=False), 2, failover_after=0):
            await working_until(lambda: world.state(message_id) is State.SENT, worker)

    bounded(run())
    assert [item.message_id for item in first.got] == [message_id]


def test_never_back_to_one_that_refused_it(world: World, bench: Bench) -> None:
    message_id = world.message()
    other = world.message("34600000001", carrier_id=2)
    first = Scripted(lambda item: NextRoute("no") if item.message_id == message_id else Submitted("r"))

    async def run() -> None:
        async with bench.working(first, 1) as worker, bench.working(Scripted(ready=False), 2, failover_after=0):
            await working_until(lambda: world.state(other) is State.SENT, worker)
            await until(lambda: world.row(message_id)["carrier_id"] == 2)
            await asyncio.sleep(0.2)

    bounded(run())
    assert [item.message_id for item in first.got].count(message_id) == 1
    assert world.state(message_id) is State.QUEUED


def test_a_message_stays_where_some_of_its_segments_are(world: World, bench: Bench) -> None:
    message_id = world.message(text=LONG)
    first = Scripted(lambda item: Submitted("r1") if item.seq == 1 else Unsent())
    second = Scripted()

    async def run() -> None:
        async with bench.working(second, 2), bench.working(first, 1, failover_after=0) as worker:
            await until(lambda: world.segments(message_id))
            first.ready = False
            await until(lambda: world.state(message_id) is State.QUEUED)
            await until(is_up(world, 2))
            await asyncio.sleep(0.3)
            assert second.got == []
            first.script = lambda item: Submitted(f"r{item.seq}")
            first.ready = True
            await working_until(lambda: world.state(message_id) is State.SENT, worker)

    bounded(run())
    assert world.row(message_id)["carrier_id"] == 1


def test_nobody_is_up(world: World, bench: Bench) -> None:
    message_id = world.message()

    async def run() -> None:
        async with (
            bench.working(Scripted(ready=False), 2, failover_after=0),
            bench.working(Scripted(ready=False), 1, failover_after=0),
        ):
            await asyncio.sleep(0.3)

    bounded(run())
    assert (world.row(message_id)["carrier_id"], world.state(message_id)) == (1, State.QUEUED)


@pytest.mark.parametrize(
    ("outcome", "retries", "attempts", "then"),
    [
        pytest.param(Retry("busy"), 3, 4, 2, id="three retries"),
        pytest.param(Retry("busy"), 0, 1, 2, id="none"),
        pytest.param(Retry("busy"), 9, 4, 1, id="not yet"),
        pytest.param(Unsent(), 0, 4, 1, id="what never left"),
    ],
)
def test_retries_until_the_next_route(
    world: World, bench: Bench, outcome: Outcome, retries: int, attempts: int, then: int
) -> None:
    message_id = world.message(expires_at=NEVER)

    def refuse(item: Outgoing) -> Outcome:
        return outcome if len(first.got) <= attempts else Submitted("r")

    def later() -> bool:
        bench.now += clock.HOUR
        return True

    first, second = Scripted(refuse), Scripted()

    async def run() -> None:
        async with bench.working(second, 2) as other, bench.working(first, 1, retries=retries) as worker:
            await working_until(lambda: later() and world.state(message_id) is State.SENT, worker, other)

    bounded(run())
    assert world.row(message_id)["carrier_id"] == then
    assert len(first.got) == (attempts if then == 2 else attempts + 1)


def test_too_fast_is_not_counted_as_a_refusal(world: World, bench: Bench) -> None:
    message_id = world.message(expires_at=NEVER)
    answers: list[Outcome] = [Throttled(), Throttled(), Throttled(), Retry("busy"), Submitted("r")]

    def later() -> bool:
        bench.now += clock.HOUR
        return True

    first, second = Scripted(lambda _: answers[len(first.got) - 1]), Scripted()

    async def run() -> None:
        async with bench.working(second, 2) as other, bench.working(first, 1, retries=3) as worker:
            await working_until(lambda: later() and world.state(message_id) is State.SENT, worker, other)

    bounded(run())
    assert (world.row(message_id)["carrier_id"], len(first.got)) == (1, 5)


def test_retries_go_on_where_there_is_no_other_route(world: World, bench: Bench) -> None:
    message_id = world.message("4915112345678", expires_at=NEVER)

    def refuse(item: Outgoing) -> Outcome:
        return Retry("busy") if len(first.got) < 9 else Submitted("r")

    def later() -> bool:
        bench.now += clock.HOUR
        return True

    first = Scripted(refuse)

    async def run() -> None:
        async with bench.working(first, 1, retries=3) as worker:
            await working_until(lambda: later() and world.state(message_id) is State.SENT, worker)

    bounded(run())
    assert len(first.got) == 9
