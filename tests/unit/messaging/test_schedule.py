"""Dates in customers' time zones."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messaging.schedule import GRACE, HORIZON, ScheduleError, format_when, parse_when

MADRID = ZoneInfo("Europe/Madrid")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
KATHMANDU = ZoneInfo("Asia/Kathmandu")


def utc(*parts: int) -> int:
    return (datetime(*parts, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


NOW = utc(2026, 3, 1, 12, 0, 0)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        pytest.param("2026-03-02 10:00:00", MADRID, utc(2026, 3, 2, 9), id="winter"),
        pytest.param("2026-07-02 10:00:00", MADRID, utc(2026, 7, 2, 8), id="summer"),
        pytest.param("2026-07-02T10:00:00", MADRID, utc(2026, 7, 2, 8), id="t-in-the-middle"),
        pytest.param("2026-07-02 10:00:00Z", MADRID, utc(2026, 7, 2, 10), id="zulu"),
        pytest.param("2026-07-02T10:00:00+05:30", MADRID, utc(2026, 7, 2, 4, 30), id="offset"),
        pytest.param("2026-07-02T10:00:00-0300", MADRID, utc(2026, 7, 2, 13), id="offset-without-colon"),
        pytest.param("2026-07-02T10:00:00 05:30", MADRID, utc(2026, 7, 2, 4, 30), id="offset-with-unescaped-plus"),
        pytest.param("2026-07-02T10:00:00.25Z", MADRID, utc(2026, 7, 2, 10, 0, 0, 250_000), id="fraction"),
        pytest.param("  2026-07-02 10:00:00 ", MADRID, utc(2026, 7, 2, 8), id="white-space"),
        pytest.param("2026-07-02 10:00:00", KATHMANDU, utc(2026, 7, 2, 4, 15), id="odd-zone"),
        pytest.param("2026-03-29 01:59:59", MADRID, utc(2026, 3, 29, 0, 59, 59), id="before-the-gap"),
        pytest.param("2026-03-29 03:00:00", MADRID, utc(2026, 3, 29, 1), id="after-the-gap"),
        pytest.param("2026-03-29T02:30:00+01:00", MADRID, utc(2026, 3, 29, 1, 30), id="an-offset-knows-no-gap"),
        pytest.param("2026-10-25 02:30:00", MADRID, utc(2026, 10, 25, 0, 30), id="overlap-is-the-first"),
        pytest.param("2026-04-05 01:45:00", LORD_HOWE, utc(2026, 4, 4, 14, 45), id="half-hour-overlap"),
        pytest.param("2028-02-29 00:00:00", MADRID, None, id="over-a-year-ahead"),
        pytest.param("2027-03-02 12:00:00Z", MADRID, utc(2027, 3, 2, 12), id="366-days-ahead"),
        pytest.param("2027-03-02 12:00:01Z", MADRID, None, id="a-second-over-366-days"),
        pytest.param("2026-03-01 11:54:59Z", MADRID, None, id="over-five-minutes-past"),
        pytest.param("1970-01-01 00:00:00", MADRID, None, id="epoch"),
        pytest.param("0001-01-01 00:00:00+14:00", MADRID, None, id="before-the-calendar"),
        pytest.param("9999-12-31 23:59:59-14:00", MADRID, None, id="after-the-calendar"),
        pytest.param("0000-01-01 00:00:00", MADRID, None, id="year-zero"),
        pytest.param("2026-02-29 10:00:00", MADRID, None, id="no-leap-year"),
        pytest.param("2026-04-31 10:00:00", MADRID, None, id="31-april"),
        pytest.param("2026-13-01 10:00:00", MADRID, None, id="month-13"),
        pytest.param("2026-07-02 24:00:00", MADRID, None, id="hour-24"),
        pytest.param("2026-07-02 10:60:00", MADRID, None, id="minute-60"),
        pytest.param("2026-07-02 10:00:60", MADRID, None, id="leap-second"),
        pytest.param("2026-07-02 10:00:00+24:00", MADRID, None, id="offset-of-a-day"),
        pytest.param("2026-07-02 10:00:00+01:60", MADRID, None, id="offset-minute-60"),
        pytest.param("2026-03-29 02:30:00", MADRID, None, id="in-the-gap"),
        pytest.param("2026-03-29 02:00:00", MADRID, None, id="first-of-the-gap"),
        pytest.param("2026-10-04 02:15:00", LORD_HOWE, None, id="in-a-half-hour-gap"),
        pytest.param("2026-07-02", MADRID, None, id="no-time"),
        pytest.param("2026-07-02 10:00", MADRID, None, id="no-seconds"),
        pytest.param("02/07/2026 10:00:00", MADRID, None, id="other-order"),
        pytest.param("2026-7-2 10:00:00", MADRID, None, id="single-digits"),
        pytest.param("٢٠٢٦-07-02 10:00:00", MADRID, None, id="arabic-digits"),
        pytest.param("2026-07-02 10:00:00\x00", MADRID, None, id="nul"),
        pytest.param("tomorrow", MADRID, None, id="word"),
        pytest.param("9" * 5000, MADRID, None, id="long"),
    ],
)
def test_parse_when(text: str, zone: ZoneInfo, expected: int | None) -> None:
    if expected is not None:
        assert parse_when(text, zone, NOW) == expected
        return
    with pytest.raises(ScheduleError) as caught:
        parse_when(text, zone, NOW)
    assert str(caught.value).endswith(".")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 140


@pytest.mark.parametrize(
    "text",
    ["", "   ", "2026-03-01 12:00:00Z", "2026-03-01 13:00:00", "2026-03-01 11:55:00Z"],
    ids=["empty", "blank", "the-present", "the-present-here", "five-minutes-past"],
)
def test_now(text: str) -> None:
    assert parse_when(text, MADRID, NOW) is None


def test_a_gap_just_past_is_still_no_time() -> None:
    with pytest.raises(ScheduleError, match="does not exist in Europe/Madrid"):
        parse_when("2026-03-29 02:58:00", MADRID, utc(2026, 3, 29, 2, 0, 0))


@given(
    st.integers(1, HORIZON // 1_000_000),
    st.sampled_from([MADRID, LORD_HOWE, KATHMANDU, ZoneInfo("UTC"), ZoneInfo("America/St_Johns")]),
)
def test_what_is_written_reads_back(seconds: int, zone: ZoneInfo) -> None:
    micros = NOW + seconds * 1_000_000
    read = parse_when(format_when(micros, zone), zone, NOW)
    first_of_an_overlap = datetime.fromtimestamp(micros // 1_000_000, zone).fold == 1
    assert (read != micros) == first_of_an_overlap
    assert read is not None
    assert format_when(read, zone) == format_when(micros, zone)


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    try:
        when = parse_when(text, MADRID, NOW)
    except ScheduleError:
        return
    assert when is None or NOW < when <= NOW + HORIZON


@pytest.mark.parametrize(
    ("micros", "zone", "text"),
    [
        pytest.param(utc(2026, 7, 2, 8), MADRID, "2026-07-02 10:00:00", id="summer"),
        pytest.param(utc(2026, 7, 2, 8, 0, 0, 999_999), MADRID, "2026-07-02 10:00:00", id="cut-to-the-second"),
        pytest.param(0, MADRID, "1970-01-01 01:00:00", id="epoch"),
        pytest.param(-1, ZoneInfo("UTC"), "1969-12-31 23:59:59", id="before-the-epoch"),
    ],
)
def test_format_when(micros: int, zone: ZoneInfo, text: str) -> None:
    assert format_when(micros, zone) == text


def test_the_bounds_are_the_promised_ones() -> None:
    assert timedelta(minutes=5) / timedelta(microseconds=GRACE) == 1
    assert timedelta(days=366) / timedelta(microseconds=HORIZON) == 1
