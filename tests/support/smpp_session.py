"""SMPP sessions brought to a state, and PDUs to try on them."""

from typing import Any

from gateway.smpp.codec import decode, encode
from gateway.smpp.framing import Framer
from gateway.smpp.pdu import PDUS, BindReceiver, BindTransceiver, BindTransmitter, Pdu, Unbind, response_of
from gateway.smpp.session import Session
from gateway.smpp.states import Role, State

BINDS: dict[State, type[Pdu]] = {
    State.BOUND_TX: BindTransmitter,
    State.BOUND_RX: BindReceiver,
    State.BOUND_TRX: BindTransceiver,
}


def session_in(state: State, role: Role, **options: Any) -> Session:
    """A session of time 0 in that state, with nothing to send; UNBINDING and CLOSED after it was BOUND_TRX."""
    session = Session(role, now=0, **options)
    if state is State.OPEN:
        return session
    bind = BINDS.get(state, BindTransceiver)(sequence_number=1)
    if role is Role.SMSC:
        session.receive(encode(bind), 0)
    else:
        session.request(bind, 0)
    if state is not State.BINDING:
        if role is Role.SMSC:
            session.respond(response_of(bind))
        else:
            session.receive(encode(response_of(bind)), 0)
        if state is State.UNBINDING:
            session.unbind(0)
        elif state is State.CLOSED:
            session.closed()
    session.data_to_send()
    assert session.state is state
    return session


def sent(session: Session) -> list[Pdu]:
    """What the session sends now."""
    return [decode(frame) for frame in Framer().feed(session.data_to_send())]


def unbind_number(session: Session) -> int:
    """The sequence number of the unbind that the session sends now."""
    [number] = [pdu.sequence_number for pdu in sent(session) if isinstance(pdu, Unbind)]
    return number


REQUESTS = {int(number): kind for number, kind in PDUS.items() if number < 0x80000000}
RESPONSES = {int(number): kind for number, kind in PDUS.items() if number >= 0x80000000}
