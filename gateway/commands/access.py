"""`trunkline access`: the ways into an account."""

import json
import re
import secrets
import unicodedata
from collections.abc import Sequence
from typing import Any

import click
from sqlalchemy import Connection, RowMapping

from gateway import clock
from gateway.commands import output, restrictions
from gateway.commands.access_key import key
from gateway.commands.account import account_of
from gateway.commands.framework import BadInput, Failure, Group, session
from gateway.commands.parameters import EMAIL, NAME
from gateway.messaging.quoting import quote
from gateway.storage import passwords
from gateway.storage.queries import accesses

# A login is typed into SMPP clients, whose system_id holds 15 characters (SMPP 3.4, 5.2.1), and read aloud.
_STEM = 9
_MARK = 5
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@click.group(cls=Group)
def access() -> None:
    """The ways into an account."""


access.add_command(key)


@access.command("create")
@click.argument("email", type=EMAIL)
@click.argument("name", type=NAME)
@restrictions.options
def create(email: str, name: str, **given: Any) -> None:
    """Make an access; its secret is shown this once. What is not restricted is allowed.

    The secret has 24 characters; with --protocol smpp alone it has 8, as many as SMPP clients can send.
    """
    now = clock.now()
    secret, stored = _new_secret(given["protocols"])
    with session().database() as database, database.transaction() as connection:
        owner = account_of(connection, email)
        confined = restrictions.values(given, owner["timezone"], now)
        login = _login(connection, name)
        access_id = accesses.create(connection, owner["id"], name, login, stored, now=now, **confined)
    output.show({"id": str(access_id), "account": email, "name": name, "user": login, "secret": secret})


@access.command("set")
@click.argument("email", type=EMAIL)
@click.argument("name")
@restrictions.options
@click.option(
    "--lift",
    "lifted",
    type=click.Choice(list(restrictions.KEPT)),
    multiple=True,
    help="Restrict this no more; may be repeated.",
)
def set_(email: str, name: str, lifted: Sequence[str], **given: Any) -> None:
    """Change what an access is confined to; its secret stays.

    What is given takes the place of what was there, a list as a whole. All else stays as it is.
    """
    now = clock.now()
    with session().database() as database, database.transaction() as connection:
        row = _living(connection, email, name)
        changes = restrictions.values(given, account_of(connection, email)["timezone"], now)
        for restriction in lifted:
            column = restrictions.KEPT[restriction]
            if changes.get(column) is not None:
                raise click.UsageError(f"Give either --{restriction} or --lift {restriction}.")
            changes[column] = None
        if not changes:
            raise click.UsageError("Nothing to change: give at least one option.")
        accesses.confine(connection, row["account_id"], row["id"], **changes)
        changed = _find(connection, email, name)
    output.done(f"Changed access {name} of {email}.", _described(changed))


@access.command("list")
@click.argument("email", type=EMAIL)
def list_(email: str) -> None:
    """List an account's accesses, revoked ones too."""
    with session().database() as database, database.read() as connection:
        rows = accesses.list_(connection, account_of(connection, email)["id"])
    output.listing([_described(row) for row in rows])


@access.command("rotate")
@click.argument("email", type=EMAIL)
@click.argument("name")
def rotate(email: str, name: str) -> None:
    """Give an access another secret, shown this once; the old one ends."""
    with session().database() as database, database.transaction() as connection:
        row = _living(connection, email, name)
        secret, stored = _new_secret(_list(row["protocols"]) or ())
        accesses.set_secret(connection, row["account_id"], row["id"], stored)
    output.show({"id": str(row["id"]), "account": email, "name": name, "user": row["login"], "secret": secret})


@access.command("revoke")
@click.argument("email", type=EMAIL)
@click.argument("name")
def revoke(email: str, name: str) -> None:
    """End an access for good."""
    with session().database() as database, database.transaction() as connection:
        row = _find(connection, email, name)
        accesses.revoke(connection, row["account_id"], row["id"], clock.now())
        revoked = _find(connection, email, name)
    output.done(f"Revoked access {name} of {email}.", _described(revoked))


def _new_secret(protocols: Sequence[str]) -> tuple[str, str]:
    """A secret that every protocol of an access can carry, and what is stored of it."""
    if set(protocols) == {"smpp"}:
        secret = passwords.new_short_secret()
        return secret, passwords.hash_password(secret)
    secret = passwords.new_secret()
    return secret, passwords.hash_secret(secret)


def _find(connection: Connection, email: str, name: str) -> RowMapping:
    if name.lower() == email:
        raise BadInput(f"that is the account's own password: see `account password {email}` and `account suspend`")
    row = accesses.find(connection, account_of(connection, email)["id"], name)
    if row is None:
        raise BadInput(f"the account {email} has no access named {quote(name)}")
    return row


def _living(connection: Connection, email: str, name: str) -> RowMapping:
    row = _find(connection, email, name)
    if row["revoked_at"] is not None:
        raise Failure(f"the access {name} of {email} is revoked; make another one")
    return row


def _login(connection: Connection, name: str) -> str:
    """A login nobody has, of at most 15 characters, that begins like the access's name."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:_STEM].strip("-") or "access"
    while True:
        login = f"{stem}-{''.join(secrets.choice(_ALPHABET) for _ in range(_MARK))}"
        if not accesses.login_taken(connection, login):
            return login


def _described(row: RowMapping) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "name": row["name"],
        "user": row["login"],
        "protocols": _list(row["protocols"]),
        "operations": _list(row["operations"]),
        "networks": _list(row["networks"]),
        "rate": row["rate"] / 1000 if row["rate"] is not None else None,
        "expires": output.Moment(row["expires_at"]),
        "bind_limit": row["bind_limit"],
        "revoked": output.Moment(row["revoked_at"]),
        "created": output.Moment(row["created_at"]),
    }


def _list(listed: str | None) -> list[str] | None:
    return json.loads(listed) if listed is not None else None
