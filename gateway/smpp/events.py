"""What a session tells its host. Events come in the order in which their causes stood on the wire."""

from dataclasses import dataclass
from typing import Any

from gateway.smpp.pdu import Pdu
from gateway.smpp.states import State


@dataclass(slots=True)
class Request:
    """The peer asks for something: the host answers each exactly once with `Session.respond`.

    Only `Outbind` and `AlertNotification` have no answer.
    """

    pdu: Pdu


@dataclass(slots=True)
class Response:
    """The answer to a request of ours: its own `_resp`, or a `GenericNack`. `context` is what `request` was given."""

    request: Pdu
    context: Any
    response: Pdu


@dataclass(slots=True)
class Expired:
    """A request of ours was not answered in time; whether the peer carried it out is unknown."""

    request: Pdu
    context: Any


@dataclass(slots=True)
class Lost:
    """The connection ended before a request of ours was answered; whether the peer carried it out is unknown."""

    request: Pdu
    context: Any


@dataclass(slots=True)
class Answered:
    """The session itself refused what the peer sent, with this status. For the log: nothing is to be done."""

    command_id: int
    sequence_number: int
    command_status: int
    reason: str


@dataclass(slots=True)
class Ignored:
    """The peer sent what has no answer and no use: a response to nothing, say. For the log: nothing is to be done.

    `pdu` is None where it could not be decoded.
    """

    command_id: int
    sequence_number: int
    reason: str
    pdu: Pdu | None


@dataclass(slots=True)
class Bound:
    """As an ESME: the SMSC took our bind. `mode` is BOUND_TX, BOUND_RX or BOUND_TRX."""

    mode: State


@dataclass(slots=True)
class Unbound:
    """The session ended in good order: no request may be sent any more.

    By the peer: requests that were read before are still to be answered, and its unbind_resp follows the last
    answer. By us: the peer has answered our unbind.
    """

    by_peer: bool


@dataclass(slots=True)
class Close:
    """The host is to send what `data_to_send` gives, then close the connection. The last event but for `Lost`."""

    reason: str


Event = Request | Response | Expired | Lost | Answered | Ignored | Bound | Unbound | Close
