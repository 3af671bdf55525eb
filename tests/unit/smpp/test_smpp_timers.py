"""A session's timers, in both roles: what is due when, and what comes of it."""

from collections.abc import Callable

import pytest

from gateway.smpp.codec import encode
from gateway.smpp.events import Close, Expired, Unbound
from gateway.smpp.pdu import (
    BindTransceiver,
    DataSm,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Pdu,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
)
from gateway.smpp.session import Session
from gateway.smpp.states import Role, State
from gateway.smpp.timers import Timers
from tests.support.smpp_session import sent, session_in, unbind_number

TIMERS = Timers(session_init=10, enquire_link=30, inactivity=120, response=20)
BOTH = pytest.mark.parametrize("role", Role, ids=lambda role: role.value)


@BOTH
@pytest.mark.parametrize(
    ("state", "timers", "due"),
    [
        pytest.param(State.OPEN, TIMERS, 10, id="session_init while OPEN"),
        pytest.param(State.BINDING, TIMERS, 10, id="session_init while BINDING"),
        pytest.param(State.BOUND_TX, TIMERS, 30, id="enquire_link in BOUND_TX"),
        pytest.param(State.BOUND_RX, TIMERS, 30, id="enquire_link in BOUND_RX"),
        pytest.param(State.BOUND_TRX, TIMERS, 30, id="enquire_link in BOUND_TRX"),
        pytest.param(State.BOUND_TRX, Timers(enquire_link=0, inactivity=50), 50, id="inactivity alone"),
        pytest.param(State.BOUND_TRX, Timers(enquire_link=60, inactivity=50), 50, id="inactivity first"),
        pytest.param(State.BOUND_TRX, Timers(enquire_link=0, inactivity=0), None, id="both off"),
        pytest.param(State.UNBINDING, TIMERS, 20, id="response to the unbind"),
        pytest.param(State.CLOSED, TIMERS, None, id="nothing after the end"),
    ],
)
def test_first_deadline(role: Role, state: State, timers: Timers, due: float | None) -> None:
    session = session_in(state, role, timers=timers)
    assert session.next_deadline() == due
    if due is not None:
        assert session.tick(due - 0.001) == [] and session.data_to_send() == b"" and session.state is state


def closes(reason: str) -> Callable[[Session, float], None]:
    def check(session: Session, now: float) -> None:
        [event] = session.tick(now)
        assert isinstance(event, Close) and reason in event.reason
        assert session.state is State.CLOSED and session.next_deadline() is None and session.tick(now + 999) == []

    return check


@BOTH
@pytest.mark.parametrize(
    ("state", "timers", "at", "reason"),
    [
        pytest.param(State.OPEN, TIMERS, 10, "not bound within 10 s", id="no bind came"),
        pytest.param(State.BOUND_TRX, Timers(enquire_link=0), 120, "nothing came for 120 s", id="inactivity"),
        pytest.param(State.UNBINDING, TIMERS, 20, "unbind was not answered", id="unbind unanswered"),
    ],
)
def test_session_is_given_up(role: Role, state: State, timers: Timers, at: float, reason: str) -> None:
    closes(reason)(session_in(state, role, timers=timers), at)


@BOTH
def test_bind_that_is_not_done_in_time_ends_the_session(role: Role) -> None:
    closes("not bound within 10 s")(session_in(State.BINDING, role, timers=TIMERS), 10)


def test_bind_that_is_not_answered_expires() -> None:
    session = session_in(State.BINDING, Role.ESME, timers=Timers(session_init=60, response=5))
    assert session.next_deadline() == 5
    expired, close = session.tick(5)
    assert isinstance(expired, Expired) and isinstance(expired.request, BindTransceiver)
    assert isinstance(close, Close) and session.state is State.CLOSED


@BOTH
def test_enquire_link_that_is_not_answered_ends_the_session(role: Role) -> None:
    session = session_in(State.BOUND_TRX, role, timers=TIMERS)
    assert session.tick(30) == []
    [enquiry] = sent(session)
    assert isinstance(enquiry, EnquireLink) and enquiry.sequence_number
    assert session.next_deadline() == 50 and session.tick(49) == [] and session.data_to_send() == b""
    closes("enquire_link was not answered within 20 s")(session, 50)


