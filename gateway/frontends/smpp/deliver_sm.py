"""The deliver_sm that tells a customer something, and what his answer to it means.

Sources: SMPP 3.4, 4.6.1 (deliver_sm), 5.1.3 (command_status), 5.2.5 and 5.2.6 (TON, NPI), 5.2.12 (esm_class), 5.3.2
(TLVs), appendix B (the text of a receipt).
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final

from gateway.messaging.states import State
from gateway.messaging.text import Encoding, is_gsm, split
from gateway.smpp import receipts, udh
from gateway.smpp.constants import (
    DATA_CODING_DEFAULT,
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


def make(entry: Entry) -> list[DeliverSm]:
    """The PDUs that tell a customer what is in a row of the outbox, in the order to send them.

    Raises ValueError for what cannot be told: the message is there no more, or its state is not final.
    """
    if isinstance(entry.what, Outcome):
        return [_receipt(entry.message_id, entry.what)]
    if isinstance(entry.what, Incoming):
        return _incoming(entry.message_id, entry.what)
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
        destination_addr=what.source,
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


def _incoming(number: int, what: Incoming) -> list[DeliverSm]:
    """GSM or UCS-2 text in as many parts as it takes; what has no text goes as the carrier delivered it."""
    if not what.text and what.payload:
        return [_octets(what, what.payload)]
    encoding = Encoding.GSM7 if is_gsm(what.text) else Encoding.UCS2
    data_coding = DATA_CODING_DEFAULT if encoding is Encoding.GSM7 else DATA_CODING_UCS2
    parts = split(what.text, encoding)
    if len(parts) == 1:
        return [_deliver(what, parts[0], data_coding, 0)]
    return [
        _deliver(
            what,
            udh.make(udh.Concatenation(number & 0xFF, len(parts), part)) + octets,
            data_coding,
            ESM_UDHI,
        )
        for part, octets in enumerate(parts, 1)
    ]


def _octets(what: Incoming, payload: bytes) -> DeliverSm:
    data_coding, esm_class = what.data_coding or 0, (what.esm_class or 0) & ESM_UDHI
    if len(payload) <= MAX_SHORT_MESSAGE:
        return _deliver(what, payload, data_coding, esm_class)
    pdu = _deliver(what, b"", data_coding, esm_class)
    pdu.tlvs[Tag.MESSAGE_PAYLOAD] = payload
    return pdu


def _deliver(what: Incoming, octets: bytes, data_coding: int, esm_class: int) -> DeliverSm:
    source_ton, source_npi = _plan(what.source, None, None)
    dest_ton, dest_npi = _plan(what.destination, None, None)
    return DeliverSm(
        source_addr_ton=source_ton,
        source_addr_npi=source_npi,
        source_addr=what.source,
        dest_addr_ton=dest_ton,
        dest_addr_npi=dest_npi,
        destination_addr=what.destination,
        esm_class=esm_class,
        data_coding=data_coding,
        short_message=octets,
    )


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
