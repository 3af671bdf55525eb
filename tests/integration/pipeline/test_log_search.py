"""The log is searched by account, access and time, and within that by method, address and outcome."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert

from gateway.clock import DAY, HOUR, MINUTE, SECOND
from gateway.operations.catalogue import CATALOGUE
from gateway.pipeline import log as rows
from gateway.pipeline.call import Reply
from gateway.storage import ids
from gateway.storage.database import Database
from gateway.storage.queries import accounts, log
from gateway.storage.schema import call_log, message
from gateway.storage.submission import LOG_COLUMNS, Row
from tests.support.calls import a_call, an_access, an_account

NOW = 1_800_000_000_000_000
SEND = CATALOGUE["sms", "sendsms"]
Write = Callable[..., None]


def a_row(number: int, at: int = NOW, **changes: Any) -> Row:
    values = {
        "id": ids.first(at) + number,
        "at": at,
        "account_id": 7,
        "access_id": 3,
        "login": "tl_shop",
        "source_ip": "192.0.2.1",
        "protocol": "http",
        "class": "sms",
        "method": "sendsms",
        "parameters": f'{{"to":"{number}"}}',
        "outcome": "SUCCESS",
        "response": '{"status":"SUCCESS","result":null}',
        "message_id": None,
        "http_status": 200,
        "duration_us": 900,
        "user_agent": "curl/8",
        "request_id": f"r-{number}",
        "count": 1,
    } | changes
    return tuple(values[name] for name in LOG_COLUMNS)


@pytest.fixture
def write(database: Database) -> Write:
    def written(*given: Row) -> None:
        with database.transaction() as connection:
            connection.execute(insert(call_log), [dict(zip(LOG_COLUMNS, row, strict=True)) for row in given])

    return written


def found(database: Database, *account: int, **given: Any) -> list[str]:
    """The request ids of one page."""
    with database.read() as connection:
        return [entry["request_id"] for entry in log.search(connection, *account, **given).entries]


def test_an_entry_has_everything(database: Database, write: Write) -> None:
    write(a_row(1))
    with database.read() as connection:
        (entry,) = log.search(connection, 7).entries
    assert entry == dict(zip(LOG_COLUMNS, a_row(1), strict=True)) | {
        "parameters": {"to": "1"},
        "response": {"status": "SUCCESS", "result": None},
    }


def test_the_rows_that_the_pipeline_makes_are_found(database: Database, write: Write) -> None:
    call = a_call(parameters={"to": "\ud800\x00"}, user_agent="a\x00b\ud800", class_name="\x00" * 99)
    access = an_access(login="\x00" * 9)
    write(*(rows.row(call, Reply(5), access, known, ids.first(NOW) + n) for n, known in enumerate((SEND, None))))
    with database.read() as connection:
        (unknown, sent) = log.search(connection, 7).entries
    assert sent["parameters"] == {"to": "\ufffd\x00"}
    assert unknown["class"] == "?[99]"
    for entry in (unknown, sent):
        assert entry["login"] == "\ufffd" * 9
        assert entry["user_agent"] == "a\ufffdb\ufffd"
        assert entry["response"] == {"status": "SUCCESS", "result": 5}


FILTERS = [
    ("an account", (7,), {}, ["r-6", "r-5", "r-3", "r-2", "r-1"]),
    ("another account", (8,), {}, ["r-4"]),
    ("an account that has none", (9,), {}, []),
    ("an access", (), {"access_id": 4}, ["r-3"]),
    ("somebody else's access", (8,), {"access_id": 3}, []),
    ("a method", (7,), {"method": "getbalance"}, ["r-2"]),
    ("a method in another case", (7,), {"method": "GetBalance"}, ["r-2"]),
    ("a class and method", (7,), {"method": "user.getbalance"}, ["r-2"]),
    ("a method of another class", (7,), {"method": "sms.getbalance"}, []),
    ("an address", (7,), {"source_ip": "2001:db8::1"}, ["r-3"]),
    ("an outcome", (7,), {"outcome": "NO_CREDITS"}, ["r-5"]),
    ("several", (7,), {"outcome": "success", "method": "sendsms", "access_id": 3}, ["r-6", "r-1"]),
    ("since", (7,), {"since": NOW + HOUR}, ["r-6"]),
    ("until", (7,), {"until": NOW + HOUR}, ["r-5", "r-3", "r-2", "r-1"]),
    ("since and until", (7,), {"since": NOW - HOUR, "until": NOW + HOUR}, ["r-5", "r-3", "r-2"]),
    ("everybody's", (), {"since": NOW, "until": NOW + 1}, ["r-5", "r-4", "r-3", "r-2"]),
    ("everybody's by outcome", (), {"since": NOW, "outcome": "NO_CREDITS"}, ["r-5"]),
    ("quotes", (7,), {"method": "' OR 1=1 --"}, []),
]


@pytest.mark.parametrize(("account", "given", "expected"), [c[1:] for c in FILTERS], ids=[c[0] for c in FILTERS])
def test_filters(database: Database, write: Write, account: tuple, given: dict, expected: list[str]) -> None:
    write(
        a_row(1, NOW - DAY),
        a_row(2, **{"class": "user", "method": "getbalance"}),
        a_row(3, access_id=4, source_ip="2001:db8::1"),
        a_row(4, account_id=8, access_id=9),
        a_row(5, outcome="NO_CREDITS"),
        a_row(6, NOW + DAY),
    )
    assert found(database, *account, **given) == expected


@pytest.mark.parametrize("given", [{}, {"until": NOW}, {"method": "sendsms"}, {"after": 5}], ids=str)
def test_everybodys_needs_a_time(database: Database, given: dict) -> None:
    with database.read() as connection, pytest.raises(ValueError, match="since"):
        log.search(connection, **given)


def test_the_time_of_the_call_decides_not_the_id(database: Database, write: Write) -> None:
    """A block of ids is used for a minute, so that an id may be of a minute before its call."""
    write(
        a_row(1, id=ids.first(NOW - 59 * SECOND)),
        a_row(2, at=NOW - 1, id=ids.first(NOW + 50 * SECOND)),
    )
    assert found(database, 7, since=NOW) == ["r-1"]
    assert found(database, 7, until=NOW) == ["r-2"]


def test_pages_hold_every_entry_once(database: Database, write: Write) -> None:
    write(*(a_row(number, NOW + number * MINUTE) for number in range(25)))
    seen: list[str] = []
    after, pages = None, 0
    while True:
        with database.read() as connection:
            page = log.search(connection, 7, after=after, limit=10)
        seen += [entry["request_id"] for entry in page.entries]
        after, pages = page.next, pages + 1
        if after is None:
            break
    assert seen == [f"r-{number}" for number in reversed(range(25))]
    assert pages == 3


def test_a_filter_that_finds_little_looks_at_so_much_and_no_more(
    database: Database, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "SCANNED", 10)
    write(a_row(0, outcome="NO_CREDITS"), *(a_row(number) for number in range(1, 25)))
    after, pages, seen = None, 0, []
    while pages == 0 or after is not None:
        with database.read() as connection:
            page = log.search(connection, 7, outcome="NO_CREDITS", after=after)
        seen += page.entries
        after, pages = page.next, pages + 1
    assert [entry["request_id"] for entry in seen] == ["r-0"]
    assert pages == 3


@pytest.mark.parametrize(("limit", "expected"), [(0, 1), (-5, 1), (3, 3), (10_000, 5)])
def test_the_size_of_a_page_is_bounded(database: Database, write: Write, limit: int, expected: int) -> None:
    write(*(a_row(number) for number in range(5)))
    assert len(found(database, 7, limit=limit)) == expected


def a_message(number: int, account_id: int, text: str) -> dict[str, Any]:
    return {
        "id": number,
        "account_id": account_id,
        "access_id": 3,
        "protocol": "http",
        "source": "Shop",
        "destination": "34600000000",
        "text": text,
        "encoding": "GSM7",
        "segments": 1,
        "price": 1_000_000,
        "refunded": 0,
        "state": 2,
        "carrier_id": 1,
        "attempt": 0,
        "accepted_at": NOW,
        "due_at": NOW,
        "expires_at": NOW + DAY,
    }


@pytest.mark.parametrize(
    ("redact_text", "stored", "expected"),
    [(False, True, "See you at nine"), (True, True, "[redacted]"), (False, False, None)],
    ids=["joined", "redacted since", "purged"],
)
def test_texts_come_from_their_messages(
    database: Database, write: Write, redact_text: bool, stored: bool, expected: str | None
) -> None:
    with database.transaction() as connection:
        account_id = accounts.create(connection, "ana@example.com", now=NOW, redact_text=redact_text)
        number = ids.first(NOW)
        if stored:
            connection.execute(insert(message), [a_message(number, account_id, "See you at nine")])
    parameters = f'{{"to":"34","sms":{{"message":"{number}"}}}}'
    write(a_row(1, account_id=account_id, parameters=parameters, message_id=number))
    with database.read() as connection:
        (entry,) = log.search(connection, account_id).entries
    assert entry["parameters"] == {"to": "34", "sms": expected}


def test_nobody_elses_text_is_joined(database: Database, write: Write) -> None:
    with database.transaction() as connection:
        ana, bob = (accounts.create(connection, f"{who}@example.com", now=NOW) for who in ("ana", "bob"))
        connection.execute(insert(message), [a_message(5, bob, "Bob's")])
    write(a_row(1, account_id=ana, parameters='{"sms":{"message":"5"}}', message_id=5))
    with database.read() as connection:
        (entry,) = log.search(connection, ana).entries
    assert entry["parameters"] == {"sms": None}


def test_a_parameter_that_only_looks_like_a_reference_is_a_text(database: Database, write: Write) -> None:
    call = a_call(parameters={"sms": '{"message":"5"}'})
    write(rows.row(call, Reply(5), an_access(account=an_account()), SEND, ids.first(NOW)))
    with database.read() as connection:
        (entry,) = log.search(connection, 7).entries
    assert entry["parameters"] == {"sms": '{"message":"5"}'}
