"""`trunkline backup` and `restore`: what was saved comes back, nothing unsent goes out by itself."""

import io
import json
import sqlite3
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.clock import MINUTE, now
from gateway.messaging.states import State
from gateway.storage.database import Database
from gateway.storage.keyfile import Sealer
from gateway.storage.queries import ledger, nodes
from tests.integration.cli.conftest import Trunkline
from tests.support.postgresql import Server
from tests.support.rows import CREDIT, NOW, add_batch, add_message

ANA = "ana@example.com"

# What becomes of the messages that `filled` has, by their ids: those of a state have its number.
RESTORED = {
    **{int(state): (state.name, None) for state in State},
    **dict.fromkeys([1, 2, 3, 4, 5, 31], ("HELD", "restored")),
    32: ("STAGED", None),  # never accepted: the next start removes it
}

sqlite_only = pytest.mark.parametrize("dialect", ["sqlite"])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def filled(trunkline: Trunkline, database_url: str, data: Path) -> Trunkline:
    """An installation with an account, a sealed secret and a message in every state."""
    trunkline.account(ANA, "--credits", "5")
    Sealer(data / "trunkline.key").seal(b"x")
    database = Database.open(database_url)
    with database.transaction() as connection:
        for state in State:
            add_message(connection, 1, int(state), state)
        opened, unopened = (add_batch(connection, 1, 100 + is_, opened=bool(is_)) for is_ in (1, 0))
        add_message(connection, 1, 31, State.STAGED, batch_id=opened)
        add_message(connection, 1, 32, State.STAGED, batch_id=unopened)
        nodes.beat(connection, nodes.Node("n", "m", "web", 1, 1), now() - MINUTE)
    database.close()
    return trunkline


@pytest.fixture
def saved(filled: Trunkline, tmp_path: Path) -> Path:
    """A backup of it."""
    file = tmp_path / "backup.tar"
    told = filled.ok("backup", str(file))
    assert told == {"file": str(file), "bytes": file.stat().st_size}
    return file


def states(trunkline: Trunkline) -> dict[int, tuple[str, str | None]]:
    return {int(row["id"]): (row["state"], row["hold_reason"]) for row in trunkline.ok("message", "list")}


@sqlite_only
def test_backup_is_for_its_owner_alone_and_holds_database_and_key(saved: Path, data: Path) -> None:
    assert saved.stat().st_mode & 0o777 == 0o600
    with tarfile.open(saved) as tar:
        assert {(member.name, member.mode, member.uname) for member in tar} == {
            ("manifest.json", 0o600, ""),
            ("trunkline.db", 0o600, ""),
            ("trunkline.key", 0o600, ""),
        }
        key = tar.extractfile("trunkline.key")
        assert key is not None
        assert key.read() == (data / "trunkline.key").read_bytes()
    assert [path.name for path in saved.parent.iterdir() if path.name.startswith(".")] == []


@sqlite_only
def test_restored_elsewhere_it_is_all_there_and_what_is_unsent_is_held(saved: Path, tmp_path: Path) -> None:
    elsewhere = Trunkline("--data", str(tmp_path / "new" / "data"))
    told = elsewhere.ok("restore", str(saved))
    assert told == {"database": str(tmp_path / "new" / "data" / "trunkline.db"), "held": 6}
    assert elsewhere.ok("account", "show", ANA)["credits"] == 5
    assert states(elsewhere) == RESTORED
    assert elsewhere.ok("message", "show", "2")["possible_duplicate"]
    assert not elsewhere.ok("message", "show", "10")["possible_duplicate"]
    assert elsewhere.ok("message", "release", "--all") == {"released": 6}
    assert all(reason is None for _, reason in states(elsewhere).values())
    files = list((tmp_path / "new" / "data").iterdir())
    assert {path.name for path in files if path.suffix not in (".lock", ".next")} == {"trunkline.db", "trunkline.key"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)


@sqlite_only
def test_without_messages_nothing_is_held(trunkline: Trunkline, tmp_path: Path) -> None:
    trunkline.ok("backup", str(tmp_path / "b.tar"))
    elsewhere = Trunkline("--data", str(tmp_path / "new"))
    assert elsewhere.run("restore", str(tmp_path / "b.tar")).stdout == f"Restored {tmp_path}/new/trunkline.db.\n"


