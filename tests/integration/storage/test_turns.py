"""Several processes on one SQLite file: each gets its turn, none fails, none waits for a dead one."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from gateway.storage.database import Database
from gateway.storage.migrate import migrate
from gateway.storage.schema import ledger
from gateway.storage.turns import Turn
from tests.support.processes import scripts
from tests.support.wait import until

# Opens the file, which does not exist at first, anew for every ten transactions. It hardly waits for SQLite's locks.
HAMMER = """
import sys, time
from gateway.storage import sqlite
from gateway.storage.database import Database, driver

sqlite.BUSY_TIMEOUT = 0.25
print("ready", flush=True)
sys.stdin.readline()
deadline, rows = time.monotonic() + 1, 0
while time.monotonic() < deadline:
    database = Database.open(sys.argv[1])
    writer = database.writer_connection()
    for _ in range(10):
        database.take_turn()
        database.begin(writer)
        driver(writer).execute("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, who TEXT)")
        driver(writer).execute("INSERT INTO t (who) VALUES (?)", (sys.argv[2],))
        database.commit(writer)
        database.release_turn()
        rows += 1
        with database.read() as reader:
            driver(reader).execute("SELECT max(id) FROM t").fetchone()
    writer.close()
    database.close()
print(rows, flush=True)
"""

# Notes in one file who had the turn, synced as a commit is, and asks for the next one without ever resting.
GREEDY = """
import os, sys
from pathlib import Path
from gateway.storage.turns import Turn

turn = Turn(Path(sys.argv[1]))
log = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND)
print("ready", flush=True)
sys.stdin.readline()
while True:
    turn.take()
    os.write(log, sys.argv[3].encode())
    os.fsync(log)
    turn.release()
"""

HOLDER = """
import sys
from gateway.storage.database import Database, driver

database = Database.open(sys.argv[1])
writer = database.writer_connection()
database.take_turn()
database.begin(writer)
driver(writer).execute("INSERT INTO ledger (account_id, at, kind, amount) VALUES (7, 0, 'grant', 1)")
print("holding", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trunkline.db"


@pytest.fixture
def turns(path: Path) -> Iterator[list[Turn]]:
    """Two claims to one turn, as two processes have them."""
    both = [Turn(path), Turn(path)]
    yield both
    for turn in both:
        turn.close()


@pytest.fixture
def url(path: Path) -> str:
    """A migrated file that nobody has open."""
    database = Database.open(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return f"sqlite:///{path}"


def test_one_has_the_turn(turns: list[Turn]) -> None:
    first, second = turns
    assert first.take()
    assert not second.take(blocking=False)
    first.release()
    assert second.take(blocking=False)
    assert not first.take(blocking=False)


def test_who_waits_comes_first(turns: list[Turn]) -> None:
    """The turnstile: who ends a turn does not get the next one, even before the one who waits has woken up."""
    first, second = turns
    for _ in range(100):
        first.take()
        waiting = threading.Thread(target=second.take)
        waiting.start()
        until(_somebody_waits, what="waiting for the turn")
        first.release()
        assert not first.take(blocking=False)
        waiting.join(10)
        second.release()


def test_a_turn_is_taken_once(turns: list[Turn]) -> None:
    turns[0].take()
    with pytest.raises(RuntimeError, match="already taken"):
        turns[0].take()
    assert turns[0].held
    assert not turns[1].take(blocking=False)


def test_a_turn_being_waited_for_is_not_asked_for_again(turns: list[Turn]) -> None:
    first, second = turns
    first.take()
    waiting = threading.Thread(target=second.take)
    waiting.start()
    until(_somebody_waits, what="waiting for the turn")
    with pytest.raises(RuntimeError, match="waited for"):
        second.take(blocking=False)
    second.release()  # not its own yet: nothing happens
    assert not second.held
    first.release()
    waiting.join(10)
    assert second.held


def test_releasing_twice_gives_nobody_two_turns(turns: list[Turn]) -> None:
    first, second = turns
    first.take()
    first.release()
    first.release()
    first.take()
    with pytest.raises(RuntimeError):
        first.take()
    assert not second.take(blocking=False)


def test_closing_ends_the_turn(path: Path, turns: list[Turn]) -> None:
    third = Turn(path)
    third.take()
    third.close()
    assert turns[0].take(blocking=False)


def test_a_turn_is_not_carried_over_a_fork(turns: list[Turn]) -> None:
    child = os.fork()
    if not child:
        try:
            turns[0].take(blocking=False)
        except RuntimeError:
            os._exit(3)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3


def test_a_busy_process_starves_nobody(path: Path, turns: list[Turn]) -> None:
    """Of three that never rest each has had a tenth of the turns by the time that there were many."""
    log = path.with_suffix(".log")
    log.touch()
    with scripts(GREEDY, [str(path), str(log)], 3) as processes:
        for process in processes:
            assert process.line() == "ready"
        for process in processes:
            process.say("go")
        until(lambda: {*log.read_text()} == {*"012"}, timeout=30, what="a turn for each")
        start = log.stat().st_size
        until(lambda: log.stat().st_size > start + 2000, timeout=60, what="2,000 turns")
        had = log.read_text()[start:]
    for number in "012":
        assert had.count(number) > len(had) / 10, {name: had.count(name) for name in "012"}


def test_the_turn_of_a_killed_process_is_free_and_its_rows_are_gone(url: str) -> None:
    database = Database.open(url)
    with scripts(HOLDER, [url]) as [process]:
        assert process.line() == "holding"
        assert not database.take_turn(blocking=False)
        process.kill()
        until(lambda: database.take_turn(blocking=False), what="the turn of the killed process")
    database.release_turn()
    with database.transaction() as connection:
        assert connection.scalar(select(func.count()).select_from(ledger)) == 0
    database.close()


def test_processes_that_make_open_and_write_one_file_at_once(path: Path) -> None:
    """The turn keeps writers apart: SQLite's own locks are met for moments only, when a connection closes."""
    url = f"sqlite:///{path}"
    with scripts(HAMMER, [url], 3) as processes:
        for process in processes:
            assert process.line() == "ready"
        for process in processes:
            process.say("go")
        written = [int(process.line()) for process in processes]
        assert [process.end() for process in processes] == [(0, "")] * 3
    database = Database.open(url)
    with database.read() as connection:
        counts = connection.execute(text("SELECT who, count(*) FROM t GROUP BY who")).all()
        assert dict(counts) == {str(number): rows for number, rows in enumerate(written)}
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
    database.close()


def test_closing_does_not_wait_for_a_turn_that_does_not_come(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.storage.sqlite.CLOSING_PATIENCE", 0.05)
    database, other = Database.open(url), Database.open(url)
    other.take_turn()
    database.close()
    other.close()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def _somebody_waits() -> bool:
    """Whether a thread of ours waits in the kernel for a file lock: `/proc/locks` marks those by an arrow."""
    return any(
        "->" in line and "FLOCK" in line and f" {os.getpid()} " in line
        for line in Path("/proc/locks").read_text().splitlines()
    )
