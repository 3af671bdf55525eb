"""The database as its users meet it: who may do what, what an outage looks like, what is on disk."""

import re
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from gateway.storage.database import Database, driver, is_away
from gateway.storage.errors import Incompatible, Unavailable
from gateway.storage.schema import config_version, counter
from tests.support.ports import free_port

only_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
only_postgresql = pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)


def version(database: Database) -> int | None:
    with database.read() as connection:
        return connection.scalar(select(config_version.c.version))


def set_version(connection: Connection, number: int) -> None:
    connection.execute(update(config_version).values(version=number))


@contextmanager
def writer_of(database: Database) -> Iterator[Connection]:
    """A writer's connection, its process having the turn."""
    connection = database.writer_connection()
    database.take_turn()
    yield connection
    database.release_turn()
    connection.close()


def cut_off(database: Database, connection: Connection) -> None:
    """Let the server drop a connection of another client, as when it restarts."""
    pid = driver(connection).info.backend_pid
    with database.transaction() as other:
        assert other.scalar(text(f"SELECT pg_terminate_backend({pid}, 5000)"))


# Opening


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "form"),
        ("trunkline.db", "form"),
        ("mysql://localhost/x", "'mysql'"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///x.db?mode=memory", "names no file"),
        ("sqlite:////nowhere/x.lock", "its lock file's"),
    ],
)
def test_an_address_that_is_none_is_refused(url: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Database.open(url)


def test_what_an_error_says_holds_no_password() -> None:
    port = free_port()
    with pytest.raises(Unavailable) as caught:
        Database.open(f"postgresql://joe:hunter2@127.0.0.1:{port}/x")
    assert str(caught.value) == "The PostgreSQL server cannot be reached."


def test_a_database_shows_no_password(database: Database) -> None:
    assert repr(database) == f"<Database {database.dialect}>"


@pytest.mark.parametrize(
    "scheme", ["postgresql://", "postgresql+psycopg://", "postgres://"], ids=["plain", "driver", "short"]
)
@only_postgresql
def test_postgresql_addresses(database_url: str, scheme: str) -> None:
    database = Database.open(database_url.replace("postgresql://", scheme))
    assert (database.dialect, database.directory) == ("postgresql", None)
    assert version(database) == 1
    database.close()


@only_postgresql
def test_another_encoding_is_refused(postgresql: object, empty_url: str) -> None:
    execute: Callable[[str], None] = postgresql.execute  # type: ignore[attr-defined]
    execute("CREATE DATABASE latin ENCODING LATIN1 LOCALE 'C' TEMPLATE template0")
    try:
        with pytest.raises(Incompatible, match="LATIN1"):
            Database.open(postgresql.url("latin"))  # type: ignore[attr-defined]
    finally:
        execute("DROP DATABASE latin WITH (FORCE)")


def test_a_new_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "trunkline.db"
    database = Database.open(f"sqlite:///{path}")
    with database.transaction() as connection:
        connection.execute(text("CREATE TABLE t (x INTEGER)"))
    modes = {found.name: stat.S_IMODE(found.stat().st_mode) for found in path.parent.iterdir()}
    assert modes == dict.fromkeys(
        ["trunkline.db", "trunkline.db-wal", "trunkline.db-shm", "trunkline.lock", "trunkline.next"], 0o600
    )
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert database.directory == path.parent
    database.close()


def test_the_last_to_close_folds_the_log_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "trunkline.db"
    database = Database.open(f"sqlite:///{path}")
    with database.transaction() as connection:
        connection.execute(text("CREATE TABLE t (x INTEGER)"))
    assert path.with_name("trunkline.db-wal").stat().st_size > 0
    database.close()
    assert not path.with_name("trunkline.db-wal").exists()


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "trunkline.db"
    path.write_bytes(b"a page of something else\n" * 500)
    with pytest.raises(Incompatible, match=r"trunkline\.db"):
        Database.open(f"sqlite:///{path}")
    assert path.read_bytes() == b"a page of something else\n" * 500


@pytest.mark.parametrize(
    "name", ["file/trunkline.db", "folder"], ids=["a folder that is a file", "a file that is a folder"]
)
def test_a_place_that_cannot_be_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(Unavailable, match="cannot be opened"):
        Database.open(f"sqlite:///{tmp_path / name}")


@only_sqlite
def test_an_open_database_keeps_its_locks_while_another_opens_it(database: Database, database_url: str) -> None:
    """Closing any descriptor of the file would drop the process's locks on it (POSIX)."""
    with writer_of(database) as writer:
        database.begin(writer)
        set_version(writer, 2)
        thread = threading.Thread(target=lambda: Database.open(database_url).close())
        thread.start()  # waits for the turn
        database.commit(writer)
    thread.join(10)
    assert not thread.is_alive()
    assert version(database) == 2


# Settings


@only_sqlite
@pytest.mark.parametrize(
    ("pragma", "writer", "reader"),
    [
        ("journal_mode", "wal", "wal"),
        ("synchronous", 2, None),
        ("foreign_keys", 1, 1),
        ("query_only", 0, 1),
        ("busy_timeout", 5000, 5000),
        ("mmap_size", 0, 0),
        ("wal_autocheckpoint", 4000, None),
        ("journal_size_limit", 67_108_864, None),
    ],
)
def test_sqlite_settings(database: Database, pragma: str, writer: object, reader: object) -> None:
    connection = database.writer_connection()
    assert driver(connection).execute(f"PRAGMA {pragma}").fetchone()[0] == writer
    connection.close()
    if reader is not None:
        with database.read() as readers:
            assert readers.scalar(text(f"PRAGMA {pragma}")) == reader


@only_postgresql
def test_a_server_set_not_to_sync_syncs_for_us(postgresql: object, database: Database) -> None:
    name = database.url.partition("?")[0].rpartition("/")[2]
    postgresql.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")  # type: ignore[attr-defined]
    with database.transaction() as connection:
        assert connection.scalar(text("SHOW synchronous_commit")) == "on"
        assert connection.scalar(text("SHOW fsync")) == "on"


@only_postgresql
def test_a_read_that_takes_too_long_is_cut(database: Database) -> None:
    with database.read() as connection:
        assert connection.scalar(text("SHOW statement_timeout")) == "5s"
        connection.execute(text("SET statement_timeout = '50ms'"))
        with pytest.raises(Unavailable), database.read():
            connection.execute(text("SELECT pg_sleep(30)"))
        connection.execute(text("RESET statement_timeout"))


# Reading and writing


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises((DBAPIError, Unavailable)) as caught, database.read() as connection:
        set_version(connection, 2)
    assert re.search(r"(?i)read-?only", str(caught.value.__cause__ or caught.value))
    assert version(database) == 1


def test_a_transaction_is_committed_at_its_end(database: Database) -> None:
    with database.transaction() as connection:
        set_version(connection, 2)
        assert version(database) == 1
    assert version(database) == 2


def test_a_transaction_that_raises_is_rolled_back(database: Database) -> None:
    with pytest.raises(LookupError), database.transaction() as connection:
        set_version(connection, 2)
        raise LookupError
    assert version(database) == 1
    with database.transaction() as connection:
        set_version(connection, 3)
    assert version(database) == 3


def test_a_broken_rule_is_an_error_of_its_own(database: Database) -> None:
    with pytest.raises(IntegrityError), database.transaction() as connection:
        connection.execute(insert(counter).values(name="id", next=1))


def test_transactions_do_not_nest(database: Database) -> None:
    with pytest.raises(RuntimeError, match="nest"), database.transaction(), database.transaction():
        pass
    with database.transaction() as connection:
        set_version(connection, 2)


def test_transactions_of_threads_come_one_after_the_other(database: Database) -> None:
    def add() -> None:
        for _ in range(20):
            with database.transaction() as connection:
                connection.execute(update(counter).values(next=counter.c.next + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with database.read() as connection:
        assert connection.scalar(select(counter.c.next)) == 1 + 80


def test_a_read_sees_what_was_committed_meanwhile(database: Database) -> None:
    with database.read() as connection:
        assert connection.scalar(select(config_version.c.version)) == 1
        with database.transaction() as writer:
            set_version(writer, 2)
        assert connection.scalar(select(config_version.c.version)) == 2


def test_a_read_left_by_an_error_leaves_no_trace(database: Database) -> None:
    for _ in range(20):
        with pytest.raises(LookupError), database.read() as connection:
            connection.execute(select(config_version))
            raise LookupError
    assert version(database) == 1


def test_more_reads_at_once_than_are_kept(database_url: str) -> None:
    database = Database.open(database_url, read_pool=2)
    seen = []

    def read() -> None:
        seen.extend(version(database) for _ in range(10))

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert seen == [1] * 60
    database.close()


def test_a_writer_commits_from_another_thread(database: Database) -> None:
    with writer_of(database) as writer:
        for number in (2, 3):
            database.begin(writer)
            set_version(writer, number)
            thread = threading.Thread(target=database.commit, args=(writer,))
            thread.start()
            thread.join(10)
            assert version(database) == number


def test_a_writer_rolls_back_and_goes_on(database: Database) -> None:
    with writer_of(database) as writer:
        database.begin(writer)
        set_version(writer, 2)
        database.rollback(writer)
        assert version(database) == 1
        database.rollback(writer)
        database.begin(writer)
        set_version(writer, 3)
        database.commit(writer)
    assert version(database) == 3


def test_a_writer_goes_on_after_a_statement_that_failed(database: Database) -> None:
    with writer_of(database) as writer:
        database.begin(writer)
        with pytest.raises(IntegrityError):
            writer.execute(insert(counter).values(name="id", next=1))
        database.rollback(writer)
        database.begin(writer)
        set_version(writer, 2)
        database.commit(writer)
    assert version(database) == 2


# Outages


@only_postgresql
def test_a_read_during_an_outage_is_unavailable_and_the_next_one_works(database: Database) -> None:
    with pytest.raises(Unavailable) as caught, database.read() as connection:
        connection.execute(select(1))
        cut_off(database, connection)
        connection.execute(select(1))
    assert str(caught.value) == "The database is away or cannot answer now; try again later."
    assert version(database) == 1


@only_postgresql
@pytest.mark.parametrize("moment", ["before a statement", "before commit", "between transactions"])
def test_a_writer_that_loses_its_link_goes_on_with_another(database: Database, moment: str) -> None:
    with writer_of(database) as writer:
        database.begin(writer)
        set_version(writer, 2)
        if moment == "between transactions":
            database.rollback(writer)
        cut_off(database, writer)
        if moment == "before commit":
            with pytest.raises(Unavailable):
                database.commit(writer)
        else:
            with pytest.raises(DBAPIError) as caught:
                if moment == "between transactions":
                    database.begin(writer)
                set_version(writer, 3)
            assert is_away(caught.value)
        database.rollback(writer)
        database.begin(writer)
        set_version(writer, 4)
        database.commit(writer)
    assert version(database) == 4


@only_postgresql
def test_a_lost_link_of_the_driver_is_an_outage_too(database: Database) -> None:
    """Hot statements run on the driver's own cursor, past SQLAlchemy."""
    with writer_of(database) as writer:
        database.begin(writer)
        cut_off(database, writer)
        with pytest.raises(Exception) as caught:
            driver(writer).execute("SELECT 1")
        assert is_away(caught.value)
        database.rollback(writer)
        database.begin(writer)
        set_version(writer, 2)
        database.commit(writer)
    assert version(database) == 2


@only_sqlite
def test_a_lock_held_past_the_turn_is_an_outage(database: Database, database_url: str) -> None:
    """Somebody's own sqlite3 shell takes no turns."""
    stranger = database.writer_connection()
    database.begin(stranger)
    other = Database.open(database_url)
    writer = other.writer_connection()
    driver(writer).execute("PRAGMA busy_timeout = 1")
    with pytest.raises(Unavailable):
        other.begin(writer)
    database.rollback(stranger)
    other.begin(writer)
    set_version(writer, 2)
    other.commit(writer)
    for connection in (stranger, writer):
        connection.close()
    other.close()
    assert version(database) == 2


@only_sqlite
def test_a_full_disk_is_an_outage(database: Database) -> None:
    with writer_of(database) as writer:
        pages = driver(writer).execute("PRAGMA page_count").fetchone()[0]
        driver(writer).execute(f"PRAGMA max_page_count = {pages}")
        database.begin(writer)
        with pytest.raises(DBAPIError) as caught:
            writer.execute(insert(counter), [{"name": f"n{i}", "next": i} for i in range(50_000)])
        assert is_away(caught.value)
        database.rollback(writer)
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(counter)) == 1


def test_a_mistake_in_a_statement_is_no_outage(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught, database.read() as connection:
        connection.execute(text("SELECT * FROM nowhere"))
    assert not is_away(caught.value)


def test_nothing_is_left_open(database_url: str) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = descriptors()
    for _ in range(3):
        database = Database.open(database_url)
        assert version(database) == 1
        with database.transaction() as connection:
            set_version(connection, 1)
        database.close()
    assert descriptors() <= before
