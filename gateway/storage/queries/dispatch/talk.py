"""Statements over many rows at once, written one time for both databases.

Values are marked `?`; a list is one value: `IN {}` stands for "in the list that is bound here".
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection

from gateway.storage.statements import Statements
from gateway.storage.submission import Row


class Update:
    """`UPDATE` of many rows, each with values of its own, in one call.

    `columns` and `key` give the SQL type by name; rows hold the columns' values, then the key's. `fixed` are
    assignments that are the same for all, `where` narrows what may change.
    """

    def __init__(
        self, table: str, columns: Mapping[str, str], key: Mapping[str, str], fixed: str = "", where: str = ""
    ) -> None:
        condition = f" AND {where}" if where else ""
        fixed = f", {fixed}" if fixed else ""
        assignments = ", ".join(f"{name} = ?" for name in columns)
        self.sqlite = (
            f"UPDATE {table} SET {assignments}{fixed} WHERE {_and(f'{name} = ?' for name in key)}{condition}"
        )
        arrays = ", ".join(f"%s::{kind}[]" for kind in (*columns.values(), *key.values()))
        names = ", ".join(f"v_{name}" for name in (*columns, *key))
        assignments = ", ".join(f"{name} = v_{name}" for name in columns)
        first = next(iter(key))
        # The second condition on the key is for the planner: it prunes partitions by it.
        self.postgresql = (
            f"UPDATE {table} SET {assignments}{fixed} FROM unnest({arrays}) AS v({names})"
            f" WHERE {_and(f'{name} = v_{name}' for name in key)} AND {first} = ANY(%s::{key[first]}[]){condition}"
        )
        self.first = len(columns)


class Talk(Statements):
    """The statements of one transaction on `connection`."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, connection.dialect.name)

    def select(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Every row of a query; the query itself bounds how many."""
        return self.all(_lists(sql, self.dialect), *self._bound(values))

    def change(self, sql: str, *values: Any) -> int:
        """Execute one statement; the number of rows it changed."""
        return self.run(_lists(sql, self.dialect), *self._bound(values))

    def update(self, update: Update, rows: Sequence[Row]) -> None:
        """Execute an update of many rows."""
        if not rows:
            return
        cursor = self._driver.cursor()
        if self.dialect == "sqlite":
            cursor.executemany(update.sqlite, rows)
            return
        arrays = [list(column) for column in zip(*rows, strict=True)]
        cursor.execute(update.postgresql, (*arrays, arrays[update.first]))

    @property
    def locking(self) -> str:
        """What a query ends with that locks the rows it gives; others' writers wait on SQLite anyway."""
        return "" if self.dialect == "sqlite" else " FOR UPDATE"

    @property
    def since(self) -> str:
        """A condition on `id` that leaves out the partitions below an id; nothing on SQLite, which has none."""
        return "" if self.dialect == "sqlite" else "AND id >= ?"

    def bound_since(self, since: int) -> tuple[int, ...]:
        """The value for `since`, where it takes one."""
        return () if self.dialect == "sqlite" else (since,)

    def _bound(self, values: Sequence[Any]) -> Sequence[Any]:
        if self.dialect != "sqlite":
            return values
        return [orjson.dumps(value).decode() if isinstance(value, list) else value for value in values]


def _and(conditions: Any) -> str:
    return " AND ".join(conditions)


@lru_cache(maxsize=256)
def _lists(sql: str, dialect: str) -> str:
    # One text whatever the list's length, so that it is prepared once.
    return sql.replace("IN {}", "IN (SELECT value FROM json_each(?))" if dialect == "sqlite" else "= ANY(?)")
