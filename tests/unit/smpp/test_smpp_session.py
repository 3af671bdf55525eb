"""A session's conversation: binding, windows, answers, the end; and that nothing a peer sends upsets it."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp.codec import EncodeError, encode
from gateway.smpp.constants import MAX_SEQUENCE_NUMBER, CommandStatus
from gateway.smpp.events import Answered, Bound, Close, Event, Expired, Ignored, Lost, Request, Response, Unbound
from gateway.smpp.pdu import (
    AlertNotification,
    BindReceiver,
    BindTransceiverResp,
    BindTransmitter,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Pdu,
    QuerySmResp,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    response_of,
)
from gateway.smpp.session import Session, WindowFull, WrongState
from gateway.smpp.states import Role, State
from gateway.smpp.timers import Timers
from tests.support.smpp_session import BINDS, sent, session_in, unbind_number

SUBMIT = SubmitSm(source_addr="Shop", destination_addr="34600111222", short_message=b"Hello", sequence_number=9)


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


# Binding


@pytest.mark.parametrize("mode", BINDS, ids=lambda mode: mode.value)
def test_bind_is_taken(mode: State) -> None:
    esme, smsc = Session(Role.ESME, now=0), Session(Role.SMSC, now=0)
    bind = BINDS[mode](system_id="ana@example.com", password="secret")  # type: ignore[call-arg]
    assert esme.request(bind, 0, "bind") == 1
    assert esme.state is State.BINDING
    [event] = smsc.receive(esme.data_to_send(), 0)
    assert isinstance(event, Request) and smsc.state is State.BINDING and smsc.owed == 1
    assert smsc.respond(response_of(event.pdu, system_id="Trunkline")) is None
    assert smsc.state is mode and smsc.owed == 0
    response, bound = esme.receive(smsc.data_to_send(), 0)
    assert isinstance(response, Response) and response.context == "bind" and response.request is bind
    assert bound == Bound(mode) and esme.state is mode
    assert (esme.role, smsc.role) == (Role.ESME, Role.SMSC)


@pytest.mark.parametrize("mode", BINDS, ids=lambda mode: mode.value)
@pytest.mark.parametrize("nack", [False, True], ids=["its own response", "generic_nack"])
def test_bind_is_refused_and_may_be_tried_again(mode: State, nack: bool) -> None:
    esme, smsc = Session(Role.ESME, now=0), Session(Role.SMSC, now=0)
    for _ in range(2):
        esme.request(BINDS[mode](), 0)
        [event] = smsc.receive(esme.data_to_send(), 0)
        assert isinstance(event, Request)
        number = event.pdu.sequence_number
        refusal = GenericNack(sequence_number=number, command_status=3) if nack else response_of(event.pdu, 0x0E)
        smsc.respond(refusal)
        assert kinds(esme.receive(smsc.data_to_send(), 0)) == ["Response"]
        assert esme.state is smsc.state is State.OPEN


def test_nack_with_status_0_binds_nobody() -> None:
    esme = session_in(State.BINDING, Role.ESME)
    assert kinds(esme.receive(encode(GenericNack(sequence_number=1)), 0)) == ["Response"]
    assert esme.state is State.OPEN
    smsc = session_in(State.BINDING, Role.SMSC)
    smsc.respond(GenericNack(sequence_number=1))
    assert smsc.state is State.OPEN


def test_request_before_the_bind_is_answered_is_refused() -> None:
    session = Session(Role.SMSC, now=0)
    events = session.receive(encode(BindTransmitter(sequence_number=1)) + encode(SUBMIT), 0)
    assert kinds(events) == ["Request", "Answered"]
    [answer] = sent(session)
    assert answer == SubmitSmResp(sequence_number=9, command_status=CommandStatus.ESME_RINVBNDSTS)


# Windows and numbers


def test_window_bounds_requests_without_answer() -> None:
    session = session_in(State.BOUND_TRX, Role.ESME, window=2)
    numbers = [session.request(SubmitSm(), 0, context) for context in "ab"]
    assert (session.unanswered, session.free) == (2, 0)
    with pytest.raises(WindowFull, match="2 requests"):
        session.request(SubmitSm(), 0)
    assert len(sent(session)) == 2
    [event] = session.receive(encode(SubmitSmResp(message_id="x", sequence_number=numbers[1])), 0)
    assert isinstance(event, Response) and event.context == "b" and session.free == 1
    session.request(SubmitSm(), 0)
    session.window = 1
    assert session.free == 0
    session.window = 5
    assert session.free == 3


def test_alert_takes_no_place_in_the_window() -> None:
    session = session_in(State.BOUND_TRX, Role.SMSC, window=1)
    session.request(DeliverSm(), 0)
    session.request(AlertNotification(), 0)
    assert session.unanswered == 1 and kinds(session.closed()) == ["Lost"]


def test_sequence_numbers_begin_again_and_leave_out_those_in_use() -> None:
    session = session_in(State.BOUND_TRX, Role.ESME)
    assert session.request(SubmitSm(), 0) == 2
    session._sequence = MAX_SEQUENCE_NUMBER - 1
    assert [session.request(SubmitSm(), 0) for _ in range(3)] == [MAX_SEQUENCE_NUMBER, 1, 3]


def test_request_that_cannot_be_encoded_leaves_nothing_behind() -> None:
    session = session_in(State.BOUND_TRX, Role.ESME)
    with pytest.raises(EncodeError):
        session.request(SubmitSm(short_message=bytes(255)), 0)
    assert session.unanswered == 0 and session.data_to_send() == b"" and session.closed() == []


def test_unbind_goes_by_its_method() -> None:
    with pytest.raises(WrongState):
        session_in(State.BOUND_TRX, Role.ESME).request(Unbind(), 0)


def test_enquire_link_of_the_host_is_answered_to_the_host() -> None:
    session = session_in(State.BOUND_TRX, Role.ESME)
    number = session.request(EnquireLink(), 0, "mine")
    [event] = session.receive(encode(EnquireLinkResp(sequence_number=number)), 0)
    assert isinstance(event, Response) and event.context == "mine"


def test_answer_that_comes_twice_is_ignored_once() -> None:
    session = session_in(State.BOUND_TRX, Role.ESME)
    number = session.request(SubmitSm(), 0)
    answer = encode(SubmitSmResp(message_id="7", sequence_number=number))
    first, second = session.receive(answer + answer, 0)
    assert isinstance(first, Response)
    assert second == Ignored(0x80000004, number, second.reason, first.response)  # type: ignore[union-attr]


def test_events_keep_the_order_of_the_wire() -> None:
    session = session_in(State.BOUND_TRX, Role.SMSC)
    number = session.request(DeliverSm(), 0)
    wire = [SUBMIT, DeliverSmResp(sequence_number=number), DeliverSm(sequence_number=3), SUBMIT, Unbind(), SUBMIT]
    events = session.receive(b"".join(encode(pdu) for pdu in wire), 0)
    assert kinds(events) == ["Request", "Response", "Answered", "Request", "Unbound", "Answered"]


# The end


def test_peer_unbinds() -> None:
    session = session_in(State.BOUND_TRX, Role.SMSC)
    events = session.receive(encode(Unbind(sequence_number=5)) + encode(SUBMIT), 0)
    assert events == [Unbound(by_peer=True), Close("unbound by the peer")]
    assert sent(session) == [UnbindResp(sequence_number=5)]
    assert session.state is State.CLOSED and session.receive(encode(SUBMIT), 0) == []


def test_unbind_is_answered_after_what_was_read_before_it() -> None:
    session = session_in(State.BOUND_TRX, Role.SMSC)
    wire = [SubmitSm(sequence_number=2), SubmitSm(sequence_number=3), Unbind(sequence_number=4)]
    events = session.receive(b"".join(encode(pdu) for pdu in wire), 0)
    assert kinds(events) == ["Request", "Request", "Unbound"] and session.state is State.UNBINDING
    assert session.respond(SubmitSmResp(sequence_number=3)) is None
    refused = session.receive(encode(Unbind(sequence_number=5)) + encode(EnquireLink(sequence_number=6)), 0)
    assert kinds(refused) == ["Answered"]
    assert session.respond(SubmitSmResp(sequence_number=2)) == Close("unbound by the peer")
    assert [(type(pdu), pdu.sequence_number) for pdu in sent(session)] == [
        (SubmitSmResp, 3),
        (UnbindResp, 5),
        (EnquireLinkResp, 6),
        (SubmitSmResp, 2),
        (UnbindResp, 4),
    ]


def test_answers_to_us_count_while_the_peer_leaves() -> None:
    session = session_in(State.BOUND_TRX, Role.SMSC)
    number = session.request(DeliverSm(), 0, "receipt")
    wire = [SUBMIT, Unbind(sequence_number=2), DeliverSmResp(sequence_number=number)]
    events = session.receive(b"".join(encode(pdu) for pdu in wire), 0)
    assert kinds(events) == ["Request", "Unbound", "Response"]


@pytest.mark.parametrize("answer", [UnbindResp, GenericNack], ids=["unbind_resp", "generic_nack"])
def test_we_unbind(answer: type[Pdu]) -> None:
    session = session_in(State.BOUND_TRX, Role.ESME)
    assert session.unbind(0) == [] and session.unbind(0) == []
    number = unbind_number(session)
    assert session.state is State.UNBINDING
    events = session.receive(encode(answer(sequence_number=number)), 0)
    assert events == [Unbound(by_peer=False), Close("unbound")] and session.state is State.CLOSED
    assert session.unbind(0) == []


def test_we_unbind_and_still_owe_an_answer() -> None:
    session = session_in(State.BOUND_TRX, Role.SMSC)
    session.receive(encode(SUBMIT), 0)
    session.unbind(0)
    number = unbind_number(session)
    assert session.receive(encode(UnbindResp(sequence_number=number)), 0) == [Unbound(by_peer=False)]
    # Said twice, it is the answer to nothing.
    assert kinds(session.receive(encode(UnbindResp(sequence_number=number)), 0)) == ["Ignored"]
    assert session.respond(response_of(SUBMIT)) == Close("unbound")
    assert [type(pdu) for pdu in sent(session)] == [SubmitSmResp]


def test_unbinds_cross() -> None:
    session = session_in(State.BOUND_TRX, Role.ESME)
    session.unbind(0)
    number = unbind_number(session)
    events = session.receive(encode(Unbind(sequence_number=3)), 0)
    assert events == [Unbound(by_peer=True), Close("unbound by the peer")]
    assert sent(session) == [UnbindResp(sequence_number=3)]
    assert session.receive(encode(UnbindResp(sequence_number=number)), 0) == []


@pytest.mark.parametrize("state", [State.OPEN, State.BINDING], ids=lambda state: state.value)
def test_unbind_of_what_is_not_bound_is_the_end(state: State) -> None:
    session = session_in(state, Role.SMSC)
    assert session.unbind(0) == [Close("ended before it was bound")]
    assert session.respond(BindTransceiverResp(sequence_number=1)) is None and session.data_to_send() == b""


def test_what_is_unanswered_is_lost_with_the_connection() -> None:
    session = session_in(State.BOUND_TRX, Role.ESME)
    pdus = [SubmitSm() for _ in range(3)]
    numbers = [session.request(pdu, 0, context) for pdu, context in zip(pdus, "abc", strict=True)]
    session.receive(encode(SubmitSmResp(sequence_number=numbers[1])), 0)
    assert session.closed() == [Lost(pdus[0], "a"), Lost(pdus[2], "c")]
    assert session.closed() == [] and session.data_to_send() == b"" and session.unanswered == 0
    with pytest.raises(WrongState):
        session.request(SubmitSm(), 0)


def test_aborted_session_sends_nothing_and_tells_what_is_lost() -> None:
    session = session_in(State.BOUND_TRX, Role.ESME)
    pdu = SubmitSm()
    session.request(pdu, 0, 1)
    session.abort()
    assert session.data_to_send() == b"" and session.state is State.CLOSED
    assert session.closed() == [Lost(pdu, 1)]


# What is no SMPP


def raw(command_id: int, body: bytes = b"", number: int = 77, length: int | None = None) -> bytes:
    header = (16 + len(body) if length is None else length, command_id, 0, number)
    return b"".join(part.to_bytes(4, "big") for part in header) + body


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        pytest.param(raw(0x0000000A), (0x80000000, CommandStatus.ESME_RINVCMDID), id="unknown command"),
        pytest.param(raw(0x00010201), (0x80000000, CommandStatus.ESME_RINVCMDID), id="vendor's command"),
        pytest.param(raw(4, b"\0\1"), (0x80000004, None), id="submit_sm cut short"),
        pytest.param(raw(5, b"\0\1"), (0x80000005, None), id="deliver_sm cut short"),
        pytest.param(raw(9, b"name"), (0x80000009, None), id="bind without its NUL"),
        pytest.param(raw(0x21, bytes(3)), (0x80000021, None), id="submit_multi cut short"),
    ],
)
def test_undecodable_request_is_answered_by_the_session(
    frame: bytes, answer: tuple[int, CommandStatus | None]
) -> None:
    session = session_in(State.BOUND_TRX, Role.SMSC)
    [event, request] = session.receive(frame + encode(SUBMIT), 0)
    [pdu] = sent(session)
    command_id, status = answer
    assert (pdu.command_id, pdu.sequence_number) == (command_id, 77)
    assert pdu.command_status == (status or pdu.command_status) != 0
    assert isinstance(event, Answered) and event.command_status == pdu.command_status and event.reason
    assert isinstance(request, Request) and session.owed == 1


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(raw(0x80000099), id="unknown response"),
        pytest.param(raw(0x80010201, b"x"), id="vendor's response"),
        pytest.param(raw(0x102, b"x"), id="alert_notification cut short"),
        pytest.param(raw(0x0B, b"x"), id="outbind cut short"),
    ],
)
def test_undecodable_pdu_without_answer_is_ignored(frame: bytes) -> None:
    session = session_in(State.BOUND_TRX, Role.ESME)
    [event] = session.receive(frame, 0)
    assert isinstance(event, Ignored) and event.pdu is None and event.sequence_number == 77
    assert session.data_to_send() == b"" and session.state is State.BOUND_TRX


@pytest.mark.parametrize("length", [0, 1, 15, 70_001, 0x48545450, 0xFFFFFFFF])
def test_impossible_length_is_nacked_and_the_end(length: int) -> None:
    session = session_in(State.BOUND_TRX, Role.SMSC)
    events = session.receive(raw(4, number=1234, length=length) + encode(SUBMIT), 0)
    assert kinds(events) == ["Answered", "Close"]
    assert sent(session) == [GenericNack(sequence_number=1234, command_status=CommandStatus.ESME_RINVCMDLEN)]
    assert session.state is State.CLOSED


@pytest.mark.parametrize("unbound", [False, True], ids=["bound", "after an unbind of ours"])
def test_what_came_before_an_impossible_length_is_answered_before_the_end(unbound: bool) -> None:
    session = session_in(State.BOUND_TRX, Role.SMSC)
    session.receive(encode(SUBMIT), 0)
    if unbound:
        session.unbind(0)
        session.data_to_send()
    assert kinds(session.receive(raw(4, number=1234, length=2) + encode(SUBMIT), 0)) == ["Answered"]
    assert kinds(session.receive(encode(SUBMIT), 1)) == []
    close = session.respond(response_of(SUBMIT, message_id="1"))
    assert (
        close is not None and close.reason == "what follows cannot be told apart: command_length is 2, less than 16"
    )
    assert [type(one) for one in sent(session)] == [GenericNack, SubmitSmResp]
    assert session.state is State.CLOSED


def test_after_an_impossible_length_answers_are_not_waited_for_for_ever() -> None:
    session = session_in(State.BOUND_TRX, Role.SMSC, timers=Timers(response=7))
    session.receive(encode(SUBMIT) + raw(4, length=2), 5)
    assert session.next_deadline() == 12
    assert kinds(session.tick(12)) == ["Close"]


def test_what_follows_an_unbind_is_not_even_framed() -> None:
    session = session_in(State.BOUND_TRX, Role.SMSC)
    events = session.receive(encode(Unbind(sequence_number=3)) + raw(4, length=2), 0)
    assert kinds(events) == ["Unbound", "Close"]
    assert sent(session) == [UnbindResp(sequence_number=3)]


STATES = [state for state in State if state is not State.CLOSED]
PDUS = st.sampled_from(
    [
        SUBMIT,
        EnquireLink(sequence_number=4),
        DeliverSm(sequence_number=5, tlvs={0x0424: bytes(300)}),
        SubmitSmResp(message_id="1", sequence_number=2),
        QuerySmResp(sequence_number=3),
        GenericNack(sequence_number=2),
        BindReceiver(sequence_number=6),
        Unbind(sequence_number=7),
        UnbindResp(sequence_number=2),
    ]
)
COMMANDS = st.sampled_from([0, 1, 4, 5, 6, 9, 0x15, 0x21, 0x103, 0x80000004])
FRAMES = st.one_of(
    PDUS.map(encode),
    st.builds(raw, COMMANDS, st.binary(max_size=40)),
    st.builds(raw, COMMANDS, length=st.sampled_from([70_001, 0xFFFFFFFF])),
)


def busy(state: State, role: Role) -> Session:
    session = session_in(state, role)
    if state in (State.BOUND_TRX, State.BOUND_RX, State.BOUND_TX) and role is Role.ESME:
        session.request(EnquireLink(), 0, "context")
        session.data_to_send()
    return session


@given(st.sampled_from(STATES), st.sampled_from(Role), st.lists(FRAMES, max_size=8), st.lists(st.integers(1, 40)))
def test_events_do_not_depend_on_how_the_wire_cuts(
    state: State, role: Role, octets: list[bytes], sizes: list[int]
) -> None:
    stream = b"".join(octets)
    whole, pieces = busy(state, role), busy(state, role)
    expected = whole.receive(stream, 1)
    found: list[Event] = []
    for size in [*sizes, len(stream) or 1]:
        found += pieces.receive(stream[:size], 1)
        stream = stream[size:]
    assert found == expected and pieces.data_to_send() == whole.data_to_send() and pieces.state is whole.state


@given(st.sampled_from(STATES), st.sampled_from(Role), st.lists(FRAMES | st.binary(max_size=60), max_size=12))
def test_nothing_that_a_peer_sends_raises(state: State, role: Role, octets: list[bytes]) -> None:
    session = busy(state, role)
    for index, piece in enumerate(octets):
        for event in session.receive(piece, index):
            if isinstance(event, Request) and event.pdu.command_id not in (0x0B, 0x102):
                session.respond(response_of(event.pdu))
        session.next_deadline()
        session.tick(index + 0.5)
    session.closed()
    assert session.owed == 0 or session.state is State.CLOSED


@given(
    st.lists(st.tuples(st.sampled_from(["submit", "deliver", "answer", "deliver bytes", "wait"]), st.integers(1, 9)))
)
def test_every_request_ends_exactly_once(steps: list[tuple[str, int]]) -> None:
    sides = {role: session_in(State.BOUND_TRX, role, window=4) for role in Role}
    owed: list[tuple[Session, Pdu]] = []
    begun: list[object] = []
    ended: list[object] = []
    now = 0.0

    def take(role: Role, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Request):
                owed.append((sides[role], event.pdu))
            elif isinstance(event, Response | Expired | Lost):
                ended.append(event.context)

    def ask(role: Role, kind: Callable[[], Pdu]) -> None:
        session = sides[role]
        if session.free and session.state.bound:
            begun.append(object())
            session.request(kind(), now, begun[-1])

    for step, count in steps:
        now += count if step == "wait" else 0
        for _ in range(count):
            match step:
                case "submit":
                    ask(Role.ESME, SubmitSm)
                case "deliver":
                    ask(Role.SMSC, DeliverSm)
                case "answer" if owed:
                    session, pdu = owed.pop(0)
                    session.respond(response_of(pdu))
                case "deliver bytes":
                    for role, session in sides.items():
                        take(role.peer, sides[role.peer].receive(session.data_to_send(), now))
                case "wait":
                    for role, session in sides.items():
                        take(role, session.tick(now))
    for role, session in sides.items():
        take(role, session.closed())
    assert sorted(map(id, ended)) == sorted(map(id, begun))
