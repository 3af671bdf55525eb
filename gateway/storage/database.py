"""One way to the database, whichever it is: short reads, one write transaction at a time, turns.

SQLite (`sqlite.py`) is the embedded default, PostgreSQL (`postgresql.py`) is for more than one machine.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gateway.storage.errors import Unavailable

Dialect = Literal["sqlite", "postgresql"]

AWAY = "The database is away or cannot answer now; try again later."

_within: ContextVar[tuple["Database", ...]] = ContextVar("within", default=())


class Database(ABC):
    """An open database. Open it in the process that uses it, never before a fork.

    Attributes: `url` as it was given (it may hold a password: never log it), `dialect`, and `directory`, the
    folder of the SQLite file (None on PostgreSQL).
    """

    url: str
    dialect: Dialect
    directory: Path | None = None

    @staticmethod
    def open(url: str, *, read_pool: int = 8) -> "Database":
        """Open `sqlite:///DIR/name.db` (made if missing, mode 0600) or `postgresql://…`.

        `read_pool` is how many connections are kept for reading. Raises ValueError for an address that is
        neither, Unavailable when the database cannot be reached, Incompatible when it is none we can use.
        """
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise ValueError(
                "the database URL is not of the form sqlite:///DIR/trunkline.db or postgresql://…"
            ) from None
        kind = parsed.drivername.partition("+")[0]
        if kind == "sqlite":
            from gateway.storage.sqlite import SqliteDatabase  # noqa: PLC0415 (each loads its own driver)

            return SqliteDatabase(url, parsed, read_pool)
        if kind in ("postgresql", "postgres"):
            from gateway.storage.postgresql import PostgresqlDatabase  # noqa: PLC0415

            return PostgresqlDatabase(url, parsed, read_pool)
        raise ValueError(f"the database URL starts with {kind!r}; it must be sqlite:///… or postgresql://…")

    @abstractmethod
    def read(self) -> AbstractContextManager[Connection]:
        """A connection for short reads: it cannot write, and each statement stands alone.

        Read results to their end within the block, within a second. Raises Unavailable.
        """

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Connection]:
        """One write transaction: committed at the end of the block, rolled back if it raises.

        It waits for the turn and blocks its thread: for the command line and for start-up, not for an event
        loop. Transactions do not nest (RuntimeError). Raises Unavailable.
        """

    @abstractmethod
    def writer_connection(self) -> Connection:
        """A new connection for a committing writer, who owns it and closes it.

        Between `begin` and `commit` or `rollback`; on SQLite only while its process has the turn.
        """

    @abstractmethod
    def begin(self, connection: Connection) -> None:
        """Begin a write transaction on a writer's connection. Raises Unavailable."""

    def commit(self, connection: Connection) -> None:
        """Commit and sync; any thread may call it. After Unavailable the outcome is unknown."""
        with translated():
            connection.commit()

    def rollback(self, connection: Connection) -> None:
        """Roll back whatever there is; never raises for a lost connection, which `begin` then replaces."""
        try:
            connection.rollback()
        except Exception as error:
            if not is_away(error):
                raise
            connection.invalidate()

    def take_turn(self, blocking: bool = True) -> bool:
        """Take this process's turn at writing (see `turns.py`); True when it is ours."""
        return True

    def release_turn(self) -> None:
        """End the turn; nothing happens if it is not ours."""
        return

    @abstractmethod
    def close(self) -> None:
        """Close every connection; those handed out to writers are theirs to close first."""

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Refuse a transaction within a transaction of this database: on SQLite it would wait for itself."""
        if self in _within.get():
            raise RuntimeError("transactions do not nest")
        token = _within.set((*_within.get(), self))
        try:
            yield
        finally:
            _within.reset(token)

    def __repr__(self) -> str:
        return f"<Database {self.dialect}>"


@contextmanager
def translated() -> Iterator[None]:
    """Turn errors that mean "the database is away" into Unavailable; others pass."""
    try:
        yield
    except Unavailable:
        raise
    except Exception as error:
        if is_away(error):
            raise Unavailable(AWAY) from error
        raise


# https://www.sqlite.org/rescode.html: BUSY, LOCKED, NOMEM, IOERR, FULL, CANTOPEN, PROTOCOL. READONLY is not among
# them: a disk that turns read-only under an open file is IOERR, and READONLY a statement on the wrong connection.
_SQLITE_AWAY = frozenset({5, 6, 7, 10, 13, 14, 15})
# The latter: after a switch the link leads to a server that is a standby now, until another link finds the primary.
_POSTGRESQL_AWAY = frozenset({"OperationalError", "ReadOnlySqlTransaction"})


def is_away(error: BaseException) -> bool:
    """Whether an error of the storage, of SQLAlchemy or of a driver means that the database cannot serve now.

    The connection may be gone; where it was the answer to COMMIT, the outcome is unknown. Anything else (a
    constraint, a table that does not exist) is about the statement.
    """
    if isinstance(error, Unavailable | PoolTimeout):
        return True
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        if error.orig is None:
            return False
        error = error.orig
    module, name = type(error).__module__, {base.__name__ for base in type(error).__mro__}
    if module == "sqlite3":
        code = getattr(error, "sqlite_errorcode", None)
        return code is not None and code & 0xFF in _SQLITE_AWAY
    return module.startswith("psycopg") and not _POSTGRESQL_AWAY.isdisjoint(name)


def driver(connection: Connection) -> Any:
    """The driver's own connection (sqlite3 or psycopg) below SQLAlchemy's."""
    return connection.connection.driver_connection
