"""From a carrier's outcomes, segment by segment, to what is recorded of each message."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gateway.carriers.base import (
    Final,
    InDoubt,
    NextRoute,
    Outcome,
    Outgoing,
    Retry,
    Submitted,
    Throttled,
    clip,
)
from gateway.dispatch.retry import REFUSED, THROTTLED, Backoff
from gateway.messaging.states import State
from gateway.storage.queries.dispatch.answers import Answers

NextCarrier = Callable[[str], int | None]
"""The carrier that serves a destination after the present one, or None."""


@dataclass(slots=True)
class Hand:
    """A message of which segments are on their way; `earlier` ones the carrier took at a former attempt."""

    open: int
    earlier: int = 0
    outcomes: list[Outcome] = field(default_factory=list)


@dataclass(slots=True)
class Judge:
    """Collects what is to be recorded. `next_carrier` knows the routes, the back-offs how long to wait.

    After `retries` refusals for now a message tries the next carrier, if there is one.
    """

    next_carrier: NextCarrier
    refused: Backoff = REFUSED
    throttled: Backoff = THROTTLED
    retries: int = 3
    hands: dict[int, Hand] = field(default_factory=dict)
    answers: Answers = field(default_factory=Answers)

    def take(self, outgoing: Iterable[Outgoing]) -> None:
        """Expect the answers of segments that are about to leave."""
        hands = self.hands
        for item in outgoing:
            hand = hands.get(item.message_id)
            if hand is None:
                hands[item.message_id] = hand = Hand(0, earlier=item.total)
            hand.open += 1
            hand.earlier -= 1

    def hear(self, given: Iterable[tuple[Outgoing, Outcome]], now: int) -> None:
        """Add outcomes to what is to be recorded."""
        answers, hands = self.answers, self.hands
        taken, sent = answers.taken, answers.sent
        for item, outcome in given:
            message_id = item.message_id
            if isinstance(outcome, Submitted):
                taken.append((outcome.ref, now, message_id, item.seq, item.attempt))
                if outcome.others:
                    answers.others.update(dict.fromkeys(outcome.others, outcome.ref))
                if item.total == 1:
                    del hands[message_id]
                    sent.append((now, message_id))
                    continue
            elif not isinstance(outcome, InDoubt):
                error = outcome.error
                answers.refused.append((error and clip(error), now, message_id, item.seq, item.attempt))
            hand = hands[message_id]
            hand.outcomes.append(outcome)
            if len(hand.outcomes) == hand.open:
                del hands[message_id]
                self._conclude(item, hand, now)

    def recorded(self) -> None:
        """What was collected is on disk."""
        self.answers = Answers()

    def _conclude(self, item: Outgoing, hand: Hand, now: int) -> None:
        """Every segment of this attempt has its outcome: decide what becomes of the message."""
        by_kind: dict[type, Outcome] = {}
        for outcome in hand.outcomes:
            by_kind.setdefault(outcome.__class__, outcome)
        final = by_kind.get(Final)
        if isinstance(final, Final):
            self.answers.ended.append((final.state, clip(final.error), item.message_id))
        elif InDoubt in by_kind:
            self.answers.doubtful.append(item.message_id)
        elif by_kind.keys() == {Submitted}:
            self.answers.sent.append((now, item.message_id))
            self.answers.long.append(item.message_id)
        elif NextRoute in by_kind and self._whole(hand, by_kind):
            self._elsewhere(item, by_kind[NextRoute], now)
        else:
            self._again(item, hand, by_kind, now)

    @staticmethod
    def _whole(hand: Hand, by_kind: dict[type, Outcome]) -> bool:
        """Whether the carrier has no segment of it: all of a message goes to one carrier."""
        return Submitted not in by_kind and not hand.earlier

    def _elsewhere(self, item: Outgoing, outcome: Outcome, now: int) -> None:
        error = clip(getattr(outcome, "error", ""))
        carrier_id = self.next_carrier(item.destination)
        if carrier_id is None:
            self.answers.ended.append((State.REJECTED, error, item.message_id))
        elif now >= item.expires_at:
            self.answers.ended.append((State.EXPIRED, error, item.message_id))
        else:
            self.answers.elsewhere.append((carrier_id, now, item.refusals, error, item.message_id))

    def _again(self, item: Outgoing, hand: Hand, by_kind: dict[type, Outcome], now: int) -> None:
        """To the same carrier later, unless that would be past the validity."""
        reason = by_kind.get(Retry) or by_kind.get(NextRoute) or by_kind.get(Throttled)
        refusals = item.refusals + (reason is not None and not isinstance(reason, Throttled))
        if isinstance(reason, Retry) and refusals % (self.retries + 1) == 0 and self._whole(hand, by_kind):
            carrier_id = self.next_carrier(item.destination)
            if carrier_id is not None and now < item.expires_at:
                self.answers.elsewhere.append((carrier_id, now, refusals, clip(reason.error), item.message_id))
                return
        if reason is None:
            delay, error = 0, None
        elif isinstance(reason, Throttled):
            delay, error = self.throttled.delay(item.attempt - refusals), clip(reason.error)
        else:
            delay, error = self.refused.delay(refusals), clip(getattr(reason, "error", ""))
        if now + delay >= item.expires_at:
            self.answers.ended.append((State.EXPIRED, error, item.message_id))
        else:
            self.answers.again.append((now + delay, refusals, error, item.message_id))
