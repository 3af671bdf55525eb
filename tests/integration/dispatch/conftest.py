import pytest

from gateway.storage.database import Database
from tests.support.dispatch import World


@pytest.fixture
def world(database: Database) -> World:
    """A database with an account and the simulated carrier (id 1)."""
    return World(database)
