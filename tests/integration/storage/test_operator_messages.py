"""The operator lists, shows, cancels and releases messages; money follows to the last digit."""

import pytest

from gateway.messaging.states import State
from gateway.storage.database import Database
from gateway.storage.errors import Conflict
from gateway.storage.queries import ledger, messages
from tests.support.rows import CREDIT, HOUR, NOW, add_account, add_batch, add_message, add_segment

LATER = NOW + HOUR


@pytest.fixture
def account(database: Database) -> int:
    with database.transaction() as connection:
        return add_account(connection)


def test_pages_go_from_new_to_old(database: Database, account: int) -> None:
    with database.transaction() as connection:
        other = add_account(connection, "bob@example.com")
        for number in range(1, 7):
            add_message(connection, account if number % 2 else other, number, State.QUEUED)
        first = messages.page(connection, None, limit=4)
        assert [row["id"] for row in first] == [6, 5, 4, 3]
        assert [row["id"] for row in messages.page(connection, None, before=3)] == [2, 1]
        assert [row["id"] for row in messages.page(connection, account)] == [5, 3, 1]
        assert [row["id"] for row in messages.page(connection, account, before=5, limit=1)] == [3]


@pytest.mark.parametrize("state", list(State), ids=lambda state: state.name)
def test_pages_of_one_state(database: Database, account: int, state: State) -> None:
    with database.transaction() as connection:
        for number, each in enumerate((*State, *State), 1):
            add_message(connection, account, number, each)
        rows = messages.page(connection, None, state=state)
    assert [row["state"] for row in rows] == [state, state]
    assert rows[0]["id"] > rows[1]["id"]


def test_show_with_segments(database: Database, account: int) -> None:
    with database.transaction() as connection:
        other = add_account(connection, "bob@example.com")
        add_message(connection, account, 1, State.SENT, segments=2)
        add_segment(connection, 1, 2)
        add_segment(connection, 1, 1)
        shown = messages.show(connection, None, 1)
        assert shown == messages.show(connection, account, 1)
        assert [row["seq"] for row in messages.segments(connection, None, 1)] == [1, 2]
        assert messages.show(connection, other, 1) is None
        assert messages.segments(connection, other, 1) == []
        assert messages.show(connection, None, 2) is None
    assert shown is not None
    assert (shown["text"], shown["state"]) == ("hello", State.SENT)


@pytest.mark.parametrize("state", sorted(messages.CANCELLABLE), ids=lambda state: state.name)
def test_cancel_refunds(database: Database, account: int, state: State) -> None:
    with database.transaction() as connection:
        add_message(connection, account, 1, state, price=3 * CREDIT, segments=3, hold_reason="doubt")
        cancelled = messages.cancel(connection, None, 1, LATER)
    assert cancelled == messages.Cancelled(account, 3 * CREDIT)
    with database.read() as connection:
        row = messages.show(connection, account, 1)
        assert ledger.balance(connection, account) == 3 * CREDIT
        entries = ledger.entries(connection, account)
    assert row is not None
    assert (row["state"], row["refunded"], row["final_at"], row["hold_reason"]) == (
        State.CANCELLED,
        3 * CREDIT,
        LATER,
        None,
    )
    assert [(entry["kind"], entry["amount"], entry["note"]) for entry in entries] == [
        ("refund", 3 * CREDIT, "cancelled 1")
    ]


def test_cancel_refunds_what_no_carrier_took_and_was_not_refunded(database: Database, account: int) -> None:
    with database.transaction() as connection:
        add_message(connection, account, 1, State.QUEUED, price=4 * CREDIT, segments=4, refunded=CREDIT)
        add_segment(connection, 1, 1)
        add_segment(connection, 1, 1, attempt=2)
        add_segment(connection, 1, 2, carrier_ref=None)
        cancelled = messages.cancel(connection, account, 1, LATER)
        assert cancelled == messages.Cancelled(account, 2 * CREDIT)
        assert ledger.balance(connection, account) == 2 * CREDIT


