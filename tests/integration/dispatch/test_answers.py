"""What carriers answer and report, from their words to the rows: through the judge and one transaction."""

from typing import Any

import pytest
from sqlalchemy import select

from gateway import clock
from gateway.carriers.base import Final, InDoubt, NextRoute, Outcome, Retry, Submitted, Throttled, Unsent
from gateway.dispatch import outgoing
from gateway.dispatch.retry import Backoff
from gateway.dispatch.verdicts import Judge
from gateway.messaging.states import State
from gateway.storage.queries import messages
from gateway.storage.queries.dispatch import claims, receipts, tick
from gateway.storage.queries.dispatch.claims import Doubt
from gateway.storage.queries.dispatch.receipts import ReceiptRow
from gateway.storage.schema import segment
from tests.support.dispatch import NOW, PRICE, World

LONG = "x" * 400  # three segments
WAIT = 7 * clock.SECOND
THROTTLE_WAIT = 2 * clock.SECOND


class Desk:
    """Claims everything that is due, answers it as told, and records that."""

    def __init__(self, world: World, following: int | None = None) -> None:
        self.world = world
        self.lease = world.lease()
        refused = Backoff(WAIT, clock.HOUR, chance=lambda: 0.0)
        throttled = Backoff(THROTTLE_WAIT, clock.HOUR, chance=lambda: 0.0)
        self.judge = Judge(lambda destination: following, refused, throttled)

    def run(self, now: int, policy: Doubt = "resend", **more: Any) -> tick.Done:
        work = tick.Work(answers=self.judge.answers, policy=policy, **more)
        done = self.world.run(lambda connection: tick.run(connection, self.lease, work, now))
        self.judge.recorded()
        return done

    def send(self, *outcomes: Outcome, now: int = NOW, policy: Doubt = "resend") -> list[int]:
        """Answer the segments of all that is due at `now` in order; the numbers of the segments that left."""
        claimed = self.run(now, room=1000, limit=1000).claimed
        leaving = [item for row in claimed.messages for item in outgoing.segments(row, claimed.parts.get(row[0]))]
        assert len(leaving) == len(outcomes)
        self.judge.take(leaving)
        self.judge.hear(zip(leaving, outcomes, strict=True), now)
        self.run(now, policy)
        return [item.seq for item in leaving]

    def report(self, *receipts: tuple[str, State], now: int = NOW) -> list[State]:
        rows: list[ReceiptRow] = [
            (ref, int(state), f"{ref} error", now + n) for n, (ref, state) in enumerate(receipts)
        ]
        return self.run(now, receipts=rows).reached


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def test_taken(world: World, desk: Desk) -> None:
    message_id = world.message()
    desk.send(Submitted("ab1"))
    row = world.row(message_id)
    assert (row["state"], row["sent_at"], row["final_at"]) == (State.SENT, NOW, None)
    assert world.segments(message_id) == [(1, 1, State.SENT, "ab1")]
    assert world.credits() == 0


def test_refused_for_good(world: World, desk: Desk) -> None:
    message_id = world.message()
    desk.send(Final("invalid destination"))
    row = world.row(message_id)
    assert (row["state"], row["error"], row["refunded"]) == (State.REJECTED, "invalid destination", PRICE)
    assert world.segments(message_id) == [(1, 1, State.REJECTED, None)]
    assert (world.credits(), world.refunds()) == (PRICE, [(world.account, PRICE)])


def test_refunds_of_one_transaction_are_one_ledger_row_an_account(world: World, desk: Desk) -> None:
    other = world.new_account(5)
    world.messages(["34600000001", "34600000002"])
    world.message(account_id=other)
    desk.send(*[Final("no")] * 3)
    assert sorted(world.refunds()) == sorted([(world.account, 2 * PRICE), (other, PRICE)])
    assert (world.credits(), world.credits(other)) == (2 * PRICE, PRICE + 5)


