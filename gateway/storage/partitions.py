"""Partitions by day of the tables with the most rows, on PostgreSQL: retention drops whole days.

A partition holds the ids of one UTC day (`storage.ids`: an id is a time); a default partition takes what no day
has been made for, so that no insert ever fails for want of one.
"""

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from gateway.storage import ids

# The tables, and the column by which each is partitioned.
PARTITIONED = {"message": "id", "call_log": "id", "segment": "message_id"}

_NAME = re.compile(rf"({'|'.join(PARTITIONED)})_(?:p(\d{{8}})|default)")
_LOCK = 0x7472_756E_6B70  # any number that nobody else locks
_DAY = timedelta(days=1)


def is_partition(name: str) -> bool:
    """Whether a table is one of our partitions."""
    return _NAME.fullmatch(name) is not None


def ensure(connection: Connection, now: int, days_ahead: int = 7) -> list[str]:
    """Make the partitions of today (UTC microseconds `now`) and `days_ahead` more; the names of new ones.

    To be called within a write transaction; on SQLite it does nothing. Raises OperationalError when readers
    or writers keep the default partition busy for seconds: try again later.
    """
    if connection.dialect.name != "postgresql":
        return []
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    connection.execute(text("SET LOCAL lock_timeout = '5s'"))
    today = _day_of(now)
    made = []
    for table in PARTITIONED:
        there = set(_partitions(connection, table))
        for ahead in range(days_ahead + 1):
            day = today + ahead * _DAY
            name = f"{table}_p{day:%Y%m%d}"
            if name not in there:
                _make(connection, table, name, day)
                made.append(name)
    return made


def drop_before(connection: Connection, table: str, id_floor: int) -> list[str]:
    """Drop the partitions of `table` whose ids are all below `id_floor`; the names of those dropped.

    What lies below it in the default partition is deleted. To be called within a write transaction, on
    PostgreSQL only (ValueError). Raises OperationalError when the table is busy for seconds.
    """
    if connection.dialect.name != "postgresql":
        raise ValueError("SQLite has no partitions: purge it in small steps")
    key = PARTITIONED[table]
    connection.execute(text("SET LOCAL lock_timeout = '5s'"))
    dropped = []
    for name, day in _partitions(connection, table).items():
        if day is not None and _start(day + _DAY) <= id_floor:
            connection.execute(text(f"DROP TABLE {name}"))
            dropped.append(name)
    connection.execute(text(f"DELETE FROM {table}_default WHERE {key} < :floor"), {"floor": id_floor})
    return dropped


def bounds(name: str) -> tuple[int, int] | None:
    """The ids from (inclusive) and to (exclusive) of a partition by its name; None of a default partition."""
    day = _day_in(name)
    return None if day is None else (_start(day), _start(day + _DAY))


def _make(connection: Connection, table: str, name: str, day: datetime) -> None:
    """Attach a table made apart: that locks the parent against nobody but other changes of its structure.

    Rows of that day which the default partition took meanwhile move over, or attaching would fail.
    """
    key = PARTITIONED[table]
    limits = {"low": _start(day), "high": _start(day + _DAY)}
    connection.execute(text(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)"))
    connection.execute(
        text(
            f"WITH moved AS (DELETE FROM {table}_default WHERE {key} >= :low AND {key} < :high RETURNING *)"
            f" INSERT INTO {name} SELECT * FROM moved"
        ),
        limits,
    )
    connection.execute(
        text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({limits['low']}) TO ({limits['high']})")
    )


def _partitions(connection: Connection, table: str) -> dict[str, datetime | None]:
    """The partitions attached to `table`, each with its day; the default one has none."""
    names = connection.scalars(
        text(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = to_regclass(:parent) ORDER BY c.relname"
        ),
        {"parent": table},
    )
    return {name: _day_in(name) for name in names}


def _day_in(name: str) -> datetime | None:
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name} is not a partition that we made")
    return None if match[2] is None else datetime.strptime(match[2], "%Y%m%d").replace(tzinfo=UTC)


def _day_of(micros: int) -> datetime:
    moment = datetime.fromtimestamp(micros // 1_000_000, UTC)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _start(day: datetime) -> int:
    return ids.first(int(day.timestamp()) * 1_000_000)
