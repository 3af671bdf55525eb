"""`trunkline account`: customers."""

from typing import Any

import click
from sqlalchemy import Connection, RowMapping

from gateway import clock
from gateway.commands import output
from gateway.commands.framework import BadInput, Group, session
from gateway.commands.parameters import (
    AMOUNT,
    CHANGE,
    COUNTRY,
    EMAIL,
    PASSWORD_FILE,
    SENDER,
    TIMEZONE,
)
from gateway.messaging.money import format_credits
from gateway.storage import passwords
from gateway.storage.queries import accesses, accounts, ledger, messages


def account_of(connection: Connection, email: str) -> RowMapping:
    """The account of this e-mail. Raises BadInput, naming it, when there is none."""
    found = accounts.find(connection, email)
    if found is None:
        raise BadInput(f"there is no account {email}")
    return found


@click.group(cls=Group)
def account() -> None:
    """Customers' accounts."""


@account.command("create")
@click.argument("email", type=EMAIL)
@click.option("--password-file", "password", type=PASSWORD_FILE, required=True, help="FILE, or - for standard input.")
@click.option("--credits", "amount", type=AMOUNT, default="0", help="Credits to start with.")
@click.option("--country", type=COUNTRY, help="Default country: a calling code (34) or ES.")
@click.option("--timezone", type=TIMEZONE, default="UTC", show_default=True, help="Of the dates it gives and reads.")
@click.option("--sender", type=SENDER, help="Default sender.")
@click.option("--parent", type=EMAIL, help="Make a subaccount of this account.")
@click.option("--redact-text", is_flag=True, help="Keep message text out of the log.")
def create(
    email: str,
    password: str,
    amount: int,
    country: str | None,
    timezone: str,
    sender: str | None,
    parent: str | None,
    redact_text: bool,
) -> None:
    """Make an account; its e-mail and password are an access to it."""
    now = clock.now()
    secret = passwords.hash_password(password)
    with session().database() as database, database.transaction() as connection:
        account_id = accounts.create(
            connection,
            email,
            now=now,
            timezone=timezone,
            country=country or "",
            sender=sender or "",
            parent_id=account_of(connection, parent)["id"] if parent else None,
            redact_text=redact_text,
        )
        accesses.create(connection, account_id, email, email, secret, now=now)
        if amount:
            ledger.grant(connection, account_id, amount, "opening balance", now)
        made = account_of(connection, email)
    output.done(f"Created account {email}.", _described(made))


@account.command("list")
def list_() -> None:
    """List every account."""
    rows: list[RowMapping] = []
    with session().database() as database:
        while True:
            with database.read() as connection:
                page = accounts.page(connection, after=rows[-1]["id"] if rows else 0)
            rows += page
            if len(page) < accounts.MAX_PAGE:
                break
    output.listing([_described(row) for row in rows], ("id", "email", "parent", "credits", "suspended"))


@account.command("show")
@click.argument("email", type=EMAIL)
def show(email: str) -> None:
    """Show an account."""
    with session().database() as database, database.read() as connection:
        output.show(_described(account_of(connection, email)))


@account.command("set")
@click.argument("email", type=EMAIL)
@click.option("--country", type=COUNTRY, help="Default country: a calling code (34) or ES.")
@click.option("--timezone", type=TIMEZONE, help="Of the dates it gives and reads.")
@click.option("--sender", type=SENDER, help="Default sender.")
@click.option("--redact-text/--keep-text", default=None, help="Whether message text is kept out of the log.")
@click.option("--allow-sender", "allowed", type=SENDER, multiple=True, help="Only these senders; may be repeated.")
@click.option("--any-sender", is_flag=True, help="Any sender, again.")
def set_(email: str, allowed: tuple[str, ...], any_sender: bool, **given: Any) -> None:
    """Change an account's settings: those that are given."""
    values = {name: value for name, value in given.items() if value is not None}
    if allowed and any_sender:
        raise click.UsageError("Give either --allow-sender or --any-sender.")
    if not (values or allowed or any_sender):
        raise click.UsageError("Nothing to change: give at least one option.")
    with session().database() as database, database.transaction() as connection:
        account_id = account_of(connection, email)["id"]
        if values:
            accounts.change(connection, account_id, **values)
        if allowed or any_sender:
            accounts.list_senders(connection, account_id, sorted(set(allowed)))
        changed = account_of(connection, email)
    output.done(f"Changed account {email}.", _described(changed))


