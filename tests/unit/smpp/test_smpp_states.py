"""Every command in every state, in both roles: SMPP 3.4, table 2-1, as a session keeps it."""

import pytest

from gateway.smpp.codec import encode
from gateway.smpp.constants import CommandId, CommandStatus
from gateway.smpp.events import Answered, Ignored, Request, Unbound
from gateway.smpp.pdu import PDUS, GenericNack, Pdu
from gateway.smpp.session import WrongState
from gateway.smpp.states import MAY_SEND, Role, State
from tests.support.smpp_session import REQUESTS, RESPONSES, sent, session_in

# What becomes of a request that is read: H handed to the host, A answered by the session with success, X refused
# with ESME_RINVBNDSTS, B refused with ESME_RALYBND, I ignored since it has no answer, - dropped after the end.
READ_BY_SMSC = """
                    OPEN BINDING BOUND_TX BOUND_RX BOUND_TRX UNBINDING CLOSED
BindTransmitter     H    B       B        B        B         B         -
BindReceiver        H    B       B        B        B         B         -
BindTransceiver     H    B       B        B        B         B         -
Outbind             I    I       I        I        I         I         -
Unbind              X    X       A        A        A         A         -
SubmitSm            X    X       H        X        H         X         -
SubmitMulti         X    X       H        X        H         X         -
DataSm              X    X       H        H        H         X         -
DeliverSm           X    X       X        X        X         X         -
QuerySm             X    X       H        X        H         X         -
CancelSm            X    X       H        X        H         X         -
ReplaceSm           X    X       H        X        H         X         -
EnquireLink         A    A       A        A        A         A         -
AlertNotification   I    I       I        I        I         I         -
"""
READ_BY_ESME = """
                    OPEN BINDING BOUND_TX BOUND_RX BOUND_TRX UNBINDING CLOSED
BindTransmitter     X    X       X        X        X         X         -
BindReceiver        X    X       X        X        X         X         -
BindTransceiver     X    X       X        X        X         X         -
Outbind             H    I       I        I        I         I         -
Unbind              X    X       A        A        A         A         -
SubmitSm            X    X       X        X        X         X         -
SubmitMulti         X    X       X        X        X         X         -
DataSm              X    X       H        H        H         X         -
DeliverSm           X    X       X        H        H         X         -
QuerySm             X    X       X        X        X         X         -
CancelSm            X    X       X        X        X         X         -
ReplaceSm           X    X       X        X        X         X         -
EnquireLink         A    A       A        A        A         A         -
AlertNotification   I    I       I        H        H         I         -
"""
# What the host may send: y or n. An unbind goes by a method of its own.
SENT_BY_SMSC = """
                    OPEN BINDING BOUND_TX BOUND_RX BOUND_TRX UNBINDING CLOSED
BindTransmitter     n    n       n        n        n         n         n
BindReceiver        n    n       n        n        n         n         n
BindTransceiver     n    n       n        n        n         n         n
Outbind             y    n       n        n        n         n         n
Unbind              n    n       n        n        n         n         n
SubmitSm            n    n       n        n        n         n         n
SubmitMulti         n    n       n        n        n         n         n
DataSm              n    n       y        y        y         n         n
DeliverSm           n    n       n        y        y         n         n
QuerySm             n    n       n        n        n         n         n
CancelSm            n    n       n        n        n         n         n
ReplaceSm           n    n       n        n        n         n         n
EnquireLink         y    y       y        y        y         y         n
AlertNotification   n    n       n        y        y         n         n
"""
SENT_BY_ESME = """
                    OPEN BINDING BOUND_TX BOUND_RX BOUND_TRX UNBINDING CLOSED
BindTransmitter     y    n       n        n        n         n         n
BindReceiver        y    n       n        n        n         n         n
BindTransceiver     y    n       n        n        n         n         n
Outbind             n    n       n        n        n         n         n
Unbind              n    n       n        n        n         n         n
SubmitSm            n    n       y        n        y         n         n
SubmitMulti         n    n       y        n        y         n         n
DataSm              n    n       y        y        y         n         n
DeliverSm           n    n       n        n        n         n         n
QuerySm             n    n       y        n        y         n         n
CancelSm            n    n       y        n        y         n         n
ReplaceSm           n    n       y        n        y         n         n
EnquireLink         y    y       y        y        y         y         n
AlertNotification   n    n       n        n        n         n         n
"""
KINDS = {kind.__name__: kind for kind in REQUESTS.values()}


