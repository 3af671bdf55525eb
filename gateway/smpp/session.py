"""One SMPP 3.4 session without IO: bytes and time in, events and bytes out; the same for both roles.

The host reads the connection and hands bytes to `receive`, deals with the events, sends what `data_to_send` gives
after every call, calls `tick` when `next_deadline` has come and `closed` when the connection is gone. The session
numbers, matches and times requests, and answers by itself: enquire_link, unbind, and everything that the
standard refuses whatever the host thinks of it. Times are seconds of any clock that never goes back.
"""

from collections import deque
from typing import Any, NamedTuple

from gateway.smpp.codec import DecodeError, decode, encode
from gateway.smpp.constants import MAX_SEQUENCE_NUMBER, RESPONSE_BIT, CommandId, CommandStatus
from gateway.smpp.events import (
    Answered,
    Bound,
    Close,
    Event,
    Expired,
    Ignored,
    Lost,
    Request,
    Response,
    Unbound,
)
from gateway.smpp.framing import Framer, FramingError
from gateway.smpp.pdu import (
    PDUS,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Pdu,
    Unbind,
    UnbindResp,
    response_of,
)
from gateway.smpp.states import BOUND_BY, MAY_SEND, WITHOUT_RESPONSE, Role, State
from gateway.smpp.timers import NEVER, Timers, Watch

WINDOW = 100
"""Most requests of ours without an answer, unless said otherwise: at 10 ms there and back, 10,000 a second."""

_DEFAULT_TIMERS = Timers()


class WrongState(Exception):
    """This role may not send this request in this state; the text says which."""


class WindowFull(Exception):
    """As many requests as the window allows are without an answer."""


class _Pending(NamedTuple):
    request: Pdu
    context: Any
    due: float