@sqlite_only
def test_a_database_that_is_there_is_replaced_only_by_force(trunkline: Trunkline, saved: Path, data: Path) -> None:
    trunkline.account("later@example.com")
    assert trunkline.fails("restore", str(saved)) == (
        1,
        f"trunkline: There is a database at {data}/trunkline.db; --force replaces it with the backup.",
    )
    assert len(trunkline.ok("account", "list")) == 2
    trunkline.ok("restore", str(saved), "--force")
    assert [row["email"] for row in trunkline.ok("account", "list")] == [ANA]


@sqlite_only
def test_a_damaged_database_is_replaced_with_its_log(trunkline: Trunkline, saved: Path, data: Path) -> None:
    (data / "trunkline.db").write_bytes(b"SQLite format 3\0" + b"damaged" * 1000)
    (data / "trunkline.db-wal").write_bytes(b"stale" * 1000)
    trunkline.ok("restore", str(saved), "--force")
    assert [row["email"] for row in trunkline.ok("account", "list")] == [ANA]


@sqlite_only
def test_not_while_a_process_has_the_database_open(
    trunkline: Trunkline, saved: Path, data: Path, database: Database
) -> None:
    in_use = f"trunkline: The database {data}/trunkline.db is in use: stop the gateway first."
    assert trunkline.fails("restore", str(saved), "--force") == (1, in_use)
    database.take_turn()
    assert trunkline.fails("restore", str(saved), "--force") == (1, in_use)
    database.release_turn()
    with database.transaction() as connection:
        nodes.beat(connection, nodes.Node("d", "m", "dispatch", 4321, now()), now())
    assert trunkline.fails("restore", str(saved), "--force") == (
        1,
        "trunkline: The gateway runs (dispatch, process 4321): stop it first.",
    )
    with database.transaction() as connection:  # still in its place, and writable
        assert ledger.grant(connection, 1, CREDIT, "", NOW) == 6 * CREDIT


@sqlite_only
def test_backup_while_others_write_is_of_one_moment(trunkline: Trunkline, database: Database, tmp_path: Path) -> None:
    for email in (ANA, "bob@example.com"):
        trunkline.account(email, "--credits", "900")
    with database.transaction() as connection:
        for number in range(1, 3_000):
            add_message(connection, 1, number, State.DELIVERED, text="x" * 1000)
    stop = threading.Event()
    moves: list[int] = []

    def write() -> None:
        while not stop.is_set() and len(moves) < 900:
            with database.transaction() as connection:
                ledger.move(connection, 1, 2, CREDIT, "", NOW)
            moves.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        trunkline.ok("backup", str(tmp_path / "b.tar"))
        done = len(moves)
    finally:
        stop.set()
        writer.join()
    assert done
    elsewhere = Trunkline("--data", str(tmp_path / "new"))
    elsewhere.ok("restore", str(tmp_path / "b.tar"))
    assert sum(row["credits"] for row in elsewhere.ok("account", "list")) == 1800
    entries = elsewhere.ok("account", "ledger", "bob@example.com", "--limit", "1000")
    assert sum(entry["amount"] for entry in entries) == elsewhere.ok("account", "show", "bob@example.com")["credits"]


@sqlite_only
def test_backup_replaces_a_file_whole(trunkline: Trunkline, saved: Path) -> None:
    saved.write_bytes(b"older")
    saved.chmod(0o644)
    trunkline.ok("backup", str(saved))
    assert tarfile.is_tarfile(saved)
    assert saved.stat().st_mode & 0o777 == 0o600


@sqlite_only
def test_backup_of_nothing_and_to_nowhere(trunkline: Trunkline, tmp_path: Path) -> None:
    none = Trunkline("--data", str(tmp_path / "none"))
    assert none.fails("backup", str(tmp_path / "b.tar")) == (
        1,
        f"trunkline: there is no database at {tmp_path}/none/trunkline.db:"
        " `trunkline run` or `trunkline migrate` makes it",
    )
    assert not (tmp_path / "none").exists()
    assert trunkline.fails("backup", str(tmp_path / "no" / "b.tar")) == (
        2,
        f"trunkline: there is no folder {tmp_path}/no",
    )


