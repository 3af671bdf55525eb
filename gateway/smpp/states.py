"""Roles, states, and what may be asked for in each: SMPP 3.4, sections 2.2 and 2.3 with table 2-1.

The tables hold requests only. A response needs none: it may come exactly as long as its request is unanswered.
Where they are more lenient than the standard, the reason stands beside it.
"""

from collections.abc import Mapping
from enum import Enum

from gateway.smpp.constants import CommandId as Id


class Role(Enum):
    """Which side of the connection we are."""

    ESME = "ESME"
    SMSC = "SMSC"

    @property
    def peer(self) -> "Role":
        """The other side."""
        return Role.SMSC if self is Role.ESME else Role.ESME


class State(Enum):
    """Where a session is.

    BINDING (a bind is read or sent but not yet answered) and UNBINDING (an unbind is) refine the standard's OPEN
    and BOUND states: they say that no second one may come.
    """

    OPEN = "OPEN"
    BINDING = "BINDING"
    BOUND_TX = "BOUND_TX"
    BOUND_RX = "BOUND_RX"
    BOUND_TRX = "BOUND_TRX"
    UNBINDING = "UNBINDING"
    CLOSED = "CLOSED"

    @property
    def bound(self) -> bool:
        """Whether it is one of the three bound states."""
        return self in _BOUND

    @property
    def closed(self) -> bool:
        """Whether the session is over."""
        return self is State.CLOSED


_BOUND = frozenset({State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX})

BOUND_BY: Mapping[int, State] = {
    Id.BIND_TRANSMITTER: State.BOUND_TX,
    Id.BIND_RECEIVER: State.BOUND_RX,
    Id.BIND_TRANSCEIVER: State.BOUND_TRX,
}
"""The state that each bind leads to."""

WITHOUT_RESPONSE = frozenset({int(Id.OUTBIND), int(Id.ALERT_NOTIFICATION)})
"""Requests that nobody answers."""

_BINDS = {Id.BIND_TRANSMITTER, Id.BIND_RECEIVER, Id.BIND_TRANSCEIVER}
# In every state: it costs nothing, SMPP 5.0 allows it, and some ESMEs probe before they bind.
_ALWAYS = {Id.ENQUIRE_LINK}
_EITHER = {*_ALWAYS, Id.UNBIND, Id.DATA_SM}
# Table 2-1 leaves replace_sm out of BOUND_TRX: an oversight that 5.0 put right.
_SUBMITS = {Id.SUBMIT_SM, Id.SUBMIT_MULTI, Id.QUERY_SM, Id.CANCEL_SM, Id.REPLACE_SM}
_DELIVERS = {Id.DELIVER_SM, Id.ALERT_NOTIFICATION}
# Two unbinds may cross.
_LEAVING = {*_ALWAYS, Id.UNBIND}


def _table(rows: Mapping[State, set[Id]]) -> Mapping[State, frozenset[int]]:
    return {state: frozenset(map(int, rows.get(state, set()))) for state in State}


MAY_SEND: Mapping[Role, Mapping[State, frozenset[int]]] = {
    Role.ESME: _table(
        {
            State.OPEN: {*_ALWAYS, *_BINDS},
            State.BINDING: _ALWAYS,
            State.BOUND_TX: {*_EITHER, *_SUBMITS},
            State.BOUND_RX: _EITHER,
            State.BOUND_TRX: {*_EITHER, *_SUBMITS},
            State.UNBINDING: _LEAVING,
        }
    ),
    Role.SMSC: _table(
        {
            State.OPEN: {*_ALWAYS, Id.OUTBIND},
            State.BINDING: _ALWAYS,
            State.BOUND_TX: _EITHER,
            State.BOUND_RX: {*_EITHER, *_DELIVERS},
            State.BOUND_TRX: {*_EITHER, *_DELIVERS},
            State.UNBINDING: _LEAVING,
        }
    ),
}
"""The requests that a role may send in a state; its peer may receive just these."""
