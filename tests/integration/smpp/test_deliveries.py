"""Receipts reach their customers: any session of the access, within windows, again until they are acknowledged."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway import clock
from gateway.frontends.smpp import deliveries, hand, outlets
from gateway.frontends.smpp.bound import Mode
from gateway.messaging.states import State
from gateway.smpp import receipts
from gateway.smpp.constants import CommandStatus, MessageState, Tag
from gateway.storage.database import Database
from gateway.storage.queries.dispatch import finals
from gateway.storage.queries.dispatch.talk import Talk
from gateway.storage.schema import outbox
from tests.support.dispatch import World, bounded, until
from tests.support.receivers import Customer, delivering, second

ACCESS = 7


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that a test can wait for; how long they are is tested apart."""
    monkeypatch.setattr(deliveries, "FIRST_PAUSE", clock.SECOND // 10)
    monkeypatch.setattr(outlets, "FIRST_REST", 0.1)
    monkeypatch.setattr(deliveries, "LOOK_AGAIN", 0.1)


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def told(
    world: World, count: int = 1, access_id: int = ACCESS, state: State = State.DELIVERED, **values: Any
) -> list[int]:
    """Messages that came to their end, each with its row in the outbox; their ids."""
    now = clock.now()
    account_id = values.pop("account_id", world.account)
    made = world.messages(
        ["34600111222"] * count,
        account_id=account_id,
        access_id=access_id,
        protocol="smpp",
        state=int(state),
        made_at=now,
        accepted_at=now,
        **values,
    )
    notices = [finals.notice(account_id, access_id, number, state, now) for number in made]
    world.run(lambda connection: finals.write_notices(Talk(connection), notices))
    return made


def left(world: World) -> list[int]:
    """The messages that rows still wait for."""
    return [number for number, _ in world.notices()]


async def nothing_left(world: World) -> None:
    await until(lambda: not left(world), what="the end of the outbox")


def test_a_receipt_says_what_became_of_the_message(world: World, database: Database) -> None:
    [number] = told(
        world, state=State.UNDELIVERED, source="12345", source_ton=3, source_npi=0, reference="513", error="11"
    )

    async def test() -> None:
        async with delivering(database) as (tower, _):
            customer = await Customer.bind(tower, world.account, ACCESS)
            await nothing_left(world)
        [pdu] = customer.got
        assert (pdu.source_addr, pdu.source_addr_ton, pdu.source_addr_npi) == ("34600111222", 1, 1)
        assert (pdu.destination_addr, pdu.dest_addr_ton, pdu.dest_addr_npi) == ("12345", 3, 0)
        assert (pdu.esm_class, pdu.data_coding, pdu.registered_delivery) == (0x04, 0, 0)
        assert pdu.tlvs == {
            Tag.RECEIPTED_MESSAGE_ID: str(number).encode() + b"\0",
            Tag.MESSAGE_STATE: b"\x05",
            Tag.USER_MESSAGE_REFERENCE: b"\x02\x01",
        }
        told_ = receipts.parse(pdu.short_message, {})
        assert told_ is not None
        assert (told_.id, told_.state, told_.err) == (str(number), MessageState.UNDELIVERABLE, "011")
        assert told_.text == "Hello"

    bounded(test())


def test_receipts_wait_until_somebody_binds_who_may_take_them(world: World, database: Database) -> None:
    made = told(world, 3)
    told(world, 1, access_id=8)

    async def test() -> None:
        async with delivering(database) as (tower, _):
            transmitter = await Customer.bind(tower, world.account, ACCESS, Mode.TRANSMITTER)
            other = await Customer.bind(tower, world.account, 8)
            stranger = await Customer.bind(tower, world.new_account(), 9)
            await until(lambda: left(world) == made, what="the other's receipt")
            customer = await Customer.bind(tower, world.account, ACCESS, Mode.TRANSCEIVER)
            await nothing_left(world)
        assert sorted(customer.ids) == made
        assert (len(other.got), transmitter.got, stranger.got) == (1, [], [])

    bounded(test())


def test_what_comes_to_its_end_while_a_customer_is_bound_is_told_at_once(world: World, database: Database) -> None:
    async def test() -> None:
        async with delivering(database) as (tower, _):
            customer = await Customer.bind(tower, world.account, ACCESS)
            made = []
            for _ in range(3):
                made += told(world)
                await nothing_left(world)
                assert customer.ids == made

    bounded(test())


def test_receipts_are_spread_over_an_accesss_sessions(world: World, database: Database) -> None:
    made = told(world, 90)

    async def test() -> None:
        async with delivering(database) as (tower, _):
            customers = [
                await Customer.bind(tower, world.account, ACCESS, mode, answer=lambda pdu: None)
                for mode in (Mode.RECEIVER, Mode.TRANSCEIVER, Mode.RECEIVER)
            ]
            await until(lambda: all(len(customer.got) == 10 for customer in customers), what="three full windows")
            for customer in customers:
                customer.answer = lambda pdu: 0
                customer.respond_all()
            await nothing_left(world)
        assert sorted(number for customer in customers for number in customer.ids) == made
        assert all(len(customer.got) >= 11 for customer in customers)

    bounded(test())


@pytest.mark.parametrize("window", [1, 5])
def test_no_more_than_a_window_is_unanswered(world: World, database: Database, window: int) -> None:
    made = told(world, 40)

    async def test() -> None:
        async with delivering(database, window=window) as (tower, _):
            customer = await Customer.bind(tower, world.account, ACCESS, answer=lambda pdu: None)
            while len(customer.got) < len(made):
                await until(
                    lambda: len(customer.kept) == min(window, len(made) - len(customer.got) + len(customer.kept))
                )
                assert len(customer.kept) <= window
                customer.respond_all()
            await nothing_left(world)
        assert customer.most == window
        assert sorted(customer.ids) == made

    bounded(test())


def test_a_backlog_goes_out_whole_and_once(world: World, database: Database) -> None:
    made = told(world, 2_000)

    async def test() -> None:
        async with delivering(database, window=10) as (tower, _):
            customer = await Customer.bind(tower, world.account, ACCESS)
            await nothing_left(world)
        assert sorted(customer.ids) == made

    bounded(test())


@pytest.mark.parametrize(
    "status",
    [
        CommandStatus.ESME_RX_T_APPN,
        CommandStatus.ESME_RTHROTTLED,
        CommandStatus.ESME_RMSGQFUL,
        CommandStatus.ESME_RSYSERR,
        0x400,
    ],
    ids=lambda status: f"0x{status:X}",
)
def test_what_is_refused_is_sent_again(world: World, database: Database, status: int) -> None:
    [number] = told(world)

    async def test() -> None:
        async with delivering(database) as (tower, _):
            answers = iter([status])
            customer = await Customer.bind(tower, world.account, ACCESS, answer=lambda pdu: next(answers, 0))
            await nothing_left(world)
        assert customer.ids == [number, number]

    bounded(test())


@pytest.mark.parametrize("status", [CommandStatus.ESME_RX_P_APPN, CommandStatus.ESME_RX_R_APPN])
def test_what_is_refused_for_good_is_not_sent_again(world: World, database: Database, status: int) -> None:
    made = told(world, 2)

    async def test() -> None:
        async with delivering(database) as (tower, _):
            customer = await Customer.bind(tower, world.account, ACCESS, answer=lambda pdu: status)
            await nothing_left(world)
        assert sorted(customer.ids) == made

    bounded(test())


def test_a_session_that_refuses_rests_while_another_takes_what_it_refused(world: World, database: Database) -> None:
    made = told(world, 50)

    async def test() -> None:
        async with delivering(database) as (tower, _):
            full = await Customer.bind(tower, world.account, ACCESS, answer=lambda pdu: CommandStatus.ESME_RMSGQFUL)
            await until(lambda: len(full.got) == 10, what="a window of refusals")
            taker = await Customer.bind(tower, world.account, ACCESS)
            await nothing_left(world)
        assert sorted(taker.ids) == made
        assert len(full.got) < 50

    bounded(test())


def test_what_is_not_answered_in_time_is_sent_again(world: World, database: Database) -> None:
    [number] = told(world)

    async def test() -> None:
        async with delivering(database, response=0.2) as (tower, _):
            answers = iter([None])
            customer = await Customer.bind(tower, world.account, ACCESS, answer=lambda pdu: next(answers, 0))
            await until(lambda: len(customer.got) == 2, what="the second time")
            await nothing_left(world)
        assert customer.ids[:2] == [number, number]

    bounded(test())


@pytest.mark.parametrize("ending", ["cut", "unbind"])
def test_what_was_on_its_way_goes_to_the_next_session(world: World, database: Database, ending: str) -> None:
    made = told(world, 30)

    async def test() -> None:
        async with delivering(database) as (tower, _):
            lost = await Customer.bind(tower, world.account, ACCESS, answer=lambda pdu: None)
            await until(lambda: len(lost.got) == 10, what="a full window")
            for pdu in lost.kept[:4]:
                lost.respond(pdu)
            taken = set(lost.ids[:4])
            await until(lambda: not taken & set(left(world)), what="the four that were acknowledged")
            await getattr(lost, ending)()
            customer = await Customer.bind(tower, world.account, ACCESS)
            await nothing_left(world)
        assert sorted({*customer.ids, *taken}) == made
        assert not taken & set(customer.ids)
        assert len(customer.ids) == len(set(customer.ids))

    bounded(test())


def test_nothing_is_told_before_the_submit_was_answered(world: World, database: Database) -> None:
    made = told(world, 3)
    unanswered = {made[1]}

    async def test() -> None:
        async with delivering(database, unanswered) as (tower, _):
            customer = await Customer.bind(tower, world.account, ACCESS)
            await until(lambda: left(world) == [made[1]], what="the others")
            assert sorted(customer.ids) == [made[0], made[2]]
            unanswered.clear()
            await nothing_left(world)
        assert customer.ids[-1] == made[1]

    bounded(test())


def test_what_is_over_seven_days_old_is_told_to_nobody(world: World, database: Database) -> None:
    old, new = told(world), told(world)
    world.change(update(outbox).where(outbox.c.message_id == old[0]).values(expires_at=clock.now() - clock.SECOND))
    [row] = world.rows(select(outbox).where(outbox.c.message_id == new[0]))
    assert row["expires_at"] - row["at"] == 7 * clock.DAY

    async def test() -> None:
        async with delivering(database) as (tower, _):
            customer = await Customer.bind(tower, world.account, ACCESS)
            await until(lambda: left(world) == old, what="the new one")
        assert customer.ids == new

    bounded(test())


def test_a_row_whose_message_is_gone_is_dropped(world: World, database: Database) -> None:
    first, second_ = told(world, 2)
    world.set(first, account_id=world.new_account())

    async def test() -> None:
        async with delivering(database) as (tower, _):
            customer = await Customer.bind(tower, world.account, ACCESS)
            await nothing_left(world)
        assert customer.ids == [second_]

    bounded(test())


def test_a_peer_of_an_older_version_gets_no_tlvs(world: World, database: Database) -> None:
    [number] = told(world, reference="5")

    async def test() -> None:
        async with delivering(database) as (tower, _):
            customer = await Customer.bind(tower, world.account, ACCESS, interface_version=0x33)
            await nothing_left(world)
        assert customer.ids == [number]
        assert customer.got[0].tlvs == {}

    bounded(test())


def test_a_row_in_hand_stays_ours_however_long_the_answer_takes(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand, "LEASE", clock.SECOND)
    [number] = told(world)

    async def test() -> None:
        async with delivering(database) as (tower, _):
            customer = await Customer.bind(tower, world.account, ACCESS, answer=lambda pdu: None)
            await until(lambda: customer.got, what="the receipt")
            [before] = world.rows(select(outbox.c.due_at))
            await until(
                lambda: world.rows(select(outbox.c.due_at))[0]["due_at"] > before["due_at"] + clock.SECOND,
                what="the renewal",
            )
            customer.respond_all()
            await nothing_left(world)
        assert customer.ids == [number]

    bounded(test())


def test_two_servers_share_a_backlog(world: World, database: Database, database_url: str) -> None:
    made = told(world, 300)

    async def test() -> None:
        with second(database_url) as other:
            async with delivering(database) as (here, _), delivering(other) as (there, _):
                customers = [
                    await Customer.bind(tower, world.account, ACCESS, answer=lambda pdu: None)
                    for tower in (here, there)
                ]
                await until(lambda: all(len(customer.got) == 10 for customer in customers), what="both windows")
                for customer in customers:
                    customer.answer = lambda pdu: 0
                    customer.respond_all()
                await nothing_left(world)
        numbers = customers[0].ids + customers[1].ids
        assert sorted(numbers) == made

    bounded(test())


def test_what_one_server_leaves_at_its_end_another_delivers_at_once(
    world: World, database: Database, database_url: str
) -> None:
    made = told(world, 40)

    async def test() -> None:
        with second(database_url) as other:
            async with delivering(other) as (there, _):
                async with delivering(database) as (here, _):
                    first = await Customer.bind(here, world.account, ACCESS, answer=lambda pdu: None)
                    await until(lambda: len(first.got) == 10, what="a full window")
                [row] = world.rows(select(outbox.c.due_at).order_by(outbox.c.due_at.desc()).limit(1))
                assert row["due_at"] < clock.now() + hand.LEASE // 2, "given back, not left to its lease"
                customer = await Customer.bind(there, world.account, ACCESS)
                await nothing_left(world)
        assert sorted(customer.ids) == made

    bounded(test())


def test_the_log_and_the_numbers_say_what_was_not_acknowledged(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway import logs, metrics  # noqa: PLC0415

    told(world, 5)
    lines: list[tuple[str, dict[str, Any]]] = []
    numbers: dict[str, int] = {}
    monkeypatch.setattr(logs, "warning", lambda event, **fields: lines.append((event, fields)))
    monkeypatch.setattr(
        metrics, "deliveries", lambda outcome, n: numbers.update({outcome: numbers.get(outcome, 0) + n})
    )

    async def test() -> None:
        async with delivering(database) as (tower, _):
            answers = iter([int(CommandStatus.ESME_RX_P_APPN)] * 5)
            await Customer.bind(tower, world.account, ACCESS, answer=lambda pdu: next(answers))
            await nothing_left(world)
            told(world)
            answers = iter([0])
            await nothing_left(world)
            await asyncio.sleep(0)

    bounded(test())
    assert lines == [
        (
            "deliveries not acknowledged",
            {"access": ACCESS, "outcome": "dropped", "why": "status 0x65", "deliveries": 5},
        )
    ]
    assert numbers == {"dropped": 5, "acknowledged": 1}