@BOTH
@pytest.mark.parametrize("answer", [EnquireLinkResp, GenericNack, EnquireLink, None], ids=str)
def test_any_sign_of_life_is_as_good_as_the_answer(role: Role, answer: type[Pdu] | None) -> None:
    session = session_in(State.BOUND_TRX, role, timers=TIMERS)
    session.tick(30)
    [enquiry] = sent(session)
    # Even a part of a PDU.
    octets = encode(answer(sequence_number=enquiry.sequence_number)) if answer else b"\0"
    assert session.receive(octets, 45) == []
    assert session.next_deadline() == 75
    session.data_to_send()
    assert session.tick(75) == []
    [again] = sent(session)
    assert isinstance(again, EnquireLink) and again.sequence_number != enquiry.sequence_number


@BOTH
def test_requests_expire_in_the_order_sent(role: Role) -> None:
    session = session_in(State.BOUND_TRX, role, timers=TIMERS)
    pdus = [DataSm(source_addr=str(number)) for number in range(4)]
    numbers = [session.request(pdu, now, now) for now, pdu in enumerate(pdus)]
    assert session.next_deadline() == 20
    session.receive(encode(GenericNack(sequence_number=numbers[0])), 10)
    session.receive(encode(GenericNack(sequence_number=numbers[2])), 10)
    assert session.next_deadline() == 21 and session.tick(20) == []
    assert session.tick(21) == [Expired(pdus[1], 1)] and session.free == session.window - 1
    assert session.next_deadline() == 23 and session.tick(25) == [Expired(pdus[3], 3)]
    assert session.state is State.BOUND_TRX
    session.data_to_send()
    # A late answer is one to nothing.
    [event] = session.receive(encode(GenericNack(sequence_number=numbers[1])), 30)
    assert type(event).__name__ == "Ignored"


def test_host_that_does_not_answer_all_keeps_no_leaving_peer() -> None:
    session = session_in(State.BOUND_TRX, Role.SMSC, timers=TIMERS)
    wire = encode(SubmitSm(sequence_number=2)) + encode(Unbind(sequence_number=3))
    session.receive(wire, 5)
    assert session.next_deadline() == 25 and session.tick(24) == []
    assert session.tick(25) == [Close("unbound by the peer")]
    assert sent(session) == [UnbindResp(sequence_number=3)]
    assert session.respond(SubmitSmResp(sequence_number=2)) is None and session.data_to_send() == b""


def test_host_that_does_not_answer_all_keeps_no_session_it_unbound() -> None:
    session = session_in(State.BOUND_TRX, Role.SMSC, timers=TIMERS)
    session.receive(encode(SubmitSm(sequence_number=2)), 5)
    session.unbind(5)
    answer = UnbindResp(sequence_number=unbind_number(session))
    assert session.receive(encode(answer), 6) == [Unbound(by_peer=False)]
    assert session.tick(25) == [Close("unbound")] and session.data_to_send() == b""


@BOTH
def test_no_timer_runs_while_the_host_does_not_read(role: Role) -> None:
    session = session_in(State.BOUND_TRX, role, timers=TIMERS)
    pdu = DataSm()
    session.request(pdu, 5)
    session.data_to_send()
    session.hold(10)
    session.hold(11)
    assert session.next_deadline() is None and session.tick(1_000) == [] and session.data_to_send() == b""
    session.release(1_010)
    session.release(1_011)
    assert session.next_deadline() == 1_025
    assert session.tick(1_024) == [] and session.tick(1_025) == [Expired(pdu, None)]
    assert session.next_deadline() == 1_030


def test_request_sent_while_the_host_does_not_read_has_all_its_time() -> None:
    session = session_in(State.BOUND_TRX, Role.ESME, timers=TIMERS)
    session.hold(10)
    pdu = DataSm()
    session.request(pdu, 15)
    session.release(20)
    assert session.tick(39) == [] and session.tick(40) == [Expired(pdu, None)]


@pytest.mark.parametrize(
    "wrong",
    [{"session_init": 0}, {"response": 0}, {"enquire_link": -1}, {"inactivity": -0.5}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_timers_that_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Timers(**wrong)
