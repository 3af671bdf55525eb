"""The whole of dispatch with the simulated carrier, in this process and in processes that are killed."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from gateway import clock
from gateway.dispatch import dispatcher
from gateway.dispatch.host import Host
from gateway.messaging.states import FINAL, State
from gateway.settings import Settings
from gateway.storage import versions
from gateway.storage.database import Database
from gateway.storage.directory import Directory
from gateway.storage.hosts import AsyncHost
from gateway.storage.queries import nodes
from gateway.storage.schema import carrier, carrier_lease, message, node, segment
from gateway.storage.writer import Writer
from tests.support.dispatch import PRICE, World, bounded, until
from tests.support.processes import scripts
from tests.support.wait import until as wait_until

LONG = "x" * 400  # three segments


@asynccontextmanager
async def dispatching(database: Database, folder: Path) -> AsyncIterator[Host]:
    writer = AsyncHost(Writer(database), database.dialect)
    host = Host(database, writer, Directory(database))
    stop = asyncio.Event()
    task = asyncio.create_task(dispatcher.run(host, Settings(data=folder), stop))
    try:
        yield host
    finally:
        stop.set()
        await task
        await writer.close()


def send(world: World, *destinations: str, **values: object) -> list[int]:
    now = clock.now()
    times = {"accepted_at": now, "due_at": now, "expires_at": now + 2 * clock.DAY, "made_at": now}
    return world.messages(destinations, **{**times, **values})


def configure(world: World, carrier_id: int = 1, **options: object) -> None:
    with world.database.transaction() as connection:
        connection.execute(update(carrier).where(carrier.c.id == carrier_id).values(options=json.dumps(options)))
        versions.bump(connection)


def another_carrier(world: World) -> int:
    """Add a second simulated carrier to what runs; its id."""
    with world.database.transaction() as connection:
        values = {"name": "second", "kind": "simulator", "options": "{}", "created_at": 1}
        added: int = connection.execute(insert(carrier).values(values).returning(carrier.c.id)).scalar_one()
        versions.bump(connection)
    return added


def journal(folder: Path, name: str = "simulator") -> list[list[str]]:
    path = folder / f"simulator-{name}.journal"
    return [line.split() for line in path.read_text("ascii").splitlines()] if path.exists() else []


def taken(folder: Path) -> list[int]:
    return [int(line[2]) for line in journal(folder) if line[0] == "T"]


ENDS = {
    "0001": State.DELIVERED,
    "0002": State.UNDELIVERED,
    "0003": State.EXPIRED,
    "0004": State.REJECTED,
    "0005": State.DELIVERED,
    "0006": State.SENT,
    "0007": State.DELIVERED,
    "0008": State.DELIVERED,
    "0009": State.SENT,
    "1234": State.DELIVERED,
}


@pytest.mark.parametrize("text", ["short", LONG], ids=["short", "long"])
def test_each_number_comes_to_its_end(world: World, tmp_path: Path, text: str) -> None:
    configure(world, journal="keep")
    listed = send(world, *(f"3460000{ending}" for ending in ENDS), text=text)
    expected = {f"3460000{ending}": state for ending, state in ENDS.items()}
    parts = world.row(listed[0])["segments"]

    async def run() -> None:
        async with dispatching(world.database, tmp_path):
            await until(lambda: world.states() == expected, what="every end")
            duplicated = listed[list(ENDS).index("0008")]
            await until(lambda: [stray for stray in world.strays() if stray[2] == duplicated][parts - 1 :])

    bounded(run())
    rejected, throttled = (listed[list(ENDS).index(ending)] for ending in ("0004", "0005"))
    assert (world.credits(), world.refunds()) == (parts * PRICE, [(world.account, parts * PRICE)])
    assert world.row(rejected)["refunded"] == parts * PRICE
    assert world.row(throttled)["attempt"] == 2
    assert sorted(set(taken(tmp_path))) == sorted(set(listed) - {rejected})
    assert len(taken(tmp_path)) == parts * (len(listed) - 1)
    assert {stray[1:] for stray in world.strays()} == {(State.DELIVERED, listed[list(ENDS).index("0008")])}


def test_a_message_that_comes_while_nothing_is_to_do_is_seen(world: World, tmp_path: Path) -> None:
    async def run() -> None:
        async with dispatching(world.database, tmp_path):
            for _ in range(3):
                [found] = await asyncio.to_thread(send, world, "34600000001")
                await until(lambda found=found: world.state(found) is State.DELIVERED)

    bounded(run())


def test_a_scheduled_message_waits_for_its_time(world: World, tmp_path: Path) -> None:
    due = clock.now() + clock.SECOND
    [found] = send(world, "34600000001", due_at=due, state=int(State.SCHEDULED))

    async def run() -> None:
        async with dispatching(world.database, tmp_path):
            await until(lambda: world.state(found) is State.DELIVERED)

    bounded(run())
    assert world.row(found)["sent_at"] >= due


def test_an_opened_batch_is_fed_and_sent(world: World, tmp_path: Path) -> None:
    number = world.batch()
    send(world, *(str(34600005000 + n) for n in range(1500)), state=int(State.STAGED), batch_id=number)

    async def run() -> None:
        async with dispatching(world.database, tmp_path):
            await until(lambda: set(world.states().values()) == {State.DELIVERED}, 30)

    bounded(run())


def test_the_queue_of_a_suspended_account_is_held_until_it_is_resumed(world: World, tmp_path: Path) -> None:
    world.suspend(world.account)
    [found] = send(world, "34600000001")

    async def run() -> None:
        async with dispatching(world.database, tmp_path):
            await until(lambda: world.state(found) is State.HELD)
            # In a thread: the turn at writing may be the dispatcher's, which needs the loop to give it back.
            await asyncio.to_thread(world.suspend, world.account, False)
            await asyncio.to_thread(world.run, versions.bump)
            await until(lambda: world.state(found) is State.DELIVERED)

    bounded(run())


def test_a_carrier_of_an_unknown_kind_sends_nothing_and_keeps_no_other_from_it(world: World, tmp_path: Path) -> None:
    unknown = world.new_carrier("unknown", kind="pigeon")
    [found] = send(world, "34600000001")
    [waiting] = send(world, "34600000001", carrier_id=unknown)

    async def run() -> None:
        async with dispatching(world.database, tmp_path):
            await until(lambda: world.state(found) is State.DELIVERED)
            assert world.state(waiting) is State.QUEUED

    bounded(run())


def test_changed_options_take_effect(world: World, tmp_path: Path) -> None:
    configure(world, throughput="0.001")
    first, second = send(world, "34600000001", "34600000001")

    async def run() -> None:
        async with dispatching(world.database, tmp_path):
            await until(lambda: world.state(first) is State.DELIVERED)
            assert world.state(second) is State.QUEUED
            await asyncio.to_thread(configure, world)
            await until(lambda: world.state(second) is State.DELIVERED)

    bounded(run())


def test_a_new_carrier_is_taken_up(world: World, tmp_path: Path) -> None:
    async def run() -> int:
        async with dispatching(world.database, tmp_path):
            added = await asyncio.to_thread(another_carrier, world)
            [found] = await asyncio.to_thread(send, world, "34600000006", carrier_id=added)
            await until(lambda: world.state(found) is State.SENT)
            return found

    found = bounded(run())
    assert [(line[0], int(line[2])) for line in journal(tmp_path, "second")] == [("T", found)]
    assert taken(tmp_path) == []


def test_it_shows_that_it_is_alive_and_says_when_it_leaves(world: World, tmp_path: Path) -> None:
    async def run() -> None:
        async with dispatching(world.database, tmp_path):
            found = await until(lambda: world.rows(select(node)))
            assert [row["role"] for row in found] == ["dispatch"]
            with world.database.read() as connection:
                assert clock.now() - (nodes.last_seen(connection, "dispatch") or 0) < nodes.ALIVE

    bounded(run())
    assert world.rows(select(node)) == []
    assert [row["until"] for row in world.rows(select(carrier_lease))] == [0]


def test_stopped_and_started_it_goes_on_with_nothing_lost_and_nothing_repeated(world: World, tmp_path: Path) -> None:
    configure(world, journal="keep", throughput="400", latency="0.2")
    listed = send(world, *(str(34600005000 + n) for n in range(300)))

    async def once() -> None:
        async with dispatching(world.database, tmp_path):
            before = len(taken(tmp_path))
            await until(lambda: len(taken(tmp_path)) > before or len(taken(tmp_path)) == 300)

    for _ in range(3):
        bounded(once())
        assert State.SENDING not in world.states().values()

    async def rest() -> None:
        async with dispatching(world.database, tmp_path):
            await until(lambda: set(world.states().values()) == {State.DELIVERED}, 30)

    bounded(rest())
    assert sorted(taken(tmp_path)) == listed
    assert world.strays() == []


ROLE = """
import sys
from pathlib import Path
from gateway.hosting import dispatch as role
from gateway.settings import Settings

