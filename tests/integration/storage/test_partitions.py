"""Days as partitions on PostgreSQL; none on SQLite."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, func, insert, select, text

from gateway.storage import ids, schema
from gateway.storage.database import Database
from gateway.storage.partitions import PARTITIONED, bounds, drop_before, ensure

DAY = 86_400_000_000
LAST_SECOND = int(datetime(2031, 3, 4, 23, 59, 59, tzinfo=UTC).timestamp()) * 1_000_000
MIDNIGHT = LAST_SECOND + 1_000_000


@pytest.fixture
def postgresql_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    server = request.getfixturevalue("postgresql")
    with server.database(request.getfixturevalue("postgresql_template")) as name:
        database = Database.open(server.url(name))
        yield database
        database.close()


def segment(message_id: int) -> dict[str, int]:
    return {"message_id": message_id, "seq": 1, "attempt": 1, "carrier_id": 1, "state": 1}


def add_segments(connection: Connection, *message_ids: int) -> None:
    connection.execute(insert(schema.segment), [segment(number) for number in message_ids])


def places(database: Database) -> dict[int, str]:
    """In which partition each segment is."""
    with database.read() as connection:
        rows = connection.execute(text("SELECT message_id, tableoid::regclass::text FROM segment"))
        return dict(rows.all())


def make(database: Database, now: int, days_ahead: int = 7) -> list[str]:
    with database.transaction() as connection:
        return ensure(connection, now, days_ahead)


def test_bounds_are_the_first_ids_of_the_days() -> None:
    assert bounds("message_p20310305") == (ids.first(MIDNIGHT), ids.first(MIDNIGHT + DAY))
    assert bounds("message_default") is None


def test_a_name_that_is_not_ours_is_an_error() -> None:
    with pytest.raises(ValueError, match="account_p20310305"):
        bounds("account_p20310305")


def test_today_and_the_coming_days_are_made_once(postgresql_database: Database) -> None:
    made = make(postgresql_database, LAST_SECOND, 2)
    assert made == [f"{table}_p{day}" for table in PARTITIONED for day in (20310304, 20310305, 20310306)]
    assert make(postgresql_database, LAST_SECOND, 2) == []
    assert make(postgresql_database, MIDNIGHT, 2) == [f"{table}_p20310307" for table in PARTITIONED]


def test_rows_lie_in_the_partition_of_their_day(postgresql_database: Database) -> None:
    make(postgresql_database, LAST_SECOND, 1)
    last, first = ids.first(MIDNIGHT) - 1, ids.first(MIDNIGHT)
    with postgresql_database.transaction() as connection:
        add_segments(connection, last, first, 5)
    assert places(postgresql_database) == {
        last: "segment_p20310304",
        first: "segment_p20310305",
        5: "segment_default",
    }


def test_rows_of_a_day_made_too_late_move_into_it(postgresql_database: Database) -> None:
    early, late = ids.first(LAST_SECOND), ids.first(MIDNIGHT)
    with postgresql_database.transaction() as connection:
        add_segments(connection, early, late)
    assert set(places(postgresql_database).values()) == {"segment_default"}
    make(postgresql_database, LAST_SECOND, 0)
    assert places(postgresql_database) == {early: "segment_p20310304", late: "segment_default"}


def test_a_partition_has_each_index_once(postgresql_database: Database) -> None:
    make(postgresql_database, LAST_SECOND, 0)
    with postgresql_database.read() as connection:
        found = connection.execute(
            text(
                "SELECT tablename, count(*) FROM pg_indexes"
                " WHERE tablename IN ('message', 'message_default', 'message_p20310304') GROUP BY tablename"
            )
        )
        counts = dict(found.all())
    assert len(set(counts.values())) == 1, counts
    assert counts["message"] == 1 + len(schema.message.indexes)


def test_days_wholly_before_are_dropped(postgresql_database: Database) -> None:
    make(postgresql_database, LAST_SECOND, 2)
    with postgresql_database.transaction() as connection:
        add_segments(connection, 5, ids.first(LAST_SECOND), ids.first(MIDNIGHT), ids.first(MIDNIGHT + DAY))
    with postgresql_database.transaction() as connection:
        assert "segment_p20310304" in drop_before(connection, "segment", ids.first(MIDNIGHT) + 1)
    assert places(postgresql_database) == {
        ids.first(MIDNIGHT): "segment_p20310305",
        ids.first(MIDNIGHT + DAY): "segment_p20310306",
    }
    with postgresql_database.read() as connection:
        assert connection.scalar(text("SELECT to_regclass('message_p20310304')")) is not None


def test_one_id_of_a_day_still_wanted_keeps_it(postgresql_database: Database) -> None:
    make(postgresql_database, LAST_SECOND, 0)
    with postgresql_database.transaction() as connection:
        add_segments(connection, ids.first(MIDNIGHT) - 1)
        drop_before(connection, "segment", ids.first(MIDNIGHT) - 1)
    assert places(postgresql_database) == {ids.first(MIDNIGHT) - 1: "segment_p20310304"}


def test_writers_go_on_while_a_day_is_made(postgresql_database: Database) -> None:
    """Making a day does not wait for open transactions of days that exist, nor they for it."""
    make(postgresql_database, LAST_SECOND, 0)
    writer = postgresql_database.writer_connection()
    postgresql_database.begin(writer)
    add_segments(writer, ids.first(LAST_SECOND))
    made = make(postgresql_database, MIDNIGHT, 0)
    assert made == [f"{table}_p20310305" for table in PARTITIONED]
    add_segments(writer, ids.first(LAST_SECOND) + 1)
    postgresql_database.commit(writer)
    writer.close()
    assert len(places(postgresql_database)) == 2


def test_migrating_made_a_week(postgresql_database: Database) -> None:
    with postgresql_database.read() as connection:
        days = connection.scalar(
            select(func.count()).select_from(text("pg_class")).where(text("relname ~ '^message_p\\d{8}$'"))
        )
    assert days == 8


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_sqlite_has_none(database: Database) -> None:
    assert make(database, LAST_SECOND) == []
    with pytest.raises(ValueError, match="small steps"), database.transaction() as connection:
        drop_before(connection, "message", 1)
