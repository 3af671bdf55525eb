"""What the benchmark's own SMPP programs say, packed by hand: nothing of the gateway's codec, for a peer's sake too.

Section numbers are those of SMPP 3.4.
"""

import struct
from collections.abc import Iterator

HEADER = struct.Struct(">IIII")  # command_length, command_id, command_status, sequence_number (3.2)

BIND_RECEIVER = 0x00000001
BIND_TRANSMITTER = 0x00000002
SUBMIT_SM = 0x00000004
DELIVER_SM = 0x00000005
UNBIND = 0x00000006
BIND_TRANSCEIVER = 0x00000009
ENQUIRE_LINK = 0x00000015
RESPONSE = 0x80000000
BINDS = (BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER)

_RECEIPTED_MESSAGE_ID = 0x001E
_MESSAGE_STATE = 0x0427
_DELIVERED = 2
_MOST = 70_000


def frame(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    """Give one PDU."""
    return HEADER.pack(16 + len(body), command, status, sequence) + body


def bind_transceiver(login: str, password: str) -> bytes:
    """Give the body of bind_transceiver (4.1.5)."""
    return login.encode() + b"\0" + password.encode() + b"\0\0\x34\0\0\0"


def submit_parts(text: str, due: str = "") -> tuple[bytes, bytes]:
    """Give what stands before and behind the destination in the body of submit_sm (4.4.1); no receipt is asked for.

    `due` is a schedule_delivery_time (7.1.1).
    """
    message = text.encode("ascii")
    before = b"\0\x05\0Bench\0\x01\x01"
    fixed = b"\0\0\0" + due.encode() + b"\0\0\0\0\0\0"  # esm_class to sm_default_msg_id
    return before, b"\0" + fixed + bytes((len(message),)) + message


def addresses(body: bytes) -> tuple[bytes, bytes]:
    """Give source and destination of a submit_sm's body, each with its TON, NPI and final NUL."""
    start = body.index(b"\0") + 1
    middle = body.index(b"\0", start + 2) + 1
    end = body.index(b"\0", middle + 2) + 1
    return body[start:middle], body[middle:end]


def receipt(source: bytes, destination: bytes, message_id: bytes) -> bytes:
    """Give the body of a deliver_sm that says of a message that it was delivered (4.6.1, appendix B)."""
    dates = b"submit date:2601010000 done date:2601010000"
    text = b"id:%s sub:001 dlvrd:001 %s stat:DELIVRD err:000 text:" % (message_id, dates)
    tlvs = struct.pack(">HH", _RECEIPTED_MESSAGE_ID, len(message_id) + 1) + message_id + b"\0"
    tlvs += struct.pack(">HHB", _MESSAGE_STATE, 1, _DELIVERED)
    return b"\0" + destination + source + b"\x04\0\0\0\0\0\0\0\0" + bytes((len(text),)) + text + tlvs


class Frames:
    """Cuts what arrives into PDUs."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
        """Give command_id, command_status, sequence_number and body of every PDU that is whole now."""
        buffer = self._buffer + data if self._buffer else data
        at, size = 0, len(buffer)
        while size - at >= 16:
            length, command, status, sequence = HEADER.unpack_from(buffer, at)
            if not 16 <= length <= _MOST:
                raise ValueError(f"a PDU of {length} bytes")
            if size - at < length:
                break
            yield command, status, sequence, buffer[at + 16 : at + length]
            at += length
        self._buffer = buffer[at:]
