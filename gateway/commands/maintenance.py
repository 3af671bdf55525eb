"""`trunkline migrate`, `backup` and `restore`."""

from pathlib import Path

import click

from gateway import __version__, clock
from gateway.commands import output
from gateway.commands.framework import BadInput, Command, Failure, session, sqlite_file
from gateway.settings import Settings
from gateway.storage import backup as backups
from gateway.storage.database import Database
from gateway.storage.keyfile import KEY_FILE
from gateway.storage.migrate import HEAD
from gateway.storage.migrate import migrate as bring_to_head

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("migrate", cls=Command)
def migrate() -> None:
    """Make the database, or bring it to this version; a backup before is wise."""
    try:
        database = Database.open(session().settings().url, read_pool=1)
    except ValueError as error:
        raise BadInput(str(error)) from None
    try:
        bring_to_head(database)
    finally:
        database.close()
    output.done(f"The database is at revision {HEAD}.", {"database": database.dialect, "revision": HEAD})


@click.command("backup", cls=Command)
@click.argument("file", type=_FILE)
def backup(file: Path) -> None:
    """Save the database and the key file in FILE, while the gateway runs.

    FILE holds every secret of the installation: its mode is 0600.
    """
    settings = session().settings()
    source = _embedded(settings, "pg_dump saves one, and the key file goes with it")
    if not file.parent.is_dir():
        raise BadInput(f"there is no folder {file.parent}")
    with session().database() as database:
        key = settings.data / KEY_FILE
        size = backups.back_up(database, source, key, file.absolute(), now=clock.now(), version=__version__)
    output.done(f"Saved {size} bytes in {file}.", {"file": str(file), "bytes": size})


@click.command("restore", cls=Command)
@click.argument("file", type=_FILE)
@click.option("--force", is_flag=True, help="Replace the database that is there.")
def restore(file: Path, force: bool) -> None:
    """Put a backup in place, while the gateway does not run.

    What was not sent when the backup was made is held until `trunkline message release`.
    """
    settings = session().settings()
    hold = "`trunkline message hold --all` holds what was not yet sent in it"
    target = _embedded(settings, f"pg_restore brings one back, and {hold}")
    if not file.is_file():
        raise BadInput(f"there is no file {file}")
    held = backups.restore(file, target, settings.data / KEY_FILE, clock.now(), force=force)
    text = f"Restored {target}."
    if held:
        text += f" {held} unsent messages are held until `trunkline message release --all`."
    output.done(text, {"database": str(target), "held": held})


def _embedded(settings: Settings, instead: str) -> Path:
    file = sqlite_file(settings)
    if file is None:
        raise Failure(f"this is for the embedded database; on PostgreSQL {instead}")
    return file
