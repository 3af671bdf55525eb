"""Sweeps, feeds and purges."""

from typing import Any

import pytest
from sqlalchemy import Table, func, insert, select

from gateway import clock
from gateway.messaging.states import State
from gateway.storage import ids, partitions
from gateway.storage.database import Database
from gateway.storage.queries.dispatch import feeds, purges, sweeps
from gateway.storage.schema import batch, call_log, commit_token, idempotency, message, outbox, segment
from gateway.storage.schema import stray_receipt as stray
from tests.support.dispatch import NOW, PRICE, World

LONG = "x" * 400  # three segments
PAST = {"expires_at": NOW - 1}


def sweep(world: World, look: Any, now: int = NOW, limit: int = 500) -> int:
    """Sweep from the start to the end; how many messages ended."""
    place, ended = sweeps.START, 0
    while True:
        with world.database.read() as connection:
            found = look(connection, place, now, 0, limit)
        ended += len(world.run(lambda connection, found=found: sweeps.end(connection, found.endings, now)))
        place = found.place
        if not found.more:
            return ended


class TestUnsent:
    @pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED, State.STAGED, State.HELD])
    def test_expires_and_is_refunded_once(self, world: World, state: State) -> None:
        opened = world.batch() if state is State.STAGED else None
        message_id = world.message(
            text=LONG, state=int(state), batch_id=opened, protocol="smpp", registered_delivery=1, **PAST
        )
        assert sweep(world, sweeps.unsent) == 1
        row = world.row(message_id)
        assert (row["state"], row["refunded"], row["final_at"]) == (State.EXPIRED, 3 * PRICE, NOW)
        assert (row["assumed"], row["hold_reason"]) == (False, None)
        assert sweep(world, sweeps.unsent) == 0
        assert (world.credits(), world.refunds()) == (3 * PRICE, [(world.account, 3 * PRICE)])
        assert world.notices() == [(message_id, State.EXPIRED)]

    @pytest.mark.parametrize(
        "values",
        [
            pytest.param({"expires_at": NOW + 1}, id="still valid"),
            pytest.param({"state": int(State.SENDING), **PAST}, id="on its way"),
            pytest.param({"state": int(State.SENT), **PAST}, id="sent"),
            pytest.param({"state": int(State.DELIVERED), **PAST}, id="final"),
            pytest.param({"state": int(State.HELD), "hold_reason": "doubt", **PAST}, id="in doubt"),
        ],
    )
    def test_others_stay(self, world: World, values: dict[str, Any]) -> None:
        message_id = world.message(**values)
        before = world.row(message_id)
        assert sweep(world, sweeps.unsent) == 0
        assert world.row(message_id) == before

    def test_what_was_never_paid_is_never_refunded(self, world: World) -> None:
        message_id = world.message(state=int(State.STAGED), batch_id=world.batch(opened=False), **PAST)
        assert sweep(world, sweeps.unsent) == 0
        assert (world.state(message_id), world.credits()) == (State.STAGED, 0)

    def test_many_that_expire_together_are_all_found(self, world: World) -> None:
        world.messages([str(34600000000 + n) for n in range(25)], **PAST)
        assert sweep(world, sweeps.unsent, limit=10) == 25
        assert world.credits() == 25 * PRICE

    def test_a_segment_that_the_carrier_has_is_not_refunded(self, world: World) -> None:
        message_id = world.message(text=LONG, attempt=1, **PAST)
        row = {"message_id": message_id, "seq": 1, "attempt": 1, "carrier_id": 1}
        world.change(insert(segment).values(**row, state=int(State.SENT), carrier_ref="a"))
        sweep(world, sweeps.unsent)
        assert world.credits() == 2 * PRICE


