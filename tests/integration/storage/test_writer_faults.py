"""The writer when the database fails it: lost answers, killed backends, a database that is away, a full disk.

What must hold: who was told that his message is stored, it is; nobody is debited twice; and everything works
again when the database does.
"""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import psycopg.sql
import pytest
from sqlalchemy import func, select, text

from gateway import clock
from gateway.storage.database import Database
from gateway.storage.errors import Unavailable
from gateway.storage.hosts import AsyncHost, DirectHost
from gateway.storage.queries import templates
from gateway.storage.schema import call_log, message, template
from gateway.storage.submission import COMMITTED, NO_CREDITS, Row, Verdict
from gateway.storage.writer import Writer
from tests.integration.storage.test_writer import Desk
from tests.support.books import a_log_row, a_message, a_send, balance_of, check_books, open_account, rows_of
from tests.support.proxy import Cut, Proxy, proxied
from tests.support.wait import until


def count(database: Database, table: Any) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def proxy(database_url: str) -> Iterator[Proxy]:
    with proxied(database_url) as proxy:
        yield proxy


@pytest.fixture
def desk(proxy: Proxy) -> Iterator[Desk]:
    """A writer whose link to PostgreSQL can be cut."""
    reached = Database.open(proxy.url)
    desk = Desk(reached, Writer(reached))
    yield desk
    desk.writer.close()
    reached.close()


def commit_and_lose_the_answer(database: Database, monkeypatch: pytest.MonkeyPatch, times: int = 1) -> list[bool]:
    """Have the next COMMITs succeed and look as if the link was cut; one entry for each that was."""
    lost: list[bool] = []
    commit = database.commit

    def cut(connection: Any) -> None:
        commit(connection)
        if len(lost) < times:
            lost.append(True)
            raise Unavailable("cut")

    monkeypatch.setattr(database, "commit", cut)
    return lost


