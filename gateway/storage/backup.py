"""Backups of the embedded database: one tar file, mode 0600, of the database, the key file and a manifest.

The copy is made while the gateway runs, by SQLite's online backup (https://www.sqlite.org/backup.html) in one
step: the one read that may last longer than a second. Smaller steps would begin anew with every commit of
another process, and so never end; writers do not wait for it, only the write-ahead log grows meanwhile.
"""

import contextlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.messaging.states import State
from gateway.storage.database import Database
from gateway.storage.errors import Conflict, Incompatible
from gateway.storage.keyfile import KEY_FILE
from gateway.storage.queries.nodes import ALIVE
from gateway.storage.turns import Turn

_DATABASE = "trunkline.db"
_MANIFEST = "manifest.json"
_FORMAT = 1

_HOLD = (
    f"UPDATE message SET state = {State.HELD.value}, hold_reason = 'restored', possible_duplicate = 1"
    f" WHERE state < {State.SENT.value}"
    " AND NOT EXISTS (SELECT 1 FROM batch WHERE batch.id = message.batch_id AND batch.opened_at IS NULL)"
)


def back_up(database: Database, file: Path, key: Path, target: Path, *, now: int, version: str) -> int:
    """Write a backup of the open SQLite database in `file` and of the key file to `target`; its size in bytes.

    A file of that name is replaced once the backup is whole. `now` (UTC microseconds) and the product's
    `version` go into the manifest. Raises OSError,
    and Incompatible when the copy is found damaged.
    """
    with _workshop(target.parent) as folder:
        copy = folder / _DATABASE
        database.take_turn()  # as for every opening
        try:
            source = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            database.release_turn()
        with closing(source), closing(sqlite3.connect(copy, isolation_level=None)) as destination:
            source.backup(destination)
            destination.execute("PRAGMA journal_mode = DELETE").fetchone()
            _check(destination)
        (folder / _MANIFEST).write_text(json.dumps({"format": _FORMAT, "version": version, "at": now}))
        if key.exists():
            shutil.copyfile(key, folder / KEY_FILE)
        archive = folder / "archive"
        with archive.open("xb") as raw:
            with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
                for name in (_MANIFEST, KEY_FILE, _DATABASE):
                    if (folder / name).exists():
                        tar.add(folder / name, name, filter=_plain)
            raw.flush()
            os.fsync(raw.fileno())
        archive.replace(target)
        sync_folder(target.parent)
        return target.stat().st_size


def restore(archive: Path, file: Path, key: Path, now: int, *, force: bool = False) -> int:
    """Put a backup in the place of the database in `file` and the key file; how many messages it holds back.

    What was not yet sent is held, marked as a possible duplicate, since it may have been sent after the
    backup. Raises Conflict when there is a database and not `force`, or when a process has it open, and
    Incompatible for what is no backup; all of them leave everything as it was.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _workshop(file.parent) as folder:
        _unpack(archive, folder)
        with closing(sqlite3.connect(folder / _DATABASE, isolation_level=None)) as copy:
            _check(copy)
            held = _hold(copy)
        with _alone(file, now, force):
            for suffix in ("-wal", "-shm"):  # of the database that goes: they would be taken for the new one's
                file.with_name(file.name + suffix).unlink(missing_ok=True)
            if (folder / KEY_FILE).exists():
                _put(folder / KEY_FILE, key)
            _put(folder / _DATABASE, file)
    return held


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """A folder of mode 0700 on the same file system, which goes with the block."""
    made = Path(tempfile.mkdtemp(prefix=".trunkline-", dir=folder))
    # Files that are made in it get mode 0600, in whatever way they are made.
    mask = os.umask(0o077)
    try:
        yield made
    finally:
        os.umask(mask)
        shutil.rmtree(made, ignore_errors=True)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def _unpack(archive: Path, folder: Path) -> None:
    """Take the known files out of a backup, and nothing else."""
    try:
        with tarfile.open(archive, "r:") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() else None
                if content is None or member.name not in (_MANIFEST, KEY_FILE, _DATABASE):
                    raise Incompatible(f"The file {archive} is no backup of ours: it holds {member.name[:40]!r}.")
                with (folder / member.name).open("xb") as file:
                    shutil.copyfileobj(content, file, 1 << 20)
        manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
    except (tarfile.TarError, ValueError, FileNotFoundError, FileExistsError, EOFError) as error:
        if isinstance(error, FileNotFoundError) and not archive.exists():
            raise
        raise Incompatible(f"The file {archive} is no backup of ours, or damaged.") from None
    if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT:
        raise Incompatible(f"The backup {archive} was made by a newer version: install that one.")
    if not (folder / _DATABASE).exists():
        raise Incompatible(f"The backup {archive} holds no database.")


def _check(connection: sqlite3.Connection) -> None:
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise Incompatible(f"The database in the backup is damaged: {found}.")


def _hold(connection: sqlite3.Connection) -> int:
    try:
        connection.execute("BEGIN IMMEDIATE")
        held = connection.execute(_HOLD).rowcount
        connection.execute("DELETE FROM node")
        connection.execute("COMMIT")
    except sqlite3.DatabaseError:
        raise Incompatible("The database in the backup is none of ours.") from None
    return held


@contextmanager
def _alone(file: Path, now: int, force: bool) -> Iterator[None]:
    """Keep every other process from opening the database in `file`; nobody has it open."""
    turn = Turn(file)
    try:
        if not turn.take(blocking=False):
            raise Conflict(f"The database {file} is in use: stop the gateway first.")
        if file.exists():
            if not force:
                raise Conflict(f"There is a database at {file}; --force replaces it with the backup.")
            _check_unused(file, now)
        yield
    finally:
        turn.close()


def _check_unused(file: Path, now: int) -> None:
    with closing(sqlite3.connect(file, timeout=0.5, isolation_level=None)) as connection:
        try:
            alive = connection.execute("SELECT role, pid FROM node WHERE seen_at > ?", (now - ALIVE,)).fetchone()
            if alive is None:
                # Leaving the write-ahead log takes a lock that nobody gets while another has the file open.
                connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                return  # it has no such table, or cannot be read: nothing that runs
            raise Conflict(f"The database {file} is in use: stop the gateway first.") from None
        except sqlite3.DatabaseError:
            return  # damaged, which is what backups are for
    if alive is not None:
        raise Conflict(f"The gateway runs ({alive[0]}, process {alive[1]}): stop it first.")


def _put(new: Path, place: Path) -> None:
    with new.open("rb") as file:
        os.fsync(file.fileno())
    with contextlib.suppress(FileNotFoundError):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new.replace(place)
    sync_folder(place.parent)
