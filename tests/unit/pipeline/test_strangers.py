"""Refusals of strangers are summed up after ten a minute."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import MINUTE, SECOND
from gateway.pipeline.strangers import EVERYBODY, LOGGED_EACH, Strangers
from gateway.storage.submission import LOG_COLUMNS, Row

NOW = 1_800_000_000_000_000
PLACE = {name: place for place, name in enumerate(LOG_COLUMNS)}


def refusal(number: int = 0, **changes: object) -> Row:
    values = {
        "id": 1000 + number,
        "at": NOW,
        "account_id": None,
        "access_id": None,
        "login": "nobody",
        "source_ip": "192.0.2.1",
        "protocol": "http",
        "class": "user",
        "method": "getbalance",
        "parameters": '{"n":"1"}',
        "outcome": "INCORRECT_USER_PASSWORD",
        "response": "{}",
        "message_id": None,
        "http_status": 200,
        "duration_us": 5,
        "user_agent": None,
        "request_id": f"r-{number}",
        "count": 1,
    } | changes
    return tuple(values[name] for name in LOG_COLUMNS)


def column(rows: list[Row], name: str) -> list[object]:
    return [row[PLACE[name]] for row in rows]


def test_the_first_ten_are_rows_of_their_own() -> None:
    strangers = Strangers()
    assert [strangers.add(refusal(n)) for n in range(10)] == [[refusal(n)] for n in range(10)]
    assert strangers.add(refusal(10)) == []


def test_the_rest_is_one_row_when_the_minute_is_over() -> None:
    strangers = Strangers()
    for number in range(LOGGED_EACH + 7):
        strangers.add(refusal(number))
    assert strangers.flush(NOW + MINUTE - 1) == []
    rows = strangers.flush(NOW + MINUTE)
    assert rows == [(*refusal(16)[:-1], 7)]
    assert strangers.flush(NOW + 9 * MINUTE) == []


def test_outcomes_and_accesses_are_summed_apart() -> None:
    strangers = Strangers()
    for number in range(10):
        strangers.add(refusal(number))
    for _ in range(3):
        strangers.add(refusal(outcome="TOO_MANY_REQUESTS"))
    strangers.add(refusal(access_id=5))
    strangers.add(refusal())
    assert sorted(zip(column(rows := strangers.flush(), "outcome"), column(rows, "count"), strict=True)) == [
        ("INCORRECT_USER_PASSWORD", 1),
        ("INCORRECT_USER_PASSWORD", 1),
        ("TOO_MANY_REQUESTS", 3),
    ]


def test_sources_are_summed_apart_and_an_ipv6_network_is_one() -> None:
    strangers = Strangers()
    for number in range(12):
        strangers.add(refusal(number))
        strangers.add(refusal(number, source_ip=f"2001:db8::{number:x}"))
    rows = strangers.flush()
    assert column(rows, "source_ip") == ["192.0.2.1", "2001:db8::b"]
    assert column(rows, "count") == [2, 2]


def test_a_new_minute_begins_anew() -> None:
    strangers = Strangers()
    for number in range(11):
        strangers.add(refusal(number))
    rows = strangers.add(refusal(11, at=NOW + MINUTE))
    assert column(rows, "id") == [1010, 1011]
    assert column(rows, "count") == [1, 1]


def test_a_flood_of_sources_is_bounded_and_names_nobody() -> None:
    strangers = Strangers()
    written = 0
    for number in range(3000):
        written += len(strangers.add(refusal(number, source_ip=f"10.0.{number // 256}.{number % 256}")))
    assert written == 1024 + LOGGED_EACH
    (row,) = strangers.flush()
    assert row[PLACE["source_ip"]] == EVERYBODY
    assert row[PLACE["parameters"]] == "{}"
    assert row[PLACE["count"]] == 3000 - written
    assert len(strangers._sources) == 0


def test_a_source_that_tries_many_accesses_is_bounded() -> None:
    strangers = Strangers()
    for number in range(1000):
        strangers.add(refusal(number, access_id=number, account_id=number, login=f"tl_{number}"))
    rows = strangers.flush()
    assert len(rows) == 17
    assert sum(column(rows, "count")) == 990
    assert rows[-1][PLACE["access_id"]] is None
    assert rows[-1][PLACE["login"]] is None


def test_a_clock_set_back_keeps_no_minute_open() -> None:
    strangers = Strangers()
    for number in range(12):
        strangers.add(refusal(number))
    assert column(strangers.add(refusal(13, at=NOW - 60 * MINUTE)), "count") == [2, 1]


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 3), st.sampled_from(["A", "B", "C"])), max_size=200))
def test_every_refusal_is_counted_once(calls: list[tuple[int, int, str]]) -> None:
    strangers = Strangers()
    rows: list[Row] = []
    time = NOW
    for seconds, source, outcome in calls:
        time += seconds * SECOND
        rows += strangers.add(refusal(at=time, source_ip=f"192.0.2.{source}", outcome=outcome))
    rows += strangers.flush()
    for wanted in "ABC":
        counted = sum(row[PLACE["count"]] for row in rows if row[PLACE["outcome"]] == wanted)
        assert counted == sum(outcome == wanted for _, _, outcome in calls)
