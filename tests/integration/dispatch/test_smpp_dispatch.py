"""The whole of dispatch with a carrier of the kind smpp, at the simulated SMSC and at one that misbehaves."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from gateway import logs
from gateway.dispatch import dispatcher, failover, keeper
from gateway.dispatch.host import Host
from gateway.messaging.states import State
from gateway.settings import Settings
from gateway.smpp.pdu import SubmitSm
from gateway.smsc import styles, texts
from gateway.smsc.options import Options
from gateway.smsc.server import Smsc as Simulated
from gateway.storage import versions
from gateway.storage.database import Database
from gateway.storage.directory import Directory
from gateway.storage.hosts import AsyncHost
from gateway.storage.keyfile import KEY_FILE, Sealer
from gateway.storage.schema import carrier, carrier_lease, inbound, message, segment
from gateway.storage.writer import Writer
from tests.integration.dispatch.test_dispatcher import ENDS, LONG, ROLE, send
from tests.support.dispatch import World, bounded, until
from tests.support.processes import scripts
from tests.support.upstream import Smsc, listening
from tests.support.wait import until as wait_until

UP = 2


@asynccontextmanager
async def dispatching(database: Database, folder: Path) -> AsyncIterator[None]:
    writer = AsyncHost(Writer(database), database.dialect)
    host = Host(database, writer, Directory(database))
    stop = asyncio.Event()
    settings = Settings(data=folder)
    task = asyncio.create_task(dispatcher.run(host, settings, stop, Sealer(folder / KEY_FILE)))
    try:
        yield
    finally:
        stop.set()
        await task
        await writer.close()


@asynccontextmanager
async def simulated(**options: Any) -> AsyncIterator[tuple[Simulated, tuple[str, int]]]:
    listener = socket.create_server(("127.0.0.1", 0))
    smsc = Simulated(Options(**{"receipt_delay": 0.1, **options}))
    await smsc.start(listener)
    try:
        yield smsc, listener.getsockname()[:2]
    finally:
        await smsc.stop()


def add(world: World, folder: Path, address: tuple[str, int], name: str = "up", **options: Any) -> int:
    """A carrier at this address; the first one's id is `UP`."""
    given = {"host": address[0], "port": address[1], "system_id": "me", "reconnect": 0.1, "window": 50, **options}
    sealed = Sealer(folder / KEY_FILE).seal(json.dumps({"password": "secret"}).encode())
    values = {"name": name, "kind": "smpp", "options": json.dumps({k: str(v) for k, v in given.items()})}
    with world.database.transaction() as connection:
        made = connection.execute(
            insert(carrier).values(**values, sealed_secrets=sealed, created_at=0).returning(carrier.c.id)
        ).scalar_one()
        versions.bump(connection)
    return int(made)


def through(
    world: World, folder: Path, sent: Sequence[dict[str, Any]], simulator: dict[str, Any], **options: Any
) -> None:
    """Send messages to each number of the rules, and see each come to its end."""
    expected = {}
    for place, values in enumerate(sent):
        numbers = {f"34600{place:02}{ending}": state for ending, state in ENDS.items()}
        send(world, *numbers, carrier_id=UP, **values)
        expected |= numbers

    async def run() -> None:
        async with simulated(**simulator) as (_, address):
            add(world, folder, address, **options)
            async with dispatching(world.database, folder):
                await until(lambda: world.states() == expected, 30, "every end")
                again = {row["id"] for row in world.rows(select(message)) if row["destination"].endswith("0008")}
                await until(lambda: {stray[2] for stray in world.strays()} >= again, what="the repeated receipts")

    bounded(run(), 60)
    # Only the repeated ones changed nothing: every other receipt found its segment, once.
    again = {row["id"] for row in world.rows(select(message)) if row["destination"].endswith("0008")}
    assert {stray[2] for stray in world.strays()} == again
    rejected = [row for row in world.rows(select(message)) if row["state"] == State.REJECTED]
    assert all(row["error"] == "ESME_RINVDSTADR (0x0B)" for row in rejected)
    assert world.credits() == sum(row["price"] for row in rejected) == sum(row["refunded"] for row in rejected)


