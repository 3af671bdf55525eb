"""What was on its way over a link that is lost waits for nothing but the customer's next session."""

import pytest
from sqlalchemy import insert

from gateway import clock
from gateway.frontends.smpp import deliveries
from gateway.storage.database import Database
from gateway.storage.queries.dispatch import finals
from gateway.storage.schema import inbound, outbox
from tests.support.dispatch import World, bounded, until
from tests.support.receivers import Customer, delivering

ACCESS = 7
WINDOW = 2
LONG = "A long text of many words. " * 30  # six parts


@pytest.fixture(autouse=True)
def put_off_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is put off as if it had been refused does not come within any test."""
    monkeypatch.setattr(deliveries, "FIRST_PAUSE", clock.HOUR)
    monkeypatch.setattr(deliveries, "LONGEST_PAUSE", clock.HOUR)


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def wait(world: World, kind: str, numbers: list[int]) -> None:
    """Rows of the outbox for these messages."""
    now = clock.now()
    common = {"account_id": world.account, "access_id": ACCESS if kind == "receipt" else 0, "at": now, "due_at": now}
    rows = [
        common | {"kind": kind, "message_id": number, "state": 20, "expires_at": now + finals.RECEIPT_LIFE}
        for number in numbers
    ]
    world.change(insert(outbox).values(rows))


@pytest.mark.parametrize("kind", ["receipts", "a long text"])
@pytest.mark.parametrize("ending", ["cut", "unbind"])
def test_the_next_session_gets_it_at_once(world: World, database: Database, kind: str, ending: str) -> None:
    if kind == "receipts":
        numbers = world.messages(["34600111222"] * 5, access_id=ACCESS, protocol="smpp", state=20)
        wait(world, "receipt", numbers)
    else:
        row = {"carrier_id": 1, "source": "34600111222", "destination": "7373", "received_at": clock.now()}
        world.change(insert(inbound).values(id=5, account_id=world.account, text=LONG, **row))
        wait(world, "inbound", [5])

    async def test() -> None:
        async with delivering(database, window=WINDOW) as (tower, _):
            # Again and again: it is not put off however often that happens.
            for _ in range(3):
                lost = await Customer.bind(tower, world.account, ACCESS, answer=lambda pdu: None)
                await until(lambda lost=lost: len(lost.got) == WINDOW, what="a full window")
                await getattr(lost, ending)()
            await Customer.bind(tower, world.account, ACCESS)
            await until(lambda: not world.rows(outbox.select()), what="the end of the outbox")

    bounded(test())


def test_another_session_gets_it_at_once(world: World, database: Database) -> None:
    numbers = world.messages(["34600111222"] * 4, access_id=ACCESS, protocol="smpp", state=20)

    async def test() -> None:
        async with delivering(database, window=WINDOW) as (tower, _):
            lost = await Customer.bind(tower, world.account, ACCESS, answer=lambda pdu: None)
            stays = await Customer.bind(tower, world.account, ACCESS)
            wait(world, "receipt", numbers)
            await until(lambda: len(lost.got) == WINDOW, what="a full window")
            await lost.cut()
            await until(lambda: not world.rows(outbox.select()), what="the end of the outbox")
        assert sorted(stays.ids) == numbers

    bounded(test())
