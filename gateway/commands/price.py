"""`trunkline price`: what a segment costs."""

import click
from sqlalchemy import Connection

from gateway.commands import output
from gateway.commands.account import account_of
from gateway.commands.framework import BadInput, Group, session
from gateway.commands.parameters import AMOUNT, EMAIL, PREFIX
from gateway.messaging.money import format_credits
from gateway.storage.queries import tariff


@click.group(cls=Group)
def price() -> None:
    """What a segment costs: an account's own price of the longest prefix, else the default one."""


@price.command("set")
@click.argument("prefix", type=PREFIX)
@click.argument("amount", metavar="CREDITS", type=AMOUNT)
@click.option("--account", "email", type=EMAIL, help="For this account alone.")
def set_(prefix: str, amount: int, email: str | None) -> None:
    """Set what a segment to destinations that begin with PREFIX ("" for all) costs."""
    with session().database() as database, database.transaction() as connection:
        tariff.set_price(connection, _list_of(connection, email), prefix, amount)
    fields = {"prefix": prefix, "account": email, "credits": output.Credits(amount)}
    output.done(f'A segment to "{prefix}" costs {format_credits(amount)}{_whose(email)}.', fields)


@price.command("list")
def list_() -> None:
    """List the prices."""
    with session().database() as database, database.read() as connection:
        rows = tariff.named_prices(connection)
    output.listing(
        [
            {
                "id": str(row["id"]),
                "prefix": row["prefix"],
                "account": row["account"],
                "credits": output.Credits(row["micro"]),
            }
            for row in rows
        ]
    )


@price.command("remove")
@click.argument("prefix", type=PREFIX)
@click.option("--account", "email", type=EMAIL, help="Of this account alone.")
def remove(prefix: str, email: str | None) -> None:
    """Remove a price; the next shorter prefix then decides."""
    with session().database() as database, database.transaction() as connection:
        if not tariff.remove_price(connection, _list_of(connection, email), prefix):
            raise BadInput(f'there is no price of "{prefix}"{_whose(email)}')
    output.done(f'Removed the price of "{prefix}"{_whose(email)}.', {"prefix": prefix, "account": email})


def _list_of(connection: Connection, email: str | None) -> int:
    return int(account_of(connection, email)["id"]) if email else tariff.DEFAULT_LIST


def _whose(email: str | None) -> str:
    return f" for {email}" if email else ""
