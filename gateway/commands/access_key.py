"""`trunkline access key`: the keys that customers sign tokens of their own with."""

from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection, RowMapping

from gateway import clock
from gateway.commands import output
from gateway.commands.account import account_of
from gateway.commands.framework import BadInput, Failure, Group, session
from gateway.commands.parameters import EMAIL, Parsed
from gateway.messaging.quoting import quote
from gateway.storage.queries import accesses, keys

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _kid(text: str) -> str:
    if not keys.KID.fullmatch(text) or text.startswith(keys.OURS):
        raise ValueError(
            f"{quote(text)} is no kid: it has up to 64 of the characters A-Z a-z 0-9 . _ ~ - and does not begin"
            f" with {keys.OURS}"
        )
    return text


@click.group(cls=Group)
def key() -> None:
    """The keys that it signs tokens of its own with."""


@key.command("add")
@click.argument("email", type=EMAIL)
@click.argument("name")
@click.argument("public_key_file", type=_FILE)
@click.option("--kid", type=Parsed("kid", _kid), help="What its tokens' header calls it; without one, it is made.")
def add(email: str, name: str, public_key_file: Path, kid: str | None) -> None:
    """Let an access sign tokens with a key: RSA (RS256), EC P-256 (ES256) or Ed25519 (EdDSA), as PEM."""
    from gateway.commands.public_key import read, thumbprint  # noqa: PLC0415 (cryptography takes a while to load)

    algorithm, pem = read(public_key_file)
    kid = kid or thumbprint(pem)
    with session().database() as database, database.transaction() as connection:
        row = _access(connection, email, name)
        if row["revoked_at"] is not None:
            raise Failure(f"the access {name} of {email} is revoked; make another one")
        keys.add(connection, row["account_id"], row["id"], kid, algorithm, pem, clock.now())
    audience = session().settings().audience
    login = row["login"]
    output.show({"kid": kid, "alg": algorithm, "typ": "JWT", "iss": login, "sub": login, "aud": audience})


@key.command("list")
@click.argument("email", type=EMAIL)
@click.argument("name")
def list_(email: str, name: str) -> None:
    """List an access's keys, removed ones too."""
    with session().database() as database, database.read() as connection:
        row = _access(connection, email, name)
        rows = keys.list_(connection, row["account_id"], row["id"])
    output.listing([_described(each) for each in rows])


@key.command("remove")
@click.argument("email", type=EMAIL)
@click.argument("name")
@click.argument("kid")
def remove(email: str, name: str, kid: str) -> None:
    """End a key, and every token that was signed with it."""
    with session().database() as database, database.transaction() as connection:
        row = _access(connection, email, name)
        if not keys.remove(connection, row["account_id"], row["id"], kid, clock.now()):
            raise BadInput(f"the access {name} of {email} has no key {quote(kid)}")
    output.done(f"Removed the key {kid} of access {name} of {email}.", {"kid": kid})


def _access(connection: Connection, email: str, name: str) -> RowMapping:
    row = accesses.find(connection, account_of(connection, email)["id"], name)
    if row is None:
        raise BadInput(f"the account {email} has no access named {quote(name)}")
    return row


def _described(row: RowMapping) -> dict[str, Any]:
    return {
        "kid": row["kid"],
        "alg": row["algorithm"],
        "created": output.Moment(row["created_at"]),
        "removed": output.Moment(row["revoked_at"]),
    }
