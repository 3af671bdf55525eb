"""PDUs into octets and back (SMPP 3.4, 3 and 4).

`layouts` describes every PDU, and what reads and writes by it is the reference. submit_sm, deliver_sm and
their responses, nearly all there is on a busy link, have functions of their own, which leave whatever is not plain,
errors included, to the reference.
"""

import struct
from collections.abc import Callable
from typing import Any, TypeVar

from gateway.smpp.constants import HEADER_LENGTH, MAX_SHORT_MESSAGE, CommandId, CommandStatus
from gateway.smpp.fields import TEXT_LIMIT, EncodeError, FieldError, read_tlvs, write_tlvs
from gateway.smpp.layouts import BODILESS_ON_ERROR, LAYOUTS, LENIENT
from gateway.smpp.pdu import (
    PDUS,
    DeliverSm,
    DeliverSmResp,
    Pdu,
    ShortMessage,
    SubmitSm,
    SubmitSmResp,
)

__all__ = ["DecodeError", "EncodeError", "decode", "encode"]

_HEADER = struct.Struct(">IIII")
_TON_NPI = struct.Struct(">BB")
_CLASS_PROTOCOL_PRIORITY = struct.Struct(">BBB")
_FLAGS_AND_LENGTH = struct.Struct(">BBBBB")

_Short = TypeVar("_Short", bound=ShortMessage)
_Answer = TypeVar("_Answer", SubmitSmResp, DeliverSmResp)


class DecodeError(ValueError):
    """A frame that is no PDU: the command_status to answer, the header's numbers (0 where it has none), the reason.

    The reason names the field and quotes nothing of the octets, which may be a password.
    """

    def __init__(self, command_status: int, command_id: int, sequence_number: int, reason: str) -> None:
        super().__init__(reason)
        self.command_status = command_status
        self.command_id = command_id
        self.sequence_number = sequence_number
        self.reason = reason


def decode(frame: bytes) -> Pdu:
    """Read one whole PDU, as Framer gives it.

    Raises DecodeError: ESME_RINVCMDLEN where the frame and its command_length disagree or the PDU ends within a
    field, ESME_RINVCMDID for an unknown command_id, and each field's own status. Strings may be longer than the
    standard allows (see `fields` and `layouts`); a response never fails for its body.
    """
    size = len(frame)
    if size < HEADER_LENGTH:
        raise DecodeError(
            CommandStatus.ESME_RINVCMDLEN, 0, 0, f"the PDU has {size} octets, less than {HEADER_LENGTH}"
        )
    length, command_id, status, sequence_number = _HEADER.unpack_from(frame)
    if length != size:
        reason = f"command_length is {length}, but the PDU has {size} octets"
        raise DecodeError(CommandStatus.ESME_RINVCMDLEN, command_id, sequence_number, reason)
    quick = _QUICK_DECODERS.get(command_id)
    if quick is not None:
        pdu = quick(frame, sequence_number, status)
        if pdu is not None:
            return pdu
    kind = PDUS.get(command_id)
    if kind is None:
        reason = f"command_id 0x{command_id:08X} is no PDU of SMPP 3.4"
        raise DecodeError(CommandStatus.ESME_RINVCMDID, command_id, sequence_number, reason)
    try:
        values, tlvs = _read_body(kind, frame)
    except FieldError as error:
        raise DecodeError(error.command_status, command_id, sequence_number, error.reason) from None
    return kind(*values, tlvs=tlvs, sequence_number=sequence_number, command_status=status)


def encode(pdu: Pdu) -> bytes:
    """The octets of a PDU.

    Raises EncodeError for a value that the field cannot carry: a NUL or a character beyond Latin-1 in a string, a
    number that does not fit, a short_message over 254 octets. How long strings are is not judged: the standard's
    limits are for who makes the PDU to keep.
    """
    quick = _QUICK_ENCODERS.get(type(pdu))
    body = quick(pdu) if quick is not None else None
    if body is None:
        body = _write_body(pdu)
    try:
        header = _HEADER.pack(HEADER_LENGTH + len(body), pdu.command_id, pdu.command_status, pdu.sequence_number)
    except struct.error:
        raise EncodeError(
            f"command_status is {pdu.command_status} and sequence_number {pdu.sequence_number}: each takes 32 bits"
        ) from None
    return header + body


def _read_body(kind: type[Pdu], frame: bytes) -> tuple[list[Any], dict[int, bytes]]:
    strict = kind not in LENIENT
    at = HEADER_LENGTH
    values = []
    for name, field in LAYOUTS[kind]:
        value, at = field.read(frame, at, name, strict)
        values.append(value)
    return values, read_tlvs(frame, at, strict)


def _write_body(pdu: Pdu) -> bytes:
    kind = type(pdu)
    values = [(name, field, getattr(pdu, name)) for name, field in LAYOUTS[kind]]
    if pdu.command_status and kind in BODILESS_ON_ERROR and not pdu.tlvs and not any(value for _, _, value in values):
        return b""
    return b"".join([field.write(value, name) for name, field, value in values]) + write_tlvs(pdu.tlvs)


