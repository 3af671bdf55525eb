"""The deliver_sm that tells a customer something, and what his answer to it means.

Sources: SMPP 3.4, 4.6.1 (deliver_sm), 5.1.3 (command_status), 5.2.5 and 5.2.6 (TON, NPI), 5.2.12 (esm_class), 5.3.2
(TLVs), appendix B (the text of a receipt).
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from typing import Final

from gateway.messaging.content import Alphabet
from gateway.messaging.states import State
from gateway.messaging.text import Encoding, decode_gsm, is_gsm, split
from gateway.smpp import receipts, udh
from gateway.smpp.constants import (
    DATA_CODING_DEFAULT,
    DATA_CODING_OCTET,
    DATA_CODING_OCTET_UNSPECIFIED,
    DATA_CODING_UCS2,
    ESM_TYPE_DELIVERY_RECEIPT,
    ESM_UDHI,
    MAX_SHORT_MESSAGE,
    CommandId,
    CommandStatus,
    MessageState,
    Npi,
    Tag,
    Ton,
)
from gateway.smpp.pdu import DeliverSm, Pdu
from gateway.storage.queries.outbox import Entry, Incoming, Outcome

MESSAGE_STATES: Final[Mapping[State, MessageState]] = {
    State.DELIVERED: MessageState.DELIVERED,
    State.UNDELIVERED: MessageState.UNDELIVERABLE,
    State.EXPIRED: MessageState.EXPIRED,
    State.REJECTED: MessageState.REJECTED,
    State.CANCELLED: MessageState.DELETED,
}
"""message_state of every final state; only of these are there receipts."""

NO_ERROR = "000"
"""`err` of what was delivered, and where nobody gave a code of three characters."""

OCTET_CODINGS: Final = frozenset(
    (DATA_CODING_OCTET_UNSPECIFIED, DATA_CODING_OCTET, *range(0x14, 0x18), *range(0xF4, 0xF8))
)
"""data_coding of what is no text (5.2.19; 3GPP TS 23.038, 4)."""

_ERROR_CODE = re.compile(r"[0-9A-Za-z]{1,3}", re.ASCII)
_LARGEST_REFERENCE = 0xFFFF
_SHORTEST_INTERNATIONAL = 7  # digits; a shorter number is a short code


class Fate(Enum):
    """What becomes of a row whose deliver_sm was answered."""

    DONE = "acknowledged"
    AGAIN = "put_off"
    DROPPED = "dropped"


FATES: Final[Mapping[int, Fate]] = {
    CommandStatus.ESME_ROK: Fate.DONE,
    # The customer's application refuses this very message, for good: to send it again would change nothing.
    CommandStatus.ESME_RX_P_APPN: Fate.DROPPED,
    CommandStatus.ESME_RX_R_APPN: Fate.DROPPED,
}
"""By the command_status of the deliver_sm_resp; after any other status it is sent again."""


def fate(response: Pdu | None) -> Fate:
    """What a deliver_sm_resp means; None where there was none in time, or none before the link was lost."""
    if response is None or response.command_id != CommandId.DELIVER_SM_RESP:
        return Fate.AGAIN
    return FATES.get(response.command_status, Fate.AGAIN)


def make(entry: Entry, alphabet: Alphabet = Alphabet.GSM) -> list[DeliverSm]:
    """The PDUs that tell a customer what is in a row of the outbox, in the order to send them.

    `alphabet` is what data_coding 0 means between us and customers. Raises ValueError for what cannot be told: the
    message is there no more, or its state is not final.
    """
    if isinstance(entry.what, Outcome):
        return [_receipt(entry.message_id, entry.what)]
    if isinstance(entry.what, Incoming):
        return _incoming(entry.message_id, entry.what, alphabet)
    raise ValueError("the message is not stored any more")


def strip(pdu: DeliverSm) -> None:
    """Leave out what a peer of an older version does not know: all TLVs but the one without which nothing is told."""
    pdu.tlvs = {tag: value for tag, value in pdu.tlvs.items() if tag == Tag.MESSAGE_PAYLOAD}


def _receipt(message_id: int, what: Outcome) -> DeliverSm:
    """As carriers do, it comes from the message's destination and goes to its source."""
    state = MESSAGE_STATES.get(State(what.state))
    if state is None:
        raise ValueError("the state that it tells is not final")
    number = str(message_id)
    source_ton, source_npi = _plan(what.destination, what.destination_ton, what.destination_npi)
    dest_ton, dest_npi = _plan(what.source, what.source_ton, what.source_npi)
    tlvs: dict[int, bytes] = {
        Tag.RECEIPTED_MESSAGE_ID: number.encode("ascii") + b"\0",
        Tag.MESSAGE_STATE: bytes([state]),
    }
    reference = _reference(what.reference)
    if reference is not None:
        tlvs[Tag.USER_MESSAGE_REFERENCE] = reference
    return DeliverSm(
        source_addr_ton=source_ton,
        source_addr_npi=source_npi,
        source_addr=what.destination,
        dest_addr_ton=dest_ton,
        dest_addr_npi=dest_npi,
        destination_addr=_writable(what.source),
        esm_class=ESM_TYPE_DELIVERY_RECEIPT,
        short_message=receipts.format(
            receipts.DeliveryReceipt(
                id=number,
                state=state,
                err=error_code(state, what.error),
                submitted_at=what.accepted_at,
                done_at=what.at,
                text=what.head,
            )
        ),
        tlvs=tlvs,
    )


