"""`trunkline optout`: the recipients that want nothing more from an account."""

import click
from sqlalchemy import RowMapping

from gateway import clock
from gateway.commands import output
from gateway.commands.account import account_of
from gateway.commands.framework import BadInput, Group, session
from gateway.commands.parameters import EMAIL
from gateway.storage.queries import optouts

_PAGE = 1_000


@click.group(cls=Group)
def optout() -> None:
    """Recipients that want no more: sends to them are refused."""


@optout.command("list")
@click.argument("email", type=EMAIL)
def list_(email: str) -> None:
    """List the recipients that want no more from an account."""
    rows: list[RowMapping] = []
    with session().database() as database, database.read() as connection:
        owner = account_of(connection, email)["id"]
        while page := optouts.page(connection, owner, rows[-1]["destination"] if rows else "", _PAGE):
            rows += page
    output.listing([{"number": row["destination"], "added": output.Moment(row["created_at"])} for row in rows])


@optout.command("add")
@click.argument("email", type=EMAIL)
@click.argument("number")
def add(email: str, number: str) -> None:
    """Put NUMBER on an account's list; one that is on it stays on it."""
    with session().database() as database, database.transaction() as connection:
        owner = account_of(connection, email)
        to = _destination(number, owner["country"])
        optouts.add(connection, owner["id"], to, clock.now())
    output.done(f"{email} sends nothing more to {to}.", {"account": email, "number": to})


@optout.command("remove")
@click.argument("email", type=EMAIL)
@click.argument("number")
def remove(email: str, number: str) -> None:
    """Take NUMBER off an account's list."""
    with session().database() as database, database.transaction() as connection:
        owner = account_of(connection, email)
        to = _destination(number, owner["country"])
        if not optouts.remove(connection, owner["id"], to):
            raise BadInput(f"{to} is not on the list of {email}")
    output.done(f"{email} may send to {to} again.", {"account": email, "number": to})


def _destination(number: str, country: str) -> str:
    from gateway.messaging.numbers import NumberError, normalise  # noqa: PLC0415 (its metadata takes a while to load)

    try:
        return normalise(number, country)
    except NumberError as error:
        raise BadInput(str(error)) from None