@pytest.mark.parametrize(
    ("outcome", "first", "second"),
    [
        pytest.param(Retry("busy"), WAIT, 2 * WAIT, id="retry"),
        pytest.param(Throttled(), THROTTLE_WAIT, 2 * THROTTLE_WAIT, id="throttled"),
        pytest.param(Unsent(), 0, 0, id="unsent"),
    ],
)
def test_again_later_and_later(world: World, desk: Desk, outcome: Outcome, first: int, second: int) -> None:
    message_id = world.message()
    desk.send(outcome)
    row = world.row(message_id)
    assert (row["state"], row["due_at"], row["carrier_id"]) == (State.QUEUED, NOW + first, 1)
    if first:
        desk.send(now=NOW + first - 1)
    desk.send(outcome, now=NOW + first)
    assert world.row(message_id)["due_at"] == NOW + first + second
    desk.send(Submitted("ab1"), now=NOW + first + second)
    row = world.row(message_id)
    assert (row["state"], row["error"], row["attempt"]) == (State.SENT, None, 3)
    assert world.segments(message_id) == [
        (1, 1, State.REJECTED, None),
        (1, 2, State.REJECTED, None),
        (1, 3, State.SENT, "ab1"),
    ]
    assert world.refunds() == []


def test_never_again_past_the_validity(world: World, desk: Desk) -> None:
    message_id = world.message(expires_at=NOW + WAIT)
    desk.send(Retry("busy"))
    row = world.row(message_id)
    assert (row["state"], row["error"], row["refunded"]) == (State.EXPIRED, "busy", PRICE)
    assert world.credits() == PRICE


def test_another_carrier_is_next(world: World) -> None:
    desk = Desk(world, following=world.new_carrier("second"))
    message_id = world.message()
    desk.send(NextRoute("no such network"))
    row = world.row(message_id)
    assert (row["state"], row["carrier_id"], row["error"]) == (State.QUEUED, 2, "no such network")
    assert row["due_at"] == NOW
    assert world.refunds() == []
    desk.send()


def test_no_other_carrier_is_final(world: World, desk: Desk) -> None:
    message_id = world.message()
    desk.send(NextRoute("no such network"))
    row = world.row(message_id)
    assert (row["state"], row["error"], row["refunded"]) == (State.REJECTED, "no such network", PRICE)


@pytest.mark.parametrize(
    ("policy", "state", "reason", "duplicate"),
    [("resend", State.QUEUED, None, True), ("hold", State.HELD, "doubt", False)],
)
def test_without_an_answer(
    world: World, desk: Desk, policy: Doubt, state: State, reason: str | None, duplicate: bool
) -> None:
    message_id = world.message()
    desk.send(InDoubt("link dropped"), policy=policy)
    row = world.row(message_id)
    assert (row["state"], row["hold_reason"], row["possible_duplicate"]) == (state, reason, duplicate)
    assert world.refunds() == []


def test_sent_again_after_doubt_and_refused_is_refunded(world: World, desk: Desk) -> None:
    message_id = world.message()
    desk.send(InDoubt("link dropped"))
    desk.send(Final("no"))
    assert (world.state(message_id), world.credits()) == (State.REJECTED, PRICE)


def test_who_is_in_doubt_again_and_again_waits_longer_each_time(world: World, desk: Desk) -> None:
    poison, bystander = world.messages(["34600000001", "34600000002"])
    desk.send(InDoubt("cut"), Submitted("a"))
    assert world.row(poison)["due_at"] == NOW
    now, waits = NOW, []
    for _ in range(13):
        desk.send(InDoubt("cut"), now=now)
        waits.append((world.row(poison)["due_at"] - now) // clock.SECOND)
        now = world.row(poison)["due_at"]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]
    assert world.state(bystander) is State.SENT


def test_held_in_doubt_released_and_refused_is_refunded(world: World, desk: Desk) -> None:
    message_id = world.message()
    desk.send(InDoubt("link dropped"), policy="hold")
    assert world.run(lambda connection: messages.release(connection, None, message_id, NOW))
    desk.send(Final("no"))
    row = world.row(message_id)
    assert (row["state"], row["possible_duplicate"], row["refunded"]) == (State.REJECTED, True, PRICE)


