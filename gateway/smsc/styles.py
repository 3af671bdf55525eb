"""Receipts as SMSCs of different makes write them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from gateway.clock import SECOND
from gateway.smpp.constants import (
    ESM_TYPE_DELIVERY_RECEIPT,
    ESM_TYPE_INTERMEDIATE_NOTIFICATION,
    MessageState,
    Tag,
)
from gateway.smpp.pdu import DataSm, DeliverSm
from gateway.smpp.receipts import TEXT_LENGTH, WORDS

_UUID = ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))

IDS: Mapping[str, Callable[[int], str]] = {
    "decimal": str,
    "hex": "{:x}".format,
    "HEX": "{:X}".format,
    "padded": "{:020}".format,
    "uuid": lambda number: "-".join(f"{number:032x}"[start:end] for start, end in _UUID),
}
"""How an id can be written."""

_MINUTES, _SECONDS, _CENTURY = "%y%m%d%H%M", "%y%m%d%H%M%S", "%Y%m%d%H%M%S"
_LONG_WORDS = {
    **WORDS,
    MessageState.DELIVERED: "DELIVERED",
    MessageState.UNDELIVERABLE: "UNDELIVERABLE",
    MessageState.REJECTED: "REJECTED",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Style:
    """How ids and receipts are written; as it stands, as the standard has it.

    `answer` and `receipt` are names of `IDS`. `marked`: esm_class says what it is. `progress`: an intermediate
    notification comes first.
    """

    answer: str = "decimal"
    receipt: str = "decimal"
    tlvs: bool = True
    text: bool = True
    marked: bool = True
    payload: bool = False
    data_sm: bool = False
    progress: bool = False
    short: bool = False
    lower: bool = False
    dates: str = _MINUTES
    long_words: bool = False


class Known(NamedTuple):
    """A style by its name: what it is, and what of `Style` it sets."""

    meaning: str
    sets: Mapping[str, Any]


STYLES: Mapping[str, Known] = {
    "canonical": Known("ids decimal, text of appendix B, TLVs", {}),
    "hex": Known("ids hexadecimal", {"answer": "hex", "receipt": "hex"}),
    "hex-decimal": Known("ids hexadecimal in the answer, decimal in the receipt", {"answer": "hex"}),
    "decimal-hex": Known("ids decimal in the answer, hexadecimal in the receipt", {"receipt": "hex"}),
    "padded": Known("ids with leading zeros in the receipt", {"receipt": "padded"}),
    "stripped": Known("ids with leading zeros in the answer, without them in the receipt", {"answer": "padded"}),
    "upper": Known("ids abcdef in the answer, ABCDEF in the receipt", {"answer": "hex", "receipt": "HEX"}),
    "lower": Known("ids ABCDEF in the answer, abcdef in the receipt", {"answer": "HEX", "receipt": "hex"}),
    "uuid": Known("ids that are no numbers", {"answer": "uuid", "receipt": "uuid"}),
    "text-only": Known("no TLVs", {"tlvs": False}),
    "tlv-only": Known("TLVs and no text", {"text": False}),
    "unmarked": Known("esm_class 0, as if it were a message", {"marked": False}),
    "payload": Known("text in the TLV message_payload", {"payload": True}),
    "data-sm": Known("in a data_sm", {"data_sm": True, "payload": True}),
    "progress": Known("an intermediate notification (ENROUTE) before the receipt", {"progress": True}),
    "seconds": Known("dates YYMMDDhhmmss", {"dates": _SECONDS}),
    "century": Known("dates YYYYMMDDhhmmss", {"dates": _CENTURY}),
    "words": Known("DELIVERED, UNDELIVERABLE instead of DELIVRD, UNDELIV", {"long_words": True}),
    "short": Known("no more of the text than id and stat", {"short": True}),
    "lower-text": Known("the text in small letters", {"lower": True}),
}
"""What can be asked for. Several can be, as long as they do not contradict each other."""

_SUBJECTS = {"answer": "ids", "receipt": "ids", "tlvs": "places", "text": "places", "dates": "dates"}
"""What only one of the styles may be about."""


def style(names: str) -> Style:
    """The style of names with commas between them.

    Raises ValueError, its text one sentence, for a name that is unknown and for two that contradict each other.
    """
    made = Style()
    by_subject: dict[str, str] = {}
    for name in map(str.strip, names.split(",")):
        known = STYLES.get(name)
        if known is None:
            raise ValueError(f"{name[:40]!r} is no style of receipts; there are {', '.join(STYLES)}.")
        for subject in {_SUBJECTS.get(what, what) for what in known.sets}:
            other = by_subject.setdefault(subject, name)
            if other != name and subject in _SUBJECTS.values():
                raise ValueError(f"{other} and {name} contradict each other.")
        made = replace(made, **known.sets)
    return made


@dataclass(slots=True)
class Taken:
    """A segment that was taken, as its receipt needs it; the time is UTC microseconds."""

    number: int
    system_id: str
    source: tuple[int, int, str]
    destination: tuple[int, int, str]
    at: int
    head: str


def receipt(style: Style, taken: Taken, state: MessageState, err: str, now: int) -> DeliverSm | DataSm:
    """The receipt that says so at `now` (UTC microseconds). ENROUTE makes an intermediate notification."""
    # A receipt goes the other way (appendix B).
    source, destination = taken.destination, taken.source
    final = state is not MessageState.ENROUTE
    kind = ESM_TYPE_DELIVERY_RECEIPT if final else ESM_TYPE_INTERMEDIATE_NOTIFICATION
    esm_class = kind if style.marked else 0
    identity = IDS[style.receipt](taken.number)
    tlvs: dict[int, bytes] = {}
    if style.tlvs:
        tlvs[Tag.RECEIPTED_MESSAGE_ID] = identity.encode("ascii") + b"\0"
        tlvs[Tag.MESSAGE_STATE] = bytes([state])
    octets = _text(style, taken, identity, state, err, now) if style.text else b""
    if style.payload:
        tlvs[Tag.MESSAGE_PAYLOAD] = octets
    if style.data_sm:
        return DataSm("", *source, *destination, esm_class, tlvs=tlvs)
    short_message = b"" if style.payload else octets
    return DeliverSm("", *source, *destination, esm_class, short_message=short_message, tlvs=tlvs)


def _text(style: Style, taken: Taken, identity: str, state: MessageState, err: str, now: int) -> bytes:
    stat = (_LONG_WORDS if style.long_words else WORDS)[state]
    if style.short:
        text = f"id:{identity} stat:{stat}"
    else:
        delivered = int(state is MessageState.DELIVERED)
        text = (
            f"id:{identity} sub:001 dlvrd:{delivered:03} submit date:{_date(style.dates, taken.at // SECOND)}"
            f" done date:{_date(style.dates, now // SECOND)} stat:{stat} err:{err} text:{taken.head[:TEXT_LENGTH]}"
        )
    return (text.lower() if style.lower else text).encode("ascii", "replace")


@lru_cache
def _date(pattern: str, seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).strftime(pattern)