def archive(**files: bytes) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, body in files.items():
            member = tarfile.TarInfo(name.replace("_", "."))
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return content.getvalue()


def a_link() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        member = tarfile.TarInfo("trunkline.db")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    return content.getvalue()


def other_database() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE other (id)")
    return connection.serialize()


MANIFEST = json.dumps({"format": 1}).encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(lambda: b"", "is no backup of ours, or damaged", id="empty"),
        pytest.param(lambda: b"no tar" * 1000, "is no backup of ours, or damaged", id="no tar"),
        pytest.param(lambda: archive(other_txt=b"x"), "is no backup of ours: it holds 'other.txt'", id="other files"),
        pytest.param(a_link, "is no backup of ours: it holds 'trunkline.db'", id="a link"),
        pytest.param(lambda: archive(trunkline_db=b"x"), "is no backup of ours, or damaged", id="no manifest"),
        pytest.param(lambda: archive(manifest_json=MANIFEST), "holds no database", id="no database"),
        pytest.param(
            lambda: archive(manifest_json=b'{"format": 2}', trunkline_db=b"x"),
            "was made by a newer version",
            id="newer",
        ),
        pytest.param(
            lambda: archive(manifest_json=MANIFEST, trunkline_db=b"damaged" * 1000),
            "The database in the backup is damaged: file is not a database.",
            id="damaged database",
        ),
        pytest.param(
            lambda: archive(manifest_json=MANIFEST, trunkline_db=other_database()),
            "The database in the backup is none of ours.",
            id="another product's",
        ),
    ],
)
def test_what_is_no_backup_changes_nothing(tmp_path: Path, content: Callable[[], bytes], reason: str) -> None:
    file, data = tmp_path / "b.tar", tmp_path / "new"
    file.write_bytes(content())
    code, line = Trunkline("--data", str(data)).fails("restore", str(file), "--force")
    assert code == 1
    assert reason in line
    assert list(data.iterdir()) == []


@sqlite_only
def test_a_backup_that_was_cut_short_changes_nothing(trunkline: Trunkline, saved: Path) -> None:
    content = saved.read_bytes()
    for length in (600, len(content) // 2, len(content) - 20_000):
        saved.write_bytes(content[:length])
        code, line = trunkline.fails("restore", str(saved), "--force")
        assert (code, "damaged" in line) == (1, True), line
    assert [row["email"] for row in trunkline.ok("account", "list")] == [ANA]


@sqlite_only
def test_no_such_backup(trunkline: Trunkline, tmp_path: Path) -> None:
    assert trunkline.fails("restore", str(tmp_path / "none.tar")) == (
        2,
        f"trunkline: there is no file {tmp_path}/none.tar",
    )


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_postgresql_has_its_own(trunkline: Trunkline, tmp_path: Path) -> None:
    here = "trunkline: this is for the embedded database; on PostgreSQL"
    hold = "`trunkline message hold --all` holds what was not yet sent in it"
    file = str(tmp_path / "b.tar")
    assert trunkline.fails("backup", file) == (1, f"{here} pg_dump saves one, and the key file goes with it")
    assert trunkline.fails("restore", file) == (1, f"{here} pg_restore brings one back, and {hold}")


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_what_its_own_brings_back_is_held_by_command(
    filled: Trunkline, database_url: str, postgresql: Server, data: Path, tmp_path: Path
) -> None:
    dump = str(tmp_path / "dump")
    postgresql.program("pg_dump", "--format=custom", f"--file={dump}", database_url)
    with postgresql.database() as name:
        url = postgresql.url(name)
        postgresql.program("pg_restore", "--exit-on-error", f"--dbname={url}", dump)
        elsewhere = Trunkline("--data", str(data), "--database-url", url)
        assert elsewhere.ok("message", "hold", "--all") == {"held": 6}
        assert states(elsewhere) == RESTORED
        assert elsewhere.ok("account", "show", ANA)["credits"] == 5
        assert elsewhere.account("bob@example.com")["id"] == "2"
    assert states(filled)[2] == ("QUEUED", None)
