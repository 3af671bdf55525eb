"""submit_multi, query_sm, cancel_sm, replace_sm and data_sm over a real connection."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import update

from gateway import clock
from gateway.messaging.states import State
from gateway.smpp import times
from gateway.smpp.constants import CommandStatus as Status
from gateway.smpp.constants import MessageState
from gateway.smpp.pdu import (
    CancelSm,
    DataSm,
    DistributionList,
    QuerySm,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
)
from gateway.storage.queries import optouts
from gateway.storage.schema import message
from tests.support.invariants import check_money
from tests.support.submitters import CREDIT, Desk, Submitter
from tests.support.wait import until

FINAL_AT = 1_800_000_000_300_000


@pytest.fixture(scope="module")
def ana(submitting: Desk) -> Iterator[Submitter]:
    submitter = submitting.customer(1_000_000 * CREDIT)
    yield submitter
    submitter.esme.close()


@pytest.fixture
def bob(submitting: Desk) -> Iterator[Submitter]:
    """Another customer."""
    submitter = submitting.customer()
    yield submitter
    submitter.esme.close()


def multi(*destinations: str, **fields: Any) -> SubmitMulti:
    given = {"source_addr": "Shop", "source_addr_ton": 5, "short_message": b"Hi"}
    return SubmitMulti(dest_addresses=[SmeAddress(1, 1, to) for to in destinations], **given | fields)


# submit_multi


def test_each_destination_is_a_message(bob: Submitter) -> None:
    numbers = ["34600000001", "34600000002", "34600000003"]
    response = bob.ask(multi(*numbers))
    assert (response.command_status, response.unsuccess_sme) == (Status.ESME_ROK, [])
    rows = bob.messages()
    first = int(response.message_id)
    assert [(row["id"], row["destination"]) for row in rows] == list(
        zip(range(first, first + 3), numbers, strict=True)
    )
    assert bob.balance == 97 * CREDIT
    [logged] = bob.logged("submit_multi")
    assert (logged["outcome"], logged["message_id"]) == ("SUCCESS", first)
    assert json.loads(logged["parameters"])["dest_addresses"] == numbers
    assert json.loads(logged["response"])["result"] == {
        "messageid": str(first),
        "count": 3,
        "credits": 3,
        "unsuccess": {},
    }


def test_destinations_that_cannot_be_served_are_told(bob: Submitter) -> None:
    response = bob.ask(multi("12", "34600000001", "nobody", "34600000002"))
    assert response.command_status == Status.ESME_ROK
    assert [(one.destination_addr, one.error_status_code) for one in response.unsuccess_sme] == [
        ("12", Status.ESME_RINVDSTADR),
        ("nobody", Status.ESME_RINVDSTADR),
    ]
    first = int(response.message_id)
    assert [row["id"] for row in bob.messages()] == [first, first + 1]
    assert bob.balance == 98 * CREDIT


def test_numbers_that_want_no_more_are_told(submitting: Desk, bob: Submitter) -> None:
    with submitting.database.transaction() as connection:
        optouts.add(connection, bob.account_id, "34600000009", clock.now())
    until(lambda: bob.submit(destination_addr="34600000009").command_status, what="the list")
    before = len(bob.messages())
    response = bob.ask(multi("34600000001", "34600000009"))
    assert [(one.destination_addr, one.error_status_code) for one in response.unsuccess_sme] == [
        ("34600000009", Status.ESME_RINVDSTADR)
    ]
    assert [row["destination"] for row in bob.messages()[before:]] == ["34600000001"]


def test_all_or_nothing_where_the_balance_does_not_cover_all(submitting: Desk) -> None:
    poor = submitting.customer(2 * CREDIT)
    response = poor.ask(multi("34600000001", "34600000002", "34600000003"))
    assert response.command_status == Status.ESME_RSUBMITFAIL
    assert (poor.messages(), poor.balance) == ([], 2 * CREDIT)
    assert poor.logged("submit_multi")[0]["outcome"] == "NO_CREDITS"
    assert poor.ask(multi("34600000001", "34600000002")).command_status == Status.ESME_ROK
    assert poor.balance == 0
    check_money(submitting.database)
    poor.esme.close()


def test_as_many_destinations_as_fit(ana: Submitter) -> None:
    before = len(ana.messages())
    response = ana.ask(multi(*(f"34600{number:06}" for number in range(254))))
    assert response.command_status == Status.ESME_ROK
    assert len(ana.messages()) == before + 254
    listed = json.loads(ana.logged("submit_multi")[-1]["parameters"])["dest_addresses"]
    assert (len(listed), listed[-1]) == (21, "[234 more]")


MULTI_REFUSED: dict[str, tuple[SubmitMulti, Status]] = {
    "none can be served": (multi("12", "13"), Status.ESME_RINVDSTADR),
    "a distribution list": (
        SubmitMulti(dest_addresses=[SmeAddress(1, 1, "34600000001"), DistributionList("friends")]),
        Status.ESME_RINVDLNAME,
    ),
    "a field": (multi("34600000001", priority_flag=7), Status.ESME_RINVPRTFLG),
    "too long": (multi("34600000001", tlvs={0x0424: b"x" * 2000}, short_message=b""), Status.ESME_RINVMSGLEN),
}


@pytest.mark.parametrize(("request_", "status"), MULTI_REFUSED.values(), ids=MULTI_REFUSED.keys())
def test_submit_multi_refused(bob: Submitter, request_: SubmitMulti, status: Status) -> None:
    response = bob.ask(request_)
    assert (Status(response.command_status), bob.messages(), bob.balance) == (status, [], 100 * CREDIT)
    assert bob.logged("submit_multi")[0]["outcome"] == "INCORRECT_PARAM"


def test_no_destination(bob: Submitter) -> None:
    """Whether the decoder or we say so, it has that status."""
    assert bob.ask(multi()).command_status == Status.ESME_RINVNUMDESTS


# query_sm


STATES = {
    "SCHEDULED": (State.SCHEDULED, MessageState.ENROUTE),
    "QUEUED": (State.QUEUED, MessageState.ENROUTE),
    "SENDING": (State.SENDING, MessageState.ENROUTE),
    "HELD": (State.HELD, MessageState.ENROUTE),
    "SENT": (State.SENT, MessageState.ENROUTE),
    "DELIVERED": (State.DELIVERED, MessageState.DELIVERED),
    "UNDELIVERED": (State.UNDELIVERED, MessageState.UNDELIVERABLE),
    "EXPIRED": (State.EXPIRED, MessageState.EXPIRED),
    "REJECTED": (State.REJECTED, MessageState.REJECTED),
    "CANCELLED": (State.CANCELLED, MessageState.DELETED),
}


def put(submitting: Desk, message_id: int, state: State) -> None:
    final_at = FINAL_AT if state >= State.DELIVERED else None
    with submitting.database.transaction() as connection:
        connection.execute(
            update(message).where(message.c.id == message_id).values(state=state.value, final_at=final_at)
        )


@pytest.mark.parametrize(("state", "told"), STATES.values(), ids=STATES.keys())
def test_query_tells_the_state(submitting: Desk, ana: Submitter, state: State, told: MessageState) -> None:
    message_id = str(ana.sent()["id"])
    put(submitting, int(message_id), state)
    answer = ana.ask(QuerySm(message_id=message_id, source_addr="Shop", source_addr_ton=5))
    assert (answer.command_status, answer.message_id) == (Status.ESME_ROK, message_id)
    assert (MessageState(answer.message_state), answer.error_code) == (told, 0)
    assert answer.final_date == (times.format(FINAL_AT) if state >= State.DELIVERED else "")
    asked = int(message_id)
    logged = until(
        lambda: [row["outcome"] for row in ana.logged("query_sm") if row["message_id"] == asked], what="the log row"
    )
    assert logged == ["SUCCESS"]


def test_query_needs_no_source(ana: Submitter) -> None:
    assert ana.ask(QuerySm(message_id=str(ana.sent()["id"]))).command_status == Status.ESME_ROK


QUERIES_REFUSED = {
    "an id that nobody has": ("4711", ""),
    "no number": ("abc", ""),
    "no id": ("", ""),
    "a longer number than any": ("9" * 19, ""),
    "digits of another script": ("\xb2", ""),
    "another source": ("OWN", "Other"),
    "another account's": ("BOB", ""),
}


@pytest.mark.parametrize(("message_id", "source"), QUERIES_REFUSED.values(), ids=QUERIES_REFUSED.keys())
def test_query_of_what_is_not_ours(ana: Submitter, bob: Submitter, message_id: str, source: str) -> None:
    ids = {"OWN": str(ana.sent()["id"]), "BOB": str(bob.sent()["id"])}
    answer = ana.ask(QuerySm(message_id=ids.get(message_id, message_id), source_addr=source))
    assert answer.command_status == Status.ESME_RINVMSGID


def test_many_queries_at_once(ana: Submitter) -> None:
    ids = [str(ana.sent()["id"]) for _ in range(5)]
    ana.esme.send(*(QuerySm(message_id=ids[place % 5]) for place in range(300)))
    answers = [ana.esme.receive() for _ in range(300)]
    assert {one.command_status for one in answers} == {0}
    by_number = sorted(answers, key=lambda one: one.sequence_number)
    assert [one.message_id for one in by_number] == ids * 60


def test_an_access_that_may_not_ask(submitting: Desk) -> None:
    customer = submitting.customer(operations='["sms.sendsms"]')
    message_id = str(customer.sent()["id"])
    assert customer.ask(QuerySm(message_id=message_id)).command_status == Status.ESME_RINVBNDSTS
    assert customer.ask(CancelSm(message_id=message_id)).command_status == Status.ESME_ROK
    assert customer.logged("query_sm")[0]["outcome"] == "NOT_PERMITTED"
    customer.esme.close()


# cancel_sm


@dataclass(frozen=True)
class Cancelling:
    """A request about the customer's message (id "OWN") in a state, and what comes of it."""

    request: dict[str, Any]
    status: Status = Status.ESME_ROK
    state: State = State.QUEUED