BOTH = ({"text": "short"}, {"text": LONG})


@pytest.mark.parametrize("long", ["udh", "sar", "payload"])
def test_each_number_comes_to_its_end(world: World, tmp_path: Path, long: str) -> None:
    through(world, tmp_path, BOTH, {}, long=long)


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("style", styles.STYLES)
def test_whatever_the_carrier_makes_of_receipts(world: World, tmp_path: Path, style: str) -> None:
    through(world, tmp_path, BOTH, {"style": styles.style(style)})


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(("bind", "links"), [("separate", 1), ("transceiver", 3), ("separate", 2)], ids=str)
def test_however_the_carrier_is_bound_to(world: World, tmp_path: Path, bind: str, links: int) -> None:
    through(world, tmp_path, BOTH, {}, bind=bind, links=links)


@pytest.mark.parametrize("policy", ["resend", "hold"])
def test_a_link_cut_in_the_middle_of_a_window(world: World, tmp_path: Path, policy: str) -> None:
    """Of what was on its way nobody knows, never more than a window; what had not left goes out once."""
    smsc = Smsc()
    listed = send(world, *(f"346000{n:05}" for n in range(100)), carrier_id=UP)

    def answer_ten(pdu: SubmitSm) -> str | None:
        number = len(smsc.got)
        if number == 25:
            smsc.script = lambda pdu: f"{len(smsc.got):x}"
            asyncio.get_running_loop().call_soon(smsc.links[0].abort)
        return f"{number:x}" if number <= 10 else None

    smsc.script = answer_ten

    async def run() -> None:
        async with listening(smsc) as address:
            add(world, tmp_path, address, window=20, doubt=policy)
            async with dispatching(world.database, tmp_path):
                ends = {State.SENT} if policy == "resend" else {State.SENT, State.HELD}
                await until(lambda: {world.state(number) for number in listed} == ends, 30)

    bounded(run(), 60)
    got = [pdu.destination_addr for pdu in smsc.submits]
    rows = {row["destination"]: row for row in world.rows(select(message))}
    doubtful = {number for number, row in rows.items() if row["possible_duplicate"] or row["state"] == State.HELD}
    assert 0 < len(doubtful) <= 20
    for number in rows:
        sent = got.count(number)
        assert sent == 1 or (number in doubtful and sent == 2 and policy == "resend")
    assert {row["hold_reason"] for row in rows.values() if row["state"] == State.HELD} <= {"doubt"}
    assert world.credits() == 0


def test_a_clean_stop_leaves_nothing_in_doubt(world: World, tmp_path: Path) -> None:
    smsc = Smsc()
    listed = send(world, *(f"346000{n:05}" for n in range(200)), carrier_id=UP)

    def later(pdu: SubmitSm) -> None:
        link = smsc.links[0]
        asyncio.get_running_loop().call_later(0.2, smsc.answer, link, pdu, f"{pdu.sequence_number:x}")

    smsc.script = later

    async def run() -> None:
        async with listening(smsc) as address:
            add(world, tmp_path, address, window=20)
            async with dispatching(world.database, tmp_path):
                await until(lambda: len(smsc.got) >= 60)

    bounded(run())
    states = [world.state(number) for number in listed]
    assert set(states) == {State.SENT, State.QUEUED}
    assert states.count(State.SENT) == len(smsc.got) < 200
    assert not any(row["possible_duplicate"] for row in world.rows(select(message)))


