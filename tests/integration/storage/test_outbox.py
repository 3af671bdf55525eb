"""Claims of what customers are still to be told: by whom, of what, for how long."""

import threading
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text, update

from gateway import clock
from gateway.messaging.states import State
from gateway.storage.database import Database
from gateway.storage.queries import messages, outbox
from gateway.storage.queries.dispatch import finals
from gateway.storage.queries.dispatch.talk import Talk
from gateway.storage.queries.outbox import Entry, Incoming, Key, Outcome
from gateway.storage.schema import inbound
from gateway.storage.schema import outbox as table
from tests.support.dispatch import NOW, World

LEASE = 8 * clock.SECOND
ACCESS = 7


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def told(world: World, state: State = State.DELIVERED, access_id: int = ACCESS, **values: Any) -> int:
    """A message that came to its end, with the row that says so; the message's id."""
    account_id = values.pop("account_id", world.account)
    message_id = world.message(
        account_id=account_id, access_id=access_id, protocol="smpp", state=int(state), **values
    )
    world.run(
        lambda connection: finals.write_notices(
            Talk(connection), [finals.notice(account_id, access_id, message_id, state, NOW)]
        )
    )
    return message_id


def arrived(world: World, number: int = 5, body: str = "Hi", **values: Any) -> int:
    """A message for the customer, with its row; its id."""
    row = {"id": number, "carrier_id": 1, "account_id": world.account, "source": "34600111222", "destination": "217"}
    world.change(insert(inbound).values(**row, text=body, received_at=NOW, **values))
    world.change(
        insert(table).values(
            kind="inbound",
            account_id=world.account,
            access_id=0,
            message_id=number,
            at=NOW,
            due_at=NOW,
            expires_at=NOW + finals.RECEIPT_LIFE,
        )
    )
    return number


def claim(
    world: World, *wanted: tuple[Key, int], now: int = NOW, most: int = 1_000, database: Database | None = None
) -> list[Entry]:
    rows = [(*key, most) for key, most in wanted or [((world.account, ACCESS), 100)]]
    with (database or world.database).transaction() as connection:
        return outbox.claim(Talk(connection), rows, now, now + LEASE, most)


def numbers(entries: list[Entry]) -> list[int]:
    return [entry.message_id for entry in entries]


def test_a_claim_tells_all_that_a_receipt_needs(world: World) -> None:
    message_id = told(
        world,
        State.UNDELIVERED,
        text="Twenty characters are the head of it",
        destination="34600111222",
        source="12345",
        source_ton=3,
        source_npi=0,
        destination_ton=1,
        destination_npi=1,
        reference="77",
        error="11",
    )
    [entry] = claim(world)
    assert (entry.key, entry.message_id, entry.attempt) == ((world.account, ACCESS), message_id, 1)
    assert entry.what == Outcome(
        "12345", 3, 0, "34600111222", 1, 1, "Twenty characters ar", NOW, "11", "77", int(State.UNDELIVERED), NOW
    )


def test_a_claim_tells_what_came_in(world: World) -> None:
    number = arrived(world, body="Ολα καλά", data_coding=8, esm_class=0, payload=b"\x03\x9f")
    key = (world.account, 0)
    [entry] = claim(world, (key, 10))
    assert (entry.key, entry.message_id) == (key, number)
    assert entry.what == Incoming("34600111222", "217", "Ολα καλά", 8, 0, b"\x03\x9f")


def test_what_is_claimed_is_due_again_when_the_lease_is_over(world: World) -> None:
    message_id = told(world)
    assert numbers(claim(world)) == [message_id]
    assert claim(world, now=NOW + LEASE - 1) == []
    [again] = claim(world, now=NOW + LEASE)
    assert (again.message_id, again.attempt) == (message_id, 2)


def test_the_oldest_come_first_and_no_more_than_asked_for(world: World) -> None:
    made = [told(world) for _ in range(5)]
    world.change(update(table).where(table.c.message_id == made[4]).values(due_at=NOW - 1))
    key = (world.account, ACCESS)
    assert numbers(claim(world, (key, 2))) == [made[0], made[4]]
    assert numbers(claim(world, (key, 2))) == made[1:3]
    assert numbers(claim(world, (key, 2))) == made[3:4]


def test_each_key_has_a_limit_of_its_own(world: World) -> None:
    other = world.new_account()
    mine = [told(world) for _ in range(3)]
    second = [told(world, access_id=8) for _ in range(3)]
    theirs = [told(world, access_id=9, account_id=other) for _ in range(3)]
    keys = [((world.account, ACCESS), 1), ((world.account, 8), 2), ((other, 9), 3)]
    assert numbers(claim(world, *keys)) == [*mine[:1], *second[:2], *theirs]