def _short_message_decoder(kind: type[_Short]) -> Callable[[bytes, int, int], _Short | None]:
    def read(frame: bytes, sequence_number: int, status: int) -> _Short | None:
        try:
            # Each is where a string's NUL is: service_type, source_addr, destination_addr, the two times.
            service = frame.index(0, 16)
            source = frame.index(0, service + 3)
            destination = frame.index(0, source + 3)
            schedule = frame.index(0, destination + 4)
            validity = frame.index(0, schedule + 1)
            registered, replace, coding, default, length = _FLAGS_AND_LENGTH.unpack_from(frame, validity + 1)
        except (ValueError, struct.error):
            return None
        start = validity + 6
        end = start + length
        size = len(frame)
        if (
            end > size
            or length > MAX_SHORT_MESSAGE
            or service - 16 > TEXT_LIMIT
            or source - service - 3 > TEXT_LIMIT
            or destination - source - 3 > TEXT_LIMIT
            or schedule - destination - 4 > TEXT_LIMIT
            or validity - schedule - 1 > TEXT_LIMIT
        ):
            return None
        if end == size:
            tlvs = {}
        else:
            try:
                tlvs = read_tlvs(frame, end, True)
            except FieldError:
                return None
        text = frame[:validity].decode("latin-1")
        return kind(
            text[16:service],
            frame[service + 1],
            frame[service + 2],
            text[service + 3 : source],
            frame[source + 1],
            frame[source + 2],
            text[source + 3 : destination],
            frame[destination + 1],
            frame[destination + 2],
            frame[destination + 3],
            text[destination + 4 : schedule],
            text[schedule + 1 : validity],
            registered,
            replace,
            coding,
            default,
            frame[start:end],
            tlvs=tlvs,
            sequence_number=sequence_number,
            command_status=status,
        )

    return read


def _answer_decoder(kind: type[_Answer]) -> Callable[[bytes, int, int], _Answer | None]:
    def read(frame: bytes, sequence_number: int, status: int) -> _Answer | None:
        end = len(frame) - 1
        if frame.find(0, HEADER_LENGTH) != end:
            return None
        return kind(
            frame[HEADER_LENGTH:end].decode("latin-1"), sequence_number=sequence_number, command_status=status
        )

    return read


def _encode_short_message(pdu: ShortMessage) -> bytes | None:
    message = pdu.short_message
    length = len(message)
    if length > MAX_SHORT_MESSAGE:
        return None
    strings = (
        f"{pdu.service_type}\0{pdu.source_addr}\0{pdu.destination_addr}"
        f"\0{pdu.schedule_delivery_time}\0{pdu.validity_period}"
    )
    try:
        # A NUL inside one of them gives more than five.
        service, source, destination, schedule, validity = strings.encode("latin-1").split(b"\0")
        body = b"%b\0%b%b\0%b%b\0%b%b\0%b\0%b%b" % (
            service,
            _TON_NPI.pack(pdu.source_addr_ton, pdu.source_addr_npi),
            source,
            _TON_NPI.pack(pdu.dest_addr_ton, pdu.dest_addr_npi),
            destination,
            _CLASS_PROTOCOL_PRIORITY.pack(pdu.esm_class, pdu.protocol_id, pdu.priority_flag),
            schedule,
            validity,
            _FLAGS_AND_LENGTH.pack(
                pdu.registered_delivery,
                pdu.replace_if_present_flag,
                pdu.data_coding,
                pdu.sm_default_msg_id,
                length,
            ),
            message,
        )
    except (ValueError, struct.error):
        return None
    return body + write_tlvs(pdu.tlvs) if pdu.tlvs else body


def _encode_answer(pdu: SubmitSmResp | DeliverSmResp) -> bytes | None:
    message_id = pdu.message_id
    # With a command_status it depends on the kind whether there is a body.
    if pdu.tlvs or pdu.command_status or "\0" in message_id:
        return None
    try:
        return message_id.encode("latin-1") + b"\0"
    except UnicodeEncodeError:
        return None


_QUICK_DECODERS: dict[int, Callable[[bytes, int, int], Pdu | None]] = {
    CommandId.SUBMIT_SM: _short_message_decoder(SubmitSm),
    CommandId.SUBMIT_SM_RESP: _answer_decoder(SubmitSmResp),
    CommandId.DELIVER_SM: _short_message_decoder(DeliverSm),
    CommandId.DELIVER_SM_RESP: _answer_decoder(DeliverSmResp),
}
_QUICK_ENCODERS: dict[type[Pdu], Callable[[Any], bytes | None]] = {
    SubmitSm: _encode_short_message,
    SubmitSmResp: _encode_answer,
    DeliverSm: _encode_short_message,
    DeliverSmResp: _encode_answer,
}
