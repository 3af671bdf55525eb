"""The committing writer: batches, verdicts, claims, changes, log rows; on both databases, committed by the caller."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select, text

from gateway import clock
from gateway.operations.errors import Code, Refusal
from gateway.storage.commit import IDEMPOTENCY_LIFE
from gateway.storage.database import Database
from gateway.storage.errors import Unavailable
from gateway.storage.hosts import DirectHost, run_steps
from gateway.storage.queries import templates
from gateway.storage.schema import batch, call_log, commit_token, idempotency, ledger, message, template
from gateway.storage.submission import COMMITTED, KEY_TAKEN, NO_CREDITS, Claim, Repeated, Submission
from gateway.storage.writer import Writer
from tests.support.books import (
    a_log_row,
    a_message,
    a_send,
    balance_of,
    check_books,
    new_id,
    open_account,
    rows_of,
)


@dataclass(slots=True)
class Slot:
    """What became of one item, and when in the order of answers."""

    order: list["Slot"]
    value: Any = None
    error: BaseException | None = None

    def answer(self, value: Any) -> None:
        self.value = value
        self.order.append(self)

    def fail(self, error: BaseException) -> None:
        self.error = error
        self.order.append(self)


@dataclass(slots=True)
class Desk:
    """A writer whose transactions run when the test says so."""

    database: Database
    writer: Writer
    answered: list[Slot] = field(default_factory=list)

    def put(self, submission: Submission) -> Slot:
        slot = Slot(self.answered)
        self.writer.put(submission, slot)
        return slot

    def change(self, change: Any, log: Any = None) -> Slot:
        slot = Slot(self.answered)
        self.writer.put_change(change, log, slot)
        return slot

    def commit(self) -> int:
        """Empty the queue; how many transactions it took."""
        before = len(rows_of(self.database, commit_token))
        while len(self.writer) or self.writer.posts:
            assert run_steps(self.writer)
        return len(rows_of(self.database, commit_token)) - before


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    writer = Writer(database, queue_limit=2_000)
    yield Desk(database, writer)
    writer.close()


@pytest.fixture
def host(database: Database) -> Iterator[DirectHost]:
    host = DirectHost(Writer(database))
    yield host
    host.close()


def count(database: Database, table: Any) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_many_calls_share_a_transaction_and_each_account_has_one_ledger_row(desk: Desk) -> None:
    ana, bob = open_account(desk.database, 1_000), open_account(desk.database, 1_000)
    slots = [desk.put(a_send((ana, bob)[number % 2], number)) for number in range(40)]
    assert desk.commit() == 1
    assert {slot.value for slot in slots} == {COMMITTED}
    debits = rows_of(desk.database, ledger, ledger.c.kind == "debit")
    assert {(row["account_id"], row["amount"]) for row in debits} == {(ana, -380), (bob, -400)}
    assert len(debits) == 2
    assert (balance_of(desk.database, ana), balance_of(desk.database, bob)) == (620, 600)
    assert (count(desk.database, message), count(desk.database, call_log)) == (40, 40)
    check_books(desk.database)


def test_batches_are_bounded_and_keep_the_order(database: Database) -> None:
    desk = Desk(database, Writer(database, batch_limit=10))
    account = open_account(database, 1_000)
    slots = [desk.put(a_send(account)) for _ in range(25)]
    assert desk.commit() == 3
    assert desk.answered == slots
    desk.writer.close()


def test_a_change_keeps_its_place_between_batches(desk: Desk) -> None:
    account = open_account(desk.database, 100)

    def seen(connection: Connection) -> int:
        return connection.scalar(select(func.count()).select_from(message)) or 0

    first = [desk.put(a_send(account)) for _ in range(3)]
    change = desk.change(seen)
    last = [desk.put(a_send(account)) for _ in range(2)]
    assert desk.commit() == 3
    assert change.value == 3
    assert desk.answered == [*first, change, *last]


def test_no_credits_is_one_callers_verdict_and_harms_nobody(desk: Desk) -> None:
    poor, rich = open_account(desk.database, 10), open_account(desk.database, 1_000)
    slots = [
        desk.put(a_send(poor, 6)),
        desk.put(a_send(poor, 5)),
        desk.put(a_send(rich, 900)),
        desk.put(a_send(poor, 4)),
        desk.put(a_send(poor, 1)),
        desk.put(a_send(rich, 101)),
    ]
    assert desk.commit() == 1
    assert [slot.value for slot in slots] == [COMMITTED, NO_CREDITS, COMMITTED, COMMITTED, NO_CREDITS, NO_CREDITS]
    assert (balance_of(desk.database, poor), balance_of(desk.database, rich)) == (0, 100)
    assert count(desk.database, message) == 3
    outcomes = [row["outcome"] for row in rows_of(desk.database, call_log)]
    assert sorted(outcomes) == ["Committed"] * 3 + ["NoCredits"] * 3
    check_books(desk.database)


@pytest.mark.parametrize(
    ("credits_", "price", "verdict"),
    [
        pytest.param(5, 5, COMMITTED, id="exactly-enough"),
        pytest.param(4, 5, NO_CREDITS, id="one-micro-credit-short"),
        pytest.param(0, 0, COMMITTED, id="free"),
        pytest.param(2**53 - 1, 2**53 - 1, COMMITTED, id="the-largest-balance"),
    ],
)
def test_the_balance_covers_the_debit_to_the_last_digit(
    database: Database, host: DirectHost, credits_: int, price: int, verdict: Any
) -> None:
    account = open_account(database, credits_)
    assert host.submit(a_send(account, price)) is verdict
    assert balance_of(database, account) == (credits_ - price if verdict is COMMITTED else credits_)
    check_books(database)


def test_an_account_that_does_not_exist_has_no_credits(host: DirectHost) -> None:
    assert host.submit(a_send(999, 1)) is NO_CREDITS


def test_a_first_claim_is_kept_and_a_repeated_one_answered_with_it(database: Database, host: DirectHost) -> None:
    account = open_account(database, 100)
    first = a_send(account, 7, "key")
    assert host.submit(first) is COMMITTED
    assert first.claim is not None
    assert host.submit(a_send(account, 7, "key")) == Repeated(first.claim.answer)
    assert host.submit(a_send(account, 7, "key", "other")) is KEY_TAKEN
    assert host.submit(a_send(account, 7, "another")) is COMMITTED
    assert (balance_of(database, account), count(database, message)) == (86, 2)
    assert count(database, call_log) == 4


def test_a_key_belongs_to_its_account(database: Database, host: DirectHost) -> None:
    ana, bob = open_account(database, 100), open_account(database, 100)
    assert host.submit(a_send(ana, 1, "key")) is COMMITTED
    assert host.submit(a_send(bob, 1, "key", "other")) is COMMITTED
    assert [row["account_id"] for row in rows_of(database, idempotency)] == [ana, bob]


def test_claims_are_decided_within_a_batch_too(desk: Desk) -> None:
    ana, bob = open_account(desk.database, 100), open_account(desk.database, 100)
    first = a_send(ana, 1, "key")
    assert first.claim is not None
    slots = [
        desk.put(first),
        desk.put(a_send(ana, 1, "key")),
        desk.put(a_send(bob, 1, "key", "other")),
        desk.put(a_send(ana, 1, "key", "other")),
    ]
    assert desk.commit() == 1
    assert [slot.value for slot in slots] == [COMMITTED, Repeated(first.claim.answer), COMMITTED, KEY_TAKEN]
    assert count(desk.database, message) == 2
    check_books(desk.database)


def test_a_refused_call_does_not_take_its_key(desk: Desk) -> None:
    account = open_account(desk.database, 10)
    slots = [desk.put(a_send(account, 11, "key")), desk.put(a_send(account, 10, "key", "other"))]
    desk.commit()
    assert [slot.value for slot in slots] == [NO_CREDITS, COMMITTED]


@pytest.mark.parametrize(
    ("age", "verdict"),
    [
        pytest.param(IDEMPOTENCY_LIFE - clock.MINUTE, KEY_TAKEN, id="of-nearly-24-hours"),
        pytest.param(IDEMPOTENCY_LIFE + clock.MINUTE, COMMITTED, id="of-over-24-hours"),
    ],
)
def test_a_key_is_free_again_after_a_day(database: Database, host: DirectHost, age: int, verdict: Any) -> None:
    account = open_account(database, 100)
    host.submit(a_send(account, 1, "key"))
    with database.transaction() as connection:
        connection.execute(text("UPDATE idempotency SET at = at - :age"), {"age": age})
    assert host.submit(a_send(account, 1, "key", "other")) is verdict
    if verdict is COMMITTED:
        assert host.submit(a_send(account, 1, "key", "same")) is KEY_TAKEN
        assert host.submit(a_send(account, 1, "key", "other")) != KEY_TAKEN
    assert count(database, idempotency) == 1


def test_a_claim_without_a_debit_is_decided_the_same(database: Database, host: DirectHost) -> None:
    account = open_account(database, 0)
    free = Submission(account_id=account, claim=Claim("key", "same", "1"))
    assert host.submit(free) is COMMITTED
    assert host.submit(free) == Repeated("1")


def test_a_row_that_cannot_be_stored_fails_alone(desk: Desk) -> None:
    account = open_account(desk.database, 100)
    good = [a_send(account, 1) for _ in range(20)]
    bad = a_send(account, 1)
    bad.messages = (good[3].messages[0],)
    slots = [desk.put(submission) for submission in (*good[:10], bad, *good[10:])]
    desk.writer.post(a_log_row(None))
    desk.commit()
    assert slots[10].error is not None
    assert [slot.value for slot in slots if slot is not slots[10]] == [COMMITTED] * 20
    assert (balance_of(desk.database, account), count(desk.database, message)) == (80, 20)
    assert count(desk.database, call_log) == 21
    check_books(desk.database)


def test_a_log_row_that_cannot_be_made_fails_its_own_call_alone(desk: Desk) -> None:
    account = open_account(desk.database, 100)
    bad = a_send(account, 1)

    def broken(_: Any) -> Any:
        raise RuntimeError("no row")

    bad.log = broken
    slots = [desk.put(a_send(account, 1)), desk.put(bad), desk.put(a_send(account, 1))]
    desk.commit()
    assert isinstance(slots[1].error, RuntimeError)
    assert balance_of(desk.database, account) == 98
    check_books(desk.database)


def test_a_batch_is_staged_and_then_opened_with_its_debit(database: Database, host: DirectHost) -> None:
    account, batch_id = open_account(database, 1_000), new_id()
    rows = [a_message(account, 1, batch_id=batch_id, state=4) for _ in range(300)]
    host.submit(Submission(account_id=account, messages=rows[:200], batch=(batch_id, account, clock.now(), 0, 0)))
    host.submit(Submission(account_id=account, messages=rows[200:]))
    assert rows_of(database, batch)[0]["opened_at"] is None
    assert host.submit(Submission(account_id=account, debit=300, opens=(batch_id, 300, 300))) is COMMITTED
    opened = rows_of(database, batch)[0]
    assert (opened["count"], opened["credits"], opened["opened_at"] is None) == (300, 300, False)
    check_books(database)


def test_a_batch_that_is_gone_is_not_paid(database: Database, host: DirectHost) -> None:
    account = open_account(database, 1_000)
    with pytest.raises(LookupError):
        host.submit(Submission(account_id=account, debit=300, opens=(new_id(), 300, 300)))
    assert balance_of(database, account) == 1_000


def test_a_change_gives_its_result_and_commits_with_its_log_row(database: Database, host: DirectHost) -> None:
    account = open_account(database, 0)
    made = host.transact(
        lambda connection: templates.add(connection, account, "t", "x", "mobile", clock.now()),
        lambda result: a_log_row(account, response=str(result)),
    )
    assert [row["id"] for row in rows_of(database, template)] == [made]
    assert [row["response"] for row in rows_of(database, call_log)] == [str(made)]


def test_a_refused_change_is_undone_and_its_refusal_reaches_the_caller(database: Database, host: DirectHost) -> None:
    account = open_account(database, 0)

    def refuse(connection: Connection) -> None:
        templates.add(connection, account, "t", "x", "mobile", clock.now())
        raise Refusal(Code.INCORRECT_PARAM, "title: no.")

    with pytest.raises(Refusal, match="title: no"):
        host.transact(refuse, lambda _: a_log_row(account))
    assert (count(database, template), count(database, call_log)) == (0, 0)
    assert host.submit(a_send(account, 0)) is COMMITTED


def test_a_change_whose_log_row_cannot_be_stored_is_undone(database: Database, host: DirectHost) -> None:
    account = open_account(database, 0)
    row = a_log_row(account)
    host.post(row)
    host.flush()
    with pytest.raises(Exception, match=r"(?i)unique"):
        host.transact(
            lambda connection: templates.add(connection, account, "t", "x", "mobile", clock.now()), lambda _: row
        )
    assert count(database, template) == 0


def test_posts_go_with_the_next_transaction(database: Database, host: DirectHost) -> None:
    account = open_account(database, 10)
    host.post(a_log_row(None))
    assert count(database, call_log) == 0
    host.submit(a_send(account, 1))
    assert (count(database, call_log), count(database, commit_token)) == (2, 1)
    host.post(a_log_row(None))
    host.close()
    assert count(database, call_log) == 3


def test_the_queue_is_bounded(desk: Desk) -> None:
    account = open_account(desk.database, 10_000)
    for _ in range(2_000):
        desk.put(a_send(account, 1))
    with pytest.raises(Unavailable):
        desk.put(a_send(account, 1))
    with pytest.raises(Unavailable):
        desk.change(lambda _: None)
    assert desk.commit() == 4
    desk.put(a_send(account, 1))
    desk.commit()
    assert balance_of(desk.database, account) == 10_000 - 2_001


def test_log_rows_that_wait_are_bounded(desk: Desk) -> None:
    row = a_log_row(None)
    with pytest.raises(Unavailable):
        for _ in range(20_001):
            desk.writer.post(row)
    assert desk.writer.posts == 20_000


def test_a_closed_writer_takes_nothing_more(database: Database) -> None:
    host = DirectHost(Writer(database))
    host.close()
    for call in (
        lambda: host.submit(a_send(1)),
        lambda: host.transact(lambda _: None),
        lambda: host.post(a_log_row(None)),
    ):
        with pytest.raises(Unavailable):
            call()


STEPS = st.lists(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.integers(0, 60),
            st.sampled_from([None, None, "k1", "k2", "k3"]),
            st.sampled_from(["same", "other"]),
        ),
        min_size=1,
        max_size=12,
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, funds=st.tuples(*[st.integers(0, 150)] * 3))
def test_any_sequence_does_what_a_plain_model_does(desk: Desk, steps: Any, funds: tuple[int, int, int]) -> None:
    accounts_ = [open_account(desk.database, each) for each in funds]
    model = dict(zip(accounts_, funds, strict=True))
    claims: dict[tuple[int, str], tuple[str, str]] = {}
    for transaction in steps:
        expected, slots = [], []
        for which, price, key, fingerprint in transaction:
            account = accounts_[which]
            send = a_send(account, price, key, fingerprint)
            slots.append(desk.put(send))
            expected.append(model_verdict(model, claims, send))
        assert desk.commit() == 1
        assert [slot.value for slot in slots] == expected
        assert {account: balance_of(desk.database, account) for account in accounts_} == model
    check_books(desk.database)


def model_verdict(model: dict[int, int], claims: dict[tuple[int, str], tuple[str, str]], send: Submission) -> Any:
    claim, account = send.claim, send.account_id
    if claim is not None and (account, claim.key) in claims:
        fingerprint, answer = claims[account, claim.key]
        return Repeated(answer) if fingerprint == claim.fingerprint else KEY_TAKEN
    if send.debit > model[account]:
        return NO_CREDITS
    model[account] -= send.debit
    if claim is not None:
        claims[account, claim.key] = (claim.fingerprint, claim.answer)
    return COMMITTED
