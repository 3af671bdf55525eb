"""Whatever goes wrong at whatever moment, each receipt is acknowledged by its customer before it is forgotten."""

import asyncio
import random
from dataclasses import dataclass, field

import pytest

from gateway import clock
from gateway.frontends.smpp import deliveries, hand, outlets
from gateway.messaging.states import State
from gateway.smpp.constants import CommandStatus
from gateway.smpp.pdu import DeliverSm
from gateway.storage.database import Database
from gateway.storage.queries.dispatch import finals
from gateway.storage.queries.dispatch.talk import Talk
from tests.support.dispatch import World, bounded, until
from tests.support.receivers import Customer, Tower, delivering, receipted

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
        self.told += 1
        what = self.dice.random()
        if what < 0.1:
            return None
        if what < 0.2:
            return CommandStatus.ESME_RX_T_APPN
        return self.well(pdu)

    def well(self, pdu: DeliverSm) -> int:
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


def forgotten(world: World, made: list[int]) -> set[int]:
    return set(made) - {number for number, _ in world.notices()}


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_forgotten_that_was_not_acknowledged(database: Database, seed: int) -> None:
    world, story = World(database), Story(random.Random(seed))
    now = clock.now()
    made: list[int] = []
    for access_id in ACCESSES:
        mine = world.messages(
            ["34600111222"] * MESSAGES, access_id=access_id, protocol="smpp", state=int(State.DELIVERED), made_at=now
        )
        rows = [finals.notice(world.account, access_id, number, State.DELIVERED, now) for number in mine]
        world.run(lambda connection, rows=rows: finals.write_notices(Talk(connection), rows))  # type: ignore[misc]
        made += mine

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
