"""What came in for an account reaches any session of any of its accesses, long texts whole and in order."""

from typing import Any

import pytest
from sqlalchemy import insert

from gateway import clock
from gateway.frontends.smpp import deliveries, outlets
from gateway.frontends.smpp.bound import Mode
from gateway.messaging.text import decode_gsm
from gateway.smpp import udh
from gateway.smpp.constants import CommandStatus
from gateway.smpp.pdu import DeliverSm
from gateway.storage.database import Database
from gateway.storage.queries.dispatch import finals
from gateway.storage.schema import inbound, outbox
from tests.support.dispatch import World, bounded, until
from tests.support.receivers import Customer, delivering

LONG = "A long text of many words. " * 30  # six parts


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that a test can wait for."""
    monkeypatch.setattr(deliveries, "FIRST_PAUSE", clock.SECOND // 10)
    monkeypatch.setattr(outlets, "FIRST_REST", 0.1)
    monkeypatch.setattr(deliveries, "LOOK_AGAIN", 0.1)


def arrived(world: World, number: int, text: str, **values: Any) -> None:
    """A message for the account, with its row in the outbox."""
    now = clock.now()
    account_id = values.pop("account_id", world.account)
    row = {"carrier_id": 1, "source": "34600111222", "destination": "7373", "received_at": now, **values}
    world.change(insert(inbound).values(id=number, account_id=account_id, text=text, **row))
    world.change(
        insert(outbox).values(
            kind="inbound",
            account_id=account_id,
            access_id=0,
            message_id=number,
            at=now,
            due_at=now,
            expires_at=now + finals.RECEIPT_LIFE,
        )
    )


async def nothing_left(world: World) -> None:
    await until(lambda: not world.rows(outbox.select()), what="the end of the outbox")


def joined(parts: list[DeliverSm]) -> str:
    """The text of parts, in the order in which they came, which must be theirs."""
    found = [udh.split_udh(pdu.short_message) for pdu in parts]
    marks = [udh.concatenation(header) for header, _ in found]
    assert [(mark.part, mark.total) for mark in marks if mark] == [(n, len(parts)) for n in range(1, len(parts) + 1)]
    assert len({mark.reference for mark in marks if mark}) == 1
    assert {(pdu.esm_class, pdu.data_coding) for pdu in parts} == {(0x40, 0)}
    return "".join(decode_gsm(octets) for _, octets in found)


@pytest.mark.parametrize("access_id", [3, 4])
def test_any_access_of_the_account_may_take_it(world: World, database: Database, access_id: int) -> None:
    arrived(world, 5, "Hi [there]")

    async def test() -> None:
        async with delivering(database) as (tower, _):
            stranger = await Customer.bind(tower, world.new_account(), 9)
            transmitter = await Customer.bind(tower, world.account, access_id, Mode.TRANSMITTER)
            customer = await Customer.bind(tower, world.account, access_id)
            await nothing_left(world)
        assert (stranger.got, transmitter.got) == ([], [])
        [pdu] = customer.got
        assert (pdu.source_addr, pdu.source_addr_ton, pdu.source_addr_npi) == ("34600111222", 1, 1)
        assert (pdu.destination_addr, pdu.dest_addr_ton, pdu.dest_addr_npi) == ("7373", 0, 1)
        assert (pdu.esm_class, pdu.data_coding, pdu.tlvs) == (0, 0, {})
        assert decode_gsm(pdu.short_message) == "Hi [there]"

    bounded(test())


def test_it_is_kept_until_somebody_binds_and_given_to_one(world: World, database: Database) -> None:
    arrived(world, 5, "Καλημέρα")

    async def test() -> None:
        async with delivering(database) as (tower, _):
            customers = [await Customer.bind(tower, world.account, access_id) for access_id in (3, 3, 4)]
            await nothing_left(world)
            arrived(world, 6, "again")
            await nothing_left(world)
        got = [pdu for customer in customers for pdu in customer.got]
        assert [pdu.short_message.decode("utf-16-be") for pdu in got if pdu.data_coding == 8] == ["Καλημέρα"]
        assert len(got) == 2

    bounded(test())


@pytest.mark.parametrize("window", [1, 4, 10])
def test_a_long_text_comes_in_order_over_one_session(world: World, database: Database, window: int) -> None:
    arrived(world, 5, LONG)

    async def test() -> None:
        async with delivering(database, window=window) as (tower, _):
            customers = [await Customer.bind(tower, world.account, 3) for _ in range(3)]
            await nothing_left(world)
        [taker] = [customer for customer in customers if customer.got]
        assert joined(taker.got) == LONG
        assert taker.most <= window

    bounded(test())


def test_a_long_text_is_removed_when_its_last_part_is_acknowledged(world: World, database: Database) -> None:
    arrived(world, 5, LONG)

    async def test() -> None:
        async with delivering(database) as (tower, _):
            customer = await Customer.bind(tower, world.account, 3, answer=lambda pdu: None)
            await until(lambda: len(customer.kept) == 6, what="all parts")
            last = customer.kept.pop(2)
            customer.respond_all()
            arrived(world, 6, "another")
            await until(lambda: len(customer.kept) == 1, what="another")
            customer.respond_all()
            await until(lambda: len(world.rows(outbox.select())) == 1, what="the other's end")
            customer.respond(last)
            await nothing_left(world)
        assert len(customer.got) == 7

    bounded(test())


@pytest.mark.parametrize("part", [0, 3, 5])
def test_a_long_text_of_which_a_part_is_refused_comes_again_whole(
    world: World, database: Database, part: int
) -> None:
    arrived(world, 5, LONG)

    async def test() -> None:
        async with delivering(database, window=2) as (tower, _):
            answers = iter([0] * part + [int(CommandStatus.ESME_RX_T_APPN)])
            customer = await Customer.bind(tower, world.account, 3, answer=lambda pdu: next(answers, 0))
            await nothing_left(world)
        assert joined(customer.got[-6:]) == LONG
        # Never more than a window beyond the answers that were read together.
        assert part < len(customer.got) - 6 <= min(part + 3, 6)

    bounded(test())


def test_a_long_text_whose_session_is_lost_comes_again_whole(world: World, database: Database) -> None:
    arrived(world, 5, LONG)

    async def test() -> None:
        async with delivering(database, window=2) as (tower, _):
            lost = await Customer.bind(tower, world.account, 3, answer=lambda pdu: None)
            await until(lambda: len(lost.got) == 2, what="two parts")
            await lost.cut()
            customer = await Customer.bind(tower, world.account, 4)
            await nothing_left(world)
        assert joined(customer.got) == LONG

    bounded(test())


def test_data_comes_as_it_is(world: World, database: Database) -> None:
    arrived(world, 5, "00ff", payload=b"\x00\xff", data_coding=4)

    async def test() -> None:
        async with delivering(database) as (tower, _):
            customer = await Customer.bind(tower, world.account, 3)
            await nothing_left(world)
        [pdu] = customer.got
        assert (pdu.esm_class, pdu.data_coding, pdu.short_message) == (0, 4, b"\x00\xff")

    bounded(test())
