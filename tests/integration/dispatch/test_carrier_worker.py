"""A carrier's worker with a carrier that answers as the test says, on a clock that the test moves."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, update

from gateway import clock
from gateway.carriers.base import (
    Final,
    InDoubt,
    NextRoute,
    Options,
    Outcome,
    Outgoing,
    Receipt,
    Retry,
    Submitted,
    Throttled,
)
from gateway.dispatch import carrier_worker, failover
from gateway.dispatch.carrier_worker import CarrierWorker
from gateway.dispatch.failover import Failover
from gateway.dispatch.holder import TTL, Holder, acquire
from gateway.dispatch.host import Host
from gateway.messaging.states import State
from gateway.storage.database import Database
from gateway.storage.directory import Directory
from gateway.storage.errors import Unavailable
from gateway.storage.queries.dispatch import tick
from gateway.storage.queries.dispatch.leases import Lease
from gateway.storage.records import Carrier
from gateway.storage.schema import carrier_lease
from tests.support.dispatch import NOW, PRICE, Direct, Scripted, World, bounded, until

T = TypeVar("T")
LONG = "x" * 400  # three segments


class Bench:
    """A host whose clocks a test moves."""

    def __init__(self, world: World, writer: Any = None) -> None:
        self.world = world
        self.now = NOW
        self.seconds = 0.0
        directory = Directory(world.database)
        directory.refresh()
        self.host = Host(
            world.database,
            writer or Direct(world.database),
            directory,
            now=lambda: self.now,
            monotonic=lambda: self.seconds + asyncio.get_running_loop().time(),
        )

    @asynccontextmanager
    async def working(
        self, carrier: Scripted, carrier_id: int = 1, owner: str = "me", kind: str = "simulator", **options: Any
    ) -> AsyncIterator[CarrierWorker]:
        holder = await acquire(self.host, carrier_id, owner, lambda owner: False)
        assert holder is not None
        record = Carrier(carrier_id, f"carrier {carrier_id}", kind, {})
        worker = CarrierWorker(record, Options(**options), carrier, holder, self.host)
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stop()
            await task

    def pass_time(self, worker: CarrierWorker, micros: int) -> None:
        self.now += micros
        worker.nudge()


@pytest.fixture
def bench(world: World) -> Bench:
    return Bench(world)


def test_from_the_queue_to_delivered_in_order(world: World, bench: Bench) -> None:
    listed = world.messages([str(34600000000 + n) for n in range(50)])
    early = world.message(due_at=NOW - 1)
    carrier = Scripted()

    async def run() -> None:
        async with bench.working(carrier):
            await until(lambda: world.state(listed[-1]) is State.SENT)
            for item in carrier.got:
                await carrier.report(f"r{item.message_id}-1")

    bounded(run())
    assert [item.message_id for item in carrier.got] == [early, *listed]
    assert set(world.states().values()) == {State.DELIVERED}
    assert {item.attempt for item in carrier.got} == {1}


def test_marks_are_on_disk_before_the_bytes_leave(world: World, bench: Bench) -> None:
    message_id = world.message(text=LONG)
    seen: list[tuple[State, int]] = []

    def look(item: Outgoing) -> Outcome:
        # Read on another connection: what it sees is committed.
        seen.append((world.state(message_id), len(world.segments(message_id))))
        return Submitted(f"r{item.seq}")

    async def run() -> None:
        async with bench.working(Scripted(look)):
            await until(lambda: world.state(message_id) is State.SENT)

    bounded(run())
    assert seen == [(State.SENDING, 3)] * 3


def test_never_more_on_its_way_than_the_window(world: World, bench: Bench) -> None:
    listed = world.messages([str(34600000000 + n) for n in range(25)])
    carrier = Scripted(lambda item: None, window=10)

    def sending() -> int:
        return sum(state is State.SENDING for state in world.states().values())

    async def run() -> None:
        async with bench.working(carrier):
            for answered in (0, 10, 20):
                await until(lambda answered=answered: len(carrier.got) == min(answered + 10, 25))
                assert sending() == len(carrier.open) <= 10
                carrier.answer([(item, Submitted(f"r{item.message_id}")) for item in carrier.open])
            await until(lambda: world.state(listed[-1]) is State.SENT)

    bounded(run())


def test_a_full_window_that_is_answered_is_not_waited_for(
    world: World, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier_worker, "GAP", 600)
    listed = world.messages([str(34600000000 + n) for n in range(100)])

    async def run() -> None:
        async with bench.working(Scripted(window=2)):
            await until(lambda: world.state(listed[49]) is State.SENT)
            monkeypatch.setattr(carrier_worker, "GAP", 0.01)
            await until(lambda: world.state(listed[-1]) is State.SENT)

    bounded(run())


def test_a_message_longer_than_the_window_goes_alone(world: World, bench: Bench) -> None:
    carrier = Scripted(window=2)
    carrier.window = 2
    long = world.message(text=LONG)
    short = world.message()

    async def run() -> None:
        async with bench.working(Wide(carrier)):
            await until(lambda: world.state(short) is State.SENT)

    bounded(run())
    assert [item.message_id for item in carrier.got] == [long] * 3 + [short]
    assert [item.seq for item in carrier.got] == [1, 2, 3, 1]


class Wide(Scripted):
    """Takes more than its window at once, as a carrier does with one long message."""

    def __init__(self, inner: Scripted) -> None:
        super().__init__(inner.script, inner.window, got=inner.got)

    def submit(self, outgoing: Any) -> None:
        window, self.window = self.window, 100
        super().submit(outgoing)
        self.window = window


def test_a_refused_message_comes_back_later_and_no_earlier(world: World, bench: Bench) -> None:
    message_id = world.message()
    carrier = Scripted(lambda item: Retry("busy") if item.attempt < 3 else Submitted("a"))

    async def run() -> None:
        async with bench.working(carrier) as worker:
            for attempt in (1, 2):
                await until(lambda attempt=attempt: world.row(message_id)["attempt"] == attempt)
                await until(lambda: world.state(message_id) is State.QUEUED)
                due = world.row(message_id)["due_at"]
                assert due - bench.now >= 3 * clock.SECOND * attempt
                bench.pass_time(worker, due - bench.now - 1)
                await until(lambda: worker.idle)
                assert len(carrier.got) == attempt
                bench.pass_time(worker, 1)
            await until(lambda: world.state(message_id) is State.SENT)

    bounded(run())
    assert [item.attempt for item in carrier.got] == [1, 2, 3]


def test_only_refusals_make_the_waits_after_a_refusal_longer(world: World, bench: Bench) -> None:
    """Nine times too fast, then refused for now once: the first of its waits."""
    message_id = world.message()
    carrier = Scripted(lambda item: Throttled() if item.attempt < 10 else Retry("busy"))

    async def run() -> None:
        async with bench.working(carrier) as worker:
            for attempt in range(1, 11):
                await until(lambda attempt=attempt: len(carrier.got) == attempt)
                await until(lambda: world.state(message_id) is State.QUEUED)
                wait = world.row(message_id)["due_at"] - bench.now
                # "Too fast" waits double up to 30 seconds; by chance, each is up to a quarter shorter.
                longer = min(clock.SECOND // 4 << (attempt - 1), 30 * clock.SECOND)
                most = longer if attempt < 10 else 5 * clock.SECOND
                assert most * 3 // 4 <= wait <= most
                bench.pass_time(worker, wait)

    bounded(run())


def test_a_carrier_that_complains_is_slowed_down(world: World, bench: Bench) -> None:
    world.messages([str(34600000000 + n) for n in range(100)])
    carrier = Scripted(lambda item: Throttled())

    async def run() -> None:
        async with bench.working(carrier, throughput=1000.0) as worker:
            await until(lambda: len(carrier.got) == 100)
            await until(lambda: not carrier.open and all(s is State.QUEUED for s in world.states().values()))
            assert worker._throttle.rate is not None
            assert worker._throttle.rate < 1000

    bounded(run())


def test_throughput_is_respected(world: World, bench: Bench) -> None:
    world.messages([str(34600000000 + n) for n in range(40)])
    carrier = Scripted()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        async with bench.working(carrier, throughput=40.0):
            began = loop.time()
            await until(lambda: len(carrier.got) == 40)
            # The first four may leave at once.
            assert loop.time() - began >= 36 / 40 * 0.95

    bounded(run())


def test_the_next_route_is_tried_once_each_and_in_their_order(world: World) -> None:
    second, third = world.new_carrier("second"), world.new_carrier("third")
    world.new_route("34", second)
    world.new_route("34", third, priority=1)
    world.new_route("346", third)
    bench = Bench(world)
    message_id = world.message(carrier_id=third)
    carriers = {number: Scripted(lambda item: NextRoute("not mine")) for number in (third, second, 1)}

    async def run() -> None:
        for number, carrier in carriers.items():
            assert world.row(message_id)["carrier_id"] == number
            async with bench.working(carrier, number):
                await until(lambda: world.row(message_id)["state"] in (State.QUEUED, State.REJECTED))
                await until(lambda carrier=carrier: carrier.got)

    bounded(run())
    row = world.row(message_id)
    assert (row["state"], row["error"], row["refunded"]) == (State.REJECTED, "not mine", PRICE)
    assert [[item.attempt for item in carrier.got] for carrier in carriers.values()] == [[1], [2], [3]]


def test_an_error_that_is_final_is_refunded(world: World, bench: Bench) -> None:
    message_id = world.message()

    async def run() -> None:
        async with bench.working(Scripted(lambda item: Final("no"))):
            await until(lambda: world.state(message_id) is State.REJECTED)

    bounded(run())
    assert world.credits() == PRICE


def test_what_cannot_be_encoded_is_refused_without_harm_to_others(world: World, bench: Bench) -> None:
    bad = world.message(text="Hello")
    world.set(bad, text="я")
    good = world.message()
    carrier = Scripted()

    async def run() -> None:
        async with bench.working(carrier):
            await until(lambda: world.state(good) is State.SENT)
            await until(lambda: world.state(bad) is State.REJECTED)

    bounded(run())
    assert [item.message_id for item in carrier.got] == [good]
    assert (world.row(bad)["error"], world.credits()) == ("cannot be encoded", PRICE)


def test_stopping_awaits_and_records_the_answers(world: World, bench: Bench) -> None:
    first, second = world.messages(["34600000001", "34600000002"])
    carrier = Scripted(lambda item: None, window=1)

    async def run() -> None:
        async with bench.working(carrier) as worker:
            await until(lambda: carrier.open)
            worker.stop()
            await asyncio.sleep(0.1)
            assert world.state(first) is State.SENDING
            carrier.answer([(item, Submitted("a")) for item in carrier.open])

    bounded(run())
    assert [world.state(item) for item in (first, second)] == [State.SENT, State.QUEUED]
    with world.database.read() as connection:
        assert connection.execute(carrier_lease.select()).one().until == 0


@pytest.mark.parametrize(("policy", "state"), [("resend", State.SENT), ("hold", State.HELD)])
def test_what_a_dead_owner_left_on_its_way(world: World, bench: Bench, policy: str, state: State) -> None:
    left = world.message()
    first, second = Scripted(lambda item: None), Scripted()

    async def run() -> None:
        holder = await acquire(bench.host, 1, "dead", lambda owner: False)
        assert holder is not None
        worker = CarrierWorker(Carrier(1, "x", "scripted", {}), Options(), first, holder, bench.host)
        task = asyncio.create_task(worker.run())
        await until(lambda: first.open)
        holder.lose()
        first.open.clear()
        await task
        world.change(update(carrier_lease).values(until=1))
        other = world.message()
        async with bench.working(second, owner="other", doubt=policy):
            await until(lambda: world.state(other) is State.SENT)
            await until(lambda: world.state(left) is state)

    bounded(run())
    again = [item for item in second.got if item.message_id == left]
    assert [(item.attempt, item.possible_duplicate) for item in again] == ([(2, True)] if policy == "resend" else [])
    assert world.refunds() == []


def test_a_dropped_link_leaves_messages_in_doubt(world: World, bench: Bench) -> None:
    message_id = world.message()
    carrier = Scripted(lambda item: InDoubt("link dropped") if item.attempt == 1 else Submitted("a"))

    async def run() -> None:
        async with bench.working(carrier):
            await until(lambda: world.state(message_id) is State.SENT)

    bounded(run())
    assert [item.possible_duplicate for item in carrier.got] == [False, True]


def test_who_lost_the_lease_records_nothing_and_sends_no_more(world: World, bench: Bench) -> None:
    message_id = world.message()
    carrier = Scripted(lambda item: None)

    async def run() -> None:
        async with bench.working(carrier):
            await until(lambda: carrier.open)
            world.change(update(carrier_lease).values(until=1))
            world.lease(owner="other")
            open_ = carrier.open
            later = world.message()
            carrier.answer([(item, Submitted("a")) for item in open_])
            with pytest.raises(Unavailable):
                await carrier.report("a")
            assert world.state(later) is State.QUEUED

    bounded(run())
    assert world.state(message_id) is State.SENDING
    assert len(carrier.got) == 1
    with world.database.read() as connection:
        assert connection.execute(carrier_lease.select()).one().owner == "other"


def test_nothing_leaves_when_half_of_the_lease_is_unrenewed(world: World, bench: Bench) -> None:
    first = world.message()
    carrier = Scripted()

    async def run() -> None:
        async with bench.working(carrier) as worker:
            await until(lambda: world.state(first) is State.SENT)
            bench.seconds += TTL / clock.SECOND / 2
            second = world.message()
            worker.nudge()
            await asyncio.sleep(0.2)
            assert world.state(second) is State.QUEUED
            # Receipts and answers are still recorded: the epoch tells whether that is right.
            await carrier.report(f"r{first}-1")
            await worker._holder.renew()
            worker.nudge()
            await until(lambda: world.state(second) is State.SENT)

    bounded(run())
    assert world.state(first) is State.DELIVERED


def test_a_lease_that_runs_out_during_the_commit_keeps_the_bytes_back(world: World) -> None:
    writer = Faulty(world.database)
    bench = Bench(world, writer)
    message_id = world.message()
    carrier = Scripted()

    def stall(connection: Connection) -> None:
        bench.seconds += TTL / clock.SECOND / 2

    async def run() -> None:
        async with bench.working(carrier) as worker:
            await until(lambda: worker.idle)
            writer.afterwards = stall
            later = world.message()
            worker.nudge()
            await until(lambda: bench.seconds)
            writer.afterwards = None
            await until(lambda: world.row(later)["attempt"] == 1 and world.state(later) is State.QUEUED)
            assert [item.message_id for item in carrier.got] == [message_id]
            assert not world.row(later)["possible_duplicate"]

    bounded(run())


class Faulty(Direct):
    """A writer whose database goes away: `before` or `after` it has committed."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.fail: str | None = None
        self.afterwards: Callable[[Connection], None] | None = None

    async def transact(self, change: Callable[[Connection], T]) -> T:
        if self.fail == "before":
            raise Unavailable("away")
        with self.database.transaction() as connection:
            result = change(connection)
            if self.afterwards is not None:
                self.afterwards(connection)
        if self.fail == "after":
            raise Unavailable("the answer to COMMIT was lost")
        return result


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_claim_of_unknown_outcome_is_neither_lost_nor_doubtful(
    world: World, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier_worker, "AWAY", 0.02)
    writer = Faulty(world.database)
    bench = Bench(world, writer)
    carrier = Scripted()

    async def run() -> int:
        async with bench.working(carrier) as worker:
            await until(lambda: worker.idle)
            writer.fail = moment
            message_id = world.message()
            worker.nudge()
            if moment == "after":
                await until(lambda: world.state(message_id) is State.SENDING)
            await until(lambda: worker._uncertain)
            writer.fail = None
            await until(lambda: world.state(message_id) is State.SENT)
            return message_id

    message_id = bounded(run())
    assert [item.message_id for item in carrier.got] == [message_id]
    assert not carrier.got[0].possible_duplicate


