"""What commands print: one JSON value with --json, otherwise lines for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click
import orjson

from gateway.commands.framework import session
from gateway.messaging.money import format_credits


@dataclass(frozen=True, slots=True)
class Credits:
    """An amount in micro-credits: an exact JSON number."""

    micro: int


@dataclass(frozen=True, slots=True)
class Moment:
    """UTC microseconds, or None: ISO 8601."""

    micros: int | None


Fields = Mapping[str, Any]


def show(fields: Fields) -> None:
    """Print one thing: an object, or a line per field; fields that are None only in JSON."""
    if session().json:
        _json(fields)
        return
    given = {name: text for name, value in fields.items() if (text := _text(value))}
    width = max(map(len, given), default=0)
    for name, text in given.items():
        click.echo(f"{name + ':':{width + 1}} {text}")


def listing(rows: Sequence[Fields], columns: Sequence[str] | None = None) -> None:
    """Print many things: an array of objects, or a table of the `columns` (without them, all)."""
    if session().json:
        _json(rows)
        return
    if not rows:
        click.echo("(none)", err=True)
        return
    names = list(columns or rows[0])
    table = [[name.upper() for name in names], *([_text(row[name]) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def done(text: str, fields: Fields) -> None:
    """Tell that something was done: the fields as an object, or one line for people."""
    if session().json:
        _json(fields)
    else:
        click.echo(text)


def _json(value: Any) -> None:
    click.echo(orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode())


def _plain(value: Any) -> Any:
    if isinstance(value, Credits):
        return orjson.Fragment(format_credits(value.micro))
    if isinstance(value, Moment):
        return _moment(value.micros) if value.micros is not None else None
    raise TypeError(f"{type(value).__name__} cannot be printed")


def _text(value: Any) -> str:
    match value:
        case None | Moment(micros=None):
            text = ""
        case Credits(micro=micro):
            text = format_credits(micro)
        case Moment(micros=int(micros)):
            text = _moment(micros)
        case bool():
            text = "yes" if value else "no"
        case list() | tuple() if value and all(isinstance(item, dict) for item in value):
            text = "; ".join(_text(item) for item in value)
        case list() | tuple():
            text = ", ".join(_text(item) for item in value)
        case dict():
            text = ", ".join(f"{name}={_text(item)}" for name, item in value.items() if item is not None)
        case _:
            text = str(value)
    # One line each, whatever a customer's text holds: nothing of it reaches the terminal as a control.
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def _moment(micros: int) -> str:
    return datetime.fromtimestamp(micros // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
