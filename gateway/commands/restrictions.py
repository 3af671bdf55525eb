"""What an access may be confined to, as options of commands and as the database keeps it."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from gateway.commands.framework import BadInput
from gateway.commands.parameters import DATE, NETWORK, RATE, Parsed, moment
from gateway.messaging.quoting import quote

PROTOCOLS = ("http", "basic", "jwt", "soap", "smpp")
MOST_BINDS = 1_000

KEPT = {
    "protocol": "protocols",
    "operation": "operations",
    "network": "networks",
    "rate": "rate",
    "expires": "expires_at",
    "bind-limit": "bind_limit",
}
"""Each restriction's name on the command line, with its column."""

_LISTS = ("protocols", "operations", "networks")

Command = TypeVar("Command", bound=Callable[..., Any])


def _operation(text: str) -> str:
    from gateway import operations  # noqa: F401, PLC0415 (fills the catalogue, which few commands need)
    from gateway.operations.catalogue import CATALOGUE, class_names  # noqa: PLC0415

    name = text.strip().lower()
    known = {operation.name for operation in CATALOGUE.values()}
    if name not in known and name not in class_names():
        kin = sorted(other for other in known if other.startswith(name.split(".")[0] + "."))
        choice = ", ".join(kin or sorted(class_names()))
        raise ValueError(f"{quote(text)} is neither an operation nor a class of them; there are {choice}.")
    return name


_OPTIONS = (
    click.option("--protocol", "protocols", type=click.Choice(PROTOCOLS), multiple=True, help="May be repeated."),
    click.option(
        "--operation",
        "operations",
        type=Parsed("operation", _operation),
        multiple=True,
        help="class.method, or a class for all of it; may be repeated.",
    ),
    click.option("--network", "networks", type=NETWORK, multiple=True, help="IPv4 or IPv6; may be repeated."),
    click.option("--rate", type=RATE, help="Calls it may make, such as 10/s or 30/m."),
    click.option("--expires", "expires_at", type=DATE, help="When it ends, in the account's time zone."),
    click.option(
        "--bind-limit", type=click.IntRange(1, MOST_BINDS), help="SMPP sessions that it may have at a time."
    ),
)


def options(command: Command) -> Command:
    """Give a command the options of all restrictions; it takes them by their columns' names."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def values(given: Mapping[str, Any], timezone: str, now: int) -> dict[str, Any]:
    """What the database is to keep of the options that were given, by column.

    Raises `BadInput` for a date that is past at `now`, UTC microseconds.
    """
    found = {column: value for column, value in given.items() if value not in (None, ())}
    for column in _LISTS:
        if column in found:
            found[column] = json.dumps(sorted(set(found[column])))
    date = found.get("expires_at")
    if date is not None:
        found["expires_at"] = moment(date, ZoneInfo(timezone))
        if found["expires_at"] <= now:
            raise BadInput(f"the date {date} is past")
    return found
