"""`trunkline message`: what becomes of messages."""

from typing import Any

import click
from sqlalchemy import RowMapping

from gateway import clock
from gateway.commands import output
from gateway.commands.account import account_of
from gateway.commands.framework import BadInput, Group, session
from gateway.commands.parameters import EMAIL, ID
from gateway.messaging.money import format_credits
from gateway.messaging.states import State
from gateway.storage.errors import Conflict
from gateway.storage.queries import messages, nodes

_STATES = [state.name for state in State]
_REASONS = ("restored", "doubt", "suspended")
_COLUMNS = ("id", "account_id", "source", "destination", "state", "segments", "credits", "error", "accepted")


@click.group(cls=Group)
def message() -> None:
    """Messages: list, show, cancel, hold, release."""


@message.command("list")
@click.option("--account", "email", type=EMAIL, help="Of this account alone.")
@click.option("--state", type=click.Choice(_STATES, case_sensitive=False), help="In this state alone.")
@click.option("--before", type=ID, help="Go on from this id.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
def list_(email: str | None, state: str | None, before: int | None, limit: int) -> None:
    """List messages, newest first."""
    with session().database() as database, database.read() as connection:
        owner = account_of(connection, email)["id"] if email else None
        rows = messages.page(connection, owner, state=State[state] if state else None, before=before, limit=limit)
    output.listing([_described(row) for row in rows], _COLUMNS)


@message.command("show")
@click.argument("message_id", metavar="ID", type=ID)
def show(message_id: int) -> None:
    """Show a message and its segments."""
    with session().database() as database, database.read() as connection:
        row = messages.show(connection, None, message_id)
        if row is None:
            raise _unknown(message_id)
        parts = messages.segments(connection, None, message_id)
    output.show(
        {
            **_described(row),
            "text": row["text"],
            "encoding": row["encoding"],
            "protocol": row["protocol"],
            "batch": str(row["batch_id"]) if row["batch_id"] is not None else None,
            "attempt": row["attempt"],
            "expires": output.Moment(row["expires_at"]),
            "sent": output.Moment(row["sent_at"]),
            "assumed": row["assumed"],
            "possible_duplicate": row["possible_duplicate"],
            "parts": [
                {
                    "seq": part["seq"],
                    "attempt": part["attempt"],
                    "state": State(part["state"]).name,
                    "carrier_ref": part["carrier_ref"],
                    "error": part["error"],
                }
                for part in parts
            ],
        }
    )


@message.command("cancel")
@click.argument("message_id", metavar="ID", type=ID)
def cancel(message_id: int) -> None:
    """Cancel a message that is not yet sent, and refund it."""
    with session().database() as database, database.transaction() as connection:
        cancelled = messages.cancel(connection, None, message_id, clock.now())
    if cancelled is None:
        raise _unknown(message_id)
    fields = {
        "id": str(message_id),
        "state": State.CANCELLED.name,
        "refunded": output.Credits(cancelled.refunded),
    }
    output.done(f"Cancelled message {message_id}; {format_credits(cancelled.refunded)} refunded.", fields)


@message.command("hold")
@click.option("--all", "everything", is_flag=True, help="Every message that is not yet sent.")
@click.option("--account", "email", type=EMAIL, help="Of this account alone.")
def hold(everything: bool, email: str | None) -> None:
    """Hold what is not yet sent, as `restore` does: for after pg_restore, with the gateway stopped."""
    if not everything:
        raise click.UsageError("Give --all: it is for everything that is not yet sent.")
    held, step = 0, messages.STEP
    with session().database() as database:
        while step == messages.STEP:
            with database.transaction() as connection:
                running = nodes.alive(connection, clock.now())
                if running is not None:
                    role, machine, pid = running
                    raise Conflict(f"The gateway runs ({role} on {machine}, process {pid}): stop it first.")
                owner = account_of(connection, email)["id"] if email else None
                step = messages.hold_some(connection, owner)
            held += step
    output.done(f"Held {held} message{'' if held == 1 else 's'} that may have been sent.", {"held": held})


@message.command("release")
@click.argument("message_id", metavar="[ID]", type=ID, required=False)
@click.option("--all", "everything", is_flag=True, help="All that are held for the reason.")
@click.option("--reason", type=click.Choice(_REASONS), default="restored", show_default=True, help="With --all.")
@click.option("--account", "email", type=EMAIL, help="With --all: of this account alone.")
def release(message_id: int | None, everything: bool, reason: str, email: str | None) -> None:
    """Let a held message go, or all of them."""
    if everything == (message_id is not None):
        raise click.UsageError("Give either an ID or --all.")
    if message_id is not None:
        with session().database() as database, database.transaction() as connection:
            if not messages.release(connection, None, message_id, clock.now()):
                raise _unknown(message_id)
        output.done(f"Released message {message_id}.", {"id": str(message_id), "released": 1})
        return
    released, step = 0, messages.STEP
    with session().database() as database:
        while step == messages.STEP:
            with database.transaction() as connection:
                owner = account_of(connection, email)["id"] if email else None
                step = messages.release_some(connection, owner, reason, clock.now())
            released += step
    output.done(f"Released {released} message{'' if released == 1 else 's'}.", {"released": released})


def _unknown(message_id: int) -> BadInput:
    return BadInput(f"there is no message {message_id}")


def _described(row: RowMapping) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "account_id": str(row["account_id"]),
        "source": row["source"],
        "destination": row["destination"],
        "state": State(row["state"]).name,
        "hold_reason": row["hold_reason"],
        "error": row["error"],
        "segments": row["segments"],
        "credits": output.Credits(row["price"]),
        "refunded": output.Credits(row["refunded"]),
        "carrier_id": str(row["carrier_id"]),
        "accepted": output.Moment(row["accepted_at"]),
        "due": output.Moment(row["due_at"]),
        "final": output.Moment(row["final_at"]),
    }
