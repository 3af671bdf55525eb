"""Submits at the counter: refused, or written down, answered and reported by the rules of their numbers."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from gateway import clock, logs
from gateway.carriers.base import Throttled
from gateway.carriers.rules import AGAIN, OTHERS, Rule, rule
from gateway.links.link import Link
from gateway.messaging.states import State
from gateway.smpp import udh
from gateway.smpp.constants import (
    ESM_UDHI,
    RECEIPT_FAILURE,
    RECEIPT_FINAL,
    RECEIPT_MASK,
    CommandStatus,
    MessageState,
    Tag,
)
from gateway.smpp.pdu import DataSm, Pdu, SubmitSm, response_of
from gateway.smsc.agenda import Agenda
from gateway.smsc.journal import Journal
from gateway.smsc.options import Options
from gateway.smsc.outbox import Delivery, Outbox
from gateway.smsc.styles import IDS, Taken, receipt

Submit = SubmitSm | DataSm

FIELDS = (
    *("id", "at", "system_id", "source", "destination", "reference", "seq", "total"),
    *("data_coding", "esm_class", "udh", "text"),
)
"""What a line of the journal holds."""

_MESSAGE_STATES = {
    State.DELIVERED: (MessageState.DELIVERED, "000"),
    State.UNDELIVERED: (MessageState.UNDELIVERABLE, "027"),
    State.EXPIRED: (MessageState.EXPIRED, "031"),
}
_WRONG_BY = 1_000_000  # what is added to a wrong sequence_number
_LAST = 0x7FFFFFFF
_REMEMBERED = 100_000  # throttled segments of which it is known that they were


@dataclass(frozen=True, slots=True)
class Part:
    """What a segment says of the message it is of: UDH or sar_* TLVs, None where it says nothing."""

    header: bytes
    octets: bytes
    reference: int | None = None
    total: int | None = None
    seq: int | None = None


class Counter:
    """Takes submits. Raises OSError where the journal cannot be written."""

    def __init__(self, options: Options, agenda: Agenda, outbox: Outbox) -> None:
        self._options = options
        self._agenda = agenda
        self._outbox = outbox
        self._journal = Journal(options.journal)
        # Never the same again after a restart: nothing takes a million segments a second.
        self._last = clock.now()
        self._answers = 0
        self._unanswered = Agenda()
        self._throttled: OrderedDict[tuple[object, ...], None] = OrderedDict()
        self._tokens = max(1.0, options.throughput or 0.0)
        self._refilled = asyncio.get_running_loop().time()

    def take(self, link: Link, system_id: str, submits: list[Submit]) -> None:
        """Answer submits after the latency, and report on them."""
        now = clock.now()
        answers: list[Pdu] = []
        lines: list[dict[str, Any]] = []
        reports: list[tuple[Rule, Taken]] = []
        for pdu in submits:
            what = rule(pdu.destination_addr)
            part = _part(pdu)
            status = self._refusal(pdu, what, part)
            if status != CommandStatus.ESME_ROK:
                answers.append(response_of(pdu, status))
                continue
            self._last += 1
            identity = IDS[self._options.style.answer](self._last)
            answers.append(response_of(pdu, message_id=identity))
            if self._journal.kept:
                lines.append(_line(identity, system_id, pdu, part, now))
            state = _MESSAGE_STATES[what.state][0]
            if what.delay is not None and _wanted(pdu.registered_delivery, state):
                reports.append((what, _taken(self._last, system_id, pdu, part, now)))
        try:
            self._journal.took(lines)
        except OSError as error:
            logs.error("the journal cannot be written", why=error.strerror)
            answers = [response_of(pdu, CommandStatus.ESME_RSYSERR) for pdu in submits]
            reports = []
        for what, taken in reports:
            if what.early:
                self._report(what, taken)
        later = [(what, taken) for what, taken in reports if not what.early]
        self._unanswered.after(self._options.latency, self._answer, link, answers, later)

    def answer_all(self) -> None:
        """Answer at once what the latency still holds back."""
        self._unanswered.hurry()

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def _refusal(self, pdu: Submit, what: Rule, part: Part) -> CommandStatus:
        if not self._within_throughput():
            return CommandStatus.ESME_RTHROTTLED
        if isinstance(what.refused, Throttled):
            # The second attempt is told from another message by all that a second attempt has in common with it.
            key = (pdu.source_addr, pdu.destination_addr, part)
            if key not in self._throttled:
                self._throttled[key] = None
                if len(self._throttled) > _REMEMBERED:
                    self._throttled.popitem(last=False)
                return CommandStatus.ESME_RTHROTTLED
            del self._throttled[key]
        elif what.refused is not None:
            return CommandStatus.ESME_RINVDSTADR
        return CommandStatus.ESME_ROK

    def _within_throughput(self) -> bool:
        """Whether there is a token left; a second's worth of them can be saved up."""
        rate = self._options.throughput
        if rate is None:
            return True
        now = asyncio.get_running_loop().time()
        self._tokens = min(max(1.0, rate), self._tokens + (now - self._refilled) * rate)
        self._refilled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _answer(self, link: Link, answers: list[Pdu], reports: list[tuple[Rule, Taken]]) -> None:
        every = self._options.wrong_sequence
        for answer in answers:
            self._answers += 1
            if every is not None and self._answers % every == 0:
                answer.sequence_number = (answer.sequence_number + _WRONG_BY) % _LAST + 1
            link.respond(answer)
        for what, taken in reports:
            usual = what.delay == OTHERS.delay
            seconds = self._options.receipt_delay if usual else (what.delay or 0) / clock.SECOND
            if self._options.style.progress:
                self._push(taken, MessageState.ENROUTE, "000")
            self._agenda.after(seconds, self._report, what, taken)

    def _report(self, what: Rule, taken: Taken, copies: int | None = None) -> None:
        state, err = _MESSAGE_STATES[what.state]
        left = (what.copies if copies is None else copies) - 1

        def done() -> None:
            if left:
                self._agenda.after(AGAIN, self._report, what, taken, left)

        self._push(taken, state, err, done)

    def _push(self, taken: Taken, state: MessageState, err: str, done: Any = None) -> None:
        pdu = receipt(self._options.style, taken, state, err, clock.now())
        self._outbox.push(Delivery(taken.system_id, pdu, done))


