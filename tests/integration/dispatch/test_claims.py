from typing import Any

import pytest
from sqlalchemy import select

from gateway import clock
from gateway.messaging.states import State
from gateway.storage.queries.dispatch import claims, feeds, tick
from gateway.storage.queries.dispatch.claims import Claimed
from gateway.storage.schema import segment
from tests.support.dispatch import NOW, PRICE, World

LONG = "x" * 400  # three segments


def claim(world: World, now: int = NOW, room: int = 100, limit: int = 100, **more: Any) -> Claimed:
    lease = world.lease()
    work = tick.Work(room=room, limit=limit, **more)
    return world.run(lambda connection: tick.run(connection, lease, work, now)).claimed


def taken(claimed: Claimed) -> list[int]:
    return [row[0] for row in claimed.messages]


def test_messages_are_taken_in_the_order_due_accepted_id(world: World) -> None:
    last = world.message(due_at=NOW, accepted_at=NOW)
    second = world.message(due_at=NOW - 5, accepted_at=NOW - 1)
    third = world.message(due_at=NOW - 5, accepted_at=NOW - 1)
    first = world.message(due_at=NOW - 5, accepted_at=NOW - 2)
    scheduled = world.message(due_at=NOW - 1, accepted_at=NOW - 100, state=int(State.SCHEDULED))
    assert taken(claim(world)) == [first, second, third, scheduled, last]


def test_what_is_taken_is_marked_with_a_row_for_each_segment(world: World) -> None:
    message_id = world.message(text=LONG)
    claimed = claim(world)
    assert claimed.messages[0][3] == 1
    row = world.row(message_id)
    assert (row["state"], row["attempt"]) == (State.SENDING, 1)
    assert world.segments(message_id) == [(seq, 1, State.SENDING, None) for seq in (1, 2, 3)]
    assert {row["carrier_id"] for row in world.rows(select(segment))} == {1}
    assert taken(claim(world)) == []


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"due_at": NOW + 1}, "not due"),
        ({"carrier_id": 2}, "another carrier's"),
        ({"state": int(State.STAGED)}, "staged"),
        ({"state": int(State.HELD)}, "held"),
        ({"state": int(State.SENT)}, "sent"),
        ({"state": int(State.CANCELLED)}, "cancelled"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_others_are_left_alone(world: World, values: dict[str, Any], why: str) -> None:
    message_id = world.message(**values)
    before = world.row(message_id)
    claimed = claim(world)
    assert (taken(claimed), claimed.exhausted) == ([], True), why
    assert world.row(message_id) == before


def test_no_more_than_there_is_room_for(world: World) -> None:
    first, second = world.message(text=LONG), world.message()
    third = world.message(text=LONG)
    claimed = claim(world, room=6)
    assert taken(claimed) == [first, second]
    assert not claimed.exhausted
    assert world.state(third) is State.QUEUED


def test_a_message_larger_than_the_room_is_taken_only_alone(world: World) -> None:
    long, short = world.message(text=LONG), world.message()
    assert taken(claim(world, room=2)) == []
    assert taken(claim(world, room=2, oversize=True)) == [long]
    assert world.state(short) is State.QUEUED


def test_no_more_rows_than_the_limit(world: World) -> None:
    first, _ = world.messages(["34600111222", "34600111223"])
    claimed = claim(world, limit=1)
    assert (taken(claimed), claimed.exhausted) == ([first], False)


def test_messages_of_a_suspended_account_are_held_until_it_is_resumed(world: World) -> None:
    account_id = world.new_account(suspended=True)
    held, free = world.message(account_id=account_id), world.message()
    later = world.message(account_id=account_id, due_at=NOW + clock.HOUR)
    claimed = claim(world)
    assert (taken(claimed), claimed.held) == ([free], 1)
    assert (world.state(held), world.row(held)["hold_reason"]) == (State.HELD, "suspended")
    assert world.state(later) is State.QUEUED

    assert world.run(lambda connection: feeds.resume(connection, 1, NOW)) == 0
    world.suspend(account_id, False)
    assert world.run(lambda connection: feeds.resume(connection, 1, NOW)) == 1
    assert (world.state(held), world.row(held)["hold_reason"]) == (State.QUEUED, None)
    assert taken(claim(world)) == [held]


def test_a_message_held_for_another_reason_is_not_resumed(world: World) -> None:
    message_id = world.message(state=int(State.HELD), hold_reason="doubt")
    assert world.run(lambda connection: feeds.resume(connection, 1, NOW)) == 0
    assert world.state(message_id) is State.HELD


def test_a_message_past_its_validity_is_not_sent_but_expired_and_refunded_once(world: World) -> None:
    late = world.message(text=LONG, expires_at=NOW)
    claimed = claim(world)
    assert (taken(claimed), claimed.expired) == ([], 1)
    row = world.row(late)
    assert (row["state"], row["refunded"], row["final_at"]) == (State.EXPIRED, 3 * PRICE, NOW)
    claim(world)
    assert (world.credits(), world.refunds()) == (3 * PRICE, [(world.account, 3 * PRICE)])


def test_when_the_next_message_is_due(world: World) -> None:
    def due() -> int | None:
        return world.run(lambda connection: claims.next_due(connection, 1))

    assert due() is None
    world.message(due_at=NOW + 20)
    world.message(due_at=NOW + 10)
    world.message(due_at=NOW, state=int(State.SENT))
    assert due() == NOW + 10


def test_depth_counts_what_is_due(world: World) -> None:
    for ago in (3, 2, 1):
        world.message(due_at=NOW - ago)
    world.message(due_at=NOW + 1)
    assert world.run(lambda connection: claims.depth(connection, 1, NOW)) == (3, NOW - 3)
    assert world.run(lambda connection: claims.depth(connection, 1, NOW, 2)) == (2, NOW - 3)
    assert world.run(lambda connection: claims.depth(connection, 2, NOW)) == (0, None)


def test_doubtful_messages_are_sent_again_as_possible_duplicates(world: World) -> None:
    message_id = world.message(text=LONG)
    claim(world)
    lease = world.lease()
    recovered = [world.run(lambda connection: claims.recover(connection, lease, "resend", NOW)) for _ in range(2)]
    assert recovered == [1, 0]
    row = world.row(message_id)
    assert (row["state"], row["possible_duplicate"], row["attempt"]) == (State.QUEUED, True, 1)
    claimed = claim(world)
    assert (taken(claimed), claimed.parts, claimed.messages[0][3]) == ([message_id], {}, 2)


def test_doubtful_messages_are_held_where_the_policy_says_so(world: World) -> None:
    message_id = world.message()
    claim(world)
    lease = world.lease()
    recovered = [world.run(lambda connection: claims.recover(connection, lease, "hold", NOW)) for _ in range(2)]
    assert recovered == [1, 0]
    row = world.row(message_id)
    assert (row["state"], row["hold_reason"], row["possible_duplicate"]) == (State.HELD, "doubt", False)
    assert taken(claim(world)) == []


def test_a_claim_whose_commit_was_in_doubt_is_put_back_without_what_is_in_hand(world: World) -> None:
    lost, in_hand = world.message(), world.message()
    claim(world)
    lease = world.lease()
    assert world.run(lambda connection: claims.reclaim(connection, lease, frozenset({in_hand}))) == 1
    row = world.row(lost)
    assert (row["state"], row["possible_duplicate"]) == (State.QUEUED, False)
    assert world.state(in_hand) is State.SENDING