@pytest.mark.parametrize(
    "state", [state for state in State if state not in messages.CANCELLABLE], ids=lambda state: state.name
)
def test_what_is_sent_or_over_is_not_cancelled(database: Database, account: int, state: State) -> None:
    with database.transaction() as connection:
        add_message(connection, account, 1, state)
    with pytest.raises(Conflict, match=f"message 1 is {state.name}"), database.transaction() as connection:
        messages.cancel(connection, None, 1, LATER)
    with database.read() as connection:
        row = messages.show(connection, None, 1)
        assert ledger.balance(connection, account) == 0
    assert row is not None
    assert (row["state"], row["refunded"]) == (state, 0)


def test_cancelling_twice_refunds_once(database: Database, account: int) -> None:
    with database.transaction() as connection:
        add_message(connection, account, 1, State.QUEUED)
        messages.cancel(connection, None, 1, LATER)
    with pytest.raises(Conflict, match="CANCELLED"), database.transaction() as connection:
        messages.cancel(connection, None, 1, LATER)
    with database.read() as connection:
        assert ledger.balance(connection, account) == CREDIT


def test_a_message_of_another_account_or_none_is_not_found(database: Database, account: int) -> None:
    with database.transaction() as connection:
        other = add_account(connection, "bob@example.com")
        add_message(connection, account, 1, State.HELD)
        assert messages.cancel(connection, other, 1, LATER) is None
        assert messages.cancel(connection, None, 2, LATER) is None
        assert not messages.release(connection, other, 1, LATER)
        assert not messages.release(connection, None, 2, LATER)
        row = messages.show(connection, account, 1)
    assert row is not None
    assert row["state"] == State.HELD


@pytest.mark.parametrize("opened", [True, False], ids=["accepted", "not yet accepted"])
def test_a_staged_message_is_refunded_only_once_its_batch_is_paid(
    database: Database, account: int, opened: bool
) -> None:
    with database.transaction() as connection:
        batch = add_batch(connection, account, 7, opened=opened)
        add_message(connection, account, 8, State.STAGED, batch_id=batch)
        cancelled = messages.cancel(connection, None, 8, LATER)
        assert ledger.balance(connection, account) == (CREDIT if opened else 0)
    assert (cancelled is not None) is opened


@pytest.mark.parametrize(
    ("due_at", "reason", "state", "doubtful"),
    [
        pytest.param(NOW, "restored", State.QUEUED, False, id="due"),
        pytest.param(LATER + 1, "suspended", State.SCHEDULED, False, id="due later"),
        pytest.param(NOW, "doubt", State.QUEUED, True, id="perhaps with the carrier"),
    ],
)
def test_release(database: Database, account: int, due_at: int, reason: str, state: State, doubtful: bool) -> None:
    with database.transaction() as connection:
        add_message(connection, account, 1, State.HELD, hold_reason=reason, due_at=due_at)
        assert messages.release(connection, None, 1, LATER)
        row = messages.show(connection, None, 1)
    assert row is not None
    assert (row["state"], row["hold_reason"], row["possible_duplicate"]) == (state, None, doubtful)


@pytest.mark.parametrize("state", [state for state in State if state != State.HELD], ids=lambda state: state.name)
def test_only_what_is_held_is_released(database: Database, account: int, state: State) -> None:
    with database.transaction() as connection:
        add_message(connection, account, 1, state)
    with pytest.raises(Conflict, match=f"is {state.name}, not HELD"), database.transaction() as connection:
        messages.release(connection, None, 1, LATER)


def test_release_in_steps_by_reason_and_account(database: Database, account: int) -> None:
    with database.transaction() as connection:
        other = add_account(connection, "bob@example.com")
        for number in range(1, 6):
            add_message(connection, account, number, State.HELD, hold_reason="restored")
        add_message(connection, account, 6, State.HELD, hold_reason="doubt", possible_duplicate=True)
        add_message(connection, other, 7, State.HELD, hold_reason="restored", possible_duplicate=True)
        steps = [messages.release_some(connection, account, "restored", LATER, 2) for _ in range(4)]
        assert steps == [2, 2, 1, 0]
        assert messages.release_some(connection, None, "restored", LATER) == 1
        states = {row["id"]: row["state"] for row in messages.page(connection, None)}
        released = messages.show(connection, None, 7)
    assert states == {**dict.fromkeys([1, 2, 3, 4, 5, 7], State.QUEUED), 6: State.HELD}
    assert released is not None
    assert released["possible_duplicate"]
