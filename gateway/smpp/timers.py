"""The timers of a session (SMPP 3.4, section 7.2), on a clock that stands still while the host does not read."""

from dataclasses import dataclass

from gateway.smpp.states import State

NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Timers:
    """How long a session waits, in seconds. 0 turns `enquire_link` and `inactivity` off.

    `session_init`: from the connection until it is bound. `enquire_link`: of silence until the peer is asked
    whether it lives. `inactivity`: of silence until the connection is given up, whatever was asked; any PDU breaks
    the silence, answers to enquire_link too, so that a receiver may wait all night. `response`: until a request
    of ours counts as unanswered.
    """

    session_init: float = 10
    enquire_link: float = 30
    inactivity: float = 120
    response: float = 30

    def __post_init__(self) -> None:
        if self.session_init <= 0 or self.response <= 0 or self.enquire_link < 0 or self.inactivity < 0:
            raise ValueError("session_init and response must be above 0, enquire_link and inactivity 0 or above")


class Watch:
    """When a session's state calls for something, and for what.

    `hold` and `release` say that the host stops reading and reads again. In between, time stands still: a peer is
    not silent because nobody listens. All other times are seconds listened, as `at` gives them.
    """

    __slots__ = ("_asked_at", "_held_at", "_lag", "_leaving_at", "_opened_at", "_timers", "heard_at")

    def __init__(self, timers: Timers, now: float) -> None:
        self._timers = timers
        self._held_at: float | None = None
        self._lag = 0.0
        self._opened_at = self.heard_at = self._leaving_at = now
        self._asked_at: float | None = None

    @property
    def stands_still(self) -> bool:
        """Whether the host does not read."""
        return self._held_at is not None

    def hold(self, now: float) -> None:
        """The host stops reading."""
        if self._held_at is None:
            self._held_at = now

    def release(self, now: float) -> None:
        """The host reads again."""
        if self._held_at is not None:
            self._lag += now - self._held_at
            self._held_at = None

    def at(self, now: float) -> float:
        """The seconds listened until `now`."""
        return (now if self._held_at is None else self._held_at) - self._lag

    def when(self, listened: float) -> float:
        """The inverse of `at`, if the host goes on reading."""
        return listened + self._lag

    def heard(self, now: float) -> None:
        """Something came. Any sign of life is as good as the answer to an enquire_link."""
        self.heard_at = self.at(now)
        self._asked_at = None

    def asked(self, listened: float) -> None:
        """An enquire_link was sent."""
        self._asked_at = listened

    def leaving(self, listened: float) -> None:
        """An unbind was sent, or read and not yet answered."""
        self._leaving_at = listened

    def response_due(self, now: float) -> float:
        """When a request sent now expires."""
        return self.at(now) + self._timers.response

    def due(self, state: State) -> float:
        """When the state calls for something."""
        if not state.bound:
            timers = self._timers
            leaving = state is State.UNBINDING
            return self._leaving_at + timers.response if leaving else self._opened_at + timers.session_init
        return min(self._silence_due(), self._enquiry_due())

    def reason_to_close(self, state: State, listened: float) -> str | None:
        """Once `due` has come: why the connection is to be closed, or None to send an enquire_link."""
        timers = self._timers
        if state is State.UNBINDING:
            return f"the unbind was not answered within {timers.response:g} s"
        if not state.bound:
            return f"not bound within {timers.session_init:g} s"
        if self._silence_due() <= listened:
            return f"nothing came for {timers.inactivity:g} s"
        return None if self._asked_at is None else f"the enquire_link was not answered within {timers.response:g} s"

    def _silence_due(self) -> float:
        return self.heard_at + self._timers.inactivity if self._timers.inactivity else NEVER

    def _enquiry_due(self) -> float:
        if self._asked_at is not None:
            return self._asked_at + self._timers.response
        return self.heard_at + self._timers.enquire_link if self._timers.enquire_link else NEVER