SHOP = {"source_addr": "Shop", "source_addr_ton": 5}
TO = {"destination_addr": "34600000001", "dest_addr_ton": 1}
CANCELS = {
    "by its id": Cancelling({"message_id": "OWN"}),
    "by its id and addresses": Cancelling({"message_id": "OWN", **SHOP, **TO}),
    "by its id and a service_type": Cancelling({"message_id": "OWN", "service_type": "CMT"}),
    "by its addresses": Cancelling({**SHOP, **TO}),
    "by its addresses, national": Cancelling({**SHOP, "destination_addr": "600000001"}),
    "scheduled": Cancelling({"message_id": "OWN"}, state=State.SCHEDULED),
    "on its way": Cancelling({"message_id": "OWN"}, Status.ESME_RCANCELFAIL, State.SENDING),
    "sent": Cancelling({"message_id": "OWN"}, Status.ESME_RCANCELFAIL, State.SENT),
    "sent, by its addresses": Cancelling({**SHOP, **TO}, Status.ESME_RCANCELFAIL, State.SENT),
    "delivered": Cancelling({"message_id": "OWN"}, Status.ESME_RCANCELFAIL, State.DELIVERED),
    "cancelled before": Cancelling({"message_id": "OWN"}, Status.ESME_RCANCELFAIL, State.CANCELLED),
    "an id that nobody has": Cancelling({"message_id": "4711"}, Status.ESME_RINVMSGID),
    "no number": Cancelling({"message_id": "x1"}, Status.ESME_RINVMSGID),
    "another source": Cancelling({"message_id": "OWN", "source_addr": "Else"}, Status.ESME_RINVMSGID),
    "another destination": Cancelling(
        {"message_id": "OWN", "destination_addr": "34600000002", "dest_addr_ton": 1}, Status.ESME_RINVMSGID
    ),
    "nothing between these": Cancelling({"source_addr": "Else", **TO}, Status.ESME_RCANCELFAIL),
    "no destination and no id": Cancelling(SHOP, Status.ESME_RINVDSTADR),
    "a source that is none": Cancelling({"source_addr": "much too long for one", **TO}, Status.ESME_RINVSRCADR),
    "a service_type without an id": Cancelling({"service_type": "CMT", **SHOP, **TO}, Status.ESME_RINVSERTYP),
}


