"""The embedded database: one SQLite file in WAL mode, synced at every commit, written in turns."""

import contextlib
import os
import sqlite3
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine

from gateway.storage.database import Database, driver, translated
from gateway.storage.errors import Incompatible, Unavailable
from gateway.storage.turns import Turn

# Seconds. The turn keeps writers apart; this bridges the moments in which a connection closes, when SQLite tries
# for an exclusive lock, and is a last net against programs that take no turns.
BUSY_TIMEOUT = 5.0
CLOSING_PATIENCE = 2.0  # seconds that `close` waits for its turn

_COMMON = ("PRAGMA foreign_keys = ON", "PRAGMA mmap_size = 0")
# The log is folded back into the file at 4,000 pages of 4 KiB, and cut to 64 MiB after that; caches are in KiB.
_WRITER = (
    *_COMMON,
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -16000",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 67108864",
)
_READER = (*_COMMON, "PRAGMA query_only = ON", "PRAGMA cache_size = -2000")


class SqliteDatabase(Database):
    """See `Database`. Readers come from a pool without locks: greenlets and native threads may mix."""

    dialect = "sqlite"

    def __init__(self, url: str, parsed: URL, read_pool: int) -> None:
        self.url = url
        self._path = _file_of(parsed)
        self.directory = self._path.parent
        self._read_pool = read_pool
        self._idle: deque[Connection] = deque()
        self._writers = self._engine(_WRITER)
        self._readers = self._engine(_READER)
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._turn = Turn(self._path)
        except OSError as error:
            raise Unavailable(f"The database {self._path} cannot be opened: {error.strerror}.") from error
        try:
            self._anchor = self._open_file()
            with self.read():  # SQLAlchemy looks the dialect over now, not under load
                pass
        except BaseException:
            self._turn.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with translated():
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._readers.connect()
            try:
                yield connection
            finally:
                self._give_back(connection)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self._alone():
            turn = Turn(self._path)  # of its own, so that it waits for this process's writer too
            try:
                turn.take()
                with translated(), self._writers.connect() as connection:
                    self.begin(connection)
                    try:
                        yield connection
                        connection.commit()
                    except BaseException:
                        self.rollback(connection)
                        raise
            finally:
                turn.close()

    def writer_connection(self) -> Connection:
        with translated():
            return self._writers.connect()

    def begin(self, connection: Connection) -> None:
        with translated():
            connection.begin()
            try:
                driver(connection).execute("BEGIN IMMEDIATE")
            except BaseException:
                self.rollback(connection)
                raise

    def take_turn(self, blocking: bool = True) -> bool:
        return self._turn.take(blocking)

    def release_turn(self) -> None:
        self._turn.release()

    def close(self) -> None:
        """Close; the last one to leave folds the log into the file, which takes a turn, if it can be had."""
        deadline = time.monotonic() + CLOSING_PATIENCE
        while not self._turn.held and not self._turn.take(blocking=False):
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        while self._idle:
            self._idle.pop().close()
        self._read_pool = 0
        self._anchor.close()
        self._readers.dispose()
        self._writers.dispose()
        self._turn.close()

    def _give_back(self, connection: Connection) -> None:
        try:
            connection.rollback()
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        if len(self._idle) < self._read_pool:
            self._idle.append(connection)
        else:
            connection.close()

    def _engine(self, pragmas: tuple[str, ...]) -> Engine:
        return create_engine(
            URL.create("sqlite", database=str(self._path)),
            creator=lambda: self._connect(pragmas),
            poolclass=NullPool,
        )

    def _connect(self, pragmas: tuple[str, ...]) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=BUSY_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        for pragma in pragmas:
            connection.execute(pragma)
        return connection

    def _open_file(self) -> sqlite3.Connection:
        """Make the file if it is missing, set its mode, and stay connected.

        Two processes that did this at once failed with "database is locked" in spite of the busy timeout,
        hence the turn. While one connection stays open nobody finds the log in need of recovery.
        """
        self._turn.take()
        try:
            # Only ever created here, not opened: closing a descriptor of the file would drop SQLite's locks.
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            anchor = self._connect(("PRAGMA cache_size = -100",))
            mode = anchor.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            anchor.execute("SELECT count(*) FROM sqlite_master").fetchall()
        except OSError as error:
            raise Unavailable(f"The database {self._path} cannot be opened: {error.strerror}.") from error
        except sqlite3.OperationalError as error:
            raise Unavailable(f"The database {self._path} cannot be opened: {error}.") from error
        except sqlite3.DatabaseError as error:
            raise Incompatible(f"The file {self._path} cannot be used: {error}.") from error
        finally:
            self._turn.release()
        if mode != "wal":
            raise Incompatible(f"The file system of {self._path} cannot hold SQLite's write-ahead log.")
        return anchor


def _file_of(parsed: URL) -> Path:
    if not parsed.database or parsed.database == ":memory:" or parsed.query:
        raise ValueError("the database URL names no file; it must be of the form sqlite:///DIR/trunkline.db")
    path = Path(parsed.database).absolute()
    if path.suffix in (".lock", ".next"):
        raise ValueError(f"the database file cannot end in {path.suffix}: that name is its lock file's")
    return path
