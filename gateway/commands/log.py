"""`trunkline log`: the calls that were made, refused ones too."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import click
from sqlalchemy import Connection

from gateway import clock
from gateway.commands import output
from gateway.commands.account import account_of
from gateway.commands.framework import BadInput, Group, session
from gateway.commands.parameters import EMAIL, ID, SINCE, Parsed, line
from gateway.messaging.quoting import quote
from gateway.storage.queries import accesses
from gateway.storage.queries import log as queries

_COLUMNS = ("at", "source_ip", "protocol", "login", "operation", "outcome", "ms", "detail", "parameters")
_WORD = Parsed("text", line(64))


@click.group(cls=Group)
def log() -> None:
    """The log of calls."""


@log.command("list")
@click.option("--account", "email", type=EMAIL, help="Of this account alone.")
@click.option("--access", "name", type=_WORD, help="Of the access of this name, or of this login.")
@click.option("--since", type=SINCE, help="15m, 2h, 7d, 2026-11-01 (UTC); 1d without account and access.")
@click.option("--until", type=SINCE, help="The same.")
@click.option("--method", type=_WORD, help="A method, or class.method.")
@click.option("--ip", type=_WORD, help="Source address.")
@click.option("--outcome", type=_WORD, help="SUCCESS, or an error's code.")
@click.option("--before", type=ID, help="Go on from this id.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
def list_(
    email: str | None,
    name: str | None,
    since: Callable[[int], int] | None,
    until: Callable[[int], int] | None,
    method: str | None,
    ip: str | None,
    outcome: str | None,
    before: int | None,
    limit: int,
) -> None:
    """List calls, newest first; secrets are never shown."""
    now = clock.now()
    with session().database() as database, database.read() as connection:
        account_id = account_of(connection, email)["id"] if email else None
        access_id = _access(connection, account_id, name) if name else None
        begin = since(now) if since else None
        if begin is None and account_id is None and access_id is None:
            begin = now - clock.DAY
        page = queries.search(
            connection,
            account_id,
            access_id=access_id,
            since=begin,
            until=until(now) if until else None,
            method=method,
            source_ip=ip,
            outcome=outcome,
            after=before,
            limit=limit,
        )
    # Pages go by id, of which each process takes a block a minute: within a page the time itself decides.
    newest = sorted(page.entries, key=itemgetter("at"), reverse=True)
    output.listing([_described(entry) for entry in newest], _COLUMNS)
    if page.next is not None:
        click.echo(f"There may be more: --before {page.next}", err=True)


def _access(connection: Connection, account_id: int | None, name: str) -> int:
    found = [row for row in accesses.named(connection, name) if account_id in (None, row["account_id"])]
    if not found:
        raise BadInput(f"there is no access named {quote(name)}")
    if len({row["account_id"] for row in found}) > 1:
        raise BadInput(f"several accounts have an access named {quote(name)}: say which with --account")
    return int(found[-1]["id"])


def _described(entry: dict[str, Any]) -> dict[str, Any]:
    called = ".".join(part for part in (entry["class"], entry["method"]) if part)
    return {
        "id": str(entry["id"]),
        "at": output.Moment(entry["at"]),
        "account_id": _id(entry["account_id"]),
        "access_id": _id(entry["access_id"]),
        "login": entry["login"],
        "source_ip": entry["source_ip"],
        "protocol": entry["protocol"],
        "operation": called or None,
        "parameters": entry["parameters"],
        "outcome": entry["outcome"],
        "response": entry["response"],
        "detail": _detail(entry["response"]),
        "message_id": _id(entry["message_id"]),
        "http_status": entry["http_status"],
        "ms": entry["duration_us"] / 1000,
        "user_agent": entry["user_agent"],
        "request_id": entry["request_id"],
        "count": entry["count"],
    }


def _detail(response: Any) -> str | None:
    """Why it was refused, in a sentence."""
    detail = response.get("detail") if isinstance(response, dict) else None
    return detail if isinstance(detail, str) else None


def _id(number: int | None) -> str | None:
    return str(number) if number is not None else None