def test_a_claim_is_bounded_in_all(world: World) -> None:
    made = [told(world, access_id=access_id) for access_id in (1, 2, 3) for _ in range(3)]
    keys = [((world.account, access_id), 2) for access_id in (1, 2, 3)]
    assert numbers(claim(world, *keys, most=3)) == [*made[:2], made[3]]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"due_at": NOW + 1}, "not due"),
        ({"expires_at": NOW}, "expired"),
        ({"access_id": 8}, "another access's"),
        ({"account_id": 1_000_000}, "another account's"),
        ({"kind": "callback"}, "told otherwise"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_others_are_left_alone(world: World, values: dict[str, Any], why: str) -> None:
    told(world)
    key = (world.account, ACCESS)
    with world.database.read() as connection:
        assert outbox.waiting(Talk(connection), [key], NOW) == [key], "for the next line to prove something"
    world.change(update(table).values(**values))
    with world.database.read() as connection:
        assert outbox.waiting(Talk(connection), [key], NOW) == [], why
    assert claim(world) == [], why


@pytest.mark.parametrize(
    ("protocol", "registered_delivery", "is_told"),
    [("smpp", 1, True), ("smpp", 2, True), ("smpp", 0, False), ("http", 1, False)],
)
def test_a_cancelled_message_is_told_to_who_asked(
    world: World, protocol: str, registered_delivery: int, is_told: bool
) -> None:
    number = world.message(access_id=ACCESS, protocol=protocol, registered_delivery=registered_delivery)
    assert world.run(lambda connection: messages.cancel(connection, world.account, number, NOW)) is not None
    assert world.notices() == ([(number, State.CANCELLED)] if is_told else [])
    assert numbers(claim(world)) == ([number] if is_told else [])


def test_a_message_that_is_another_accounts_is_not_told(world: World) -> None:
    message_id = told(world)
    world.set(message_id, account_id=world.new_account())
    [entry] = claim(world)
    assert entry.what is None


def test_a_message_that_is_gone_is_claimed_without_its_text(world: World) -> None:
    world.change(
        insert(table).values(
            kind="receipt",
            account_id=world.account,
            access_id=ACCESS,
            message_id=1,
            state=20,
            at=NOW,
            due_at=NOW,
            expires_at=NOW + 1,
        )
    )
    [entry] = claim(world)
    assert (entry.message_id, entry.what) == (1, None)


def test_waiting_names_the_keys_with_something_due(world: World) -> None:
    told(world, access_id=3)
    told(world, access_id=5)
    keys = [(world.account, access_id) for access_id in range(10)]
    with world.database.read() as connection:
        assert outbox.waiting(Talk(connection), keys, NOW) == [(world.account, 3), (world.account, 5)]
        assert outbox.waiting(Talk(connection), [], NOW) == []


def test_what_is_put_off_comes_at_its_time(world: World) -> None:
    told(world)
    [entry] = claim(world)
    world.run(lambda connection: outbox.put_off(Talk(connection), [(entry, NOW + clock.MINUTE)]))
    assert claim(world, now=NOW + clock.MINUTE - 1) == []
    assert len(claim(world, now=NOW + clock.MINUTE)) == 1


def test_who_lost_a_claim_cannot_put_it_off(world: World) -> None:
    told(world)
    [lost] = claim(world)
    [held] = claim(world, now=NOW + LEASE)
    world.run(lambda connection: outbox.put_off(Talk(connection), [(lost, NOW)]))
    assert [row["due_at"] for row in world.rows(select(table))] == [NOW + 2 * LEASE]
    world.run(lambda connection: outbox.put_off(Talk(connection), [(held, NOW)]))
    assert [row["due_at"] for row in world.rows(select(table))] == [NOW]


def test_what_was_acknowledged_is_removed_whoever_holds_it(world: World) -> None:
    first, _, third = told(world), told(world), told(world)
    entries = claim(world)
    claim(world, now=NOW + LEASE)
    world.run(lambda connection: outbox.remove(Talk(connection), entries[1:2]))
    assert [number for number, _ in world.notices()] == [first, third]
    world.run(lambda connection: outbox.remove(Talk(connection), entries))
    assert world.notices() == []


def test_a_row_that_took_a_removed_ones_number_stays(world: World) -> None:
    told(world)
    [entry] = claim(world)
    again = told(world)
    world.change(text("DELETE FROM outbox WHERE message_id <> :kept").bindparams(kept=again))
    world.change(update(table).values(id=entry.id))
    world.run(lambda connection: outbox.remove(Talk(connection), [entry]))
    assert [number for number, _ in world.notices()] == [again]


def test_the_newest_row_tells_whether_something_was_added(world: World) -> None:
    seen = []
    for step in (None, told, told):
        if step is not None:
            step(world)
        with world.database.read() as connection:
            seen.append(outbox.newest(Talk(connection)))
    assert seen[0] is None
    assert len(set(seen)) == 3
    [entry] = claim(world)[1:]
    world.run(lambda connection: outbox.remove(Talk(connection), [entry]))
    told(world)
    with world.database.read() as connection:
        assert outbox.newest(Talk(connection)) not in seen


def test_two_servers_never_take_the_same_row(world: World, database_url: str) -> None:
    made = [told(world) for _ in range(60)]
    start = threading.Barrier(2)
    taken: dict[int, list[int]] = {0: [], 1: []}

    def take(me: int) -> None:
        database = Database.open(database_url)
        start.wait(10)
        while found := claim(world, ((world.account, ACCESS), 7), database=database):
            taken[me] += numbers(found)
        database.close()

    both = [threading.Thread(target=take, args=(me,)) for me in taken]
    for each in both:
        each.start()
    for each in both:
        each.join(30)
    # One that met the other's locks may have found nothing: what is left is claimed now.
    assert sorted(taken[0] + taken[1] + numbers(claim(world))) == made


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_row_that_is_being_claimed_is_passed_over(world: World, database_url: str) -> None:
    told(world)
    second = told(world)
    other = Database.open(database_url)
    with world.database.transaction() as mine:
        assert len(outbox.claim(Talk(mine), [(world.account, ACCESS, 1)], NOW, NOW + LEASE, 9)) == 1
        assert numbers(claim(world, database=other)) == [second]
    other.close()


BY_INDEX = {
    "sqlite": (
        ("SELECT w.key", "SEARCH outbox USING INDEX ix_outbox_waiting (account_id=? AND access_id=? AND due_at<?)"),
        ("UPDATE outbox SET due_at = ?, attempts", "ix_outbox_waiting (account_id=? AND access_id=? AND due_at<?)"),
        ("UPDATE outbox SET due_at = ? WHERE", "SEARCH outbox USING INTEGER PRIMARY KEY"),
        ("DELETE", "SEARCH outbox USING INTEGER PRIMARY KEY"),
    ),
    "postgresql": (
        ("SELECT w.key", "Index Scan using ix_outbox_waiting"),
        ("UPDATE outbox SET due_at = %s, attempts", "Index Scan using ix_outbox_waiting"),
        ("UPDATE outbox SET due_at = v_due_at", "pk_outbox"),
        ("DELETE", "pk_outbox"),
    ),
}


class Explaining:
    """A cursor that also asks how the database finds the rows of each statement about the outbox."""

    def __init__(self, cursor: Any, plans: dict[str, str]) -> None:
        self._cursor, self._plans = cursor, plans

    def execute(self, sql: str, values: Any = ()) -> Any:
        self._explain(sql, values)
        return self._cursor.execute(sql, values)

    def executemany(self, sql: str, rows: Any) -> Any:
        self._explain(sql, rows[0])
        return self._cursor.executemany(sql, rows)

    def _explain(self, sql: str, values: Any) -> None:
        if "outbox" in sql:
            word = "EXPLAIN" if "%s" in sql else "EXPLAIN QUERY PLAN"
            found = self._cursor.execute(f"{word} {sql}", values).fetchall()
            self._plans[sql] = "\n".join(str(row[-1]) for row in found)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


class Explained(Talk):
    """Statements whose plans are kept by their text."""

    def __init__(self, connection: Connection, plans: dict[str, str]) -> None:
        super().__init__(connection)
        self._driver = Asking(self._driver, plans)


class Asking:
    """A driver's connection with such cursors."""

    def __init__(self, inner: Any, plans: dict[str, str]) -> None:
        self._inner, self._plans = inner, plans

    def cursor(self) -> Explaining:
        return Explaining(self._inner.cursor(), self._plans)


def test_every_statement_finds_its_rows_by_an_index(world: World) -> None:
    keys = [(world.account, access_id) for access_id in range(200)]
    rows = [finals.notice(*key, number, State.DELIVERED, NOW) for key in keys for number in range(100)]
    world.run(lambda connection: finals.write_notices(Talk(connection), rows))
    plans: dict[str, str] = {}
    with world.database.transaction() as connection:
        if world.database.dialect == "postgresql":
            connection.execute(text("ANALYZE outbox"))
        talk = Explained(connection, plans)
        outbox.waiting(talk, keys, NOW)
        entries = outbox.claim(talk, [(*key, 10) for key in keys[:3]], NOW, NOW + LEASE, 1_000)
        outbox.put_off(talk, [(entry, NOW) for entry in entries])
        outbox.remove(talk, entries)
    for statement, expected in BY_INDEX[world.database.dialect]:
        [plan] = [plan for sql, plan in plans.items() if sql.startswith(statement)]
        assert expected in plan, plan
        assert "Seq Scan on outbox" not in plan, plan
