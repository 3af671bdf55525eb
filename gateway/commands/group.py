"""`trunkline group`: customers' groups of contacts."""

import os
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO

import click

from gateway import clock
from gateway.commands import output
from gateway.commands.account import account_of
from gateway.commands.contacts_csv import Contact, Fault, Reader, Unreadable, opened
from gateway.commands.framework import BadInput, Failure, Group, session
from gateway.commands.parameters import EMAIL, ID, TITLE, Parsed
from gateway.messaging.contact import field_names
from gateway.storage.database import Database
from gateway.storage.errors import Unavailable
from gateway.storage.queries import contacts, groups, owners

TYPE = "mobile"
STEP = contacts.MAX_ROWS
SHOWN_FAULTS = 1_000
"""Most refused lines that are told one by one."""

_CLEAR = "\r\x1b[K"


@click.group(cls=Group)
def group() -> None:
    """Customers' groups of contacts."""


@group.command("create")
@click.argument("email", type=EMAIL)
@click.argument("name", type=TITLE)
@click.option("--fields", type=Parsed("names", field_names), default=(), help="Names, comma separated.")
def create(email: str, name: str, fields: Sequence[str]) -> None:
    """Make a group; every contact has a mobile, the other fields are named here."""
    with session().database() as database, database.transaction() as connection:
        owner = account_of(connection, email)["id"]
        group_id = groups.create(connection, owner, name, TYPE, list(fields), clock.now())
    described = {"id": str(group_id), "account": email, "name": name, "type": TYPE, "fields": list(fields)}
    output.done(f"Created group {group_id}.", described)


@group.command("list")
@click.argument("email", type=EMAIL)
def list_(email: str) -> None:
    """List an account's groups."""
    found: list[groups.Group] = []
    with session().database() as database, database.read() as connection:
        owner = account_of(connection, email)["id"]
        while page := groups.list_(connection, owner, after=found[-1].id if found else 0):
            found += page
    output.listing(
        [{"id": str(row.id), "name": row.name, "count": row.count, "fields": list(row.fields)} for row in found]
    )


@group.command("import")
@click.argument("group_id", metavar="ID", type=ID)
@click.argument("file", metavar="FILE.csv")
@click.option("--skip-invalid", is_flag=True, help="Load the lines that are right; without it none, if any is wrong.")
def import_(group_id: int, file: str, skip_invalid: bool) -> None:
    """Load contacts into a group.

    The file (UTF-8; - is standard input) begins with a line of names: mobile, and fields of the group.
    """
    with session().database() as database:
        with database.read() as connection:
            owner = owners.of_group(connection, group_id)
            target = groups.get(connection, owner, group_id) if owner is not None else None
        if owner is None or target is None:
            raise BadInput(f"there is no group {group_id}")
        try:
            with opened(file) as source:
                refused = _check(source, target.fields)
                if refused and not skip_invalid:
                    raise BadInput(
                        f"nothing was loaded: {refused} line{'' if refused == 1 else 's'} of {file}"
                        " cannot be; --skip-invalid loads the rest"
                    )
                loaded = _load(database, owner, group_id, source, target.fields)
        except Unreadable as error:
            raise BadInput(str(error)) from None
    output.done(
        f"Loaded {loaded} contacts into group {group_id}; {refused} lines refused.",
        {"id": str(group_id), "loaded": loaded, "refused": refused},
    )


def _check(source: BinaryIO, fields: Sequence[str]) -> int:
    """Read the whole file once and tell what is wrong with it; how many lines are."""
    refused = 0
    for row in _progress("Checking", source, fields):
        if isinstance(row, Fault):
            refused += 1
            if refused <= SHOWN_FAULTS:
                # On a terminal the bar stands in this line.
                click.echo(f"{_CLEAR if sys.stderr.isatty() else ''}line {row.line}: {row.reason}", err=True)
    if refused > SHOWN_FAULTS:
        click.echo(f"and {refused - SHOWN_FAULTS} more", err=True)
    return refused


def _load(database: Database, owner: int, group_id: int, source: BinaryIO, fields: Sequence[str]) -> int:
    """Store the contacts in transactions of at most `STEP`; how many they are."""
    loaded = 0
    good = ((row.mobile, row.fields) for row in _progress("Loading", source, fields) if isinstance(row, Contact))
    while step := list(islice(good, STEP)):
        try:
            with database.transaction() as connection:
                loaded += contacts.add_many(connection, owner, group_id, step, clock.now())
        except LookupError:
            raise Failure(f"the group {group_id} was removed; {loaded} contacts were loaded before") from None
        except Unavailable as error:
            raise Failure(f"{loaded} contacts were loaded, then: {error}") from None
    return loaded


def _progress(label: str, source: BinaryIO, fields: Sequence[str]) -> Iterator[Contact | Fault]:
    """The file's lines, with a bar on a terminal."""
    reader = Reader(source, fields)
    if not sys.stderr.isatty():
        yield from reader
        return
    size = source.seek(0, os.SEEK_END)
    source.seek(reader.position)
    with click.progressbar(length=size, label=label, file=sys.stderr) as bar:
        told = 0
        for count, row in enumerate(reader):
            if count % 100 == 0:
                bar.update(reader.position - told)
                told = reader.position
            yield row
        bar.update(size - told)
