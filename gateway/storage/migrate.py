"""Bringing a database to the schema of this version: at every start, by whoever comes first."""

from typing import Final

from sqlalchemy import Connection, inspect, text

from gateway import clock
from gateway.storage import partitions
from gateway.storage.database import Database
from gateway.storage.errors import Incompatible

HEAD: Final = "0001"  # the newest revision; a test compares it with the scripts

_LOCK = 0x7472_756E_6B6C  # PostgreSQL: any number that nobody else locks


def migrate(database: Database, now: int | None = None) -> None:
    """Create or upgrade the schema, and on PostgreSQL make the partitions that `now` (UTC micros) needs.

    All in one transaction and under a lock: of several processes one migrates, the others wait and find it
    done; an interrupted one leaves nothing behind. Raises Unavailable, and Incompatible for a database that a
    newer version has migrated.
    """
    if database.dialect == "sqlite" and at_head(database):
        return
    with database.transaction() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        revision = _revision(connection)
        if revision != HEAD:
            _upgrade(connection, revision)
        partitions.ensure(connection, clock.now() if now is None else now)


def at_head(database: Database) -> bool:
    """Whether the schema is this version's: cheap, for start-up and readiness. Raises Unavailable."""
    with database.read() as connection:
        return _revision(connection) == HEAD


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


def _upgrade(connection: Connection, revision: str | None) -> None:
    # Loaded only here: most starts have nothing to migrate.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "gateway.storage:migrations")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise Incompatible(
            f"The database was migrated by a newer version (revision {revision}, this one knows {HEAD}): "
            "install that version, or restore a backup from before."
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
