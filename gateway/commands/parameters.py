"""The types of what commands are given; each fails with one sentence that names the value."""

import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import click

from gateway.clock import DAY, HOUR, MINUTE, SECOND
from gateway.messaging.money import parse_credits
from gateway.messaging.quoting import quote

MAX_SECRET = 1_024
MIN_PASSWORD = 8

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")
_PREFIX = re.compile(r"\+?([0-9]{0,15})")
_RATE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)/([smh])")
_AGO = re.compile(r"([0-9]{1,6})([smhd])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:?[0-9]{2})?)?")
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


# Generic in new versions of click only.
class Parsed(click.ParamType):  # type: ignore[type-arg]
    """A parameter that `parse` reads from text; its ValueError's sentence is the command's error."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text) or not text.isprintable():
        raise ValueError(f"{quote(text)} is not an e-mail address.")
    return text.lower()


def line(most: int) -> Callable[[str], str]:
    """A reader of one line of 1 to `most` printable characters, white space around it dropped."""

    def read(text: str) -> str:
        found = text.strip()
        if not found:
            raise ValueError("It must not be blank.")
        if len(found) > most:
            raise ValueError(f"{quote(found)} has {len(found)} characters, and {most} is the most.")
        if not found.isprintable():
            raise ValueError(f"{quote(found)} holds a character that does not print.")
        return found

    return read


def _name(text: str) -> str:
    found = line(64)(text)
    if "@" in found:
        raise ValueError(f"{quote(found)} holds an @; names have none, so that they are no e-mail address.")
    return found


def _text(text: str) -> str:
    if not 1 <= len(text) <= 4_000:
        raise ValueError(f"A text has 1 to 4000 characters, not {len(text)}.")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("The text holds a character that is none, or bytes that are not UTF-8.")
    return text


def _amount(text: str) -> int:
    micro = parse_credits(text)
    if micro < 0:
        raise ValueError(f"{quote(text)} is negative.")
    return micro


def _change(text: str) -> int:
    micro = parse_credits(text)
    if not micro:
        raise ValueError("It must not be 0.")
    return micro


def _prefix(text: str) -> str:
    found = _PREFIX.fullmatch(text)
    if found is None:
        raise ValueError(f'{quote(text)} is no prefix: it is up to 15 digits, "" for every destination.')
    return found[1]


def _timezone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError(f"{quote(text)} is no time zone; they are written like Europe/Madrid or UTC.")
    return text


def _country(text: str) -> str:
    from gateway.messaging.numbers import calling_code  # noqa: PLC0415 (its metadata takes a while to load)

    return calling_code(text)


def _sender(text: str) -> str:
    from gateway.messaging.sender import check_sender  # noqa: PLC0415

    return check_sender(text)


def _rate(text: str) -> int:
    found = _RATE.fullmatch(text)
    per_mille = round(float(found[1]) * 1000 * SECOND / _UNITS[found[2]]) if found else 0
    if per_mille < 1:
        raise ValueError(f"{quote(text)} is no rate: it is written like 10/s or 30/m, and is at least 4/h.")
    return per_mille


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        pass
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{quote(text)} is no network: it is written like 192.0.2.0/24 or 2001:db8::/32.") from None
    raise ValueError(f"{quote(text)} has bits set beyond its length: write {meant} for the network.")


def _date(text: str) -> str:
    if not _DATE.fullmatch(text):
        raise ValueError(f"{quote(text)} is no date: it is written like 2027-01-31 or '2027-01-31 18:00'.")
    moment(text, ZoneInfo("UTC"))
    return text


def moment(text: str, zone: ZoneInfo) -> int:
    """UTC microseconds of a date that `DATE` let pass; without an offset it is in the zone. Raises ValueError."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"The date {quote(text)} does not exist.") from None
    return ((when if when.tzinfo else when.replace(tzinfo=zone)) - _EPOCH) // _MICROSECOND


def _since(text: str) -> Callable[[int], int]:
    ago = _AGO.fullmatch(text)
    if ago is not None:
        micros = int(ago[1]) * _UNITS[ago[2]]
        return lambda now: max(0, now - micros)
    if not _DATE.fullmatch(text):
        raise ValueError(f"{quote(text)} is no time: it is written like 15m, 2h, 7d or 2026-11-01.")
    fixed = moment(text, ZoneInfo("UTC"))
    return lambda _: fixed


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 16:
        raise ValueError(f"{quote(text)} is no id: ids are digits.")
    return int(text)


def read_secret(source: str) -> str:
    """A secret from the first line of a file, or of standard input for `-` (unseen on a terminal).

    Raises click.BadParameter, never with what was read, for a file that cannot be read and for no one line.
    """
    if source == "-" and sys.stdin.isatty():
        return str(click.prompt("Secret", hide_input=True, err=True))
    name = "standard input" if source == "-" else f"the file {source!r}"
    try:
        if source == "-":
            content = sys.stdin.buffer.read(MAX_SECRET + 2)
        else:
            with Path(source).open("rb") as file:
                content = file.read(MAX_SECRET + 2)
        secret = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise click.BadParameter(f"{name} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise click.BadParameter(f"{name} is not UTF-8 text.") from None
    if not secret.strip():
        raise click.BadParameter(f"{name} is empty; it must hold the secret.")
    if len(content) > MAX_SECRET or not secret.isprintable():
        raise click.BadParameter(f"{name} must hold one line of at most {MAX_SECRET} bytes.")
    return secret


def read_password(source: str) -> str:
    """A password that somebody chose, read as `read_secret` does."""
    password = read_secret(source)
    if len(password) < MIN_PASSWORD:
        raise click.BadParameter(f"A password has at least {MIN_PASSWORD} characters.")
    return password


EMAIL = Parsed("email", _email)
NAME = Parsed("name", _name)
TITLE = Parsed("title", line(100))
TEXT = Parsed("text", _text)
AMOUNT = Parsed("credits", _amount)
CHANGE = Parsed("credits", _change)
PREFIX = Parsed("prefix", _prefix)
TIMEZONE = Parsed("timezone", _timezone)
COUNTRY = Parsed("country", _country)
SENDER = Parsed("sender", _sender)
RATE = Parsed("rate", _rate)
NETWORK = Parsed("cidr", _network)
DATE = Parsed("date", _date)
SINCE = Parsed("time", _since)
ID = Parsed("id", _id)
PASSWORD_FILE = Parsed("file", read_password)
"""Dates: as text, to be read by `moment` once the account's zone is known. SINCE gives a function of now."""