class Session:
    """One connection's session, for `role`, which began at `now`.

    `window` is how many requests of the host may be without an answer; it may be set at any time.
    """

    def __init__(self, role: Role, timers: Timers = _DEFAULT_TIMERS, window: int = WINDOW, *, now: float) -> None:
        self.window = window
        self._role = role
        self._framer = Framer()
        self._out: list[bytes] = []
        self._sequence = 0
        # Requests of the host, by sequence number; `_order` has their numbers as sent. The time to answer is the
        # same for all, so the first of `_order`, which is always unanswered, is the first to expire.
        self._pending: dict[int, _Pending] = {}
        self._order: deque[int] = deque()
        self._owed = 0
        self._watch = Watch(timers, now)
        self._enquiry = 0  # the sequence number of the last enquire_link of the session itself
        self._own_unbind = 0
        self._farewell: Unbind | None = None  # the peer's unbind, to be answered last
        self._ending = False  # nothing is waited for any more but the host's answers
        self._end_reason = ""  # where it is not an unbind
        self._become(State.OPEN)

    @property
    def role(self) -> Role:
        """Which side we are."""
        return self._role

    @property
    def state(self) -> State:
        """Where the session is."""
        return self._state

    @property
    def unanswered(self) -> int:
        """How many requests of the host are without an answer."""
        return len(self._pending)

    @property
    def free(self) -> int:
        """How many requests more the window allows."""
        return max(0, self.window - len(self._pending))

    @property
    def owed(self) -> int:
        """How many of the peer's requests the host has not yet answered."""
        return self._owed

    # What the host does

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take bytes that were read at `now`: any, in any pieces. Never raises for what they hold."""
        events: list[Event] = []
        if self._state.closed:
            return events
        self._watch.heard(now)
        try:
            frames = self._framer.feed(data)
        except FramingError as error:
            self._take(error.frames, events)
            # Where the next PDU begins cannot be known any more.
            if not self._state.closed:
                nack = GenericNack(sequence_number=error.sequence_number, command_status=error.command_status)
                self._out.append(encode(nack))
                events.append(Answered(0, error.sequence_number, error.command_status, error.reason))
                self._understands_no_more(f"what follows cannot be told apart: {error.reason}", events)
        else:
            self._take(frames, events)
        return events

    def request(self, pdu: Pdu, now: float, context: Any = None) -> int:
        """Send a request; its sequence number, which is also set in `pdu`.

        `context` comes back with the one event that ends it: `Response`, `Expired` or `Lost`. Raises `WrongState`
        (also for `Unbind`: call `unbind`), `WindowFull`, and what `codec.encode` raises for values that do not fit;
        then nothing is sent.
        """
        command_id = pdu.command_id
        if command_id not in self._sends or command_id == CommandId.UNBIND:
            raise WrongState(
                f"an {self._role.value} may not send {type(pdu).__name__} in the state {self._state.value}"
            )
        answered = command_id not in WITHOUT_RESPONSE
        if answered and len(self._pending) >= self.window:
            raise WindowFull(f"{len(self._pending)} requests are without an answer")
        number = self._number()
        pdu.sequence_number = number
        self._out.append(encode(pdu))
        if answered:
            self._pending[number] = _Pending(pdu, context, self._watch.response_due(now))
            self._order.append(number)
        if command_id in BOUND_BY:
            self._become(State.BINDING)
        return number

    def respond(self, pdu: Pdu) -> Close | None:
        """Answer a request of the peer, each exactly once; make `pdu` with `response_of`.

        A bind's answer with status 0 makes the session bound. The last answer owed after an unbind is followed by
        the end of the session: then the `Close` event is given. Once the session is closed nothing happens.
        """
        if self._state.closed:
            return None
        self._out.append(encode(pdu))
        self._owed -= 1
        if self._state is State.BINDING:
            taken = pdu.command_status == CommandStatus.ESME_ROK
            self._become(BOUND_BY.get(pdu.command_id & ~RESPONSE_BIT, State.OPEN) if taken else State.OPEN)
        elif self._ending and not self._owed:
            return self._end()
        return None

    def unbind(self, now: float) -> list[Event]:
        """Ask the peer to end the session; answers that are owed may still be given. Unbound, it ends at once."""
        events: list[Event] = []
        if self._state.bound:
            self._own_unbind = self._number()
            self._watch.leaving(self._watch.at(now))
            self._out.append(encode(Unbind(sequence_number=self._own_unbind)))
            self._become(State.UNBINDING)
        elif self._state in (State.OPEN, State.BINDING):
            self._close("ended before it was bound", events)
        return events

    def abort(self) -> None:
        """End the session at once; what is not yet sent never will be. `closed` still tells what is lost."""
        self._out.clear()
        self._become(State.CLOSED)

    def closed(self) -> list[Event]:
        """The connection is gone: one `Lost` for every request without an answer, in the order sent."""
        events: list[Event] = [Lost(pending.request, pending.context) for pending in self._pending.values()]
        self._pending.clear()
        self._order.clear()
        self.abort()
        return events

    def data_to_send(self) -> bytes:
        """Take what is to be sent now, in order."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def hold(self, now: float) -> None:
        """The host stops reading: until `release` the peer's silence is not the peer's, and no timer runs."""
        self._watch.hold(now)

    def release(self, now: float) -> None:
        """The host reads again."""
        self._watch.release(now)

    # Time

    def next_deadline(self) -> float | None:
        """When `tick` is to be called, None for never. It changes with every other call."""
        if self._state.closed or self._watch.stands_still:
            return None
        due = self._watch.due(self._state)
        if self._order:
            due = min(due, self._pending[self._order[0]].due)
        return None if due == NEVER else self._watch.when(due)

    def tick(self, now: float) -> list[Event]:
        """Do what is due at `now`; may be called at any time."""
        events: list[Event] = []
        if self._state.closed or self._watch.stands_still:
            return events
        listened = self._watch.at(now)
        self._expire(listened, events)
        if not self._state.closed and self._watch.due(self._state) <= listened:
            self._state_is_due(listened, events)
        return events

    def _state_is_due(self, listened: float, events: list[Event]) -> None:
        reason = self._watch.reason_to_close(self._state, listened)
        if reason is None:
            self._enquiry = self._number()
            self._watch.asked(listened)
            self._out.append(encode(EnquireLink(sequence_number=self._enquiry)))
        elif self._ending:
            # The host did not answer all it owes; the peer has waited long enough for the end.
            events.append(self._end())
        else:
            self._close(reason, events)

    def _expire(self, listened: float, events: list[Event]) -> None:
        while self._order and self._pending[self._order[0]].due <= listened:
            request, context, _ = self._remove(self._order[0])
            events.append(Expired(request, context))
            if request.command_id in BOUND_BY and self._state is State.BINDING:
                self._close("the bind was not answered in time", events)

    # What the peer does

    def _take(self, frames: list[bytes], events: list[Event]) -> None:
        for frame in frames:
            try:
                pdu = decode(frame)
            except DecodeError as error:
                self._undecodable(error, events)
                continue
            if pdu.command_id & RESPONSE_BIT:
                self._response(pdu, events)
            else:
                self._request(pdu, events)
            if self._state.closed:
                break

    def _request(self, pdu: Pdu, events: list[Event]) -> None:
        command_id = pdu.command_id
        if command_id not in self._receives:
            self._refuse(pdu, events)
        elif command_id == CommandId.ENQUIRE_LINK:
            self._out.append(encode(EnquireLinkResp(sequence_number=pdu.sequence_number)))
        elif isinstance(pdu, Unbind):
            self._peer_unbinds(pdu, events)
        else:
            if command_id in BOUND_BY:
                self._become(State.BINDING)
            if command_id not in WITHOUT_RESPONSE:
                self._owed += 1
            events.append(Request(pdu))

    def _peer_unbinds(self, pdu: Unbind, events: list[Event]) -> None:
        if self._farewell is not None:
            self._refuse(pdu, events)
            return
        self._farewell = pdu
        self._watch.leaving(self._watch.heard_at)
        self._ending = True
        self._become(State.UNBINDING)
        events.append(Unbound(by_peer=True))
        if not self._owed:
            events.append(self._end())

    def _understands_no_more(self, reason: str, events: list[Event]) -> None:
        """Close, but not before what was understood is answered: unanswered it might be asked again."""
        self._end_reason = self._end_reason or reason
        if self._owed and (self._state.bound or self._state is State.UNBINDING):
            if not self._ending:
                self._watch.leaving(self._watch.heard_at)
            self._ending = True
            self._become(State.UNBINDING)
        else:
            self._close(reason, events)

    def _response(self, pdu: Pdu, events: list[Event]) -> None:
        number = pdu.sequence_number
        pending = self._pending.get(number)
        nack = pdu.command_id == CommandId.GENERIC_NACK
        if pending is None:
            self._own_response(pdu, events)
        elif not nack and pdu.command_id != pending.request.command_id | RESPONSE_BIT:
            self._ignore(pdu, f"it answers a {type(pending.request).__name__} by its sequence number", events)
        else:
            self._remove(number)
            request = pending.request
            events.append(Response(request, pending.context, pdu))
            if request.command_id in BOUND_BY:
                self._bind_answered(request, taken=not nack and pdu.command_status == 0, events=events)

    def _bind_answered(self, request: Pdu, *, taken: bool, events: list[Event]) -> None:
        self._become(BOUND_BY[request.command_id] if taken else State.OPEN)
        if taken:
            events.append(Bound(self._state))

    def _own_response(self, pdu: Pdu, events: list[Event]) -> None:
        """The answer to an enquire_link or unbind of the session itself, or to nothing."""
        number = pdu.sequence_number
        nack = isinstance(pdu, GenericNack)
        if number and number == self._enquiry and (nack or isinstance(pdu, EnquireLinkResp)):
            self._enquiry = 0
        elif number and number == self._own_unbind and (nack or isinstance(pdu, UnbindResp)):
            self._own_unbind = 0
            self._ending = True
            events.append(Unbound(by_peer=False))
            if not self._owed:
                events.append(self._end())
        else:
            self._ignore(pdu, "no request of that sequence number waits for it", events)

    def _undecodable(self, error: DecodeError, events: list[Event]) -> None:
        command_id, number, status = error.command_id, error.sequence_number, error.command_status
        if command_id & RESPONSE_BIT or command_id in WITHOUT_RESPONSE:
            events.append(Ignored(command_id, number, error.reason, None))
            return
        known = PDUS.get(command_id)
        if known is None:
            answer: Pdu = GenericNack(sequence_number=number, command_status=status)
        else:
            answer = response_of(known(sequence_number=number), status)
        self._out.append(encode(answer))
        events.append(Answered(command_id, number, status, error.reason))

    def _refuse(self, pdu: Pdu, events: list[Event]) -> None:
        if pdu.command_id in WITHOUT_RESPONSE:
            self._ignore(pdu, f"it does not belong in the state {self._state.value}", events)
            return
        again = self._role is Role.SMSC and pdu.command_id in BOUND_BY
        status = CommandStatus.ESME_RALYBND if again else CommandStatus.ESME_RINVBNDSTS
        self._out.append(encode(response_of(pdu, status)))
        reason = f"{CommandId(pdu.command_id).name.lower()} does not belong in the state {self._state.value}"
        events.append(Answered(pdu.command_id, pdu.sequence_number, status, reason))

    # Small steps

    def _ignore(self, pdu: Pdu, reason: str, events: list[Event]) -> None:
        events.append(Ignored(pdu.command_id, pdu.sequence_number, reason, pdu))

    def _number(self) -> int:
        while True:
            self._sequence = self._sequence % MAX_SEQUENCE_NUMBER + 1
            if self._sequence not in self._pending:
                return self._sequence

    def _remove(self, number: int) -> _Pending:
        pending = self._pending.pop(number)
        order = self._order
        while order and order[0] not in self._pending:
            order.popleft()
        return pending

    def _end(self) -> Close:
        if self._farewell is not None:
            self._out.append(encode(UnbindResp(sequence_number=self._farewell.sequence_number)))
        self._become(State.CLOSED)
        return Close(self._end_reason or ("unbound by the peer" if self._farewell else "unbound"))

    def _close(self, reason: str, events: list[Event]) -> None:
        self._become(State.CLOSED)
        events.append(Close(reason))

    def _become(self, state: State) -> None:
        self._state = state
        self._sends = MAY_SEND[self._role][state]
        self._receives = MAY_SEND[self._role.peer][state]