def cases(role: Role, table: str) -> list[object]:
    head, *rows = (line.split() for line in table.strip().splitlines())
    assert head == [state.value for state in State]
    assert {row[0] for row in rows} == set(KINDS)
    return [
        pytest.param(role, State(state), KINDS[name], cell, id=f"{role.value}-{state}-{name}-{cell}")
        for name, *cells in rows
        for state, cell in zip(head, cells, strict=True)
    ]


@pytest.mark.parametrize(
    ("role", "state", "kind", "expected"), cases(Role.SMSC, READ_BY_SMSC) + cases(Role.ESME, READ_BY_ESME)
)
def test_request_is_read(role: Role, state: State, kind: type[Pdu], expected: str) -> None:
    session = session_in(state, role)
    events = session.receive(encode(kind(sequence_number=77)), 1)
    answers = sent(session)
    if expected in "HI-":
        assert not answers
    else:
        [answer] = answers
        assert (answer.command_id, answer.sequence_number) == (kind.command_id | 0x80000000, 77)
    match expected:
        case "H":
            [event] = events
            assert isinstance(event, Request) and isinstance(event.pdu, kind) and event.pdu.sequence_number == 77
        case "A":
            assert answer.command_status == 0
            assert not any(isinstance(event, Answered) for event in events)
            assert (Unbound(by_peer=True) in events) == (kind.__name__ == "Unbind")
        case "X" | "B":
            status = {"X": CommandStatus.ESME_RINVBNDSTS, "B": CommandStatus.ESME_RALYBND}[expected]
            assert answer.command_status == status
            [event] = events
            assert event == Answered(kind.command_id, 77, status, event.reason)
            assert CommandId(kind.command_id).name.lower() in event.reason and state.value in event.reason
            assert session.state is state
        case "I":
            [event] = events
            assert isinstance(event, Ignored) and isinstance(event.pdu, kind)
            assert (event.command_id, event.sequence_number) == (kind.command_id, 77) and state.value in event.reason
            assert session.state is state
        case _:
            assert events == []


@pytest.mark.parametrize(
    ("role", "state", "kind", "expected"), cases(Role.SMSC, SENT_BY_SMSC) + cases(Role.ESME, SENT_BY_ESME)
)
def test_request_is_sent(role: Role, state: State, kind: type[Pdu], expected: str) -> None:
    session = session_in(state, role)
    if expected == "y":
        number = session.request(kind(), 1, "context")
        [pdu] = sent(session)
        assert isinstance(pdu, kind) and pdu.sequence_number == number
    else:
        with pytest.raises(WrongState, match=f"{role.value} may not send {kind.__name__} .* {state.value}"):
            session.request(kind(), 1)
        assert session.data_to_send() == b""


@pytest.mark.parametrize("kind", RESPONSES.values(), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("state", State, ids=lambda state: state.value)
@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
def test_response_to_nothing_is_ignored(role: Role, state: State, kind: type[Pdu]) -> None:
    session = session_in(state, role)
    # 0 is what a generic_nack carries when the header could not be read.
    for number in (0, 5_000):
        events = session.receive(encode(kind(sequence_number=number)), 1)
        if state is State.CLOSED:
            assert events == []
        else:
            [event] = events
            assert isinstance(event, Ignored) and isinstance(event.pdu, kind)
            assert (event.command_id, event.sequence_number) == (kind.command_id, number)
        assert session.state is state and session.data_to_send() == b""


@pytest.mark.parametrize("kind", RESPONSES.values(), ids=lambda kind: kind.__name__)
def test_response_answers_its_request_only(kind: type[Pdu]) -> None:
    session = session_in(State.BOUND_TRX, Role.ESME)
    number = session.request(KINDS["SubmitSm"](), 1, "mine")
    [event] = session.receive(encode(kind(sequence_number=number)), 1)
    if kind.__name__ in ("SubmitSmResp", "GenericNack"):
        assert isinstance(event.response, kind) and event.context == "mine" and session.unanswered == 0
    else:
        assert isinstance(event, Ignored) and "SubmitSm" in event.reason and session.unanswered == 1


def test_tables_know_every_request_and_nothing_else() -> None:
    known = {number for role in Role for state in State for number in MAY_SEND[role][state]}
    assert known == set(REQUESTS)
    assert len(REQUESTS) + len(RESPONSES) == len(PDUS) and GenericNack in RESPONSES.values()


def test_roles_face_each_other() -> None:
    assert Role.ESME.peer is Role.SMSC and Role.SMSC.peer is Role.ESME