class TestUnreported:
    @pytest.mark.parametrize(
        "values",
        [
            pytest.param({"state": int(State.SENT)}, id="sent"),
            pytest.param({"state": int(State.HELD), "hold_reason": "doubt"}, id="in doubt"),
        ],
    )
    def test_is_assumed_to_be_expired_and_not_refunded(self, world: World, values: dict[str, Any]) -> None:
        message_id = world.message(**values, expires_at=NOW - clock.DAY)
        assert sweep(world, sweeps.unreported) == 1
        row = world.row(message_id)
        assert (row["state"], row["assumed"], row["error"]) == (State.EXPIRED, True, sweeps.NO_RECEIPT)
        assert (world.credits(), world.refunds()) == (0, [])

    def test_a_day_is_waited_for_the_receipt(self, world: World) -> None:
        message_id = world.message(state=int(State.SENT), expires_at=NOW - clock.DAY + 1)
        assert sweep(world, sweeps.unreported) == 0
        assert world.state(message_id) is State.SENT


class TestFeeding:
    def test_the_messages_of_an_opened_batch_are_queued_in_pieces(self, world: World) -> None:
        number = world.batch()
        listed = world.messages([str(34600000000 + n) for n in range(5)], state=int(State.STAGED), batch_id=number)
        other = world.message(state=int(State.STAGED), batch_id=world.batch(opened=False))
        assert world.run(feeds.opened) == [number]
        assert world.run(lambda connection: feeds.waits_for(connection, number, 0)) == 1

        after, steps = 0, []
        while True:
            fed = world.run(lambda connection, after=after: feeds.feed(connection, number, after, NOW, 2))
            if fed is None:
                break
            after = fed
            steps.append(sum(world.state(item) is State.QUEUED for item in listed))
        assert steps == [2, 4, 5]
        assert world.run(feeds.opened) == []
        assert world.run(lambda connection: feeds.waits_for(connection, number, 0)) is None
        assert world.state(other) is State.STAGED

    def test_what_is_due_later_is_scheduled(self, world: World) -> None:
        number = world.batch()
        message_id = world.message(state=int(State.STAGED), batch_id=number, due_at=NOW + 1)
        world.run(lambda connection: feeds.feed(connection, number, 0, NOW))
        assert world.state(message_id) is State.SCHEDULED

    def test_a_cancelled_message_stays_cancelled(self, world: World) -> None:
        number = world.batch()
        message_id = world.message(state=int(State.CANCELLED), batch_id=number)
        assert world.run(lambda connection: feeds.feed(connection, number, 0, NOW)) is None
        assert world.state(message_id) is State.CANCELLED

    def test_batches_that_were_never_opened_go(self, world: World) -> None:
        old = world.batch(opened=False, created_at=NOW - feeds.ABANDONED - 1)
        new, opened = world.batch(opened=False), world.batch(created_at=NOW - clock.DAY)
        for number in (old, new, opened):
            world.messages(["34600000001", "34600000002", "34600000003"], state=int(State.STAGED), batch_id=number)
        assert world.run(lambda connection: feeds.abandoned(connection, NOW)) == [(world.account, old)]
        gone = []
        while not gone or gone[-1]:
            gone.append(world.run(lambda connection: feeds.discard(connection, world.account, old, 2)))
        assert gone == [2, 1, 0]
        assert {row["id"] for row in world.rows(select(batch))} == {new, opened}
        assert {row["batch_id"] for row in world.rows(select(message))} == {new, opened}