@pytest.mark.parametrize("calls", [1, 20])
def test_a_lost_answer_to_commit_debits_once(database: Database, monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    account = open_account(database, 100)
    desk = Desk(database, Writer(database))
    desk.put(a_send(account, 1))
    desk.commit()
    lost = commit_and_lose_the_answer(database, monkeypatch)
    slots = [desk.put(a_send(account, 2)) for _ in range(calls)] + [desk.put(a_send(account, 90))]
    desk.writer.post(a_log_row(None))
    desk.commit()
    assert lost
    assert [slot.value for slot in slots] == [COMMITTED] * calls + [COMMITTED if calls == 1 else NO_CREDITS]
    assert count(database, call_log) == calls + 3
    check_books(database)
    desk.writer.close()


def test_a_lost_answer_gives_a_changes_first_result(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    account = open_account(database, 0)
    host = DirectHost(Writer(database))
    commit_and_lose_the_answer(database, monkeypatch)
    made = host.transact(lambda connection: templates.add(connection, account, "t", "x", "mobile", clock.now()))
    assert [row["id"] for row in rows_of(database, template)] == [made]
    host.close()


def test_answers_lost_again_and_again_debit_once_at_most(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    account = open_account(database, 100)
    host = DirectHost(Writer(database))
    commit_and_lose_the_answer(database, monkeypatch, times=3)
    assert host.submit(a_send(account, 2)) is COMMITTED
    assert host.submit(a_send(account, 2)) is COMMITTED
    assert balance_of(database, account) == 96
    host.close()


@pytest.mark.parametrize("beside", [0, 3], ids=["alone", "among others"])
def test_a_log_row_that_the_database_refuses_is_told(database: Database, beside: int) -> None:
    """Nobody waits for it: without that it would be lost without a trace. The others are written."""
    refused: list[tuple[Row, BaseException]] = []
    desk = Desk(database, Writer(database, refused=lambda row, error: refused.append((row, error))))
    wrong = a_log_row(None, outcome=None)
    for row in [*(a_log_row(None) for _ in range(beside)), wrong]:
        desk.writer.post(row)
    desk.commit()
    assert [row for row, _ in refused] == [wrong]
    assert "outcome" in str(refused[0][1])
    assert (count(database, call_log), desk.writer.posts) == (beside, 0)
    desk.writer.close()


@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.parametrize("calls", [1, 10])
@pytest.mark.parametrize("cut", ["before", "during", "after"])
def test_a_link_cut_around_commit_debits_once(
    database: Database, proxy: Proxy, desk: Desk, cut: Cut, calls: int
) -> None:
    account = open_account(database, 100)
    desk.put(a_send(account, 1))
    desk.commit()
    proxy.cut = cut
    slots = [desk.put(a_send(account, 2)) for _ in range(calls)]
    desk.commit()
    assert proxy.cuts == 1
    assert [slot.value for slot in slots] == [COMMITTED] * calls
    assert balance_of(database, account) == 99 - 2 * calls
    assert count(database, message) == 1 + calls
    check_books(database)


@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.parametrize("calls", [1, 10])
def test_a_server_still_at_the_lost_commit_is_waited_for(
    database: Database, proxy: Proxy, desk: Desk, calls: int
) -> None:
    account = open_account(database, 100)
    desk.put(a_send(account, 1))
    desk.commit()
    with database.transaction() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$"
                "BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$"
            )
        )
        connection.execute(
            text(
                "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON commit_token DEFERRABLE INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION slow()"
            )
        )
    proxy.cut = "during"
    slots = [desk.put(a_send(account, 2)) for _ in range(calls)]
    desk.commit()
    assert proxy.cuts == 1
    assert [slot.value for slot in slots] == [COMMITTED] * calls
    assert balance_of(database, account) == 99 - 2 * calls
    check_books(database)


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_backend_killed_within_the_transaction_is_replaced(database: Database, database_url: str) -> None:
    account = open_account(database, 100)
    writer = Writer(database)
    desk = Desk(database, writer)
    desk.put(a_send(account, 1))
    desk.commit()
    killed: list[int] = []
    send = a_send(account, 2)
    make = send.log

    def kill(verdict: Verdict) -> Any:
        if not killed:
            killed.extend(kill_backends(database_url))
        assert make is not None
        return make(verdict)

    send.log = kill
    slots = [desk.put(a_send(account, 1)), desk.put(send), desk.put(a_send(account, 1))]
    desk.commit()
    assert killed
    assert [slot.value for slot in slots] == [COMMITTED] * 3
    assert balance_of(database, account) == 95
    check_books(database)
    writer.close()


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_backends_killed_at_random_lose_and_double_nothing(database: Database, database_url: str) -> None:
    account = open_account(database, 10_000)
    host = DirectHost(Writer(database))
    stop = threading.Event()

    def killer() -> None:
        while not stop.wait(0.03):
            kill_backends(database_url)

    thread = threading.Thread(target=killer)
    thread.start()
    try:
        stored, refused = [], 0
        for _ in range(150):
            send = a_send(account, 7)
            try:
                assert host.submit(send) is COMMITTED
                stored.append(send.messages[0][0])
            except Unavailable:
                refused += 1
    finally:
        stop.set()
        thread.join()
    found = {row["id"] for row in rows_of(database, message)}
    assert set(stored) <= found
    assert len(found) <= len(stored) + refused
    assert balance_of(database, account) == 10_000 - 7 * len(found)
    assert host.submit(a_send(account, 7)) is COMMITTED
    check_books(database)
    host.close()


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_database_away_is_unavailable_and_works_again_when_it_is_back(
    database: Database, proxy: Proxy, desk: Desk
) -> None:
    account = open_account(database, 100)
    host = DirectHost(desk.writer)
    host.submit(a_send(account, 1))
    proxy.leave()
    for _ in range(2):
        with pytest.raises(Unavailable):
            host.submit(a_send(account, 1))
    with pytest.raises(Unavailable):
        host.transact(lambda connection: templates.add(connection, account, "t", "x", "mobile", clock.now()))
    host.post(a_log_row(None))
    with pytest.raises(Unavailable):
        host.flush()
    with pytest.raises(Unavailable):
        host.submit(a_send(account, 1))
    proxy.come_back()
    assert host.submit(a_send(account, 1)) is COMMITTED
    assert balance_of(database, account) == 98
    # The rows of the two sends, and the one that waited all the time.
    assert (count(database, call_log), count(database, template)) == (3, 0)
    check_books(database)


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_hosts_end_while_the_database_is_away(database: Database, proxy: Proxy) -> None:
    account = open_account(database, 100)
    reached = Database.open(proxy.url)

    async def main() -> None:
        host = AsyncHost(Writer(reached), reached.dialect)
        assert await host.submit(a_send(account, 1)) is COMMITTED
        proxy.leave()
        host.post(a_log_row(None))
        with pytest.raises(Unavailable):
            await host.submit(a_send(account, 1))
        await asyncio.wait_for(host.close(), 20)

    asyncio.run(main())
    reached.close()


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_server_that_only_lets_read_counts_as_away(database: Database, database_url: str) -> None:
    """As a former primary does after a switch. The link is of a time when it only let read."""
    account = open_account(database, 100)
    read_only(database_url, "on")
    host = DirectHost(Writer(database))
    with pytest.raises(Unavailable):
        host.submit(a_send(account, 1))
    read_only(database_url, "off")
    assert host.submit(a_send(account, 1)) is COMMITTED
    assert balance_of(database, account) == 99
    host.close()
    check_books(database)


def read_only(database_url: str, value: str) -> None:
    """What sessions of the database that begin from now on may do."""
    with psycopg.connect(database_url, autocommit=True, options="-c default_transaction_read_only=off") as link:
        name = psycopg.sql.Identifier(link.info.dbname)
        link.execute(psycopg.sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}").format(name, value))


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_log_rows_wait_for_a_database_that_is_away(database: Database, proxy: Proxy) -> None:
    reached = Database.open(proxy.url)

    async def main() -> None:
        host = AsyncHost(Writer(reached), reached.dialect)
        proxy.leave()
        for _ in range(3):
            host.post(a_log_row(None))
        with pytest.raises(Unavailable):
            await host.transact(lambda _: None)
        proxy.come_back()
        await asyncio.to_thread(until, lambda: count(database, call_log) == 3)
        await asyncio.wait_for(host.close(), 20)

    asyncio.run(main())
    reached.close()


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_writer_that_idled_too_long_within_a_transaction_goes_on(database: Database, database_url: str) -> None:
    account = open_account(database, 100)
    host = DirectHost(Writer(database))

    def doze(connection: Any) -> int:
        """The server ends the session, as it does of a process that was stopped for a minute."""
        if not dozed:
            dozed.append(1)
            pid = connection.scalar(text("SELECT pg_backend_pid()"))
            connection.execute(text("SET idle_in_transaction_session_timeout = '10ms'"))
            until(lambda: pid not in backends(database_url))
        return templates.add(connection, account, "t", "x", "mobile", clock.now())

    dozed: list[int] = []
    made = host.transact(doze)
    assert [row["id"] for row in rows_of(database, template)] == [made]
    assert host.submit(a_send(account, 1)) is COMMITTED
    host.close()


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_full_disk_is_unavailable_and_works_again_when_there_is_room(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = open_account(database, 1_000)
    full = True
    connect = database._connect  # type: ignore[attr-defined]

    def limited(pragmas: tuple[str, ...]) -> Any:
        connection = connect(pragmas)
        if full:
            connection.execute("PRAGMA max_page_count = 1").fetchall()  # no page more than there are
        return connection

    monkeypatch.setattr(database, "_connect", limited)
    host = DirectHost(Writer(database))
    large = a_send(account, 1)
    large.messages = (a_message(account, 1, text="x" * 20_000),)
    for _ in range(2):
        with pytest.raises(Unavailable):
            host.submit(large)
    host.post(a_log_row(None, response="x" * 20_000))
    with pytest.raises(Unavailable):
        host.flush()
    full = False
    assert host.submit(large) is COMMITTED
    assert balance_of(database, account) == 999
    assert count(database, call_log) == 2
    check_books(database)
    host.close()


def backends(url: str) -> set[int]:
    """The server's sessions in this database but the one that asks."""
    with psycopg.connect(url, autocommit=True) as connection:
        return {pid for (pid,) in connection.execute(_MINE.format("pid"))}


def kill_backends(url: str) -> list[int]:
    """End every session of this database but the one that asks; their process ids."""
    with psycopg.connect(url, autocommit=True) as connection:
        return [pid for pid, _ in connection.execute(_MINE.format("pid, pg_terminate_backend(pid)"))]


_MINE = "SELECT {} FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
