"""The versions that every process polls: of the configuration (accesses, keys, routes, carriers), and of tokens.

Revoked tokens have a version of their own: customers revoke them, and need not make everybody read all prices anew.
"""

from typing import NamedTuple

from sqlalchemy import Connection, select, text

from gateway.storage.schema import config_version

_CONFIG = "config"
_TOKENS = "tokens"
_CURRENT = select(config_version.c.name, config_version.c.version)
_BUMP = text(
    "INSERT INTO config_version (name, version) VALUES (:name, 1)"
    " ON CONFLICT (name) DO UPDATE SET version = config_version.version + 1"
)


class Versions(NamedTuple):
    """Both versions; 0 before anything was ever changed."""

    config: int
    tokens: int


def current(connection: Connection) -> Versions:
    """The configuration's version and that of revoked tokens, in one look."""
    found = {row.name: row.version for row in connection.execute(_CURRENT)}
    return Versions(found.get(_CONFIG, 0), found.get(_TOKENS, 0))


def bump(connection: Connection) -> None:
    """Count the version up: to be called in every transaction that changes what `Directory` holds."""
    connection.execute(_BUMP, {"name": _CONFIG})


def bump_tokens(connection: Connection) -> None:
    """Count up the version of tokens: to be called in every transaction that revokes one."""
    connection.execute(_BUMP, {"name": _TOKENS})