@account.command("credit", context_settings={"ignore_unknown_options": True})
@click.argument("email", type=EMAIL)
@click.argument("amount", type=CHANGE)
@click.option("--note", default="", help="For the ledger, at most 200 characters.")
def credit(email: str, amount: int, note: str) -> None:
    """Grant credits; a negative AMOUNT takes them back."""
    with session().database() as database, database.transaction() as connection:
        owner = account_of(connection, email)["id"]
        balance = ledger.grant(connection, owner, amount, note[:200] or "by the operator", clock.now())
    fields = {"id": str(owner), "email": email, "credits": output.Credits(balance)}
    output.done(f"The balance of {email} is {format_credits(balance)}.", fields)


@account.command("ledger")
@click.argument("email", type=EMAIL)
@click.option("--before", type=int, help="Go on from this id.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
def ledger_(email: str, before: int | None, limit: int) -> None:
    """List what changed an account's balance, newest first."""
    with session().database() as database, database.read() as connection:
        rows = ledger.entries(connection, account_of(connection, email)["id"], before, limit)
    output.listing(
        [
            {
                "id": str(row["id"]),
                "at": output.Moment(row["at"]),
                "kind": row["kind"],
                "amount": output.Credits(row["amount"]),
                "note": row["note"],
            }
            for row in rows
        ]
    )


@account.command("password")
@click.argument("email", type=EMAIL)
@click.option("--password-file", "password", type=PASSWORD_FILE, help="FILE, or - for standard input.")
def password_(email: str, password: str | None) -> None:
    """Set an account's password; without a file one is made and shown this once."""
    made = passwords.new_secret() if password is None else None
    secret = passwords.hash_password(password) if password is not None else passwords.hash_secret(made or "")
    with session().database() as database, database.transaction() as connection:
        owner = account_of(connection, email)["id"]
        own = accesses.find(connection, owner, email)
        if own is None:
            raise BadInput(f"the account {email} has no password: give it an access")
        accesses.set_secret(connection, owner, own["id"], secret)
    fields = {"id": str(owner), "email": email, "user": email}
    if made is None:
        output.done(f"Changed the password of {email}.", fields)
    else:
        output.show({**fields, "secret": made})


@account.command("suspend")
@click.argument("email", type=EMAIL)
def suspend(email: str) -> None:
    """Refuse an account's calls and hold its queue."""
    with session().database() as database, database.transaction() as connection:
        owner = account_of(connection, email)
        if owner["suspended_at"] is None:
            accounts.change(connection, owner["id"], suspended_at=clock.now())
        changed = account_of(connection, email)
    output.done(f"Suspended account {email}.", _described(changed))


@account.command("resume")
@click.argument("email", type=EMAIL)
def resume(email: str) -> None:
    """Serve an account again and let its queue go."""
    with session().database() as database:
        with database.transaction() as connection:
            owner = account_of(connection, email)["id"]
            accounts.change(connection, owner, suspended_at=None)
            changed = account_of(connection, email)
        released = 0
        while True:
            with database.transaction() as connection:
                step = messages.release_some(connection, owner, "suspended", clock.now())
            released += step
            if step < messages.STEP:
                break
    fields = {**_described(changed), "released": released}
    output.done(f"Resumed account {email}; {released} held messages go.", fields)


def _described(row: RowMapping) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "email": row["email"],
        "parent": row["parent"],
        "credits": output.Credits(row["credits"]),
        "country": row["country"],
        "timezone": row["timezone"],
        "sender": row["sender"],
        "redact_text": row["redact_text"],
        "suspended": row["suspended_at"] is not None,
        "created": output.Moment(row["created_at"]),
    }
