"""What a carrier delivers, through the worker that owns it."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, select, update

from gateway.carriers.base import Inbound
from gateway.storage.errors import Unavailable
from gateway.storage.queries.dispatch import arrivals
from gateway.storage.schema import carrier_lease, inbound
from tests.integration.dispatch.test_carrier_worker import Bench, Faulty
from tests.support.arrivals import arrived, pieces
from tests.support.dispatch import Scripted, World, bounded, until

T = TypeVar("T")


@pytest.fixture
def bench(world: World) -> Bench:
    return Bench(world)


def texts(world: World) -> list[str]:
    return sorted(row["text"] for row in world.rows(select(inbound)))


class Counting:
    """Commits as the test's own writer does, and counts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.stored = 0

    async def transact(self, change: Callable[[Connection], T]) -> T:
        await asyncio.sleep(0)
        with self.world.database.transaction() as connection:
            found = change(connection)
        if getattr(change, "func", None) is arrivals.store:
            self.stored += 1
        return found


def test_inbound_returns_when_it_is_stored(world: World, bench: Bench) -> None:
    carrier = Scripted()

    async def run() -> None:
        async with bench.working(carrier):
            await until(lambda: carrier.owner)
            assert carrier.owner is not None
            await carrier.owner.inbound([arrived("a"), arrived("b")])
            assert texts(world) == ["a", "b"]
            await carrier.owner.inbound([])
            await carrier.owner.inbound(pieces(["long ", "one"]))

    bounded(run())
    assert texts(world) == ["a", "b", "long one"]


def test_what_comes_together_is_committed_together(world: World) -> None:
    writer = Counting(world)
    bench = Bench(world, writer)
    carrier = Scripted()

    async def run() -> None:
        async with bench.working(carrier):
            await until(lambda: carrier.owner)
            assert carrier.owner is not None
            await asyncio.gather(*(carrier.owner.inbound([arrived(str(n))]) for n in range(250)))

    bounded(run())
    assert texts(world) == sorted(map(str, range(250)))
    assert writer.stored == 3


def test_a_message_that_the_database_refuses_keeps_no_other_from_it(
    world: World, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = arrivals.store

    def refusing(connection: Connection, messages: list[Inbound], **rest: Any) -> int:
        stored = store(connection, messages=messages, **rest)
        if any(message.text == "bad" for message in messages):
            raise ValueError("refused")
        return stored

    monkeypatch.setattr(arrivals, "store", refusing)
    carrier = Scripted()

    async def run() -> None:
        async with bench.working(carrier):
            await until(lambda: carrier.owner)
            assert carrier.owner is not None
            await asyncio.gather(*(carrier.owner.inbound([arrived(text)]) for text in ("a", "bad", "c")))

    bounded(run())
    assert texts(world) == ["a", "c"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_what_could_not_be_stored_is_taken_once_when_it_comes_again(world: World, moment: str) -> None:
    writer = Faulty(world.database)
    bench = Bench(world, writer)
    carrier = Scripted()

    async def run() -> None:
        async with bench.working(carrier) as worker:
            await until(lambda: worker.idle)
            assert carrier.owner is not None
            writer.fail = moment
            with pytest.raises(Unavailable):
                await carrier.owner.inbound([arrived("a")])
            writer.fail = None
            await carrier.owner.inbound([arrived("a")])

    bounded(run())
    assert texts(world) == ["a"]


def test_who_lost_the_carrier_takes_nothing(world: World, bench: Bench) -> None:
    carrier = Scripted()

    async def run() -> None:
        async with bench.working(carrier):
            await until(lambda: carrier.owner)
            assert carrier.owner is not None
            world.change(update(carrier_lease).values(owner="other", epoch=99))
            for _ in range(2):
                with pytest.raises(Unavailable, match="The carrier has another owner now"):
                    await carrier.owner.inbound([arrived("a")])

    bounded(run())
    assert texts(world) == []
