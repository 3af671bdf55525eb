"""Sending and its replies through the whole pipeline, on both databases."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from sqlalchemy import text, update

from gateway import clock
from gateway.messaging.states import State
from gateway.storage.database import Database
from gateway.storage.ids import BLOCK
from gateway.storage.queries import accounts
from gateway.storage.schema import call_log, idempotency, message
from tests.support.books import check_books, rows_of
from tests.support.pipeline import CREDIT, Customer, Installation, installed, plain

MADRID = ZoneInfo("Europe/Madrid")
SHORT: dict[str, str] = {"from_": "Shop", "to": "34600000001", "sms": "hello"}
NO_CREDITS = ("NO_CREDITS", "The balance does not cover this send; nothing was sent.")
KEY_TAKEN = (
    "INCORRECT_PARAM",
    "idempotencykey: This key was used within 24 hours with other parameters; use a new one.",
)


@pytest.fixture
def installation(database: Database, tmp_path: Path) -> Iterator[Installation]:
    with installed(database, tmp_path / "files") as installation:
        yield installation
        check_books(database)


@pytest.fixture
def ana(installation: Installation) -> Customer:
    return installation.customer()


def sent(customer: Customer, **changes: str) -> Any:
    """The stored row of one send that is to succeed."""
    result = customer.answer("sms.sendsms", **SHORT | changes)
    (row,) = rows_of(customer.installation.database, message, message.c.id == int(result["messageid"]))
    return row


def logged(installation: Installation) -> list[Any]:
    installation.host.flush()
    return sorted(rows_of(installation.database, call_log), key=lambda row: row["id"])


def test_a_send_is_stored_debited_and_logged(ana: Customer) -> None:
    result = ana.answer("sms.sendsms", **SHORT)
    assert result == {"messageid": result["messageid"], "credits": CREDIT, "encoding": "GSM7", "segments": 1}
    assert isinstance(result["messageid"], str) and int(result["messageid"]) < 2**53
    (row,) = rows_of(ana.installation.database, message)
    assert (row["source"], row["destination"], row["text"]) == ("Shop", "34600000001", "hello")
    assert (row["state"], row["price"], row["account_id"]) == (State.QUEUED, CREDIT, ana.account_id)
    assert row["expires_at"] - row["due_at"] == 48 * clock.HOUR
    assert ana.balance == 999 * CREDIT
    (log,) = logged(ana.installation)
    assert (log["outcome"], log["message_id"], log["account_id"]) == ("SUCCESS", row["id"], ana.account_id)
    assert orjson.loads(log["parameters"])["sms"] == {"message": str(row["id"])}


def test_class_and_method_ignore_case(ana: Customer) -> None:
    assert ana.call("SMS.SendSMS", {"from": "Shop", "to": "34600000001", "sms": "x"}).error is None
    assert ana.answer("User.GetBalance") == 999 * CREDIT


@pytest.mark.parametrize(
    ("to", "stored"),
    [
        pytest.param("+34600000001", "34600000001", id="plus"),
        pytest.param(" 34600000001", "34600000001", id="plus-unescaped"),
        pytest.param("0034600000001", "34600000001", id="double-zero"),
        pytest.param("600000001", "34600000001", id="national"),
        pytest.param("447700900123", "447700900123", id="another-country"),
    ],
)
def test_destinations(ana: Customer, to: str, stored: str) -> None:
    assert sent(ana, to=to)["destination"] == stored


@pytest.mark.parametrize(
    ("sender", "stored"),
    [
        pytest.param("ABCDEFGHIJK", "ABCDEFGHIJK", id="11-characters"),
        pytest.param("ñandú 24h", None, id="not-gsm"),
        pytest.param("Año 24h", "Año 24h", id="gsm-letters"),
        pytest.param("123456789012345", "123456789012345", id="15-digits"),
        pytest.param("+34600000001", "34600000001", id="international"),
        pytest.param("12345", "12345", id="short-code"),
    ],
)
def test_senders(ana: Customer, sender: str, stored: str | None) -> None:
    if stored is None:
        assert ana.refusal("sms.sendsms", **SHORT | {"from_": sender})[0] == "INCORRECT_PARAM"
    else:
        assert sent(ana, from_=sender)["source"] == stored


def test_only_listed_senders(installation: Installation, ana: Customer) -> None:
    with installation.database.transaction() as connection:
        accounts.list_senders(connection, ana.account_id, ["Shop", "34600000009"])
    installation.gateway.refresh()
    assert sent(ana, from_="+34600000009")["source"] == "34600000009"
    expected = ("INCORRECT_PARAM", "from: This account may only use the senders on its list.")
    assert ana.refusal("sms.sendsms", **SHORT | {"from_": "Other"}) == expected


@pytest.mark.parametrize(
    ("account", "given", "stored"),
    [
        pytest.param({}, {}, "Trunkline", id="the-installations"),
        pytest.param({"sender": "Ana"}, {}, "Ana", id="the-accounts"),
        pytest.param({"sender": "Ana"}, {"from_": "Call"}, "Call", id="the-calls"),
    ],
)
def test_a_template_needs_no_sender(
    installation: Installation, account: dict[str, str], given: dict[str, str], stored: str
) -> None:
    customer = installation.customer(**account)
    customer.answer("sms.sendsmsfromtemplate", to="34600000001", idtemplate=customer.template("x"), **given)
    assert [row["source"] for row in rows_of(installation.database, message)] == [stored]


@pytest.mark.parametrize(
    ("body", "params", "expected"),
    [
        pytest.param("Hello <name>", "name:Ana", "Hello Ana", id="one"),
        pytest.param("<a><b><a>", "a:1,b:2", "121", id="repeated"),
        pytest.param("At <time>, <name>", "time:10:30,name:Ana\\, Bob", "At 10:30, Ana, Bob", id="colon-and-comma"),
        pytest.param("To <mobile>", "", "To 34600000001", id="the-number-itself"),
        pytest.param("To <mobile>", "mobile:123456789", "To 123456789", id="another-number"),
        pytest.param("<name>", "name:<mobile>", "<mobile>", id="a-placeholder-in-a-value"),
        pytest.param("2 < 3 > 1", "", "2 < 3 > 1", id="no-placeholder"),
    ],
)
def test_placeholders(ana: Customer, body: str, params: str, expected: str) -> None:
    template = ana.template(body)
    ana.answer("sms.sendsmsfromtemplate", to="600000001", idtemplate=template, params=params)
    assert [row["text"] for row in rows_of(ana.installation.database, message)] == [expected]


@pytest.mark.parametrize(
    ("body", "encoding", "segments"),
    [
        pytest.param("x" * 160, "GSM7", 1, id="160"),
        pytest.param("x" * 161, "GSM7", 2, id="161"),
        pytest.param("€" * 80, "GSM7", 1, id="80-extended"),
        pytest.param("ж" * 70, "UCS2", 1, id="70"),
        pytest.param("ж" * 71, "UCS2", 2, id="71"),
        pytest.param("x" * 1530, "GSM7", 10, id="the-most"),
    ],
)
def test_each_segment_costs(ana: Customer, body: str, encoding: str, segments: int) -> None:
    result = ana.answer("sms.sendsms", **SHORT | {"sms": body})
    assert (result["encoding"], result["segments"]) == (encoding, segments)
    assert result["credits"] == segments * CREDIT
    assert ana.balance == 1_000 * CREDIT - segments * CREDIT


@pytest.mark.parametrize(
    ("credits_", "covered"), [pytest.param(246_912, True, id="exactly"), pytest.param(246_911, False, id="one-short")]
)
def test_the_balance_covers_the_send_to_the_last_digit(
    installation: Installation, credits_: int, covered: bool
) -> None:
    installation.set_price("34", 123_456)
    customer = installation.customer(credits_)
    long = SHORT | {"sms": "x" * 161}
    if covered:
        assert customer.answer("sms.sendsms", **long)["credits"] == 246_912
        assert customer.balance == 0
        assert customer.refusal("sms.sendsms", **SHORT) == NO_CREDITS
    else:
        assert customer.refusal("sms.sendsms", **long) == NO_CREDITS
        assert customer.balance == credits_
    outcomes = [row["outcome"] for row in logged(installation)]
    assert outcomes == (["SUCCESS", "NO_CREDITS"] if covered else ["NO_CREDITS"])


def test_an_accounts_own_price_wins_over_a_longer_common_one(installation: Installation, ana: Customer) -> None:
    bob = installation.customer()
    installation.set_price("34600", 5)
    installation.set_price("34", 7, ana.account_id)
    assert ana.answer("sms.sendsms", **SHORT)["credits"] == 7
    assert bob.answer("sms.sendsms", **SHORT)["credits"] == 5


def test_no_route(installation: Installation, ana: Customer) -> None:
    installation.serve_only("44")
    expected = ("NO_ROUTE_AVAILABLE", "to: No route serves 34600000001.")
    assert ana.refusal("sms.sendsms", **SHORT) == expected
    template = ana.template("x")
    assert ana.refusal("sms.sendsmsfromtemplate", to="600000001", idtemplate=template) == expected
    assert sent(ana, to="+447700900123")["destination"] == "447700900123"


@pytest.mark.parametrize("minutes", [pytest.param(-4, id="a-little-past"), pytest.param(0, id="now")])
def test_a_date_of_now_is_sent_at_once(ana: Customer, minutes: int) -> None:
    row = sent(ana, scheduledatetime=local(minutes))
    assert row["state"] == State.QUEUED
    assert row["due_at"] == row["accepted_at"]


def test_a_scheduled_send(ana: Customer) -> None:
    when = local(60)
    row = sent(ana, scheduledatetime=when)
    assert row["state"] == State.SCHEDULED
    assert str(datetime.fromtimestamp(row["due_at"] // 1_000_000, MADRID))[:19] == when
    assert row["expires_at"] - row["due_at"] == 48 * clock.HOUR
    (status,) = ana.answer("sms.getdeliverystatus", messages=str(row["id"]))
    assert status["deliverystatus"] == "SCHEDULED"


def local(minutes: int) -> str:
    """A time of Madrid so many minutes from now."""
    now = datetime.fromtimestamp(clock.now() // 1_000_000, MADRID)
    return str((now.astimezone(ZoneInfo("UTC")) + timedelta(minutes=minutes)).astimezone(MADRID))[:19]


def test_statuses_come_in_the_order_asked_and_others_are_unknown(installation: Installation, ana: Customer) -> None:
    bob = installation.customer()
    first, second, theirs = (str(sent(who, sms=body)["id"]) for who, body in ((ana, "1"), (ana, "2"), (bob, "3")))
    at = 1_780_000_000_000_000
    with installation.database.transaction() as connection:
        done = update(message).where(message.c.id == int(first)).values(state=State.DELIVERED.value, final_at=at)
        connection.execute(done)
    huge, zeros = "9" * 40, "000" + second
    asked = [second, theirs, first, "0", huge, zeros, first]
    answer = ana.answer("sms.getdeliverystatus", messages=" , ".join(asked))
    assert [status["messageid"] for status in answer] == asked
    states = ["QUEUED", "UNKNOWN", "DELIVERED", "UNKNOWN", "UNKNOWN", "QUEUED", "DELIVERED"]
    assert [status["deliverystatus"] for status in answer] == states
    assert [status["sms"] for status in answer] == ["2", None, "1", None, None, "2", "1"]
    delivered = "2026-05-28 22:26:40"
    assert [status["deliverydate"] for status in answer] == [None, None, delivered, None, None, None, delivered]


def test_ten_thousand_statuses(ana: Customer) -> None:
    mine = str(sent(ana)["id"])
    answer = ana.answer("sms.getdeliverystatus", messages=",".join([*map(str, range(9_999)), mine]))
    assert [status["messageid"] for status in answer] == [*map(str, range(9_999)), mine]
    assert [status["deliverystatus"] for status in answer[-2:]] == ["UNKNOWN", "QUEUED"]


@pytest.mark.parametrize("method", ["sendsms", "sendsmsfromtemplate", "sendsmstogroup", "sendsmstogroupfromtemplate"])
def test_a_repeated_key_is_answered_what_the_first_call_was(ana: Customer, method: str) -> None:
    template, group = ana.template("x"), ana.group("34600000001", "34600000002")
    good = {
        "sendsms": SHORT,
        "sendsmsfromtemplate": {"to": "34600000001", "idtemplate": template},
        "sendsmstogroup": {"from_": "Shop", "countrycode": "34", "idgroup": group, "sms": "x"},
        "sendsmstogroupfromtemplate": {"countrycode": "34", "idgroup": group, "idtemplate": template},
    }[method]
    first = ana.answer(f"sms.{method}", **good, idempotencykey="k1")
    balance, stored = ana.balance, len(rows_of(ana.installation.database, message))
    repeated = good | {"idempotencykey": " k1 ", "output": "xml", "scheduledatetime": "", "other": "ignored"}
    assert ana.answer(f"sms.{method}", **repeated) == first
    assert ana.refusal(f"sms.{method}", **good | {"idempotencykey": "k1", "scheduledatetime": local(60)}) == KEY_TAKEN
    assert ana.refusal("sms.sendsms", **SHORT | {"idempotencykey": "k1", "sms": "other"}) == KEY_TAKEN
    assert (ana.balance, len(rows_of(ana.installation.database, message))) == (balance, stored)
    assert ana.answer(f"sms.{method}", **good, idempotencykey="k2") != first


def test_a_key_is_free_after_a_day_and_for_other_accounts(installation: Installation, ana: Customer) -> None:
    first = ana.answer("sms.sendsms", **SHORT, idempotencykey="k")
    assert installation.customer().answer("sms.sendsms", **SHORT, idempotencykey="k") != first
    with installation.database.transaction() as connection:
        connection.execute(text("UPDATE idempotency SET at = at - :day"), {"day": clock.DAY})
    again = ana.answer("sms.sendsms", **SHORT | {"sms": "other", "idempotencykey": "k"})
    assert again["messageid"] != first["messageid"]


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param({"to": "447700900123"}, id="no-route"),
        pytest.param({"sms": "x" * 161}, id="no-credits"),
        pytest.param({"to": "x"}, id="incorrect"),
    ],
)
def test_a_refused_call_does_not_take_its_key(installation: Installation, refused: dict[str, str]) -> None:
    installation.serve_only("34")
    customer = installation.customer(CREDIT)
    assert customer.refusal("sms.sendsms", **SHORT | {"idempotencykey": "k"} | refused)
    assert rows_of(installation.database, idempotency) == []
    customer.answer("sms.sendsms", **SHORT, idempotencykey="k")


def test_ids_that_run_out_within_a_call_do_not_stop_the_writer(installation: Installation, ana: Customer) -> None:
    """A log row is made within its transaction, where the block of ids cannot be renewed."""
    ids = installation.gateway.pipeline._ids
    assert sent(ana)
    ids.take(BLOCK - 2)
    for _ in range(4):
        assert sent(ana)
    assert len(logged(installation)) == 5


def test_every_call_is_logged_with_what_it_was_answered(installation: Installation, ana: Customer) -> None:
    ana.answer("user.getbalance")
    ana.refusal("sms.sendsms", **SHORT | {"to": "x"})
    ana.refusal("sms.nothing")
    rows = logged(installation)
    assert [(row["method"], row["outcome"]) for row in rows] == [
        ("getbalance", "SUCCESS"),
        ("sendsms", "INCORRECT_PARAM"),
        ("?[7]", "INCORRECT_METHOD"),
    ]
    replies = [reply for _, reply, _ in installation.observer.calls]
    assert [reply.outcome for reply in replies] == [row["outcome"] for row in rows]
    assert plain(replies[0].result) == 1_000 * CREDIT
