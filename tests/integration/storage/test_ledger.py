"""Balances and the ledger never disagree, and no balance goes below zero."""

import threading

import pytest
from sqlalchemy import func, select

from gateway.messaging.money import LIMIT
from gateway.storage.database import Database
from gateway.storage.errors import Conflict
from gateway.storage.queries import ledger
from gateway.storage.schema import ledger as table
from tests.support.rows import CREDIT, NOW, add_account


def adds_up(database: Database, account_id: int) -> int:
    """The balance, which is the sum of the ledger."""
    with database.read() as connection:
        amounts = select(func.coalesce(func.sum(table.c.amount), 0)).where(table.c.account_id == account_id)
        balance = ledger.balance(connection, account_id)
        assert connection.execute(amounts).scalar_one() == balance
    return balance


def test_grant_take_back_and_refund(database: Database) -> None:
    with database.transaction() as connection:
        account = add_account(connection)
        assert ledger.grant(connection, account, 5 * CREDIT, "paid", NOW) == 5 * CREDIT
        assert ledger.grant(connection, account, -2 * CREDIT, "taken back", NOW) == 3 * CREDIT
        assert ledger.refund(connection, account, 1, "refund", NOW) == 3 * CREDIT + 1
    assert adds_up(database, account) == 3 * CREDIT + 1
    with database.read() as connection:
        entries = ledger.entries(connection, account)
    assert [(row["kind"], row["amount"], row["note"]) for row in entries] == [
        ("refund", 1, "refund"),
        ("grant", -2 * CREDIT, "taken back"),
        ("grant", 5 * CREDIT, "paid"),
    ]


def test_entries_come_in_pages(database: Database) -> None:
    with database.transaction() as connection:
        account = add_account(connection)
        other = add_account(connection, "bob@example.com")
        for amount in range(1, 6):
            ledger.grant(connection, account, amount, "", NOW)
            ledger.grant(connection, other, 100, "", NOW)
        first = ledger.entries(connection, account, limit=3)
        rest = ledger.entries(connection, account, before=first[-1]["id"], limit=3)
    assert [row["amount"] for row in [*first, *rest]] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        pytest.param(-3 * CREDIT - 1, "does not cover 3.000001", id="a micro-credit too much"),
        pytest.param(LIMIT, "too large", id="beyond what is exact"),
    ],
)
def test_refused_changes_leave_everything(database: Database, amount: int, text: str) -> None:
    with database.transaction() as connection:
        account = add_account(connection, granted=3)
    with pytest.raises(Conflict, match=text), database.transaction() as connection:
        ledger.grant(connection, account, amount, "", NOW)
    assert adds_up(database, account) == 3 * CREDIT


@pytest.mark.parametrize("swapped", [False, True], ids=["to the younger", "to the older"])
def test_move(database: Database, swapped: bool) -> None:
    with database.transaction() as connection:
        source, target = (add_account(connection, f"{name}@example.com", granted=4) for name in "ab")
        if swapped:
            source, target = target, source
        ledger.move(connection, source, target, 3 * CREDIT, "moved", NOW)
    assert adds_up(database, source) == 1 * CREDIT
    assert adds_up(database, target) == 7 * CREDIT


@pytest.mark.parametrize("swapped", [False, True], ids=["to the younger", "to the older"])
def test_move_of_too_much_moves_nothing(database: Database, swapped: bool) -> None:
    with database.transaction() as connection:
        source, target = (add_account(connection, f"{name}@example.com", granted=4) for name in "ab")
    if swapped:
        source, target = target, source
    with pytest.raises(Conflict, match="balance of 4 does not cover 5"), database.transaction() as connection:
        ledger.move(connection, source, target, 5 * CREDIT, "moved", NOW)
    assert adds_up(database, source) == adds_up(database, target) == 4 * CREDIT


def test_unknown_account_has_nothing(database: Database) -> None:
    with database.read() as connection:
        assert ledger.balance(connection, 999) == 0


def test_moves_to_and_fro_at_once_neither_lock_up_nor_lose(database: Database) -> None:
    with database.transaction() as connection:
        a, b = (add_account(connection, f"{name}@example.com", granted=1000) for name in "ab")
    failures: list[Exception] = []

    def move(source: int, target: int) -> None:
        try:
            for _ in range(20):
                with database.transaction() as connection:
                    ledger.move(connection, source, target, CREDIT, "", NOW)
        except Exception as error:  # noqa: BLE001 (reported by the test itself)
            failures.append(error)

    threads = [threading.Thread(target=move, args=pair) for pair in ((a, b), (b, a), (a, b), (b, a))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert adds_up(database, a) == adds_up(database, b) == 1000 * CREDIT
