"""What a carrier delivers: receipts, and messages from the network (SMPP 3.4, 4.6 and appendix B)."""

from dataclasses import dataclass, field

from gateway import logs
from gateway.carriers.base import Inbound, Part, Receipt
from gateway.carriers.smpp.ids import TAIL, Ids
from gateway.messaging.states import State
from gateway.messaging.text import decode_gsm
from gateway.smpp import receipts, udh
from gateway.smpp.constants import (
    DATA_CODING_ASCII,
    DATA_CODING_DEFAULT,
    DATA_CODING_LATIN1,
    DATA_CODING_UCS2,
    ESM_TYPE_INTERMEDIATE_NOTIFICATION,
    ESM_TYPE_MASK,
    ESM_UDHI,
    MessageState,
    Tag,
)
from gateway.smpp.pdu import DataSm, DeliverSm
from gateway.smpp.receipts import DeliveryReceipt

Delivery = DeliverSm | DataSm

_FINAL = {
    MessageState.DELIVERED: State.DELIVERED,
    MessageState.EXPIRED: State.EXPIRED,
    MessageState.DELETED: State.UNDELIVERED,
    MessageState.UNDELIVERABLE: State.UNDELIVERED,
    # Nothing better ever follows it.
    MessageState.UNKNOWN: State.UNDELIVERED,
    MessageState.REJECTED: State.REJECTED,
}


@dataclass(slots=True)
class Read:
    """What was read at once: each PDU with what it says; `idle` ones say nothing that is to be stored."""

    receipts: list[tuple[Delivery, Receipt]] = field(default_factory=list)
    inbound: list[tuple[Delivery, Inbound]] = field(default_factory=list)
    idle: list[Delivery] = field(default_factory=list)


class Reader:
    """Reads what the carrier of this name delivers, whose data_coding 0 is `alphabet`."""

    def __init__(self, carrier: str, ids: Ids, alphabet: str) -> None:
        self._carrier = carrier
        self._ids = ids
        self._alphabet = alphabet

    def read(self, pdu: Delivery, now: int, into: Read) -> None:
        """Sort a PDU that arrived at `now` (UTC microseconds) into its list; whatever it holds, it is taken."""
        octets = _octets(pdu)
        if not receipts.is_receipt(pdu):
            into.inbound.append((pdu, self._inbound(pdu, octets, now)))
            return
        told = receipts.parse(octets, pdu.tlvs)
        intermediate = pdu.esm_class & ESM_TYPE_MASK == ESM_TYPE_INTERMEDIATE_NOTIFICATION
        if told is not None and told.id:
            # Of what is on its way, a state that nobody knows is none of its last ones.
            unfinished = intermediate and told.state is MessageState.UNKNOWN
            state = None if unfinished else _FINAL.get(told.state)
            if state is None:
                into.idle.append(pdu)
            else:
                into.receipts.append((pdu, self._receipt(pdu, told, state, now)))
            return
        if intermediate:
            into.idle.append(pdu)
            return
        logs.warning(
            "receipt cannot be read", carrier=self._carrier, source=pdu.source_addr, destination=pdu.destination_addr
        )
        message = self._inbound(pdu, octets, now)
        if message.text.strip() and message.text.isprintable() and "\ufffd" not in message.text:
            into.inbound.append((pdu, message))
        else:
            into.idle.append(pdu)

    def _receipt(self, pdu: Delivery, told: DeliveryReceipt, state: State, now: int) -> Receipt:
        # Some carriers swap the numbers, others keep them as the message had them.
        numbers = tuple(number[-TAIL:] for number in (pdu.source_addr, pdu.destination_addr) if number)
        named = self._ids.reported(told.id, numbers)
        error = None
        if state is not State.DELIVERED:
            error = MessageState(told.state).name.lower()
            if told.err and told.err.strip("0"):
                error = f"{error}, error {told.err}"
        return Receipt(named.ref, state, error, now, named.others, numbers if named.others else ())

    def _inbound(self, pdu: Delivery, octets: bytes, now: int) -> Inbound:
        part = _sar(pdu)
        if pdu.esm_class & ESM_UDHI:
            try:
                header, octets = udh.split_udh(octets)
                found = udh.concatenation(header)
            except ValueError:
                found = None
            if found is not None:
                part = Part(found.reference, found.total, found.part)
        return Inbound(
            pdu.source_addr,
            pdu.destination_addr,
            text(octets, pdu.data_coding, self._alphabet),
            pdu.data_coding,
            pdu.esm_class,
            octets,
            now,
            pdu.source_addr_ton,
            pdu.source_addr_npi,
            part,
        )


def text(octets: bytes, data_coding: int, alphabet: str) -> str:
    """What octets say; empty where they are no text. Never fails: what fits no character is U+FFFD.

    `alphabet` (gsm, latin1 or utf8) is that of data_coding 0. UCS-2 may begin or end with half a surrogate pair.
    """
    coding = data_coding
    if coding >= 0x10:
        # With a class: the alphabet is in bits 3 and 2, or, in the group 1111, in bit 2 (3GPP TS 23.038, 4).
        coding = (coding & 0x04 if coding >= 0xF0 else coding & 0x0C) if coding < 0x20 or coding >= 0xF0 else -1
    if coding == DATA_CODING_DEFAULT:
        if alphabet == "gsm":
            return decode_gsm(octets)
        return octets.decode("utf-8" if alphabet == "utf8" else "latin-1", "replace")
    if coding in (DATA_CODING_ASCII, DATA_CODING_LATIN1):
        return octets.decode("latin-1")
    if coding == DATA_CODING_UCS2:
        return octets[: len(octets) & ~1].decode("utf-16-be", "surrogatepass")
    return ""


def _octets(pdu: Delivery) -> bytes:
    short = pdu.short_message if isinstance(pdu, DeliverSm) else b""
    return short or pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")


def _sar(pdu: Delivery) -> Part | None:
    """The part that TLVs tell (SMPP 3.4, 5.3.2.22 to 5.3.2.24)."""
    numbers = [pdu.tlvs.get(tag) for tag in (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)]
    if None in numbers:
        return None
    reference, total, seq = (int.from_bytes(number or b"", "big") for number in numbers)
    return Part(reference, total, seq) if reference < 1 << 16 else None
