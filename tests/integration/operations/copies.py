"""Migrated databases for fixtures that live longer than a test."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def copied(request: pytest.FixtureRequest, dialect: str, folder: Path) -> Iterator[str]:
    """The address of a migrated database of its own, which goes with the block."""
    if dialect == "sqlite":
        path = folder / "trunkline.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        server = request.getfixturevalue("postgresql")
        with server.database(request.getfixturevalue("postgresql_template")) as name:
            yield server.url(name)