@pytest.mark.parametrize("moment", ["before", "after"])
def test_answers_survive_a_database_that_is_away(world: World, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier_worker, "AWAY", 0.02)
    writer = Faulty(world.database)
    bench = Bench(world, writer)
    refused, taken = world.messages(["34600000001", "34600000002"])
    carrier = Scripted(lambda item: None)

    async def run() -> None:
        async with bench.working(carrier) as worker:
            await until(lambda: len(carrier.open) == 2)
            writer.fail = moment
            first, second = carrier.open
            carrier.answer([(first, Final("no")), (second, Submitted("a"))])
            report = asyncio.create_task(carrier.report("a"))
            await until(lambda: worker._uncertain)
            writer.fail = None
            await report

    bounded(run())
    assert (world.state(refused), world.state(taken)) == (State.REJECTED, State.DELIVERED)
    assert (world.credits(), len(world.refunds())) == (PRICE, 1)
    assert len(carrier.got) == 2


@pytest.mark.parametrize("task", [Holder.keep, Failover.run], ids=["of the lease", "of the carrier's state"])
def test_a_fault_does_not_end_the_care(task: Any, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a database that was the first becomes a copy: its error is none of one that is away."""
    monkeypatch.setattr(failover, "LOOK", 0.02)
    bench = Bench(world)
    faults = 3
    renewed = 0

    async def run() -> None:
        holder = await acquire(bench.host, 1, "me", lambda owner: False, ttl=clock.SECOND // 10)
        assert holder is not None

        async def renew() -> None:
            nonlocal faults, renewed
            if faults:
                faults -= 1
                raise RuntimeError("cannot execute UPDATE in a read-only transaction")
            renewed += 1

        monkeypatch.setattr(holder, "renew", renew)
        carrier = Scripted()
        watch = Failover(Carrier(1, "carrier 1", "simulator", {}), carrier, holder, bench.host, 30)
        caring = asyncio.create_task(task(holder if task is Holder.keep else watch))

        def turned() -> bool:
            # It goes down and comes up, for longer than between two looks, so that there is something to say.
            carrier.ready = int(time.monotonic() * 10) % 2 == 0
            return renewed > 0

        await until(turned)
        assert not caring.done()
        caring.cancel()

    bounded(run())


def test_stopping_while_the_database_is_away_comes_to_an_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier_worker, "AWAY", 0.02)
    monkeypatch.setattr(carrier_worker, "PATIENCE", 0.2)
    writer = Faulty(world.database)
    bench = Bench(world, writer)
    message_id = world.message()
    carrier = Scripted(lambda item: None)

    async def run() -> None:
        async with bench.working(carrier):
            await until(lambda: carrier.open)
            writer.fail = "before"
            carrier.answer([(item, Submitted("a")) for item in carrier.open])

    bounded(run(), 10)
    assert world.state(message_id) is State.SENDING


def test_a_receipt_that_is_refused_while_the_database_goes_away_costs_nobody_the_lease(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier_worker, "AWAY", 0.02)
    writer = Faulty(world.database)
    bench = Bench(world, writer)
    message_id = world.message()
    carrier = Scripted(lambda item: None)
    real, outages = tick.run, ["before"]

    def run_tick(connection: Connection, lease: Lease, work: tick.Work, now: int) -> tick.Done:
        if len(work.receipts) > 1:
            writer.fail = outages.pop() if outages else None
            raise ZeroDivisionError
        return real(connection, lease, work, now)

    monkeypatch.setattr(tick, "run", run_tick)

    async def run() -> None:
        async with bench.working(carrier) as worker:
            await until(lambda: carrier.open)
            carrier.answer([(carrier.open[0], Submitted("a"))])
            await until(lambda: world.state(message_id) is State.SENT)
            assert carrier.owner is not None
            both = [Receipt(ref, State.DELIVERED, None, NOW) for ref in ("b", "a")]
            report = asyncio.ensure_future(carrier.owner.received(both))
            await until(lambda: writer.fail)
            await asyncio.sleep(0.1)
            writer.fail = None
            await until(report.done)
            assert not worker._holder.lost
            await report

    bounded(run())
    assert world.state(message_id) is State.DELIVERED


def test_a_receipt_that_the_database_refuses_keeps_no_other_from_it(world: World, bench: Bench) -> None:
    message_id = world.message()
    carrier = Scripted()

    async def run() -> None:
        async with bench.working(carrier):
            await until(lambda: world.state(message_id) is State.SENT)
            bad = asyncio.create_task(carrier.report("\ud800"))
            await carrier.report(f"r{message_id}-1")
            await bad

    bounded(run())
    assert world.state(message_id) is State.DELIVERED
    assert world.strays() == []