def _wanted(registered_delivery: int, state: MessageState) -> bool:
    asked = registered_delivery & RECEIPT_MASK
    return asked == RECEIPT_FINAL or (asked == RECEIPT_FAILURE and state is not MessageState.DELIVERED)


def _part(pdu: Submit) -> Part:
    octets = pdu.short_message if isinstance(pdu, SubmitSm) else b""
    octets = octets or pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    sar = [pdu.tlvs.get(tag) for tag in (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)]
    if None not in sar:
        return Part(b"", octets, *(int.from_bytes(number or b"", "big") for number in sar))
    if pdu.esm_class & ESM_UDHI:
        try:
            header, rest = udh.split_udh(octets)
            found = udh.concatenation(header)
        except ValueError:
            return Part(b"", octets)
        if found is None:
            return Part(header, rest)
        return Part(header, rest, found.reference, found.total, found.part)
    return Part(b"", octets)


def _taken(number: int, system_id: str, pdu: Submit, part: Part, now: int) -> Taken:
    return Taken(
        number,
        system_id,
        (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr),
        (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr),
        now,
        "".join(chr(octet) for octet in part.octets[:20] if 32 <= octet < 127),
    )


def _line(identity: str, system_id: str, pdu: Submit, part: Part, now: int) -> dict[str, Any]:
    values = (
        *(identity, now, system_id, pdu.source_addr, pdu.destination_addr, part.reference, part.seq, part.total),
        *(pdu.data_coding, pdu.esm_class, part.header.hex(), part.octets.hex()),
    )
    return dict(zip(FIELDS, values, strict=True))
