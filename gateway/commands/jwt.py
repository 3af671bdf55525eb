"""`trunkline jwt`: the key that our tokens are signed with, and ending tokens."""

import click

from gateway import clock
from gateway.commands import output
from gateway.commands.account import account_of
from gateway.commands.framework import BadInput, Group, session
from gateway.commands.parameters import EMAIL
from gateway.messaging.quoting import quote
from gateway.storage import signing
from gateway.storage.keyfile import KEY_FILE, Sealer
from gateway.storage.queries import accesses, keys


@click.group(cls=Group)
def jwt() -> None:
    """Tokens of the JWT front end."""


@jwt.command("rotate")
@click.option("--at-once", is_flag=True, help="End the tokens of the old keys too: for a key that leaked.")
def rotate(at_once: bool) -> None:
    """Sign new tokens with a new key; those that were given out are valid until they expire."""
    now = clock.now()
    retires_at = now if at_once else now + signing.OVERLAP
    sealer = Sealer(session().settings().data / KEY_FILE)
    with session().database() as database, database.transaction() as connection:
        kid = signing.rotate(connection, sealer, now, retires_at)
    output.done(f"Tokens are signed with the key {kid} from now on.", {"kid": kid, "alg": signing.ALGORITHM})


@jwt.command("keys")
def keys_() -> None:
    """List our keys that verify tokens or did lately, the newest first."""
    with session().database() as database, database.read() as connection:
        rows = keys.signing_keys(connection)
    output.listing(
        [
            {
                "kid": row["kid"],
                "alg": row["algorithm"],
                "created": output.Moment(row["created_at"]),
                "retires": output.Moment(row["retires_at"]),
            }
            for row in rows
        ]
    )


@jwt.command("revoke")
@click.argument("email", type=EMAIL)
@click.argument("name")
def revoke(email: str, name: str) -> None:
    """End every token that an access was given, refresh tokens too; it can log in again at once."""
    with session().database() as database, database.transaction() as connection:
        row = accesses.find(connection, account_of(connection, email)["id"], name)
        if row is None:
            raise BadInput(f"the account {email} has no access named {quote(name)}")
        accesses.end_tokens(connection, row["account_id"], row["id"])
    output.done(f"Ended the tokens of access {name} of {email}.", {"id": str(row["id"]), "name": name})