class TestPurge:
    KEPT = 30 * clock.DAY

    def purge(self, world: World) -> None:
        for step in purges.steps(NOW, self.KEPT, self.KEPT):
            while world.run(step):
                pass

    def count(self, world: World, table: Table) -> int:
        [row] = world.rows(select(func.count().label("n")).select_from(table))
        return int(row["n"])

    def test_finished_messages_go_with_their_segments_after_their_time(self, world: World) -> None:
        old = world.messages(
            [str(34600000000 + n) for n in range(1200)],
            state=int(State.DELIVERED),
            made_at=NOW - self.KEPT - clock.DAY,
        )
        world.change(
            insert(segment).values(
                [
                    {"message_id": item, "seq": 1, "attempt": 1, "carrier_id": 1, "state": int(State.DELIVERED)}
                    for item in old
                ]
            )
        )
        young = world.message(state=int(State.DELIVERED), made_at=NOW - self.KEPT + clock.DAY)
        self.purge(world)
        assert [row["id"] for row in world.rows(select(message.c.id))] == [young]
        assert self.count(world, segment) == 0

    def test_what_is_not_finished_is_kept_whatever_its_age(self, world: World) -> None:
        message_id = world.message(state=int(State.SENT), made_at=NOW - self.KEPT - clock.DAY)
        self.purge(world)
        assert world.state(message_id) is State.SENT

    def test_what_is_kept_for_a_fixed_time(self, world: World) -> None:
        for age in (purges.IDEMPOTENCY_LIFE + 1, purges.IDEMPOTENCY_LIFE):
            world.change(
                insert(idempotency).values(account_id=1, key=str(age), fingerprint="f", answer="{}", at=NOW - age)
            )
        for age in (purges.TOKEN_LIFE + 1, purges.TOKEN_LIFE):
            world.change(insert(commit_token).values(token=str(age), at=NOW - age))
        for age in (1, 0):
            row = {"kind": "receipt", "account_id": 1, "access_id": 1, "message_id": age, "at": NOW, "due_at": NOW}
            world.change(insert(outbox).values(**row, expires_at=NOW - age))
        for age in (self.KEPT + 1, self.KEPT):
            world.change(insert(stray).values(carrier_id=1, carrier_ref=str(age), state=20, at=NOW - age))
        self.purge(world)
        assert [row["key"] for row in world.rows(select(idempotency))] == [str(purges.IDEMPOTENCY_LIFE)]
        assert [row["token"] for row in world.rows(select(commit_token))] == [str(purges.TOKEN_LIFE)]
        assert [row["message_id"] for row in world.rows(select(outbox))] == [0]
        assert [row["carrier_ref"] for row in world.rows(select(stray))] == [str(self.KEPT)]

    def test_calls_go_after_their_time(self, world: World) -> None:
        for age in (self.KEPT + clock.DAY, self.KEPT - clock.DAY):
            world.change(
                insert(call_log).values(
                    id=ids.first(NOW - age),
                    at=NOW - age,
                    source_ip="127.0.0.1",
                    protocol="http",
                    parameters="{}",
                    outcome="SUCCESS",
                    response="{}",
                    duration_us=1,
                    request_id=str(age),
                )
            )
        self.purge(world)
        assert [row["request_id"] for row in world.rows(select(call_log))] == [str(self.KEPT - clock.DAY)]

    def test_batches_go_after_their_messages(self, world: World) -> None:
        long_ago = NOW - self.KEPT - clock.DAY
        gone, kept = world.batch(created_at=long_ago), world.batch(created_at=long_ago)
        world.message(state=int(State.DELIVERED), batch_id=gone, made_at=long_ago)
        world.message(state=int(State.SENT), batch_id=kept, made_at=long_ago)
        self.purge(world)
        assert [row["id"] for row in world.rows(select(batch))] == [kept]


def test_partitions_before_the_oldest_unfinished_message_are_left_out(database: Database) -> None:
    world = World(database)
    now = clock.now()
    with database.transaction() as connection:
        partitions.ensure(connection, now - 3 * clock.DAY)
        partitions.ensure(connection, now)
    finished = world.message(state=int(State.DELIVERED), made_at=now - 3 * clock.DAY)
    open_ = world.message(state=int(State.SENT), made_at=now - 2 * clock.DAY)
    with database.read() as connection:
        floor = sweeps.floor(connection, now)
    if database.dialect == "sqlite":
        assert floor == 0
    else:
        assert finished < floor <= open_
    world.set(open_, state=int(State.DELIVERED))
    with database.read() as connection:
        assert sweeps.floor(connection, now) == (0 if database.dialect == "sqlite" else ids.first(now - clock.HOUR))
