"""The migrations make the schema that `storage.schema` declares, once, whoever starts first."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, inspect, select, text, update

from gateway.storage import schema
from gateway.storage.database import Database
from gateway.storage.errors import Incompatible
from gateway.storage.migrate import HEAD, at_head, migrate
from gateway.storage.partitions import is_partition
from gateway.storage.schema import carrier, config_version, counter, price, route
from tests.support.processes import scripts

MIGRATE = """
import sys
from gateway.storage.database import Database
from gateway.storage.migrate import migrate
database = Database.open(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
migrate(database)
database.close()
"""


def test_the_migrated_database_is_the_declared_schema(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": _compare_default if database.dialect == "sqlite" else True,
                "include_name": lambda name, kind, _: kind != "table" or not is_partition(name),
            },
        )
        assert compare_metadata(context, schema.complete()) == []


def test_the_migrated_indexes_have_the_declared_conditions(database: Database, empty_url: str) -> None:
    """Alembic does not compare what a partial index is limited to."""
    declared = Database.open(empty_url)
    with declared.transaction() as connection:
        schema.complete().create_all(connection)
    with declared.read() as wanted, database.read() as found:
        assert _indexes(found) == _indexes(wanted)
        assert "ix_message_queue" in _indexes(found)
    declared.close()


def test_head_is_the_newest_script() -> None:
    config = Config()
    config.set_main_option("script_location", "gateway.storage:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_new_database_serves_every_number(database: Database) -> None:
    with database.read() as connection:
        simulator = connection.execute(select(carrier)).one()
        assert (simulator.name, simulator.kind, simulator.options) == ("simulator", "simulator", "{}")
        only = connection.execute(select(route)).one()
        assert (only.prefix, only.carrier_id, only.cost) == ("", simulator.id, 0)
        default = connection.execute(select(price)).one()
        assert (default.account_id, default.prefix, default.micro) == (0, "", 1_000_000)
        assert connection.execute(select(config_version)).all() == [("config", 1)]
        assert connection.execute(select(counter)).all() == [("id", 1)]


def test_a_database_without_tables_is_not_at_head(empty_url: str) -> None:
    database = Database.open(empty_url)
    assert not at_head(database)
    migrate(database)
    assert at_head(database)
    database.close()


def test_migrating_again_changes_nothing(database: Database) -> None:
    migrate(database)
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(carrier)) == 1


def test_processes_that_migrate_at_once_do_it_once(empty_url: str) -> None:
    with scripts(MIGRATE, [empty_url], 4) as processes:
        for process in processes:
            assert process.line() == "ready"
        for process in processes:
            process.say("go")
        assert [process.end() for process in processes] == [(0, "")] * 4
    database = Database.open(empty_url)
    assert at_head(database)
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(carrier)) == 1
    database.close()


def test_an_interrupted_migration_leaves_nothing(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade = command.upgrade

    def cut(config: Config, revision: str) -> None:
        upgrade(config, revision)
        raise KeyboardInterrupt

    database = Database.open(empty_url)
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", cut)
        with pytest.raises(KeyboardInterrupt):
            migrate(database)
    with database.read() as connection:
        assert inspect(connection).get_table_names() == []
    migrate(database)
    assert at_head(database)
    database.close()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(update(counter).values(next=42))
    assert not at_head(database)
    with pytest.raises(Incompatible, match=r"newer version.*9999"):
        migrate(database)
    with database.read() as connection:
        assert connection.scalar(select(counter.c.next)) == 42


def _compare_default(*default: object) -> bool:
    """Whether defaults differ on SQLite, which gives them back quoted or in brackets as they were written.

    Alembic hands over: context, both columns, the found default, the declared one, and that as SQL.
    """
    return _bare(default[3]) != _bare(default[5])


def _bare(default: object) -> str | None:
    return None if default is None else str(default).strip("()'\"")


def _indexes(connection: Connection) -> dict[str, str]:
    if connection.dialect.name == "sqlite":
        query = "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    else:
        query = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    return {
        name: sql
        for table, name, sql in connection.execute(text(query))
        if not is_partition(table) and table != "alembic_version"
    }
