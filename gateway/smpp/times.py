"""The standard's times: schedule_delivery_time, validity_period, final_date (SMPP 3.4, 7.1.1).

Absolute: YYMMDDhhmmsstnnp, with tenths of a second and the difference from UTC in quarters of an hour, `p` being +
for local times ahead of UTC and - for those behind. Relative: YYMMDDhhmmss000R, years to seconds from now.
"""

import calendar
import re
from datetime import MAXYEAR, UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PARTS = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)([-+R])", re.ASCII)
# The difference from UTC is at most 12 hours (7.1.1); 14 and more are in use (Line Islands), and 15 bounds it.
_MAX_QUARTERS = 4 * 15


def parse(text: str, now: int) -> int | None:
    """Read a time; give microseconds since the epoch in UTC, None for the empty string.

    `now` is the present in the same microseconds: relative times count from it (a month from the 31st is the next
    month's last day), and of the centuries an absolute one could mean, the nearest to it is meant. Raises
    ValueError for what is no time.
    """
    if not text:
        return None
    parts = _PARTS.fullmatch(text)
    if parts is None:
        raise ValueError("A time has 16 characters, YYMMDDhhmmsstnnp: fifteen digits, then +, - or R.")
    numbers = [int(part) for part in parts.groups()[:-1]]
    try:
        present = _EPOCH + timedelta(microseconds=now)
        moment = _later(present, numbers) if parts[9] == "R" else _absolute(present, numbers, parts[9])
        return (moment - _EPOCH) // _MICROSECOND
    except OverflowError:
        raise ValueError("The time is outside the years 1 to 9999.") from None


def format(micros: int) -> str:  # noqa: A001 - the counterpart of parse, used as times.format
    """Write microseconds since the epoch as an absolute time in UTC, cut to tenths of a second.

    Raises ValueError for a moment outside the years 1 to 9999.
    """
    try:
        moment = _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        raise ValueError("The time is outside the years 1 to 9999.") from None
    return f"{moment.year % 100:02}{moment:%m%d%H%M%S}{moment.microsecond // 100_000}00+"


def _later(present: datetime, numbers: list[int]) -> datetime:
    years, months, days, hours, minutes, seconds = numbers[:6]
    count = present.year * 12 + present.month - 1 + years * 12 + months
    year, month = count // 12, count % 12 + 1
    if year > MAXYEAR:
        raise OverflowError
    day = min(present.day, calendar.monthrange(year, month)[1])
    moment = present.replace(year=year, month=month, day=day)
    return moment + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _absolute(present: datetime, numbers: list[int], sign: str) -> datetime:
    short, month, day, hour, minute, second, tenth, quarters = numbers
    if quarters > _MAX_QUARTERS:
        raise ValueError(
            f"The time's difference from UTC is {quarters} quarters of an hour, more than {_MAX_QUARTERS}."
        )
    ahead = timedelta(minutes=15 * quarters) * (1 if sign == "+" else -1)
    # The year of these two digits that is less than 50 years before the present, or at most 50 after it.
    year = present.year + (short - present.year + 49) % 100 - 49
    return datetime(year, month, day, hour, minute, second, 100_000 * tenth, tzinfo=UTC) - ahead
