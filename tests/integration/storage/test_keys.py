"""Keys that sign tokens: a kid is one key's, an account reaches its own alone, and ours are rotated with overlap."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from gateway.storage import signing
from gateway.storage.database import Database
from gateway.storage.directory import Directory
from gateway.storage.errors import Conflict, Incompatible, Taken
from gateway.storage.keyfile import KEY_FILE, Sealer
from gateway.storage.queries import keys
from gateway.storage.records import Key
from gateway.storage.schema import signing_key
from tests.support.processes import scripts
from tests.support.rows import NOW, add_access, add_account

FIRST = """
import sys
from pathlib import Path
from gateway.storage import signing
from gateway.storage.database import Database
from gateway.storage.keyfile import Sealer
database, sealer = Database.open(sys.argv[1]), Sealer(Path(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
with database.transaction() as connection:
    signing.first(connection, sealer, 1)
database.close()
"""


@pytest.fixture
def mine(database: Database) -> tuple[int, int]:
    """An account and its access."""
    with database.transaction() as connection:
        account = add_account(connection)
        return account, add_access(connection, account)


@pytest.fixture
def theirs(database: Database) -> tuple[int, int]:
    with database.transaction() as connection:
        account = add_account(connection, "bob@example.com")
        return account, add_access(connection, account, "bob")


def test_a_key_is_known_until_it_is_removed(database: Database, mine: tuple[int, int]) -> None:
    directory = Directory(database)
    directory.refresh()
    assert directory.key("k1") is None
    with database.transaction() as connection:
        keys.add(connection, *mine, "k1", "ES256", "PEM", NOW)
    assert directory.key("k1") == Key("k1", "ES256", "PEM", mine[1])
    with database.transaction() as connection:
        assert keys.remove(connection, *mine, "k1", NOW + 1)
        assert not keys.remove(connection, *mine, "k1", NOW + 2)
    assert directory.refresh()
    assert directory.key("k1") is None
    with database.read() as connection:
        (row,) = keys.list_(connection, *mine)
    assert (row["kid"], row["revoked_at"]) == ("k1", NOW + 1)


@pytest.mark.parametrize("kid", ["K1", "k1 ", "k_", "%", "' OR 1=1 --", "k" * 1000])
def test_a_kid_is_itself_alone(database: Database, mine: tuple[int, int], kid: str) -> None:
    with database.transaction() as connection:
        keys.add(connection, *mine, "k1", "ES256", "PEM", NOW)
    with database.read() as connection:
        assert keys.by_kid(connection, kid) is None


def test_a_kid_is_one_keys(database: Database, mine: tuple[int, int], theirs: tuple[int, int]) -> None:
    with database.transaction() as connection:
        keys.add(connection, *mine, "k1", "ES256", "PEM", NOW)
    for owner in (mine, theirs):
        with database.transaction() as connection, pytest.raises(Taken, match="taken"):
            keys.add(connection, *owner, "k1", "EdDSA", "OTHER", NOW)
    with database.transaction() as connection:
        keys.remove(connection, *mine, "k1", NOW)
        keys.add(connection, *theirs, "k1", "EdDSA", "OTHER", NOW)
        assert keys.by_kid(connection, "k1") == Key("k1", "EdDSA", "OTHER", theirs[1])
        assert keys.list_(connection, *mine) == []


def test_a_kid_like_ours_is_nobodys(database: Database, mine: tuple[int, int]) -> None:
    with database.transaction() as connection, pytest.raises(Taken):
        keys.add(connection, *mine, f"{keys.OURS}1", "ES256", "PEM", NOW)


def test_an_account_reaches_its_own_keys_alone(
    database: Database, mine: tuple[int, int], theirs: tuple[int, int]
) -> None:
    crossed = theirs[0], mine[1]
    with database.transaction() as connection:
        keys.add(connection, *mine, "k1", "ES256", "PEM", NOW)
        with pytest.raises(LookupError):
            keys.add(connection, *crossed, "k2", "ES256", "PEM", NOW)
        assert keys.list_(connection, *crossed) == []
        assert not keys.remove(connection, *crossed, "k1", NOW)
        assert not keys.remove(connection, *theirs, "k1", NOW)
        assert keys.by_kid(connection, "k1") is not None


def test_keys_of_an_access_are_bounded(database: Database, mine: tuple[int, int]) -> None:
    with database.transaction() as connection:
        for number in range(keys.MOST):
            keys.add(connection, *mine, f"k{number}", "ES256", "PEM", NOW)
        with pytest.raises(Conflict, match="10 keys at most"):
            keys.add(connection, *mine, "more", "ES256", "PEM", NOW)
        keys.remove(connection, *mine, "k3", NOW)
        keys.add(connection, *mine, "more", "ES256", "PEM", NOW)


def test_rotation(database: Database, tmp_path: Path) -> None:
    sealer = Sealer(tmp_path / KEY_FILE)
    directory = Directory(database)
    directory.refresh()
    assert directory.signing_key() is None
    kids = []
    for at, retires_at in ((1, 1), (10, 100), (20, 110), (30, 50)):
        with database.transaction() as connection:
            kids.append(signing.rotate(connection, sealer, at, retires_at))
        directory.refresh()
        current = directory.signing_key()
        assert current is not None
        assert current.kid == kids[-1]
        assert signing.opened(sealer, current).sign(b"") is not None
    ends = [found.retires_at for kid in kids if (found := directory.key(kid)) is not None]
    assert ends == [50, 50, 50, None]
    assert len(set(kids)) == 4
    assert all(kid.startswith(keys.OURS) for kid in kids)


def test_a_retired_key_does_not_retire_later(database: Database, tmp_path: Path) -> None:
    sealer = Sealer(tmp_path / KEY_FILE)
    with database.transaction() as connection:
        first = signing.rotate(connection, sealer, 1, 1)
        signing.rotate(connection, sealer, 10, 100)
        signing.rotate(connection, sealer, 20, 1000)
        found = keys.by_kid(connection, first)
    assert found is not None
    assert found.retires_at == 100


def test_the_private_key_is_sealed(database: Database, tmp_path: Path) -> None:
    with database.transaction() as connection:
        signing.first(connection, Sealer(tmp_path / KEY_FILE), 1)
        found = keys.signing(connection)
    assert found is not None
    private = signing.opened(Sealer(tmp_path / KEY_FILE), found).private_bytes_raw()
    assert private not in found.sealed_key
    assert repr(private)[2:-1] not in repr(found)
    with pytest.raises(Incompatible):
        signing.opened(Sealer(tmp_path / "other.key"), found)


def test_processes_that_need_the_first_at_once_make_one(database_url: str, tmp_path: Path) -> None:
    with scripts(FIRST, [database_url, str(tmp_path / KEY_FILE)], 3) as processes:
        for process in processes:
            assert process.line() == "ready"
        for process in processes:
            process.say("go")
        assert [process.end() for process in processes] == [(0, "")] * 3
    database = Database.open(database_url)
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(signing_key)) == 1
    database.close()
