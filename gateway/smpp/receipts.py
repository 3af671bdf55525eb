"""Delivery receipts: the text of SMPP 3.4, appendix B, and the TLVs that carry the same.

They are written as the appendix says and read as vendors write them. The appendix is no part of the standard
proper, so every SMSC has its own idea of it: fields that are missing or in another order, other dates, whole
words for the states, no TLVs or nothing but TLVs, an esm_class that does not say what it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from gateway.smpp.constants import (
    ESM_TYPE_DELIVERY_RECEIPT,
    ESM_TYPE_INTERMEDIATE_NOTIFICATION,
    ESM_TYPE_MASK,
    ESM_UDHI,
    MessageState,
    Tag,
)
from gateway.smpp.pdu import DataSm, DeliverSm

TEXT_LENGTH = 20
"""Most characters of the message that a receipt repeats (appendix B)."""

WORDS: Mapping[MessageState, str] = {
    MessageState.ENROUTE: "ENROUTE",
    MessageState.DELIVERED: "DELIVRD",
    MessageState.EXPIRED: "EXPIRED",
    MessageState.DELETED: "DELETED",
    MessageState.UNDELIVERABLE: "UNDELIV",
    MessageState.ACCEPTED: "ACCEPTD",
    MessageState.UNKNOWN: "UNKNOWN",
    MessageState.REJECTED: "REJECTD",
}
"""How `stat` says a state (appendix B, table B-2, and ENROUTE for intermediate notifications)."""

# What else is seen, without what the beginnings below catch.
_OTHER_WORDS = {
    "FAILED": MessageState.UNDELIVERABLE,
    "FAIL": MessageState.UNDELIVERABLE,
    "CANCELLED": MessageState.DELETED,
    "CANCELED": MessageState.DELETED,
    "SKIPPED": MessageState.DELETED,
    "SCHEDULED": MessageState.ENROUTE,
    "SUBMITTED": MessageState.ENROUTE,
    "SENT": MessageState.ENROUTE,
    "BUFFERED": MessageState.ENROUTE,
    "BUFFRED": MessageState.ENROUTE,
}
# DELIVERED, UNDELIVERABLE, ACCEPTED, REJECTED, and words cut at some length, all begin so.
_BEGINNINGS = (
    ("DELIV", MessageState.DELIVERED),
    ("EXPIR", MessageState.EXPIRED),
    ("DELET", MessageState.DELETED),
    ("UNDEL", MessageState.UNDELIVERABLE),
    ("ACCEP", MessageState.ACCEPTED),
    ("REJEC", MessageState.REJECTED),
    ("ENROU", MessageState.ENROUTE),
    ("UNKNO", MessageState.UNKNOWN),
)
_STATES = {word: state for state, word in WORDS.items()} | _OTHER_WORDS

_KEY = re.compile(r"(?<![^\s,;|])(id|sub|dlvrd|submit[ _-]?date|done[ _-]?date|stat|err|text)\s*[:=]", re.IGNORECASE)
_NAMES = {f"{which}{between}date": f"{which}date" for which in ("submit", "done") for between in " _-"}
# As most write it, in one go; what it takes apart the general way takes apart alike.
_USUAL = re.compile(
    r"id:([^\s\0,;|]+) sub:[^\s\0,;|]+ dlvrd:[^\s\0,;|]+ submit date:([0-9]+) done date:([0-9]+)"
    r" stat:([^\s\0,;|]+) err:([^\s\0,;|]+) text:(.*)",
    re.IGNORECASE | re.DOTALL,
)
_USUAL_NAMES = ("id", "submitdate", "donedate", "stat", "err", "text")
_LONGEST_DATE = 64
# A message of the network that merely begins like one would be lost: it takes an id, a state that is one, and more.
_PLAIN = re.compile(r"\s*id\s*[:=]", re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DIGITS = re.compile("[0-9]+")
_NUMBERS = frozenset(map(int, MessageState))
_NO_LETTERS = re.compile(r"[^ -~]")


@dataclass(slots=True)
class DeliveryReceipt:
    """What an SMSC says became of a message.

    `id` is the SMSC's, in the receipt's own spelling, "" where it names none. `err` is the network's or the
    SMSC's error, "" if not given. Times are UTC microseconds, None if not given; receipts do not tell their time
    zone, so UTC is assumed. `text` is the beginning of the message.
    """

    id: str
    state: MessageState
    err: str = ""
    submitted_at: int | None = None
    done_at: int | None = None
    text: str = ""


def format(receipt: DeliveryReceipt) -> bytes:  # noqa: A001 (the counterpart of parse, used as receipts.format)
    """The text of appendix B, in ASCII, for data_coding 0; a time that is None is all zeros."""
    delivered = receipt.state is MessageState.DELIVERED
    return (
        f"id:{receipt.id} sub:001 dlvrd:{int(delivered):03} submit date:{_written(receipt.submitted_at)}"
        f" done date:{_written(receipt.done_at)} stat:{WORDS[receipt.state]} err:{receipt.err[:3] or '000'}"
        f" text:{_NO_LETTERS.sub('?', receipt.text[:TEXT_LENGTH])}"
    ).encode("ascii", "replace")


def parse(short_message: bytes, tlvs: Mapping[int, bytes]) -> DeliveryReceipt | None:
    """Read a receipt's short_message (or message_payload, where that is empty) and TLVs; None where it is none.

    Where text and TLVs tell the same, the TLVs are right. A state that is missing or that nobody knows is UNKNOWN.
    """
    fields = _fields(_decoded(short_message or tlvs.get(Tag.MESSAGE_PAYLOAD, b"")))
    identity = _string(tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b"")) or _first_word(fields.get("id", ""))
    state = _state_of(tlvs.get(Tag.MESSAGE_STATE, b"")) or _state_said(fields.get("stat", ""))
    if not identity and state is None:
        return None
    return DeliveryReceipt(
        identity,
        MessageState.UNKNOWN if state is None else state,
        _first_word(fields.get("err", "")) or _network_error(tlvs.get(Tag.NETWORK_ERROR_CODE, b"")),
        _read(fields.get("submitdate", "")),
        _read(fields.get("donedate", "")),
        fields.get("text", ""),
    )


def is_receipt(pdu: DeliverSm | DataSm) -> bool:
    """Whether it reports on a message instead of being one; intermediate notifications report, too.

    Told by esm_class (5.2.12), by the TLV receipted_message_id, or by a text that is plainly a receipt's.
    """
    kind = pdu.esm_class & ESM_TYPE_MASK
    if kind in (ESM_TYPE_DELIVERY_RECEIPT, ESM_TYPE_INTERMEDIATE_NOTIFICATION):
        return True
    if kind or pdu.esm_class & ESM_UDHI:
        return False
    if Tag.RECEIPTED_MESSAGE_ID in pdu.tlvs:
        return True
    short_message = pdu.short_message if isinstance(pdu, DeliverSm) else b""
    text = _decoded(short_message or pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b""))
    if not _PLAIN.match(text):
        return False
    fields = _fields(text)
    return bool(fields["id"]) and _state_said(fields.get("stat", "")) is not None and len(fields) > 2


def _decoded(octets: bytes) -> str:
    """Receipts are ASCII but for the text they repeat; some come in UCS-2, told by the NULs between letters."""
    if octets[:1] == b"\0":
        return octets.decode("utf-16-be", "replace")
    return octets.decode("latin-1")


def _fields(text: str) -> dict[str, str]:
    """The fields by name, without what separates them. Nothing after `text` is taken for a field that came before."""
    usual = _USUAL.fullmatch(text)
    if usual is not None:
        return dict(zip(_USUAL_NAMES, usual.groups(), strict=True))
    keys = list(_KEY.finditer(text))
    fields: dict[str, str] = {}
    for index, key in enumerate(keys):
        name = key[1].lower()
        name = _NAMES.get(name, name)
        if name in fields:
            continue
        end = keys[index + 1].start() if index + 1 < len(keys) else len(text)
        if name == "text" and {"id", "stat"} <= fields.keys():
            fields[name] = text[key.end() :]
            break
        fields[name] = text[key.end() : end].strip(" \t\r\n\0,;|")
    return fields


def _string(octets: bytes) -> str:
    return octets.split(b"\0", 1)[0].decode("latin-1").strip()


def _first_word(text: str) -> str:
    # White space of Latin-1 and the separators of ASCII may be all that there is.
    words = text.split(maxsplit=1)
    return words[0] if words else ""


def _state_of(octets: bytes) -> MessageState | None:
    number = int.from_bytes(octets, "big")
    return MessageState(number) if number in _NUMBERS else None


def _state_said(text: str) -> MessageState | None:
    word = _first_word(text).upper()
    known = _STATES.get(word)
    if known is not None:
        return known
    for beginning, state in _BEGINNINGS:
        if word.startswith(beginning):
            return state
    return None


def _network_error(octets: bytes) -> str:
    """network_error_code is the kind of network and a number (5.3.2.31)."""
    return f"{int.from_bytes(octets[1:], 'big'):03}" if len(octets) == 3 else ""


def _read(text: str) -> int | None:
    return _date(text) if 0 < len(text) <= _LONGEST_DATE else None


# Receipts come in crowds of the same minute.
@lru_cache(maxsize=1024)
def _date(text: str) -> int | None:
    """YYMMDDhhmm, YYMMDDhhmmss, YYYYMMDDhhmmss or YYYYMMDDhhmm, whatever stands between the digits."""
    digits = text if text.isascii() and text.isdigit() else "".join(_DIGITS.findall(text))
    match len(digits):
        case 10:
            return _moment(f"20{digits}00")
        case 12:
            # As the first, YYYYMMDDhhmm of the years from 2013 has a month that there is not.
            when = _moment(f"20{digits}")
            return _moment(f"{digits}00") if when is None else when
        case 14:
            return _moment(digits)
    return None


def _moment(digits: str) -> int | None:
    """Microseconds of YYYYMMDDhhmmss; None for a date that there is not."""
    month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(4, 14, 2))
    try:
        return (datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=UTC) - _EPOCH) // _MICROSECOND
    except ValueError:
        return None


def _written(micros: int | None) -> str:
    return "0000000000" if micros is None else f"{_EPOCH + micros * _MICROSECOND:%y%m%d%H%M}"
