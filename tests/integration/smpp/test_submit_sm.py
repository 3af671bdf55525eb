"""submit_sm over a real connection: what is stored, charged and logged, and the command_status of every refusal."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import update

from gateway import clock
from gateway.messaging.states import State
from gateway.smpp import times
from gateway.smpp.constants import CommandStatus as Status
from gateway.smpp.constants import Tag
from gateway.smpp.pdu import SubmitSm
from gateway.storage import versions
from gateway.storage.queries import accounts, optouts, tariff
from gateway.storage.schema import account, route
from tests.support.invariants import check_money
from tests.support.submitters import CREDIT, SENT, Desk, Submitter
from tests.support.wait import until

HOUR = 3_600_000_000
HEADER = b"\x05\x00\x03\x07\x02\x01"


@pytest.fixture(scope="module")
def ana(submitting: Desk) -> Iterator[Submitter]:
    """A customer for all the tests that only add to what is there."""
    submitter = submitting.customer(1_000_000 * CREDIT, {"sender": "Ana"})
    yield submitter
    submitter.esme.close()
    check_money(submitting.database)


TAKEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": (
        {},
        {
            "protocol": "smpp",
            "source": "Shop",
            "source_ton": 5,
            "source_npi": 0,
            "destination": "34600000001",
            "destination_ton": 1,
            "destination_npi": 1,
            "text": "Hi",
            "encoding": "GSM7",
            "data_coding": 0,
            "esm_class": 0,
            "payload": None,
            "udh": None,
            "registered_delivery": 0,
            "reference": None,
            "segments": 1,
            "price": CREDIT,
            "refunded": 0,
            "state": State.QUEUED,
            "error": None,
            "attempt": 0,
            "batch_id": None,
            "final_at": None,
        },
    ),
    "no source": (
        {"source_addr": "", "source_addr_ton": 0},
        {"source": "Ana", "source_ton": None, "source_npi": None},
    ),
    "a number as source": (
        {"source_addr": "+34600111222", "source_addr_ton": 1, "source_addr_npi": 1},
        {"source": "34600111222", "source_ton": 1, "source_npi": 1},
    ),
    "national destination": (
        {"destination_addr": "600000001", "dest_addr_ton": 2},
        {"destination": "34600000001", "destination_ton": 1, "destination_npi": 1},
    ),
    "international number called national": ({"dest_addr_ton": 2}, {"destination": "34600000001"}),
    "destination with a plus": ({"destination_addr": "+34600000001"}, {"destination": "34600000001"}),
    "destination of unknown type": (
        {"destination_addr": "0034600000001", "dest_addr_ton": 0, "dest_addr_npi": 0},
        {"destination": "34600000001"},
    ),
    "GSM extension": ({"short_message": b"\x1b\x65 5"}, {"text": "€ 5", "encoding": "GSM7"}),
    "ASCII": ({"short_message": b"a_b", "data_coding": 1}, {"text": "a_b", "encoding": "GSM7", "data_coding": 0}),
    "ASCII as npm's smpp has it": (
        {"short_message": b"me\x00x.com \x1b\x65", "data_coding": 1},
        {"text": "me@x.com €", "encoding": "GSM7", "data_coding": 0},
    ),
    "Latin-1": (
        {"short_message": b"\xe7a", "data_coding": 3},
        {"text": "ça", "encoding": "UCS2", "data_coding": 8, "payload": None},
    ),
    "octets": (
        {"short_message": b"\x00\xff", "data_coding": 4},
        {"text": "00ff", "encoding": "DATA", "data_coding": 4, "payload": b"\x00\xff"},
    ),
    "UCS-2": (
        {"short_message": "я😀".encode("utf-16-be"), "data_coding": 8},
        {"text": "я😀", "encoding": "UCS2", "data_coding": 8, "segments": 1},
    ),
    "flash": ({"data_coding": 0x10}, {"data_coding": 0x10, "encoding": "GSM7"}),
    "UCS-2 flash": ({"short_message": b"\x04\x4f", "data_coding": 0x18}, {"data_coding": 0x18, "encoding": "UCS2"}),
    "long text": (
        {"short_message": b"x" * 254},
        {"text": "x" * 254, "segments": 2, "price": 2 * CREDIT, "payload": None},
    ),
    "message_payload": (
        {"short_message": b"", "tlvs": {Tag.MESSAGE_PAYLOAD: b"x" * 1000}},
        {"text": "x" * 1000, "segments": 7, "price": 7 * CREDIT, "payload": None},
    ),
    "long octets": (
        {"short_message": b"", "data_coding": 4, "tlvs": {Tag.MESSAGE_PAYLOAD: b"\x80" * 300}},
        {"segments": 3, "price": 3 * CREDIT, "payload": b"\x80" * 300},
    ),
    "a part": (
        {"short_message": HEADER + b"x" * 153, "esm_class": 0x40},
        {"text": "x" * 153, "payload": b"x" * 153, "udh": HEADER, "esm_class": 0x40, "segments": 1, "price": CREDIT},
    ),
    "a part by sar_ TLVs": (
        {
            "tlvs": {
                Tag.SAR_MSG_REF_NUM: b"\x00\x07",
                Tag.SAR_TOTAL_SEGMENTS: b"\x02",
                Tag.SAR_SEGMENT_SEQNUM: b"\x01",
            }
        },
        {"payload": b"Hi", "udh": HEADER, "esm_class": 0},
    ),
    "user_message_reference": ({"tlvs": {Tag.USER_MESSAGE_REFERENCE: b"\x00\x2a"}}, {"reference": "42"}),
    "receipt asked for": ({"registered_delivery": 0x11}, {"registered_delivery": 0x11}),
    "as Kannel sends": (
        {"esm_class": 3, "registered_delivery": 0x11, "tlvs": {0x0426: b"\x01"}},
        {"esm_class": 3, "registered_delivery": 0x11},
    ),
}


@pytest.mark.parametrize(("fields", "expected"), TAKEN.values(), ids=TAKEN.keys())
def test_taken(ana: Submitter, fields: dict[str, Any], expected: dict[str, Any]) -> None:
    before, begun = ana.balance, clock.now()
    row = ana.sent(**fields)
    assert {name: row[name] for name in expected} == expected
    assert (row["account_id"], row["access_id"]) == (ana.account_id, ana.access_id)
    assert ana.balance == before - row["price"]
    assert begun <= row["accepted_at"] == row["due_at"] <= clock.now()
    assert row["expires_at"] == row["due_at"] + 48 * HOUR


WHEN: dict[str, tuple[dict[str, int], dict[str, int], State]] = {
    "due in an hour": ({"schedule_delivery_time": HOUR}, {"due_at": HOUR, "expires_at": 49 * HOUR}, State.SCHEDULED),
    "due two minutes ago": ({"schedule_delivery_time": -HOUR // 30}, {"expires_at": 48 * HOUR}, State.QUEUED),
    "valid for an hour": ({"validity_period": HOUR}, {"expires_at": HOUR}, State.QUEUED),
    "due and valid": (
        {"schedule_delivery_time": HOUR, "validity_period": 3 * HOUR},
        {"due_at": HOUR, "expires_at": 3 * HOUR},
        State.SCHEDULED,
    ),
    "valid for three years": (
        {"validity_period": 3 * 365 * 24 * HOUR},
        {"expires_at": 366 * 24 * HOUR},
        State.QUEUED,
    ),
}


@pytest.mark.parametrize(("asked", "expected", "state"), WHEN.values(), ids=WHEN.keys())
def test_when(ana: Submitter, asked: dict[str, int], expected: dict[str, int], state: State) -> None:
    now = clock.now()
    row = ana.sent(**{name: times.format(now + delay) for name, delay in asked.items()})
    assert row["state"] == state
    for name, delay in expected.items():
        assert abs(row[name] - now - delay) < 10_000_000


def test_when_relative(ana: Submitter) -> None:
    now = clock.now()
    row = ana.sent(schedule_delivery_time="000000010000000R", validity_period="000001000000000R")
    assert abs(row["due_at"] - now - HOUR) < 10_000_000
    assert abs(row["expires_at"] - now - 24 * HOUR) < 10_000_000


REFUSED: dict[str, tuple[dict[str, Any], Status, str, str]] = {
    "priority_flag": ({"priority_flag": 9}, Status.ESME_RINVPRTFLG, "INCORRECT_PARAM", "priority_flag"),
    "esm_class": ({"esm_class": 2}, Status.ESME_RINVESMCLASS, "INCORRECT_PARAM", "esm_class"),
    "no header": (
        {"esm_class": 0x40, "short_message": b"\x20"},
        Status.ESME_RINVESMCLASS,
        "INCORRECT_PARAM",
        "header",
    ),
    "registered_delivery": (
        {"registered_delivery": 3},
        Status.ESME_RINVREGDLVFLG,
        "INCORRECT_PARAM",
        "registered_delivery",
    ),
    "replace_if_present_flag": (
        {"replace_if_present_flag": 1},
        Status.ESME_RINVREPFLAG,
        "INCORRECT_PARAM",
        "replace_if_present_flag",
    ),
    "sm_default_msg_id": ({"sm_default_msg_id": 7}, Status.ESME_RINVDFTMSGID, "INCORRECT_PARAM", "predefined"),
    "data_coding": ({"data_coding": 5}, Status.ESME_RSUBMITFAIL, "INCORRECT_PARAM", "0x05 is not served"),
    "no GSM text": ({"short_message": b"\xe9"}, Status.ESME_RSUBMITFAIL, "INCORRECT_PARAM", "0xe9"),
    "source_addr": ({"source_addr": "A sender too long"}, Status.ESME_RINVSRCADR, "INCORRECT_PARAM", "source_addr"),
    "no destination": ({"destination_addr": ""}, Status.ESME_RINVDSTADR, "MISSING_COMPULSORY_PARAM", "destination"),
    "destination_addr": ({"destination_addr": "12"}, Status.ESME_RINVDSTADR, "INCORRECT_PARAM", "destination_addr"),
    "a word as destination": ({"destination_addr": "Bob"}, Status.ESME_RINVDSTADR, "INCORRECT_PARAM", "destination"),
    "a time that is none": (
        {"schedule_delivery_time": "soon"},
        Status.ESME_RINVSCHED,
        "INCORRECT_PARAM",
        "schedule_delivery_time",
    ),
    "a time past": (
        {"schedule_delivery_time": "200101000000000+"},
        Status.ESME_RINVSCHED,
        "INCORRECT_PARAM",
        "is past",
    ),
    "a time over a year ahead": (
        {"schedule_delivery_time": "020000000000000R"},
        Status.ESME_RINVSCHED,
        "INCORRECT_PARAM",
        "over a year ahead",
    ),
    "a validity that is none": (
        {"validity_period": "x"},
        Status.ESME_RINVEXPIRY,
        "INCORRECT_PARAM",
        "validity_period",
    ),
    "valid until before it is due": (
        {"schedule_delivery_time": "000000020000000R", "validity_period": "000000010000000R"},
        Status.ESME_RINVEXPIRY,
        "INCORRECT_PARAM",
        "before the message is due",
    ),
    "a part too long": (
        {"esm_class": 0x40, "short_message": HEADER + b"x" * 154},
        Status.ESME_RINVMSGLEN,
        "INCORRECT_PARAM",
        "holds 153",
    ),
    "too many segments": (
        {"short_message": b"", "tlvs": {Tag.MESSAGE_PAYLOAD: b"x" * 1531}},
        Status.ESME_RINVMSGLEN,
        "INCORRECT_PARAM",
        "11 segments and 10",
    ),
    "text twice": (
        {"tlvs": {Tag.MESSAGE_PAYLOAD: b"x"}},
        Status.ESME_ROPTPARNOTALLWD,
        "INCORRECT_PARAM",
        "not in both",
    ),
    "sar_ incomplete": (
        {"tlvs": {Tag.SAR_MSG_REF_NUM: b"\x00\x01"}},
        Status.ESME_RMISSINGOPTPARAM,
        "MISSING_COMPULSORY_PARAM",
        "sar_total_segments",
    ),
    "sar_ wrong": (
        {
            "tlvs": {
                Tag.SAR_MSG_REF_NUM: b"\x00\x01",
                Tag.SAR_TOTAL_SEGMENTS: b"\x02",
                Tag.SAR_SEGMENT_SEQNUM: b"\x03",
            }
        },
        Status.ESME_RINVOPTPARAMVAL,
        "INCORRECT_PARAM",
        "3 of 2",
    ),
    "user_message_reference": (
        {"tlvs": {Tag.USER_MESSAGE_REFERENCE: b"\x01"}},
        Status.ESME_RINVPARLEN,
        "INCORRECT_PARAM",
        "user_message_reference",
    ),
}


@pytest.mark.parametrize(("fields", "status", "outcome", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(submitting: Desk, fields: dict[str, Any], status: Status, outcome: str, says: str) -> None:
    customer = submitting.customer()
    response = customer.submit(**fields)
    assert (Status(response.command_status), response.message_id) == (status, "")
    [row] = customer.logged("submit_sm")
    logged = json.loads(row["response"])
    assert (row["outcome"], logged["error"], row["message_id"]) == (outcome, outcome, None)
    assert says in logged["detail"]
    assert logged["command_status"] == f"0x{status:08X}"
    assert (customer.messages(), customer.balance) == ([], 100 * CREDIT)
    customer.esme.close()


def configured(submitting: Desk, change: Any) -> None:
    """Change the configuration; the server knows it within a second, so the test asks until it does."""
    with submitting.database.transaction() as connection:
        change(connection)
        versions.bump(connection)


def refused_until(customer: Submitter, status: Status, **fields: Any) -> None:
    until(lambda: customer.submit(**fields).command_status == status, what=f"the status {status!r}")


def test_without_credits_nothing_is_sent(submitting: Desk) -> None:
    customer = submitting.customer(2 * CREDIT)
    answers = [customer.submit(short_message=b"x" * size).command_status for size in (161, 1, 10)]
    assert answers == [Status.ESME_ROK, Status.ESME_RSUBMITFAIL, Status.ESME_RSUBMITFAIL]
    assert (len(customer.messages()), customer.balance) == (1, 0)
    assert [row["outcome"] for row in customer.logged("submit_sm", 3)] == ["SUCCESS", "NO_CREDITS", "NO_CREDITS"]
    customer.esme.close()


def test_without_a_route(submitting: Desk) -> None:
    customer = submitting.customer()
    configured(submitting, lambda connection: connection.execute(update(route).values(prefix="44")))
    try:
        refused_until(customer, Status.ESME_RINVDSTADR)
        customer.refused_as("submit_sm", "NO_ROUTE_AVAILABLE")
        assert customer.submit(destination_addr="447700900123").command_status == 0
    finally:
        configured(submitting, lambda connection: connection.execute(update(route).values(prefix="")))
    until(lambda: customer.submit().command_status == 0, what="the route")
    customer.esme.close()


def test_prices_are_the_accounts_own(submitting: Desk) -> None:
    customer = submitting.customer()
    configured(submitting, lambda connection: tariff.set_price(connection, customer.account_id, "34", CREDIT // 4))
    until(lambda: customer.sent()["price"] == CREDIT // 4, what="the price")
    check_money(submitting.database)
    customer.esme.close()


def test_senders_that_are_not_listed(submitting: Desk) -> None:
    customer = submitting.customer()
    configured(submitting, lambda connection: accounts.list_senders(connection, customer.account_id, ["Shop2"]))
    refused_until(customer, Status.ESME_RINVSRCADR)
    assert customer.submit(source_addr="Shop2").command_status == 0
    customer.esme.close()


def test_numbers_that_want_no_more(submitting: Desk) -> None:
    customer = submitting.customer()
    number = "34600000077"
    with submitting.database.transaction() as connection:
        optouts.add(connection, customer.account_id, number, clock.now())
    refused_until(customer, Status.ESME_RINVDSTADR, destination_addr=number)
    customer.refused_as("submit_sm", "OPTED_OUT")
    before = len(customer.messages())
    numbers = [number, "34600000001", number, "34600000002", "34600000003"]
    first = customer.esme.send(*(SubmitSm(**SENT | {"destination_addr": to}) for to in numbers)) - len(numbers) + 1
    answers = {one.sequence_number: one for one in (customer.esme.receive() for _ in numbers)}
    statuses = [answers[first + place].command_status for place in range(len(numbers))]
    assert statuses == [Status.ESME_RINVDSTADR, 0, Status.ESME_RINVDSTADR, 0, 0]
    sent = customer.messages()[before:]
    assert [row["destination"] for row in sent] == [numbers[1], *numbers[3:]]
    customer.esme.close()


def test_an_access_that_may_not_send(submitting: Desk) -> None:
    customer = submitting.customer(operations='["sms.getdeliverystatus"]')
    assert customer.submit().command_status == Status.ESME_RINVBNDSTS
    [row] = customer.logged("submit_sm")
    assert row["outcome"] == "NOT_PERMITTED"
    assert "sms.sendsms" in json.loads(row["response"])["detail"]
    customer.esme.close()


def test_the_rate_counts_submits(submitting: Desk) -> None:
    customer = submitting.customer(rate=5_000)  # thousandths of a call a second
    customer.esme.send(*(SubmitSm(**SENT) for _ in range(30)))
    answers = [customer.esme.receive().command_status for _ in range(30)]
    assert set(answers) == {Status.ESME_ROK, Status.ESME_RTHROTTLED}
    assert answers.count(Status.ESME_ROK) >= 4
    assert len(customer.messages()) == answers.count(Status.ESME_ROK)
    outcomes = [row["outcome"] for row in customer.logged("submit_sm", 30)]
    assert outcomes.count("TOO_MANY_REQUESTS") == answers.count(Status.ESME_RTHROTTLED)
    customer.esme.close()


def test_a_receiver_may_not_submit(submitting: Desk) -> None:
    customer = submitting.customer()
    with customer.another("receiver") as esme:
        assert esme.request(SubmitSm(**SENT)).command_status == Status.ESME_RINVBNDSTS
    assert customer.messages() == []
    customer.esme.close()


def test_the_parts_of_a_long_text_wait_for_one_carrier_in_their_order(ana: Submitter) -> None:
    parts = [b"\x05\x00\x03\x09\x05" + bytes([part]) + b"x" * 100 for part in range(1, 6)]
    ana.esme.send(*(SubmitSm(**SENT | {"short_message": part, "esm_class": 0x40}) for part in parts))
    ids = [int(ana.esme.receive().message_id) for _ in parts]
    rows = [ana.message(message_id) for message_id in ids]
    assert [row["udh"] + row["payload"] for row in rows] == parts
    assert len({row["carrier_id"] for row in rows}) == 1
    assert sorted(rows, key=lambda row: (row["due_at"], row["accepted_at"], row["id"])) == rows


def test_the_log_row_of_a_submit(ana: Submitter) -> None:
    message_id = ana.sent(
        short_message=b"secret words", registered_delivery=1, tlvs={Tag.USER_MESSAGE_REFERENCE: b"\x00\x07"}
    )["id"]
    row = ana.logged("submit_sm")[-1]
    assert (row["class"], row["protocol"], row["source_ip"]) == ("smpp", "smpp", "127.0.0.1")
    assert (row["login"], row["access_id"], row["message_id"]) == (ana.login, ana.access_id, message_id)
    assert (row["outcome"], row["count"]) == ("SUCCESS", 1)
    assert json.loads(row["parameters"]) == {
        "source_addr_ton": 5,
        "source_addr": "Shop",
        "dest_addr_ton": 1,
        "dest_addr_npi": 1,
        "destination_addr": "34600000001",
        "registered_delivery": 1,
        "user_message_reference": "0007",
        "short_message": {"message": str(message_id)},
    }
    assert json.loads(row["response"]) == {
        "status": "SUCCESS",
        "result": {"messageid": str(message_id), "credits": 1, "encoding": "GSM7", "segments": 1},
    }


@pytest.mark.parametrize(("redact", "shown"), [(False, "no credits for it"), (True, "[redacted]")])
def test_the_text_of_a_refused_submit_is_logged_unless_the_account_forbids(
    submitting: Desk, redact: bool, shown: str
) -> None:
    customer = submitting.customer(0, {"redact_text": redact})
    assert customer.submit(short_message=b"no credits for it").command_status == Status.ESME_RSUBMITFAIL
    assert customer.submit(short_message=b"no credits for it", priority_flag=9).command_status
    rows = customer.logged("submit_sm", 2)
    assert [json.loads(row["parameters"])["short_message"] for row in rows] == [shown] * 2
    customer.esme.close()


def test_a_suspended_account_sends_nothing(submitting: Desk) -> None:
    customer = submitting.customer()
    suspended = update(account).where(account.c.id == customer.account_id).values(suspended_at=clock.now())
    configured(submitting, lambda connection: connection.execute(suspended))
    refused: list[int] = []

    def ended() -> bool:
        try:
            status = customer.submit().command_status
        except (AssertionError, OSError):  # the server ends the session
            return True
        refused.append(status)
        return bool(status)

    until(ended, what="the refusal")
    assert set(refused) <= {Status.ESME_ROK, Status.ESME_RINVBNDSTS}
    count = len(customer.messages())
    assert count == refused.count(Status.ESME_ROK)
    customer.esme.close()
