"""What a customer acknowledges after its time has been told all the same."""

import pytest

from gateway import clock
from gateway.frontends.smpp import deliveries
from gateway.messaging.states import State
from gateway.smpp.constants import CommandStatus as Status
from gateway.storage.database import Database
from gateway.storage.queries.dispatch import finals
from gateway.storage.queries.dispatch.talk import Talk
from tests.support.dispatch import World, bounded, until
from tests.support.receivers import Customer, Tower, delivering

ACCESS = 7


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def wait(world: World) -> None:
    """A receipt that waits for the access."""
    now = clock.now()
    [number] = world.messages(
        ["34600111222"],
        account_id=world.account,
        access_id=ACCESS,
        protocol="smpp",
        state=int(State.DELIVERED),
        made_at=now,
        accepted_at=now,
    )
    notices = [finals.notice(world.account, ACCESS, number, State.DELIVERED, now)]
    world.run(lambda connection: finals.write_notices(Talk(connection), notices))


async def too_late(tower: Tower, world: World) -> Customer:
    """A customer who has not answered in time what he was told."""
    customer = await Customer.bind(tower, world.account, ACCESS, answer=lambda pdu: None)
    await until(lambda: len(customer.got) == 1, what="the receipt")
    await until(lambda: tower.links[0].session.unanswered == 0, what="the end of its time")
    return customer


def test_a_late_answer_ends_a_delivery_that_was_put_off(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "FIRST_PAUSE", clock.HOUR)
    monkeypatch.setattr(deliveries, "LONGEST_PAUSE", clock.HOUR)
    wait(world)

    async def test() -> None:
        async with delivering(database, response=0.2) as (tower, _):
            customer = await too_late(tower, world)
            customer.respond_all()
            await until(lambda: not world.notices(), what="an empty outbox")
        assert len(customer.got) == 1

    bounded(test())


def test_a_late_answer_ends_the_delivery_that_came_after_it_too(world: World, database: Database) -> None:
    wait(world)

    async def test() -> None:
        async with delivering(database, response=1) as (tower, _):
            customer = await too_late(tower, world)
            await until(lambda: len(customer.got) == 2, what="the second time")
            customer.respond(customer.kept[0])
            await until(lambda: not world.notices(), what="an empty outbox")
        assert len(customer.got) == 2

    bounded(test())


def test_a_late_refusal_is_of_no_interest(world: World, database: Database) -> None:
    wait(world)

    async def test() -> None:
        async with delivering(database, response=0.2) as (tower, _):
            customer = await too_late(tower, world)
            customer.respond_all(Status.ESME_RX_T_APPN)
            await until(lambda: len(customer.got) == 2, what="the second time")
        assert len(world.notices()) == 1

    bounded(test())