class TestLong:
    def test_all_taken_and_delivered(self, world: World, desk: Desk) -> None:
        message_id = world.message(text=LONG)
        desk.send(Submitted("a"), Submitted("b"), Submitted("c"))
        assert world.state(message_id) is State.SENT
        assert desk.report(("c", State.DELIVERED), ("a", State.DELIVERED)) == []
        assert world.state(message_id) is State.SENT
        assert desk.report(("b", State.DELIVERED), now=NOW + 50) == [State.DELIVERED]
        row = world.row(message_id)
        assert (row["state"], row["error"], row["final_at"]) == (State.DELIVERED, None, NOW + 50)

    def test_the_first_failure_decides(self, world: World, desk: Desk) -> None:
        message_id = world.message(text=LONG)
        desk.send(Submitted("a"), Submitted("b"), Submitted("c"))
        reached = desk.report(("a", State.DELIVERED), ("b", State.EXPIRED), ("c", State.UNDELIVERED))
        assert reached == [State.EXPIRED]
        row = world.row(message_id)
        assert (row["state"], row["error"], row["final_at"]) == (State.EXPIRED, "b error", NOW + 1)
        assert [part[2] for part in world.segments(message_id)] == [
            State.DELIVERED,
            State.EXPIRED,
            State.UNDELIVERED,
        ]
        assert world.refunds() == []

    def test_one_refused_ends_it_and_what_was_not_taken_is_refunded(self, world: World, desk: Desk) -> None:
        message_id = world.message(text=LONG)
        desk.send(Submitted("a"), Final("too long"), Unsent())
        row = world.row(message_id)
        assert (row["state"], row["error"], row["refunded"]) == (State.REJECTED, "too long", 2 * PRICE)
        assert world.credits() == 2 * PRICE
        desk.report(("a", State.DELIVERED))
        assert world.state(message_id) is State.REJECTED
        assert world.segments(message_id)[0] == (1, 1, State.DELIVERED, "a")

    def test_only_what_is_missing_is_sent_again(self, world: World, desk: Desk) -> None:
        message_id = world.message(text=LONG)
        assert desk.send(Submitted("a"), Throttled(), Unsent()) == [1, 2, 3]
        desk.report(("a", State.DELIVERED))
        assert world.state(message_id) is State.QUEUED
        assert desk.send(Submitted("b"), Submitted("c"), now=NOW + THROTTLE_WAIT) == [2, 3]
        desk.report(("b", State.DELIVERED), ("c", State.DELIVERED))
        assert world.state(message_id) is State.DELIVERED

    def test_a_failure_known_before_the_rest_is_sent_decides_then(self, world: World, desk: Desk) -> None:
        message_id = world.message(text=LONG)
        desk.send(Submitted("a"), Throttled(), Unsent())
        desk.report(("a", State.UNDELIVERED))
        assert world.state(message_id) is State.QUEUED
        desk.send(Submitted("b"), Submitted("c"), now=NOW + THROTTLE_WAIT)
        assert (world.state(message_id), world.row(message_id)["error"]) == (State.UNDELIVERED, "a error")

    def test_it_changes_carriers_only_whole(self, world: World) -> None:
        desk = Desk(world, following=world.new_carrier("second"))
        whole = world.message(text=LONG)
        begun = world.message(text=LONG)
        desk.send(NextRoute("no"), Unsent(), Unsent(), Submitted("a"), NextRoute("no"), Unsent())
        assert (world.row(whole)["carrier_id"], world.row(whole)["state"]) == (2, State.QUEUED)
        assert (world.row(begun)["carrier_id"], world.row(begun)["due_at"]) == (1, NOW + WAIT)

    def test_of_a_long_message_in_doubt_only_the_doubtful_part_is_sent_again(self, world: World, desk: Desk) -> None:
        message_id = world.message(text=LONG)
        desk.send(Submitted("a"), InDoubt("link dropped"), Submitted("c"))
        assert world.row(message_id)["possible_duplicate"]
        assert desk.send(Submitted("b2")) == [2]
        assert world.state(message_id) is State.SENT

    def test_answers_may_come_in_pieces(self, world: World, desk: Desk) -> None:
        message_id = world.message(text=LONG)
        [row] = desk.run(NOW, room=9, limit=9).claimed.messages
        first, second, third = outgoing.segments(row)
        desk.judge.take([first, second, third])
        desk.judge.hear([(first, Submitted("a")), (third, Submitted("c"))], NOW)
        desk.run(NOW)
        assert world.state(message_id) is State.SENDING
        desk.report(("a", State.DELIVERED))
        # Killed now, only the second segment is in doubt.
        world.run(lambda connection: claims.recover(connection, desk.lease, "resend", NOW))
        again = desk.run(NOW, room=9, limit=9).claimed
        assert again.parts == {message_id: [2]}


