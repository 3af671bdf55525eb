"""`trunkline inbound`: whose the numbers are that messages come in for, and what came in."""

from typing import Any

import click
from sqlalchemy import RowMapping

from gateway.commands import output
from gateway.commands.account import account_of
from gateway.commands.framework import BadInput, Group, session
from gateway.commands.parameters import EMAIL, ID, Parsed
from gateway.messaging.quoting import quote
from gateway.storage.queries import inbound as messages
from gateway.storage.queries import inbound_routes

_PAGE = 500
_COLUMNS = ("id", "received", "carrier", "from", "to", "account", "text")


def _number(text: str) -> str:
    from gateway.messaging.inbound import address  # noqa: PLC0415 (its metadata takes a while to load)

    found = address(text)
    if not (found.isascii() and found.isdigit()) or len(found) > 15:
        raise ValueError(f"{quote(text)} is no number: it is up to 15 digits, as the carrier writes it.")
    return found


def _keyword(text: str) -> str:
    from gateway.messaging.inbound import MAX_KEYWORD, folded  # noqa: PLC0415

    found = folded(text)
    if not found or " " in found or len(found) > MAX_KEYWORD:
        raise ValueError(f"{quote(text)} is no keyword: it is one word of up to {MAX_KEYWORD} characters.")
    return found


_NUMBER = Parsed("number", _number)
_KEYWORD = Parsed("word", _keyword)


@click.group(cls=Group)
def inbound() -> None:
    """Messages that come in: whose the numbers are, and what came."""


@inbound.command("add")
@click.argument("number", type=_NUMBER)
@click.argument("email", type=EMAIL)
@click.option("--keyword", type=_KEYWORD, help="Only messages whose first word this is; case is ignored.")
def add(number: str, email: str, keyword: str | None) -> None:
    """Give messages that come in for NUMBER to the account EMAIL.

    A keyword wins over the number alone. NUMBER is as the carrier writes it; + and 00 before it are dropped.
    """
    with session().database() as database, database.transaction() as connection:
        route_id = inbound_routes.add(connection, account_of(connection, email)["id"], number, keyword or "")
    fields = {"id": str(route_id), "number": number, "keyword": keyword, "account": email}
    output.done(f"Messages to {_named(number, keyword)} now go to {email}.", fields)


@inbound.command("list")
def list_() -> None:
    """List whose the numbers and keywords are."""
    rows: list[RowMapping] = []
    with session().database() as database, database.read() as connection:
        while page := inbound_routes.list_(connection, _PAGE, _last(rows)):
            rows += page
    output.listing(
        [
            {
                "id": str(row["id"]),
                "number": row["number"],
                "keyword": row["keyword"] or None,
                "account": row["email"],
            }
            for row in rows
        ]
    )


@inbound.command("remove")
@click.argument("number", type=_NUMBER)
@click.option("--keyword", type=_KEYWORD, help="This keyword's; without it that of the number alone.")
def remove(number: str, keyword: str | None) -> None:
    """Take NUMBER, or a keyword under it, from its account; what came in for it stays the account's."""
    with session().database() as database, database.transaction() as connection:
        if not inbound_routes.remove(connection, number, keyword or ""):
            raise BadInput(f"nobody has {_named(number, keyword)}")
    fields = {"number": number, "keyword": keyword}
    output.done(f"Messages to {_named(number, keyword)} now go to nobody.", fields)


@inbound.command("messages")
@click.option("--account", "email", type=EMAIL, help="Of this account alone.")
@click.option("--unmatched", is_flag=True, help="Only those that are nobody's.")
@click.option("--before", type=ID, help="Go on from this id.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
def list_messages(email: str | None, unmatched: bool, before: int | None, limit: int) -> None:
    """List what came in, newest first."""
    if email and unmatched:
        raise BadInput("--account and --unmatched exclude each other")
    with session().database() as database, database.read() as connection:
        owner = account_of(connection, email)["id"] if email else None
        rows = messages.latest(connection, owner, unmatched=unmatched, before=before, limit=limit)
    output.listing([_described(row) for row in rows], _COLUMNS)


def _last(rows: list[RowMapping]) -> tuple[str, str]:
    return (rows[-1]["number"], rows[-1]["keyword"]) if rows else ("", "")


def _named(number: str, keyword: str | None) -> str:
    return f"{number} with the keyword {keyword}" if keyword else number


def _described(row: RowMapping) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "received": output.Moment(row["received_at"]),
        "carrier": row["carrier"],
        "from": row["source"],
        "to": row["destination"],
        "account": row["email"],
        "text": row["text"],
    }