@pytest.mark.parametrize("status", [0x58, 0x14], ids=["throttled", "queue full"])
def test_throttled_is_sent_again_and_nothing_is_lost(world: World, tmp_path: Path, status: int) -> None:
    smsc = Smsc()
    listed = send(world, *(f"34600{n:04}0001" for n in range(60)), carrier_id=UP)

    def every_third_at_first(pdu: SubmitSm) -> int | str:
        again = [earlier.destination_addr for earlier in smsc.submits].count(pdu.destination_addr) > 1
        return f"{len(smsc.got):x}" if again or int(pdu.destination_addr[5:9]) % 3 else status

    smsc.script = every_third_at_first

    async def run() -> None:
        async with listening(smsc) as address:
            add(world, tmp_path, address)
            async with dispatching(world.database, tmp_path):
                await until(lambda: {world.state(number) for number in listed} == {State.SENT}, 30)

    bounded(run(), 60)
    assert [world.row(number)["attempt"] for number in listed] == [1 if n % 3 else 2 for n in range(60)]
    assert len(smsc.got) == 80


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"drop_after": 40}, id="links cut"),
        pytest.param({"wrong_sequence": 7}, id="wrong sequence numbers"),
    ],
)
def test_a_carrier_that_misbehaves_gets_every_message(world: World, tmp_path: Path, fault: dict[str, int]) -> None:
    listed = send(world, *(f"34600{n:04}0001" for n in range(150)), carrier_id=UP)

    async def run() -> None:
        async with simulated(journal=tmp_path / "taken", **fault) as (_, address):
            add(world, tmp_path, address, response_timeout=0.5, window=20)
            async with dispatching(world.database, tmp_path):
                await until(lambda: {world.state(number) for number in listed} == {State.DELIVERED}, 30)

    bounded(run(), 60)
    taken = [json.loads(line)["destination"] for line in (tmp_path / "taken").read_text("utf-8").splitlines()]
    rows = {row["destination"]: row for row in world.rows(select(message))}
    assert set(taken) == set(rows)
    repeated = {number for number in rows if taken.count(number) > 1}
    assert repeated
    assert all(rows[number]["possible_duplicate"] for number in repeated)
    assert world.credits() == 0


def test_messages_take_the_next_route_while_the_carrier_is_down(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failover, "LOOK", 0.1)
    smsc = Smsc()

    async def run() -> None:
        async with listening(smsc) as address, simulated() as (_, another):
            add(world, tmp_path, address, failover_after=0.3)
            other = add(world, tmp_path, another, "other")
            # The route to the simulated carrier, which is always up, is no way out: nobody would get them.
            for place, carrier_id in enumerate((UP, 1, other)):
                world.new_route("34", carrier_id, priority=place)
            with world.database.transaction() as connection:
                versions.bump(connection)
            async with dispatching(world.database, tmp_path):
                [first] = await asyncio.to_thread(send, world, "34600000001", carrier_id=UP)
                await until(lambda: world.state(first) is State.SENT)
                assert world.row(first)["carrier_id"] == UP
                smsc.binds_status = 0x0D
                smsc.links[0].abort()
                numbers = [f"34600{n:02}0001" for n in range(50)]
                listed = await asyncio.to_thread(send, world, *numbers, carrier_id=UP)
                elsewhere = await asyncio.to_thread(send, world, "4915112345678", carrier_id=UP)
                await until(lambda: {world.state(number) for number in listed} == {State.DELIVERED}, 30)
                assert {world.row(number)["carrier_id"] for number in listed} == {other}
                assert {world.state(number) for number in elsewhere} == {State.QUEUED}
                smsc.binds_status = 0
                await until(lambda: {world.state(number) for number in elsewhere} == {State.SENT})

    bounded(run(), 60)
    assert {world.row(number)["carrier_id"] for number in world_ids(world, "49")} == {UP}


def world_ids(world: World, prefix: str) -> list[int]:
    return [row["id"] for row in world.rows(select(message)) if row["destination"].startswith(prefix)]


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_what_a_carrier_refuses_is_never_given_to_one_that_pretends(world: World, tmp_path: Path) -> None:
    smsc = Smsc(lambda pdu: 0x0A)
    [found] = send(world, "34600000001", carrier_id=UP)

    async def run() -> None:
        async with listening(smsc) as address:
            add(world, tmp_path, address)
            async with dispatching(world.database, tmp_path):
                await until(lambda: world.state(found) is State.REJECTED)

    bounded(run())
    assert (world.row(found)["carrier_id"], world.row(found)["error"]) == (UP, "ESME_RINVSRCADR (0x0A)")


