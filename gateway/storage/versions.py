"""The configuration's version: what every process polls to notice a change of accesses, routes or carriers."""

from sqlalchemy import Connection, bindparam, select, text

from gateway.storage.schema import config_version

_NAME = "config"
_CURRENT = select(config_version.c.version).where(config_version.c.name == bindparam("name"))
_BUMP = text(
    "INSERT INTO config_version (name, version) VALUES (:name, 1)"
    " ON CONFLICT (name) DO UPDATE SET version = config_version.version + 1"
)


def current(connection: Connection) -> int:
    """The version; 0 before anything was ever changed."""
    return connection.execute(_CURRENT, {"name": _NAME}).scalar() or 0


def bump(connection: Connection) -> None:
    """Count the version up: to be called in every transaction that changes what `Directory` holds."""
    connection.execute(_BUMP, {"name": _NAME})
