"""What a submit_sm or submit_multi says, as the operation takes it.

Sources: SMPP 3.4, 4.4.1, 4.5.1, 5.2 (fields), 5.3.2 (TLVs). A refusal names the field or TLV by the standard's name;
`statuses` has the command_status of each.
"""

from gateway.messaging import content
from gateway.messaging.content import Alphabet
from gateway.operations.direct import Direct, incorrect
from gateway.operations.errors import Code, Refusal
from gateway.smpp import times, udh
from gateway.smpp.constants import (
    ESM_MODE_DATAGRAM,
    ESM_MODE_FORWARD,
    ESM_MODE_MASK,
    ESM_TYPE_MASK,
    ESM_UDHI,
    RECEIPT_MASK,
    Tag,
)
from gateway.smpp.pdu import SubmitMulti, SubmitSm

_HIGHEST_PRIORITY = 3
_RESERVED_RECEIPT = 3
# The classes that are served, as they are stored. Everything is stored and forwarded: the mode whose answer would be
# the delivery is refused, and so are types of message that only go from handset to handset; of the datagram mode
# carriers shall not hear, whose messages have no receipts.
_CLASSES = {
    value: value & ~ESM_MODE_MASK if value & ESM_MODE_MASK == ESM_MODE_DATAGRAM else value
    for value in range(256)
    if value & ESM_MODE_MASK != ESM_MODE_FORWARD and not value & ESM_TYPE_MASK
}
# The TLVs of a part, and how many octets their values have.
_SAR = {Tag.SAR_MSG_REF_NUM: 2, Tag.SAR_TOTAL_SEGMENTS: 1, Tag.SAR_SEGMENT_SEQNUM: 1}


def message_of(pdu: SubmitSm | SubmitMulti, now: int, alphabet: Alphabet) -> Direct:
    """Read all of it but the destinations. `now` is in UTC microseconds. Raises `Refusal` naming the parameter."""
    if (
        pdu.priority_flag > _HIGHEST_PRIORITY
        or pdu.sm_default_msg_id
        or pdu.replace_if_present_flag
        or pdu.registered_delivery & RECEIPT_MASK == _RESERVED_RECEIPT
        or pdu.esm_class not in _CLASSES
    ):
        raise _unserved(pdu)
    octets, tlvs = pdu.short_message, pdu.tlvs
    header: bytes | None = None
    reference: str | None = None
    if tlvs:
        octets = _payload(pdu)
        reference = _reference(tlvs)
        header = _sar_header(tlvs)
    if pdu.esm_class & ESM_UDHI:
        header, octets = _split(octets)
    message = Direct(
        pdu.source_addr,
        pdu.source_addr_ton,
        pdu.source_addr_npi,
        _content(octets, pdu.data_coding, header, alphabet),
        header,
        _CLASSES[pdu.esm_class],
        pdu.registered_delivery,
        reference,
    )
    if pdu.schedule_delivery_time:
        message.due_at = _time(pdu.schedule_delivery_time, "schedule_delivery_time", now)
    if pdu.validity_period:
        message.expires_at = _time(pdu.validity_period, "validity_period", now)
    return message


def text_of(pdu: SubmitSm | SubmitMulti, alphabet: Alphabet) -> str:
    """What a refused message says, as far as it can be read, for the log; else its octets in hexadecimal."""
    octets = pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"") or pdu.short_message
    header = 0
    try:
        if pdu.esm_class & ESM_UDHI:
            header_octets, octets = udh.split_udh(octets)
            header = len(header_octets)
        return content.read(octets, pdu.data_coding, header, alphabet).text
    except ValueError:
        return octets.hex()


def _unserved(pdu: SubmitSm | SubmitMulti) -> Refusal:
    if pdu.esm_class not in _CLASSES:
        return incorrect("esm_class", f"{pdu.esm_class:#04x} is not served: use store and forward, and no type.")
    if pdu.priority_flag > _HIGHEST_PRIORITY:
        return incorrect("priority_flag", f"{pdu.priority_flag} is over {_HIGHEST_PRIORITY}.")
    if pdu.registered_delivery & RECEIPT_MASK == _RESERVED_RECEIPT:
        return incorrect("registered_delivery", f"{pdu.registered_delivery:#04x} asks for a receipt of no kind.")
    if pdu.replace_if_present_flag:
        return incorrect("replace_if_present_flag", "Messages are not replaced here: leave it 0.")
    return incorrect("sm_default_msg_id", "There are no predefined messages here: leave it 0.")


def _payload(pdu: SubmitSm | SubmitMulti) -> bytes:
    payload = pdu.tlvs.get(Tag.MESSAGE_PAYLOAD)
    if payload is None:
        return pdu.short_message
    if pdu.short_message:
        raise incorrect("message_payload", "Give the text in it or in short_message, not in both.")
    return payload


def _reference(tlvs: dict[int, bytes]) -> str | None:
    value = tlvs.get(Tag.USER_MESSAGE_REFERENCE)
    return None if value is None else str(_integer(value, "user_message_reference", 2))


def _sar_header(tlvs: dict[int, bytes]) -> bytes | None:
    """The user data header that says what the sar_ TLVs say (SMPP 3.4, 5.3.2.22 to 24)."""
    given = [tlvs.get(tag) for tag in _SAR]
    if given == [None, None, None]:
        return None
    for tag, value in zip(_SAR, given, strict=True):
        if value is None:
            name = tag.name.lower()
            raise Refusal(Code.MISSING_COMPULSORY_PARAM, f"{name}: The other sar_ parameters need it.", name)
    number, total, part = (
        _integer(value or b"", tag.name.lower(), size) for (tag, size), value in zip(_SAR.items(), given, strict=True)
    )
    if not 0 < part <= total:
        raise incorrect("sar_segment_seqnum", f"{part} of {total} is no segment.")
    # The 8 bit reference leaves a part the room that its client reckoned with.
    return None if total == 1 else udh.make(udh.Concatenation(number & 0xFF, total, part, wide=False))


def _integer(value: bytes, name: str, size: int) -> int:
    if len(value) != size:
        raise incorrect(name, f"It has {len(value)} octets instead of {size}.")
    return int.from_bytes(value)


def _split(octets: bytes) -> tuple[bytes, bytes]:
    try:
        header, rest = udh.split_udh(octets)
        udh.parse(header)
    except ValueError as error:
        raise incorrect("esm_class", f"It announces a user data header and there is none: {error}") from None
    return header, rest


def _content(octets: bytes, data_coding: int, header: bytes | None, alphabet: Alphabet) -> content.Content:
    try:
        return content.read(octets, data_coding, 0 if header is None else len(header), alphabet)
    except content.TooLong as error:
        raise incorrect("short_message", str(error)) from None
    except content.ContentError as error:
        raise incorrect("data_coding", str(error)) from None


def _time(text: str, name: str, now: int) -> int | None:
    try:
        return times.parse(text, now)
    except ValueError as error:
        raise incorrect(name, f"{error}") from None