@pytest.mark.parametrize("case", CANCELS.values(), ids=CANCELS.keys())
def test_cancel(submitting: Desk, bob: Submitter, case: Cancelling) -> None:
    own = bob.sent()["id"]
    put(submitting, own, case.state)
    fields = {name: str(own) if value == "OWN" else value for name, value in case.request.items()}
    assert Status(bob.ask(CancelSm(**fields)).command_status) == case.status
    row = bob.message(own)
    if case.status == Status.ESME_ROK:
        assert (row["state"], row["refunded"], bob.balance) == (State.CANCELLED, CREDIT, 100 * CREDIT)
        [logged] = bob.logged("cancel_sm")
        assert (logged["outcome"], logged["message_id"]) == ("SUCCESS", own)
        assert json.loads(logged["response"])["result"] == {"messageids": [str(own)], "refunded": 1}
    else:
        assert (row["state"], row["refunded"], bob.balance) == (case.state, 0, 99 * CREDIT)
        assert bob.logged("cancel_sm")[0]["outcome"] != "SUCCESS"


def test_cancel_takes_all_that_waits_between_two_addresses(submitting: Desk, bob: Submitter) -> None:
    ids = [bob.sent()["id"] for _ in range(4)]
    other = bob.sent(destination_addr="34600000002")["id"]
    put(submitting, ids[1], State.SENT)
    assert bob.ask(CancelSm(**SHOP, **TO)).command_status == Status.ESME_ROK
    states = {row["id"]: State(row["state"]) for row in bob.messages()}
    assert [states[one] for one in ids] == [State.CANCELLED, State.SENT, State.CANCELLED, State.CANCELLED]
    assert states[other] is State.QUEUED
    assert bob.balance == 98 * CREDIT
    assert bob.ask(CancelSm(**SHOP, **TO)).command_status == Status.ESME_RCANCELFAIL
    check_money(submitting.database)