class TestReceipts:
    @pytest.mark.parametrize("state", [State.DELIVERED, State.UNDELIVERED, State.EXPIRED, State.REJECTED])
    def test_a_receipt_ends_a_message(self, world: World, desk: Desk, state: State) -> None:
        message_id = world.message()
        desk.send(Submitted("a"))
        assert desk.report(("a", state), now=NOW + 5) == [state]
        row = world.row(message_id)
        assert (row["state"], row["final_at"], row["assumed"]) == (state, NOW + 5, False)
        assert world.segments(message_id) == [(1, 1, state, "a")]
        assert (world.strays(), world.refunds()) == ([], [])

    def test_before_the_answer(self, world: World, desk: Desk) -> None:
        message_id = world.message()
        desk.report(("a", State.DELIVERED), now=NOW - 3)
        assert world.strays() == [("a", State.DELIVERED, None)]
        desk.send(Submitted("a"))
        row = world.row(message_id)
        assert (row["state"], row["sent_at"], row["final_at"]) == (State.DELIVERED, NOW, NOW - 3)
        assert world.strays() == []

    def test_an_old_stray_with_a_number_used_again_is_not_the_new_messages(self, world: World, desk: Desk) -> None:
        message_id = world.message()
        desk.report(("a", State.UNDELIVERED), now=NOW - receipts.EARLY)
        desk.send(Submitted("a"))
        assert world.state(message_id) is State.SENT
        assert world.strays() == [("a", State.UNDELIVERED, None)]

    def test_a_number_used_again_is_the_latest_messages(self, world: World, desk: Desk) -> None:
        first = world.message()
        desk.send(Submitted("a"))
        second = world.message()
        desk.send(Submitted("a"))
        desk.report(("a", State.DELIVERED))
        assert (world.state(first), world.state(second)) == (State.SENT, State.DELIVERED)

    def test_in_the_same_transaction_as_the_answer(self, world: World, desk: Desk) -> None:
        message_id = world.message()
        [row] = desk.run(NOW, room=1, limit=1).claimed.messages
        items = outgoing.segments(row)
        desk.judge.take(items)
        desk.judge.hear([(items[0], Submitted("a"))], NOW)
        assert desk.report(("a", State.DELIVERED)) == [State.SENT, State.DELIVERED]
        assert world.state(message_id) is State.DELIVERED

    def test_repeated_late_and_unknown_ones_are_kept_and_change_nothing(self, world: World, desk: Desk) -> None:
        message_id = world.message()
        desk.send(Submitted("a"))
        desk.report(("a", State.DELIVERED), ("a", State.DELIVERED), ("z", State.DELIVERED))
        before = world.row(message_id)
        desk.report(("a", State.UNDELIVERED), now=NOW + clock.DAY)
        assert world.row(message_id) == before
        assert world.strays() == [
            ("a", State.DELIVERED, message_id),
            ("z", State.DELIVERED, None),
            ("a", State.UNDELIVERED, message_id),
        ]

    def test_another_carriers_number_is_not_ours(self, world: World, desk: Desk) -> None:
        message_id = world.message()
        desk.send(Submitted("a"))
        second = world.new_carrier("second")
        lease = world.lease(second)
        work = tick.Work(receipts=[("a", int(State.DELIVERED), None, NOW)])
        world.run(lambda connection: tick.run(connection, lease, work, NOW))
        assert world.state(message_id) is State.SENT
        assert world.strays() == [("a", State.DELIVERED, None)]

    def test_a_repeated_receipt_of_a_long_message_counts_once(self, world: World, desk: Desk) -> None:
        message_id = world.message(text=LONG)
        desk.send(Submitted("a"), Submitted("b"), Submitted("c"))
        desk.report(("a", State.DELIVERED), ("a", State.DELIVERED), ("b", State.DELIVERED))
        assert world.state(message_id) is State.SENT
        assert world.strays() == [("a", State.DELIVERED, message_id)]


