"""Whatever goes wrong at whatever moment, each receipt is acknowledged by its customer before it is forgotten."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import pytest
from sqlalchemy import Connection, select, update

from gateway import clock
from gateway.frontends.smpp import deliveries, hand, outlets
from gateway.messaging.states import State
from gateway.smpp.constants import CommandStatus
from gateway.smpp.pdu import DeliverSm
from gateway.storage.database import Database
from gateway.storage.errors import Unavailable
from gateway.storage.hosts import AsyncHost
from gateway.storage.queries.dispatch import finals
from gateway.storage.queries.dispatch.talk import Talk
from gateway.storage.schema import outbox
from tests.support.dispatch import World, bounded, until
from tests.support.receivers import Customer, Tower, delivering, receipted, second

T = TypeVar("T")

ACCESSES = (7, 8)
MESSAGES = 120
FAULTS = 5


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses and leases that a test can wait for."""
    monkeypatch.setattr(deliveries, "FIRST_PAUSE", clock.SECOND // 20)
    monkeypatch.setattr(deliveries, "LONGEST_PAUSE", clock.SECOND // 2)
    monkeypatch.setattr(deliveries, "LOOK_AGAIN", 0.1)
    monkeypatch.setattr(outlets, "FIRST_REST", 0.05)
    monkeypatch.setattr(outlets, "LONGEST_REST", 0.2)
    monkeypatch.setattr(hand, "LEASE", clock.SECOND)


@dataclass
class Story:
    """What customers were told, and what they acknowledged."""

    dice: random.Random
    acknowledged: set[int] = field(default_factory=set)
    told: int = 0

    def answer(self, pdu: DeliverSm) -> int | None:
        """Mostly well, now and then not, or not at all."""
        what = self.dice.random()
        if what > 0.2:
            return self.well(pdu)
        self.told += 1
        return None if what < 0.1 else CommandStatus.ESME_RX_T_APPN

    def well(self, pdu: DeliverSm) -> int:
        self.told += 1
        self.acknowledged.add(receipted(pdu))
        return CommandStatus.ESME_ROK


async def misfortune(story: Story, tower: Tower, world: World) -> None:
    """Customers come, and are cut off, at any moment."""
    customers = [
        await Customer.bind(tower, world.account, story.dice.choice(ACCESSES), answer=story.answer)
        for _ in range(story.dice.randint(1, 3))
    ]
    for customer in customers:
        await asyncio.sleep(story.dice.random() / 5)
        if story.dice.random() < 0.5:
            await customer.cut()


AWAY = Unavailable("The database does not answer; try again in a moment.")


@dataclass
class Unsure:
    """A writer of whose answers every other is lost: in turn before its transaction, and after it was committed."""

    host: AsyncHost
    asked: int = 0

    async def transact(self, change: Callable[[Connection], T]) -> T:
        self.asked += 1
        if self.asked % 4 == 1:
            raise AWAY
        found = await self.host.transact(change)
        if self.asked % 4 == 3:
            raise AWAY
        return found


@dataclass
class Switched:
    """A writer that does nothing while it is `off`."""

    host: AsyncHost
    off: bool = False

    async def transact(self, change: Callable[[Connection], T]) -> T:
        if self.off:
            raise AWAY
        return await self.host.transact(change)


def forgotten(world: World, made: list[int]) -> set[int]:
    return set(made) - {number for number, _ in world.notices()}


def due(world: World) -> list[int]:
    """The messages of rows that nobody has claimed."""
    return [row["message_id"] for row in world.rows(select(outbox)) if row["attempts"] == 0]


def told(world: World, access_id: int, count: int = MESSAGES) -> list[int]:
    """Messages of the access that came to their end; their ids."""
    now = clock.now()
    made = world.messages(
        ["34600111222"] * count, access_id=access_id, protocol="smpp", state=int(State.DELIVERED), made_at=now
    )
    rows = [finals.notice(world.account, access_id, number, State.DELIVERED, now) for number in made]
    world.run(lambda connection: finals.write_notices(Talk(connection), rows))
    return made


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_forgotten_that_was_not_acknowledged(database: Database, seed: int) -> None:
    world, story = World(database), Story(random.Random(seed))
    made = [number for access_id in ACCESSES for number in told(world, access_id)]

    async def test() -> None:
        for _ in range(FAULTS):
            killed = story.dice.random() < 0.7
            async with delivering(database, killed=killed, window=4, response=0.3) as (tower, _):
                await misfortune(story, tower, world)
            assert forgotten(world, made) <= story.acknowledged
        async with delivering(database) as (tower, _):
            for access_id in ACCESSES:
                await Customer.bind(tower, world.account, access_id, answer=story.well)
            await until(lambda: not world.notices(), what="the end of the outbox")

    bounded(test())
    assert story.acknowledged == set(made)
    assert story.told > FAULTS


def test_a_database_whose_answers_are_lost_makes_nobody_hear_twice(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "_TROUBLE", 0.01)
    monkeypatch.setattr(hand, "LEASE", 3 * clock.SECOND)
    monkeypatch.setattr(hand, "ROUND", 10)
    monkeypatch.setattr(deliveries, "ROUND", 10)
    world, story = World(database), Story(random.Random(1))
    made = told(world, ACCESSES[0])

    async def test() -> None:
        async with delivering(database, killed=True, between=Unsure) as (tower, _):
            await Customer.bind(tower, world.account, ACCESSES[0], answer=story.well)
            await until(lambda: not world.notices(), what="the end of the outbox")

    bounded(test())
    assert story.acknowledged == set(made)
    assert story.told == len(made)


def test_what_others_may_have_by_now_is_not_sent(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "_TROUBLE", 0.01)
    world = World(database)
    first, second_ = told(world, ACCESSES[0], 2)
    # What came in shares the window of one, so that it waits, claimed, for the receipts before it.
    world.change(update(outbox).where(outbox.c.message_id == second_).values(access_id=0))
    writers: list[Switched] = []

    def between(host: AsyncHost) -> Switched:
        writers.append(Switched(host))
        return writers[-1]

    async def test() -> None:
        with second(database_url) as other:
            async with delivering(database, between=between, window=1) as (here, _), delivering(other) as (there, _):
                held = await Customer.bind(here, world.account, ACCESSES[0], answer=lambda pdu: None)
                await until(lambda: len(held.got) == 1 and not due(world), what="both in hand, one of them sent")
                writers[0].off = True
                taker = await Customer.bind(there, world.account, ACCESSES[0])
                await until(lambda: not world.notices(), what="the end of the outbox")
                held.answer = lambda pdu: 0
                held.respond_all()
                writers[0].off = False
                last = told(world, ACCESSES[0], 1)
                await until(lambda: not world.notices(), what="the end of what was told last")
        assert len(held.got) + len(taker.got) == 1 + 2 + len(last)
        assert sorted({*taker.ids, *held.ids}) == sorted([first, second_, *last])

    bounded(test())
