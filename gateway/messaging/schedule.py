"""When a message is due: customers' dates in their time zone, stored as UTC microseconds since the epoch."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from gateway.messaging.quoting import quote

GRACE = 5 * 60 * 1_000_000
"""Microseconds a date may lie in the past and still mean now."""

HORIZON = 366 * 24 * 3600 * 1_000_000
"""Microseconds a date may lie ahead."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# An offset's "+" that nobody escaped in a query string arrives as a space.
_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[ T]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6}))?"
    r"(Z|[+ -][0-9]{2}:?[0-9]{2})?"
)


class ScheduleError(ValueError):
    """A date that cannot be used; its text is one sentence."""


def parse_when(text: str, zone: ZoneInfo, now: int) -> int | None:
    """Read when a message is due; `now` and the result are UTC microseconds since the epoch.

    Takes ``yyyy-mm-dd hh:mm:ss`` in the zone, a ``T`` in the middle too, and ISO 8601 with an offset or
    ``Z``. None means now: for empty text, the present, and up to five minutes past. A time that the clocks
    show twice is the first of the two. Raises ScheduleError for what is no such date, was skipped by the
    clocks, is further past, or lies more than 366 days ahead.
    """
    text = text.strip()
    if not text:
        return None
    local = _read(text, zone)
    micros = (local - _EPOCH) // _MICROSECOND
    if micros < now - GRACE:
        raise ScheduleError(f"The date {text!r} is past.")
    if micros > now + HORIZON:
        raise ScheduleError(f"The date {text!r} is over a year ahead.")
    if local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ScheduleError(f"The time {text!r} does not exist in {zone.key}: the clocks skip it.")
    return micros if micros > now else None


def format_when(micros: int, zone: ZoneInfo) -> str:
    """Write UTC microseconds as ``yyyy-mm-dd hh:mm:ss`` in the zone, cut to the second."""
    return datetime.fromtimestamp(micros // 1_000_000, zone).isoformat(" ")[:19]


def _read(text: str, zone: ZoneInfo) -> datetime:
    match = _DATE.fullmatch(text)
    if match is None:
        raise ScheduleError(f"The date {quote(text)} is not of the form yyyy-mm-dd hh:mm:ss.")
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    micro = int((match[7] or "").ljust(6, "0"))
    try:
        return datetime(year, month, day, hour, minute, second, micro, tzinfo=_offset(match[8], zone))
    except ValueError:
        raise ScheduleError(f"The date {text!r} does not exist.") from None


def _offset(text: str | None, zone: ZoneInfo) -> tzinfo:
    if text is None:
        return zone
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if minutes > 59:
        raise ValueError
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)
