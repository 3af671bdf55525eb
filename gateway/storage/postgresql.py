"""The shared database: PostgreSQL through psycopg 3."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
import psycopg.waiting
from sqlalchemy import URL, Connection, NullPool, create_engine, event, text
from sqlalchemy.exc import DBAPIError

from gateway.storage.database import Database, is_away, translated
from gateway.storage.errors import Incompatible, Unavailable

READ_TIMEOUT_MS = 5_000
_LOOK = 0.1  # seconds between two looks for a signal while a statement runs
POOL_PATIENCE = 5.0  # seconds that a read waits for a connection

# libpq: notice within seconds that the server is gone, in whatever state the link is.
_LINK: Mapping[str, Any] = {
    "application_name": "trunkline",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
_READER = f"-c default_transaction_read_only=on -c statement_timeout={READ_TIMEOUT_MS}"
# A machine that is gone in the middle of a transaction holds its locks (on balances, on its carriers' leases) until
# then: well within the time in which another is to take over.
_WRITER = "-c idle_in_transaction_session_timeout=5000"


class PostgresqlDatabase(Database):
    """See `Database`. There are no turns: the server serialises what must be."""

    dialect = "postgresql"

    def __init__(self, url: str, parsed: URL, read_pool: int) -> None:
        self.url = url
        parsed = parsed.set(drivername="postgresql+psycopg")
        self._readers = create_engine(
            parsed,
            connect_args=_arguments(parsed, _READER),
            isolation_level="AUTOCOMMIT",
            pool_size=read_pool,
            max_overflow=0,
            pool_timeout=POOL_PATIENCE,
            pool_pre_ping=True,
        )
        self._writers = create_engine(parsed, connect_args=_arguments(parsed, _WRITER), poolclass=NullPool)
        event.listen(self._writers, "do_connect", _native)
        event.listen(self._writers, "connect", _sync_commits)
        try:
            self._look_over()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with translated(), self._readers.connect() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self._alone(), translated(), self._writers.connect() as connection, connection.begin():
            yield connection

    def writer_connection(self) -> Connection:
        with translated():
            return self._writers.connect()

    def begin(self, connection: Connection) -> None:
        with translated():
            connection.begin()

    def close(self) -> None:
        self._readers.dispose()
        self._writers.dispose()

    def _look_over(self) -> None:
        try:
            with self._readers.connect() as connection:
                encoding = connection.scalar(text("SHOW server_encoding"))
        except DBAPIError as error:
            if not is_away(error):
                raise
            raise Unavailable("The PostgreSQL server cannot be reached.") from error
        if encoding != "UTF8":
            raise Incompatible(f"The PostgreSQL database's encoding is {encoding}; create it with UTF8.")


class _Native(psycopg.Connection[Any]):
    """A writer's connection: it waits in the operating system, also where greenlets would wait in their hub."""

    def wait(self, gen: Any, interval: float = _LOOK, timeout: float | None = None) -> Any:
        """Let psycopg's own loop wait for the socket; without an interval it would spin."""
        if psycopg.waiting.wait is psycopg.waiting.wait_c:
            return super().wait(gen, interval, timeout)
        return psycopg.waiting.wait_c(gen, self.pgconn.socket, interval, timeout)


def _native(_: Any, __: Any, arguments: Any, options: Any) -> Any:
    """SQLAlchemy asks for a connection."""
    return _Native.connect(*arguments, **options)


def _sync_commits(connection: Any, _: object) -> None:
    """Acknowledged means synced, so a server that is set not to sync is told to for us."""
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.commit()


def _arguments(parsed: URL, options: str) -> dict[str, Any]:
    """What the URL leaves open of the link's settings, and our options after the URL's own."""
    arguments = {name: value for name, value in _LINK.items() if name not in parsed.query}
    given = parsed.query.get("options", "")
    arguments["options"] = " ".join([*([given] if isinstance(given, str) else given), options]).strip()
    return arguments
