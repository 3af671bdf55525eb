"""A request on a bound session: what the log keeps of it, and its one answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from itertools import islice
from operator import attrgetter
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from gateway.operations.errors import Code
from gateway.pipeline import sessions
from gateway.pipeline.redact import REDACTED
from gateway.smpp.constants import Tag
from gateway.smpp.pdu import CancelSm, DataSm, Pdu, QuerySm, ReplaceSm, SmeAddress, SubmitMulti, SubmitSm, response_of

if TYPE_CHECKING:
    from gateway.frontends.smpp.bound import Bound
    from gateway.storage.records import Access
    from gateway.storage.submission import Row

_TEXT_LIMIT = 1000
_DESTINATIONS = 20
_TLVS = 20
_TLV_OCTETS = 64
# The TLVs that are read; of others only as much is kept as the log shows.
_READ = (
    Tag.MESSAGE_PAYLOAD,
    Tag.SAR_MSG_REF_NUM,
    Tag.SAR_TOTAL_SEGMENTS,
    Tag.SAR_SEGMENT_SEQNUM,
    Tag.USER_MESSAGE_REFERENCE,
)
_METHODS: dict[type[Pdu], str] = {
    SubmitSm: "submit_sm",
    SubmitMulti: "submit_multi",
    QuerySm: "query_sm",
    CancelSm: "cancel_sm",
    ReplaceSm: "replace_sm",
    DataSm: "data_sm",
}
# What is no parameter of the operation, or is shown in another way.
_LEFT_OUT = frozenset(("short_message", "tlvs", "sequence_number", "command_status", "dest_addresses"))


def _fields(kind: type[Pdu]) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    names = tuple(field.name for field in fields(kind) if field.name not in _LEFT_OUT)
    return names, attrgetter(*names)


_FIELDS = {kind: _fields(kind) for kind in _METHODS}


class Request:
    """One request, from its reading to its answer. Times: `received_at` in UTC microseconds."""

    __slots__ = ("access", "bound", "pdu", "received_at", "started")

    def __init__(self, bound: Bound, pdu: Pdu, received_at: int) -> None:
        if pdu.tlvs:
            pdu.tlvs = _kept(pdu.tlvs)
        self.bound = bound
        self.pdu = pdu
        self.access: Access = bound.access
        self.received_at = received_at
        self.started = perf_counter_ns()

    @property
    def method(self) -> str:
        """The standard's name of the request."""
        return _METHODS[type(self.pdu)]

    @property
    def id(self) -> str:
        """What the process's own log and the log of calls have in common: the session and the sequence_number."""
        return f"{self.bound.id}-{self.pdu.sequence_number}"

    def answer(self, status: int = 0, **fields: Any) -> None:
        """Answer; once."""
        self.bound.answer(response_of(self.pdu, status, **fields))

    def row(
        self, log_id: int, outcome: str, response: str, text: object = None, message_id: int | None = None
    ) -> Row:
        """The request's log row. `text` stands for the text of a message, None where there is none."""
        return sessions.row(
            log_id,
            self.access,
            self.bound.source_ip,
            self.method,
            parameters(self.pdu, REDACTED if text is not None and self.access.account.redact_text else text),
            outcome,
            response,
            message_id,
            self.received_at,
            self.started,
            self.id,
        )

    def refused_row(self, log_id: int, code: Code, detail: str, status: int, text: str | None) -> Row:
        """The log row of a refusal."""
        if text is not None and len(text) > _TEXT_LIMIT:
            text = f"{text[:_TEXT_LIMIT]}…[{len(text)} characters]"
        return self.row(log_id, code.value, sessions.refused(code, detail, status), text)


def parameters(pdu: Pdu, text: object) -> dict[str, object]:
    """What is logged of a request: its fields that are not null, its TLVs, and `text` in place of its text."""
    names, values = _FIELDS[type(pdu)]
    shown: dict[str, object] = {name: value for name, value in zip(names, values(pdu), strict=True) if value}
    if isinstance(pdu, SubmitMulti):
        shown["dest_addresses"] = _destinations(pdu)
    if pdu.tlvs:
        for tag, value in list(pdu.tlvs.items())[:_TLVS]:
            if tag != Tag.MESSAGE_PAYLOAD:
                shown[_tag_name(tag)] = value[:_TLV_OCTETS].hex()
    if text is not None:
        shown["short_message"] = text
    return shown


def _kept(tlvs: dict[int, bytes]) -> dict[int, bytes]:
    """Thousands of requests may wait for a commit: 64 kB of what nobody reads are not to wait with each."""
    if len(tlvs) <= _TLVS and max(map(len, tlvs.values())) <= _TLV_OCTETS:
        return tlvs
    kept = {tag: value[:_TLV_OCTETS] for tag, value in islice(tlvs.items(), _TLVS)}
    kept.update((tag, tlvs[tag]) for tag in _READ if tag in tlvs)
    return kept


def _destinations(pdu: SubmitMulti) -> list[str]:
    listed = pdu.dest_addresses
    names = [one.destination_addr if isinstance(one, SmeAddress) else one.dl_name for one in listed[:_DESTINATIONS]]
    return names if len(listed) <= _DESTINATIONS else [*names, f"[{len(listed) - _DESTINATIONS} more]"]


def _tag_name(tag: int) -> str:
    try:
        return Tag(tag).name.lower()
    except ValueError:
        return f"0x{tag:04x}"
