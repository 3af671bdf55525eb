"""How much is claimed for an access, and which of its sessions is given the next one."""

from types import SimpleNamespace
from typing import Any

import pytest

from gateway.frontends.smpp.outlets import FIRST_AHEAD, FIRST_REST, LONGEST_REST, MOST_AHEAD, Outlet, Seat, Task


def a_seat(free: int = 10, unanswered: int = 0, bound: bool = True) -> Seat:
    session = SimpleNamespace(free=free, unanswered=unanswered, state=SimpleNamespace(bound=bound))
    peer: Any = SimpleNamespace(open=True, link=SimpleNamespace(session=session))
    return Seat(peer, ())


def an_outlet(*seats: Seat) -> Outlet:
    outlet = Outlet((1, 2))
    outlet.seats.extend(seats)
    return outlet


def wait(outlet: Outlet, count: int) -> None:
    """So many tasks are left of the last claim."""
    entry: Any = None
    outlet.queue.clear()
    outlet.queue.extend(Task(entry, outlet, [], 0) for _ in range(count))


def test_sessions_take_turns() -> None:
    seats = [a_seat(), a_seat(free=0), a_seat()]
    outlet = an_outlet(*seats)
    assert [outlet.seat(0) for _ in range(4)] == [seats[0], seats[2], seats[0], seats[2]]


def test_without_room_there_is_no_session() -> None:
    assert an_outlet(a_seat(free=0), a_seat(bound=False)).seat(0) is None
    assert an_outlet().seat(0) is None


def test_a_session_that_refuses_rests_longer_each_time_and_is_then_tried_with_one() -> None:
    seat = a_seat()
    now, rests = 0.0, []
    for _ in range(7):
        seat.refused(now)
        seat.refused(now)  # the rest of its window, answered in the same way
        started = now
        while not seat.ready(now):
            assert seat.free(now) == 0
            now += 0.5
        rests.append(now - started)
        assert seat.free(now) == 1
    assert rests == [FIRST_REST, 2, 4, 8, 16, LONGEST_REST, LONGEST_REST]
    seat.took()
    assert seat.free(now) == 10


def test_a_session_on_trial_is_given_no_second_one() -> None:
    seat = a_seat(unanswered=1)
    seat.refused(0)
    assert seat.free(FIRST_REST) == 0


@pytest.mark.parametrize(
    ("frees", "waiting", "room"),
    [((10,), 0, 10), ((10, 5), 0, 15), ((10,), 4, 6), ((10,), 30, 0), ((0,), 0, 0), ((), 0, 0)],
)
def test_the_room_is_what_the_windows_have_and_nothing_waits_for(
    frees: tuple[int, ...], waiting: int, room: int
) -> None:
    outlet = an_outlet(*(a_seat(free) for free in frees))
    wait(outlet, waiting)
    assert outlet.room(0) == room


def test_nothing_is_claimed_for_sessions_that_rest() -> None:
    seat = a_seat()
    seat.refused(0)
    assert an_outlet(seat).room(0.5) == 0


def test_more_is_claimed_ahead_while_nothing_is_left_and_less_while_much_is() -> None:
    outlet = an_outlet(a_seat(free=0))
    rooms = []
    for _ in range(9):
        outlet.claimed(5, 5)
        outlet.adapt()
        rooms.append(outlet.room(0))
    assert rooms == [FIRST_AHEAD, 32, 64, 128, 256, 512, MOST_AHEAD, MOST_AHEAD, MOST_AHEAD]
    wait(outlet, 600)
    outlet.adapt()
    assert outlet.room(0) == 0
    wait(outlet, 0)
    assert outlet.room(0) == MOST_AHEAD // 2


def test_a_claim_that_gave_less_than_asked_for_was_the_last_for_now() -> None:
    outlet = an_outlet(a_seat())
    outlet.claimed(10, 9)
    assert not outlet.more
    assert not outlet.hungry
    outlet.adapt()
    assert outlet.room(0) == 10, "nothing ahead"
    outlet.claimed(10, 10)
    assert outlet.hungry
    wait(outlet, 1)
    assert not outlet.hungry
