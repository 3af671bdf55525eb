"""A message's life."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messaging.states import FINAL, TRANSITIONS, State, may, of_segments, public


def test_the_stored_numbers() -> None:
    assert {state.name: state.value for state in State} == {
        "SCHEDULED": 1,
        "QUEUED": 2,
        "SENDING": 3,
        "STAGED": 4,
        "HELD": 5,
        "SENT": 10,
        "DELIVERED": 20,
        "UNDELIVERED": 21,
        "EXPIRED": 22,
        "REJECTED": 23,
        "CANCELLED": 24,
    }


@pytest.mark.parametrize(("old", "new"), [*itertools.product(FINAL, State)], ids=lambda state: state.name)
def test_a_final_state_never_changes(old: State, new: State) -> None:
    assert not may(old, new)


@pytest.mark.parametrize("old", State, ids=lambda state: state.name)
def test_only_what_waits_is_cancelled(old: State) -> None:
    cancellable = old in {State.SCHEDULED, State.QUEUED, State.STAGED, State.HELD}
    assert may(old, State.CANCELLED) == cancellable


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_every_state_has_its_transitions_and_staying_is_none(state: State) -> None:
    assert state in TRANSITIONS
    assert not may(state, state)
    assert bool(TRANSITIONS[state]) == (state not in FINAL)


@pytest.mark.parametrize("state", [state for state in State if state not in FINAL], ids=lambda state: state.name)
def test_every_state_leads_to_delivered(state: State) -> None:
    reached = {state}
    while more := set().union(*(TRANSITIONS[old] for old in reached)) - reached:
        reached |= more
    assert State.DELIVERED in reached


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        pytest.param(State.QUEUED, State.SENDING, True, id="claimed"),
        pytest.param(State.SENDING, State.SENT, True, id="answered"),
        pytest.param(State.SENDING, State.QUEUED, True, id="retried"),
        pytest.param(State.SENDING, State.DELIVERED, True, id="receipt-before-the-answer"),
        pytest.param(State.SENDING, State.HELD, True, id="doubtful"),
        pytest.param(State.HELD, State.QUEUED, True, id="released"),
        pytest.param(State.SENT, State.QUEUED, False, id="sent-is-not-sent-again"),
        pytest.param(State.QUEUED, State.SENT, False, id="sent-without-a-claim"),
        pytest.param(State.QUEUED, State.DELIVERED, False, id="delivered-unsent"),
        pytest.param(State.QUEUED, State.STAGED, False, id="staged-again"),
    ],
)
def test_transitions(old: State, new: State, allowed: bool) -> None:
    assert may(old, new) == allowed


@pytest.mark.parametrize("state", [State.SCHEDULED, State.STAGED, State.HELD], ids=lambda state: state.name)
def test_what_waits_reads_by_when_it_is_due(state: State) -> None:
    assert public(state, due_at=11, now=10) == "SCHEDULED"
    assert public(state, due_at=10, now=10) == "QUEUED"


@pytest.mark.parametrize("state", [State.QUEUED, State.SENDING], ids=lambda state: state.name)
def test_what_was_queued_stays_so_while_a_retry_is_put_off(state: State) -> None:
    assert public(state, due_at=11, now=10) == "QUEUED"


@pytest.mark.parametrize("state", [State.SENT, *sorted(FINAL)], ids=lambda state: state.name)
def test_the_rest_reads_as_it_is(state: State) -> None:
    assert public(state, due_at=11, now=10) == state.name


D, S, U, R, E = State.DELIVERED, State.SENT, State.UNDELIVERED, State.REJECTED, State.EXPIRED


@pytest.mark.parametrize(
    ("states", "total", "expected"),
    [
        pytest.param([D], 1, D, id="one-delivered"),
        pytest.param([D, D, D], 3, D, id="all-delivered"),
        pytest.param([D, D], 3, S, id="one-unknown"),
        pytest.param([D, S, D], 3, S, id="one-sent"),
        pytest.param([D, U, D], 3, U, id="one-failed"),
        pytest.param([D, R, U], 3, R, id="first-failure-counts"),
        pytest.param([S, E], 3, E, id="failure-before-the-rest-is-known"),
        pytest.param([], 2, S, id="nothing-known"),
        pytest.param([], 0, S, id="no-segments"),
    ],
)
def test_of_segments(states: list[State], total: int, expected: State) -> None:
    assert of_segments(states, total) == expected


@given(st.lists(st.sampled_from([S, D, U, R, E]), min_size=1, max_size=8), st.integers(0, 3))
def test_a_message_is_delivered_only_whole(states: list[State], missing: int) -> None:
    delivered = of_segments(states, len(states) + missing) is D
    assert delivered == (missing == 0 and set(states) == {D})
