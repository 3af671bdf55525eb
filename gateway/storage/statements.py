"""Statements of the hot paths, on the driver's own cursor: no query is built per message.

The text is written with `?` for values and `{}` for a list of values, and translated once per dialect. Many
rows go in one call: `executemany` on SQLite, COPY (or a pipelined `executemany`) on PostgreSQL.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from gateway.storage.submission import Row

# Below this many rows COPY's two extra round trips cost more than it saves.
_COPY_FROM = 8


class Statements:
    """The hot statements of one connection; `dialect` is sqlite or postgresql."""

    def __init__(self, connection: Connection, dialect: str) -> None:
        self.dialect = dialect
        self.connection = connection
        self._driver: Any = connection.connection.driver_connection
        self._waiting: list[tuple[str, tuple[Any, ...]]] = []

    def later(self, sql: str, *values: Any) -> None:
        """Execute a statement whose outcome nobody asks for: on PostgreSQL with the next one's round trip."""
        if self.dialect == "sqlite":
            self.run(sql, *values)
        else:
            self._waiting.append((_translated(sql, self.dialect), values))

    def fetch(self, sql: str, values: Sequence[Any], *rest: Any) -> list[tuple[Any, ...]]:
        """Rows of a query whose `{}` stands for the list `values` and whose `?` after it for `rest`."""
        parameters = (*values, *rest) if self.dialect == "sqlite" else (list(values), *rest)
        return self._rows(_with_list(sql, self.dialect, len(values)), parameters)

    def all(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Every row of a query; the query itself bounds how many."""
        return self._rows(_translated(sql, self.dialect), values)

    def run(self, sql: str, *values: Any) -> int:
        """Execute one statement; the number of rows it changed."""
        cursor = self._cursor()
        cursor.execute(_translated(sql, self.dialect), values)
        return int(cursor.rowcount)

    def many(self, sql: str, rows: Sequence[Row]) -> int:
        """Execute a statement once per row; the number of rows changed in all."""
        if not rows:
            return 0
        cursor = self._cursor()
        cursor.executemany(_translated(sql, self.dialect), rows)
        return int(cursor.rowcount)

    def insert(self, table: str, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
        """Insert rows whose values stand in the order of `columns`."""
        if not rows:
            return
        if self.dialect == "sqlite" or len(rows) < _COPY_FROM:
            self.many(_insert_sql(table, columns), rows)
            return
        cursor = self._cursor()
        with cursor.copy(_copy_sql(table, columns)) as copy:
            for row in rows:
                copy.write_row(row)

    def _rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        if not self._waiting:
            cursor = self._driver.cursor()
            cursor.execute(sql, values)
            return list(cursor.fetchall())
        with self._driver.pipeline():
            cursor = self._cursor()
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    def _cursor(self) -> Any:
        """A cursor for the next statement; those that wait go before it."""
        cursor = self._driver.cursor()
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for sql, values in waiting:
                cursor.execute(sql, values)
            return self._driver.cursor()
        return cursor


@lru_cache(maxsize=1024)
def _with_list(sql: str, dialect: str, count: int) -> str:
    if dialect == "sqlite":
        return sql.format(f"({','.join('?' * count)})" if count else "(NULL)")
    return _translated(sql.replace("NOT IN {}", "<> ALL(?)").replace("IN {}", "= ANY(?)"), dialect)


@lru_cache(maxsize=1024)
def _translated(sql: str, dialect: str) -> str:
    return sql if dialect == "sqlite" else sql.replace("%", "%%").replace("?", "%s")


@lru_cache(maxsize=256)
def _insert_sql(table: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    return f'INSERT INTO "{table}" ({names}) VALUES ({", ".join("?" * len(columns))})'


@lru_cache(maxsize=256)
def _copy_sql(table: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    return f'COPY "{table}" ({names}) FROM STDIN'