def test_nobody_cancels_anothers(ana: Submitter, bob: Submitter) -> None:
    own = bob.sent()["id"]
    assert ana.ask(CancelSm(message_id=str(own))).command_status == Status.ESME_RINVMSGID
    assert bob.message(own)["state"] == State.QUEUED


def test_a_message_that_is_cancelled_twice_is_refunded_once(submitting: Desk, bob: Submitter) -> None:
    own = str(bob.sent()["id"])
    bob.esme.send(*(CancelSm(message_id=own) for _ in range(20)))
    answers = [bob.esme.receive().command_status for _ in range(20)]
    assert sorted(answers) == [Status.ESME_ROK] + [Status.ESME_RCANCELFAIL] * 19
    assert bob.balance == 100 * CREDIT
    check_money(submitting.database)


# What is not served


UNSERVED = {
    "replace_sm": (ReplaceSm(message_id="1", short_message=b"new"), Status.ESME_RREPLACEFAIL),
    "data_sm": (DataSm(destination_addr="34600000001"), Status.ESME_RINVCMDID),
}


@pytest.mark.parametrize("method", UNSERVED)
def test_not_served(bob: Submitter, method: str) -> None:
    request, status = UNSERVED[method]
    answer = bob.ask(request)
    assert (type(answer).__name__.lower(), answer.command_status) == (method.replace("_", "") + "resp", status)
    [logged] = bob.logged(method)
    assert logged["outcome"] == "INCORRECT_METHOD"
    assert bob.messages() == []