class TestNotices:
    """What an SMPP customer is to be told waits in the outbox."""

    @pytest.mark.parametrize(
        ("protocol", "wish", "state", "told"),
        [
            ("smpp", 0x11, State.DELIVERED, True),
            ("smpp", 1, State.UNDELIVERED, True),
            ("smpp", 2, State.UNDELIVERED, True),
            ("smpp", 2, State.DELIVERED, False),
            ("smpp", 0, State.DELIVERED, False),
            ("smpp", None, State.DELIVERED, False),
            ("http", 1, State.DELIVERED, False),
        ],
    )
    @pytest.mark.parametrize("text", ["short", LONG], ids=["short", "long"])
    def test_by_receipt(
        self, world: World, desk: Desk, protocol: str, wish: int | None, state: State, told: bool, text: str
    ) -> None:
        message_id = world.message(text=text, protocol=protocol, registered_delivery=wish)
        parts = [f"p{n}" for n in range(world.row(message_id)["segments"])]
        desk.send(*map(Submitted, parts))
        desk.report(*[(part, state) for part in parts])
        desk.report(*[(part, state) for part in parts])
        assert world.notices() == ([(message_id, state)] if told else [])

    def test_when_refused(self, world: World, desk: Desk) -> None:
        message_id = world.message(protocol="smpp", registered_delivery=1)
        desk.send(Final("no"))
        assert world.notices() == [(message_id, State.REJECTED)]


def test_recording_twice_changes_nothing_more(world: World, desk: Desk) -> None:
    refused, sent, again = world.messages(["34600000001", "34600000002", "34600000003"])
    claimed = desk.run(NOW, room=9, limit=9).claimed
    leaving = [item for row in claimed.messages for item in outgoing.segments(row)]
    desk.judge.take(leaving)
    desk.judge.hear(zip(leaving, [Final("no"), Submitted("a"), Retry("busy")], strict=True), NOW)
    work = tick.Work(answers=desk.judge.answers)
    for _ in range(2):
        world.run(lambda connection: tick.run(connection, desk.lease, work, NOW))
    assert [world.state(item) for item in (refused, sent, again)] == [State.REJECTED, State.SENT, State.QUEUED]
    assert (world.credits(), len(world.refunds())) == (PRICE, 1)
    assert len(world.rows(select(segment))) == 3


def test_a_text_that_went_whole_has_one_receipt(world: World, desk: Desk) -> None:
    message_id = world.message(text=LONG)
    desk.send(*[Submitted("ab1")] * 3)
    assert desk.report(("ab1", State.DELIVERED)) == [State.DELIVERED]
    assert [row[2] for row in world.segments(message_id)] == [State.DELIVERED] * 3
    assert desk.report(("ab1", State.DELIVERED)) == []
    assert world.strays() == [("ab1", State.DELIVERED, message_id)]


