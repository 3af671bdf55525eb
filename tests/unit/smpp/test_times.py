"""The standard's absolute and relative times."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp import times

SECOND = 1_000_000


def at(*parts: int) -> int:
    """Microseconds since the epoch of year, month, day, hour, minute, second, microsecond in UTC."""
    return round((datetime(*parts, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * SECOND)  # type: ignore[misc]


NOW = at(2026, 1, 31, 12, 0, 0)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("", None, id="null"),
        pytest.param("260201120000000+", at(2026, 2, 1, 12), id="utc"),
        pytest.param("260201120000000-", at(2026, 2, 1, 12), id="utc-by-minus"),
        pytest.param("260201120000704+", at(2026, 2, 1, 11, 0, 0, 700_000), id="tenths-and-ahead-of-utc"),
        pytest.param("260201120000020-", at(2026, 2, 1, 17), id="behind-utc"),
        pytest.param("260201000000056+", at(2026, 1, 31, 10), id="fourteen-hours-ahead"),
        pytest.param("020610233429000R", at(2028, 8, 11, 11, 34, 29), id="example-of-the-standard"),
        pytest.param("000000000000000R", NOW, id="relative-zero"),
        pytest.param("000000010000000R", NOW + 3600 * SECOND, id="relative-hour"),
        pytest.param("000100000000000R", at(2026, 2, 28, 12), id="month-from-the-31st"),
        pytest.param("001200000000000R", at(2027, 1, 31, 12), id="twelve-months"),
        pytest.param("020100000000000R", at(2028, 2, 29, 12), id="leap-year"),
        pytest.param("000000999999000R", at(2026, 2, 4, 16, 40, 39), id="units-beyond-their-range"),
        pytest.param("000000000001948R", NOW + SECOND, id="relative-ignores-tenths-and-zone"),
        pytest.param("750101000000000+", at(2075, 1, 1), id="49-years-on"),
        pytest.param("770101000000000+", at(1977, 1, 1), id="49-years-ago"),
        pytest.param("760101000000000+", at(2076, 1, 1), id="50-years-on"),
    ],
)
# The standard's example is 2 years, 6 months, 10 days, 23 hours, 34 minutes and 29 seconds from now (7.1.1.2).
def test_parse(text: str, moment: int | None) -> None:
    assert times.parse(text, NOW) == moment


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("26020112000000+", id="fifteen-characters"),
        pytest.param("2602011200000000+", id="seventeen-characters"),
        pytest.param("260201120000000", id="no-sign"),
        pytest.param("260201120000000Z", id="other-sign"),
        pytest.param("260201120000000r", id="small-r"),
        pytest.param("26o201120000000+", id="letter"),
        pytest.param("26020112000000٣+", id="digit-beyond-ascii"),
        pytest.param("261301120000000+", id="thirteenth-month"),
        pytest.param("260230120000000+", id="30-february"),
        pytest.param("260201240000000+", id="hour-24"),
        pytest.param("260201126000000+", id="minute-60"),
        pytest.param("260201120000061+", id="over-15-hours"),
        pytest.param("2026-02-01 12:00", id="other-format"),
        pytest.param("260201120000000+\n", id="line-feed"),
    ],
)
def test_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        times.parse(text, NOW)


@pytest.mark.parametrize(
    ("text", "now"),
    [
        pytest.param("990000000000000R", at(9950, 1, 1), id="year-10049"),
        pytest.param("000099000000000R", at(9999, 12, 31), id="days-beyond"),
        pytest.param("991231235900060-", at(9999, 12, 31), id="zone-beyond"),
        pytest.param("000000010000000R", 1 << 70, id="present-beyond"),
    ],
)
def test_beyond_the_calendar(text: str, now: int) -> None:
    with pytest.raises(ValueError, match="outside the years 1 to 9999"):
        times.parse(text, now)


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        pytest.param(at(2026, 2, 1, 12, 3, 4), "260201120304000+", id="whole-second"),
        pytest.param(at(2026, 2, 1, 12, 3, 4, 799_999), "260201120304700+", id="cut-to-tenths"),
        pytest.param(0, "700101000000000+", id="epoch"),
        pytest.param(-1, "691231235959900+", id="before-the-epoch"),
        pytest.param(at(2105, 2, 1), "050201000000000+", id="next-century"),
    ],
)
def test_format(micros: int, text: str) -> None:
    assert times.format(micros) == text


def test_format_beyond_the_calendar() -> None:
    with pytest.raises(ValueError, match="outside the years 1 to 9999"):
        times.format(1 << 70)


@given(st.integers(at(1900, 1, 1), at(2200, 1, 1)), st.integers(-48 * 365, 48 * 365))
def test_round_trip_to_the_tenth(now: int, days: int) -> None:
    moment = now + days * 86_400 * SECOND
    assert times.parse(times.format(moment), now) == moment // 100_000 * 100_000


@given(
    st.text(st.sampled_from("0123456789+-R"), min_size=14, max_size=17) | st.text(max_size=20),
    st.integers(at(1, 1, 1), at(9999, 12, 31)),
)
def test_any_text_is_a_time_or_a_value_error(text: str, now: int) -> None:
    try:
        found = times.parse(text, now)
    except ValueError as error:
        assert str(error)
    else:
        assert (found is None) == (text == "")