def error_code(state: MessageState, error: str | None) -> str:
    """`err` of a receipt: the carrier's code where it has at most three letters and digits, else `NO_ERROR`."""
    if state is MessageState.DELIVERED or error is None or not _ERROR_CODE.fullmatch(error):
        return NO_ERROR
    return error.zfill(3)


def _incoming(number: int, what: Incoming, alphabet: Alphabet) -> list[DeliverSm]:
    """Text in as many parts as it takes, data as the carrier delivered it."""
    if what.payload and (not what.text or what.data_coding in OCTET_CODINGS):
        return [_octets(what, what.payload)]
    data_coding, parts = _cut(what.text, alphabet)
    if len(parts) == 1:
        return [_deliver(what, parts[0], data_coding, 0)]
    headers = (udh.make(udh.Concatenation(number & 0xFF, len(parts), part)) for part in range(1, len(parts) + 1))
    return [
        _deliver(what, header + octets, data_coding, ESM_UDHI) for header, octets in zip(headers, parts, strict=True)
    ]


def _cut(text: str, alphabet: Alphabet) -> tuple[int, list[bytes]]:
    """The text's data_coding, and its parts, each no longer than a segment."""
    if is_gsm(text):
        parts = split(text, Encoding.GSM7)
        if alphabet is Alphabet.GSM:
            return DATA_CODING_DEFAULT, parts
        # Some of the GSM alphabet is not in Latin-1, and then UCS-2 must do.
        with suppress(UnicodeEncodeError):
            return DATA_CODING_DEFAULT, [decode_gsm(part).encode(alphabet.value) for part in parts]
    return DATA_CODING_UCS2, split(text, Encoding.UCS2)


def _octets(what: Incoming, payload: bytes) -> DeliverSm:
    if len(payload) <= MAX_SHORT_MESSAGE:
        return _deliver(what, payload, what.data_coding or 0, 0)
    pdu = _deliver(what, b"", what.data_coding or 0, 0)
    pdu.tlvs[Tag.MESSAGE_PAYLOAD] = payload
    return pdu


def _deliver(what: Incoming, octets: bytes, data_coding: int, esm_class: int) -> DeliverSm:
    source_ton, source_npi = _plan(what.source, None, None)
    dest_ton, dest_npi = _plan(what.destination, None, None)
    return DeliverSm(
        source_addr_ton=source_ton,
        source_addr_npi=source_npi,
        source_addr=_writable(what.source),
        dest_addr_ton=dest_ton,
        dest_addr_npi=dest_npi,
        destination_addr=what.destination,
        esm_class=esm_class,
        data_coding=data_coding,
        short_message=octets,
    )


def _writable(address: str) -> str:
    """Senders may have a euro sign or Greek capitals, C-octet strings only Latin-1: what it cannot carry is `?`."""
    return address.encode("latin-1", "replace").decode("latin-1")


def _plan(address: str, ton: int | None, npi: int | None) -> tuple[int, int]:
    """TON and NPI as they were given, else what the address looks like."""
    if ton is not None and npi is not None:
        return ton, npi
    if not (address.isascii() and address.isdigit()):
        return Ton.ALPHANUMERIC, Npi.UNKNOWN
    international = len(address) >= _SHORTEST_INTERNATIONAL
    return (Ton.INTERNATIONAL if international else Ton.UNKNOWN), Npi.ISDN


def _reference(reference: str | None) -> bytes | None:
    """user_message_reference as it came with the submit_sm: two octets (5.3.2.17)."""
    if reference is None or not (reference.isascii() and reference.isdigit()):
        return None
    value = int(reference[:6])
    return value.to_bytes(2) if value <= _LARGEST_REFERENCE else None