def test_a_number_used_again_is_the_latest_message_alone(world: World, desk: Desk) -> None:
    first = world.message()
    desk.send(Submitted("ab1"))
    second = world.message()
    desk.send(Submitted("ab1"))
    assert desk.report(("ab1", State.DELIVERED)) == [State.DELIVERED]
    assert (world.state(first), world.state(second)) == (State.SENT, State.DELIVERED)


@pytest.mark.parametrize(
    ("refs", "receipt", "numbers", "meant"),
    [
        pytest.param(["1e240"], ("123456", ("1e240", "1193046")), ("111220",), 0, id="the only one there is"),
        pytest.param(["1e240", "123456"], ("123456", ("1e240",)), (), 1, id="the id itself before others"),
        pytest.param(["1e240", "123456"], ("123456", ("1e240",)), ("111220",), 0, id="the one to the number"),
        pytest.param(["1e240", "123456"], ("123456", ("1e240",)), ("", "999999"), 1, id="no number tells"),
        pytest.param(["123456"], ("123456", ("1e240",)), ("999999",), 0, id="a number written otherwise"),
        pytest.param(["1e240"], ("123456", ("1e240",)), ("999999",), None, id="another id to another number"),
        pytest.param(["77"], ("123456", ("1e240",)), (), None, id="none"),
    ],
)
def test_a_receipt_that_may_mean_several(
    world: World,
    desk: Desk,
    refs: list[str],
    receipt: tuple[str, tuple[str, ...]],
    numbers: tuple[str, ...],
    meant: int | None,
) -> None:
    listed = world.messages([f"3460011122{n}" for n in range(len(refs))])
    desk.send(*map(Submitted, refs))
    desk.run(NOW, receipts=[(receipt[0], int(State.DELIVERED), None, NOW, (receipt[1], numbers))])
    delivered = [message_id for message_id in listed if world.state(message_id) is State.DELIVERED]
    assert delivered == ([] if meant is None else [listed[meant]])


def test_of_several_that_are_meant_the_one_without_a_receipt(world: World, desk: Desk) -> None:
    listed = world.messages(["34600111220", "34600111220"])
    desk.send(Submitted("22"), Submitted("16"))
    desk.report(("22", State.DELIVERED))
    desk.run(NOW, receipts=[("22", int(State.UNDELIVERED), None, NOW, (("16",), ("111220",)))])
    assert [world.state(message_id) for message_id in listed] == [State.DELIVERED, State.UNDELIVERED]


def test_a_receipt_before_its_answer_under_another_id(world: World, desk: Desk) -> None:
    message_id = world.message()
    desk.report(("123456", State.DELIVERED))
    desk.send(Submitted("1e240", others=("123456",)))
    assert world.state(message_id) is State.DELIVERED
    assert world.strays() == []


@pytest.mark.parametrize(
    "outcome", [pytest.param(NextRoute("no"), id="refused here"), pytest.param(InDoubt("cut"), id="in doubt")]
)
def test_recorded_twice_it_is_not_taken_from_the_carrier_that_has_it_by_now(world: World, outcome: Outcome) -> None:
    other = world.new_carrier("other")
    desk = Desk(world, following=other)
    message_id = world.message()
    [row] = desk.run(NOW, room=1, limit=1).claimed.messages
    [leaving] = outgoing.segments(row)
    desk.judge.take([leaving])
    desk.judge.hear([(leaving, outcome)], NOW)
    answers = desk.judge.answers
    desk.run(NOW)
    # The answer to that COMMIT was lost; meanwhile the other carrier sends it (a carrier that is down gives it away).
    world.set(message_id, carrier_id=other)
    lease = world.lease(other)
    world.run(lambda connection: tick.run(connection, lease, tick.Work(room=1, limit=1), NOW))
    desk.judge.answers = answers
    desk.run(NOW)
    assert (world.state(message_id), world.row(message_id)["carrier_id"]) == (State.SENDING, other)
    assert world.segments(message_id)[-1] == (1, 2, State.SENDING, None)