def test_what_the_carrier_delivers_comes_in(world: World, tmp_path: Path) -> None:
    async def run() -> None:
        async with simulated() as (smsc, address):
            add(world, tmp_path, address)
            async with dispatching(world.database, tmp_path):
                smsc.send(texts.message("34600111222", "217000", "Olé " * 60))
                await until(lambda: world.rows(select(inbound)))

    bounded(run())
    [row] = world.rows(select(inbound))
    assert (row["source"], row["destination"], row["text"]) == ("34600111222", "217000", "Olé " * 60)


def test_another_process_takes_over_within_fifteen_seconds(world: World, tmp_path: Path, database_url: str) -> None:
    """By the lease alone: the second process is told that it is on another machine, and cannot see the first die."""
    role = ROLE.replace(
        "role.run", "from gateway.dispatch import holder; holder._place = lambda: sys.argv[-1]\nrole.run"
    )

    async def run() -> None:
        async with simulated() as (_, address):
            add(world, tmp_path, address)
            await asyncio.to_thread(work)

    def work() -> None:
        with scripts(role, [str(tmp_path), database_url, "one"]) as [owner]:
            wait_until(lambda: _epoch(world) is not None, 30, "an owner")
            [found] = send(world, "34600000001", carrier_id=UP)
            wait_until(lambda: world.state(found) is State.DELIVERED, 30, "a delivery by the first")
            epoch = _epoch(world)
            with scripts(role, [str(tmp_path), database_url, "two"]) as [_]:
                listed = send(world, *(f"34600{n:04}1234" for n in range(50)), carrier_id=UP)
                owner.kill()
                owner.wait(10)
                wait_until(lambda: (_epoch(world) or 0) > (epoch or 0), 15, "another owner")
                wait_until(lambda: {world.state(n) for n in listed} == {State.DELIVERED}, 30, "the deliveries")

    bounded(run(), 100)
    assert world.credits() == 0


def _epoch(world: World) -> int | None:
    rows = world.rows(select(carrier_lease).where(carrier_lease.c.carrier_id == UP))
    return int(rows[0]["epoch"]) if rows else None


def test_a_text_that_went_whole_has_one_id_for_its_segments(world: World, tmp_path: Path) -> None:
    [found] = send(world, "34600001234", carrier_id=UP, text=LONG)

    async def run() -> None:
        async with simulated() as (_, address):
            add(world, tmp_path, address, long="payload")
            async with dispatching(world.database, tmp_path):
                await until(lambda: world.state(found) is State.DELIVERED)

    bounded(run())
    rows = world.rows(select(segment).where(segment.c.message_id == found))
    assert [State(row["state"]) for row in rows] == [State.DELIVERED] * 3
    assert len({row["carrier_ref"] for row in rows}) == 1


def test_a_key_file_that_is_missing_is_told_once_and_waited_for(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "PAUSE", 0.02)
    told: list[str] = []
    monkeypatch.setattr(logs, "warning", lambda event, **fields: told.append(f"{event}: {fields.get('problem')}"))
    monkeypatch.setattr(logs, "failure", lambda event, problem, **fields: told.append(f"{event}: {problem}"))
    key, away = tmp_path / KEY_FILE, tmp_path / "away"
    [message_id] = send(world, "34600000001", carrier_id=UP)

    async def run() -> None:
        async with simulated() as (_, address):
            add(world, tmp_path, address)
            key.rename(away)
            async with dispatching(world.database, tmp_path):
                await until(lambda: told, what="why the carrier is not worked")
                await asyncio.sleep(0.3)
                away.rename(key)
                await until(lambda: world.state(message_id) is State.DELIVERED)

    bounded(run())
    assert len([line for line in told if line.startswith("carrier ")]) == 1
    assert told[0].startswith("carrier waits: ")
    assert str(key) in told[0]