role.run(Settings(data=Path(sys.argv[1]), database_url=sys.argv[2]))
"""


@pytest.mark.parametrize("policy", ["resend", "hold"])
def test_killed_again_and_again_every_message_comes_to_one_end(
    world: World, tmp_path: Path, database_url: str, policy: str
) -> None:
    kills, window = 5, 60
    configure(world, journal="keep", throughput="1500", latency="0.02", doubt=policy, window=window)
    endings = ("0001", "0002", "0004", "0005", "0007", "0008", "1234")
    listed = send(world, *(f"34600{n // 10:02}{endings[n % len(endings)]}" for n in range(900)))
    expected = {item: ENDS[endings[n % len(endings)]] for n, item in enumerate(listed)}

    for kill in range(1, kills + 1):
        with scripts(ROLE, [str(tmp_path), database_url]) as [process]:
            wait_until(lambda kill=kill: len(taken(tmp_path)) >= 100 * kill or _all_sent(world), 30, "some taken")
            process.send_signal(signal.SIGKILL)
            process.wait(10)

    def rest() -> bool:
        states = {row["id"]: State(row["state"]) for row in world.rows(select(message.c.id, message.c.state))}
        return all(state in FINAL or state is State.HELD for state in states.values())

    with scripts(ROLE, [str(tmp_path), database_url]) as [process]:
        wait_until(rest, 60, "every message's end")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0

    counts: dict[int, int] = dict.fromkeys(listed, 0)
    for number in taken(tmp_path):
        counts[number] += 1
    attempts = {row["id"]: row for row in world.rows(select(message))}
    refunded = 0
    for number, state in expected.items():
        row = attempts[number]
        if row["state"] == State.HELD:
            # Held at most once sent, and never sent again.
            assert policy == "hold"
            assert row["hold_reason"] == "doubt"
            assert counts[number] <= 1
            continue
        assert State(row["state"]) is state
        if state is State.REJECTED:
            assert counts[number] == 0
        else:
            assert counts[number] == 1 or (row["possible_duplicate"] and policy == "resend" and counts[number] > 1)
        refunded += row["refunded"]
        assert row["refunded"] == (PRICE if state is State.REJECTED else 0)
    assert world.credits() == refunded == sum(amount for _, amount in world.refunds())
    doubtful = [row for row in attempts.values() if row["possible_duplicate"] or row["hold_reason"] == "doubt"]
    assert 0 < len(doubtful) <= kills * window
    for row in world.rows(select(segment)):
        assert row["attempt"] <= attempts[row["message_id"]]["attempt"]


def _all_sent(world: World) -> bool:
    waiting = (int(State.QUEUED), int(State.SENDING))
    return not world.rows(select(message.c.id).where(message.c.state.in_(waiting)).limit(1))


def test_another_process_takes_over_when_the_owner_dies(world: World, tmp_path: Path, database_url: str) -> None:
    configure(world, journal="keep")
    with scripts(ROLE, [str(tmp_path), database_url]) as [owner]:
        wait_until(lambda: any(row["until"] for row in world.rows(select(carrier_lease))), 20, "an owner")
        [before] = world.rows(select(carrier_lease))
        with scripts(ROLE, [str(tmp_path), database_url]) as [_]:
            wait_until(lambda: len(world.rows(select(node))) == 2, 20, "a second process")
            [found] = send(world, "34600000001")
            wait_until(lambda: world.state(found) is State.DELIVERED, 20, "a delivery by the first")
            assert world.rows(select(carrier_lease))[0]["epoch"] == before["epoch"]
            owner.kill()
            owner.wait(10)
            [found] = send(world, "34600000001")
            wait_until(lambda: world.state(found) is State.DELIVERED, 20, "a delivery by the second")
            assert world.rows(select(carrier_lease))[0]["epoch"] == before["epoch"] + 1
