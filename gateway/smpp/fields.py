"""The fields of PDUs: how each is read out of octets and written into them.

Sources: SMPP 3.4, 3.1 (types), 3.2.4 (optional parameters), 5.2 (fields). Requests are read strictly. Responses are
read leniently: nobody can answer a response, and to refuse one for a missing octet would lose the id or the status
that it brings. What is missing in one is null, what follows its fields and is no TLV is ignored.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.smpp.constants import (
    DEST_FLAG_DISTRIBUTION_LIST,
    DEST_FLAG_SME_ADDRESS,
    MAX_DESTINATIONS,
    MAX_SHORT_MESSAGE,
    CommandStatus,
)
from gateway.smpp.pdu import DistributionList, SmeAddress, UnsuccessSme

_TLV = struct.Struct(">HH")
# The length of a TLV is two octets (3.2.4.1).
_MAX_TLV = 0xFFFF
# no_unsuccess is one octet (5.2.26).
_MAX_UNSUCCESS = 0xFF


class FieldError(ValueError):
    """A field that cannot be read: the status that says so, and a sentence that quotes nothing of the octets."""

    def __init__(self, command_status: int, reason: str) -> None:
        super().__init__(reason)
        self.command_status = command_status
        self.reason = reason


class EncodeError(ValueError):
    """A value that a field cannot carry. Says which field and why, and quotes nothing of the value."""


class Field(Protocol):
    """A kind of field."""

    def read(self, frame: bytes, at: int, name: str, strict: bool) -> tuple[Any, int]:
        """Read the value at an offset; give it and the offset after it. Raises FieldError, if strict."""

    def write(self, value: Any, name: str) -> bytes:
        """The octets of a value. Raises EncodeError."""


@dataclass(frozen=True, slots=True)
class Text:
    """A C-octet string (3.1): at most `limit` characters, then a NUL. `status` says that it is longer."""

    limit: int
    status: int

    def read(self, frame: bytes, at: int, name: str, strict: bool) -> tuple[str, int]:
        if not strict:
            end = frame.find(0, at)
            return (
                (frame[at:].decode("latin-1"), len(frame)) if end < 0 else (frame[at:end].decode("latin-1"), end + 1)
            )
        end = frame.find(0, at, at + self.limit + 1)
        if end >= 0:
            return frame[at:end].decode("latin-1"), end + 1
        if len(frame) - at > self.limit:
            raise FieldError(self.status, f"{name} is longer than {self.limit} characters")
        raise FieldError(CommandStatus.ESME_RINVCMDLEN, f"the PDU ends within {name}")

    def write(self, value: str, name: str) -> bytes:
        if "\0" in value:
            raise EncodeError(f"{name} has a NUL at position {value.index(chr(0)) + 1}")
        try:
            return value.encode("latin-1") + b"\0"
        except UnicodeEncodeError as error:
            raise EncodeError(f"{name} has a character beyond one octet at position {error.start + 1}") from None


@dataclass(frozen=True, slots=True)
class Number:
    """An unsigned integer of so many octets, the most significant first (3.1)."""

    width: int = 1

    def read(self, frame: bytes, at: int, name: str, strict: bool) -> tuple[int, int]:
        end = at + self.width
        if end <= len(frame):
            return int.from_bytes(frame[at:end], "big"), end
        if strict:
            raise FieldError(CommandStatus.ESME_RINVCMDLEN, f"the PDU ends within {name}")
        return 0, len(frame)

    def write(self, value: int, name: str) -> bytes:
        if not 0 <= value < 1 << 8 * self.width:
            raise EncodeError(f"{name} is {value}, which does not fit its {8 * self.width} bits")
        return int(value).to_bytes(self.width, "big")


@dataclass(frozen=True, slots=True)
class Message:
    """sm_length and short_message (5.2.21, 5.2.22)."""

    def read(self, frame: bytes, at: int, name: str, strict: bool) -> tuple[bytes, int]:
        size, at = _OCTET.read(frame, at, "sm_length", strict)
        if size > MAX_SHORT_MESSAGE:
            raise FieldError(CommandStatus.ESME_RINVMSGLEN, f"sm_length is {size}, more than {MAX_SHORT_MESSAGE}")
        end = at + size
        if end > len(frame):
            raise FieldError(
                CommandStatus.ESME_RINVMSGLEN, f"sm_length is {size}, but {len(frame) - at} octets follow"
            )
        return frame[at:end], end

    def write(self, value: bytes, name: str) -> bytes:
        if len(value) > MAX_SHORT_MESSAGE:
            raise EncodeError(
                f"{name} has {len(value)} octets, more than {MAX_SHORT_MESSAGE}: use the TLV message_payload"
            )
        return bytes([len(value)]) + value


@dataclass(frozen=True, slots=True)
class Destinations:
    """number_of_dests and dest_address(es) of submit_multi (4.5.1, 4.5.1.1, 4.5.1.2)."""

    def read(self, frame: bytes, at: int, name: str, strict: bool) -> tuple[list[SmeAddress | DistributionList], int]:
        count, at = _OCTET.read(frame, at, "number_of_dests", strict)
        if count > MAX_DESTINATIONS:
            raise FieldError(
                CommandStatus.ESME_RINVNUMDESTS, f"number_of_dests is {count}, more than {MAX_DESTINATIONS}"
            )
        found: list[SmeAddress | DistributionList] = []
        for number in range(1, count + 1):
            flag, at = _OCTET.read(frame, at, f"dest_flag {number}", strict)
            if flag == DEST_FLAG_SME_ADDRESS:
                values, at = _read(_SME, frame, at, number, strict)
                found.append(SmeAddress(*values))
            elif flag == DEST_FLAG_DISTRIBUTION_LIST:
                values, at = _read(_LIST, frame, at, number, strict)
                found.append(DistributionList(*values))
            else:
                raise FieldError(CommandStatus.ESME_RINVDESTFLAG, f"dest_flag {number} is {flag}, not 1 or 2")
        return found, at

    def write(self, value: Sequence[SmeAddress | DistributionList], name: str) -> bytes:
        if len(value) > MAX_DESTINATIONS:
            raise EncodeError(f"{name} has {len(value)} destinations, more than {MAX_DESTINATIONS}")
        parts = [bytes([len(value)])]
        for number, destination in enumerate(value, 1):
            if isinstance(destination, SmeAddress):
                parts += [bytes([DEST_FLAG_SME_ADDRESS]), _write(_SME, destination, number)]
            else:
                parts += [bytes([DEST_FLAG_DISTRIBUTION_LIST]), _write(_LIST, destination, number)]
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Unsuccessful:
    """no_unsuccess and unsuccess_sme(s) of submit_multi_resp (4.5.2, 4.5.2.1)."""

    def read(self, frame: bytes, at: int, name: str, strict: bool) -> tuple[list[UnsuccessSme], int]:
        count, at = _OCTET.read(frame, at, "no_unsuccess", strict)
        found = []
        for number in range(1, count + 1):
            if at == len(frame):
                break
            values, at = _read(_UNSUCCESS, frame, at, number, strict)
            found.append(UnsuccessSme(*values))
        return found, at

    def write(self, value: Sequence[UnsuccessSme], name: str) -> bytes:
        if len(value) > _MAX_UNSUCCESS:
            raise EncodeError(f"{name} has {len(value)} destinations, more than {_MAX_UNSUCCESS}")
        return bytes([len(value)]) + b"".join(_write(_UNSUCCESS, one, number) for number, one in enumerate(value, 1))


def read_tlvs(frame: bytes, at: int, strict: bool) -> dict[int, bytes]:
    """Read the optional parameters from an offset to the end (3.2.4.1); of a tag that comes twice the last.

    Raises FieldError where they break off, if strict.
    """
    tlvs: dict[int, bytes] = {}
    size = len(frame)
    while at + 4 <= size:
        tag, length = _TLV.unpack_from(frame, at)
        end = at + 4 + length
        if end > size:
            break
        tlvs[tag] = frame[at + 4 : end]
        at = end
    if at != size and strict:
        raise FieldError(
            CommandStatus.ESME_RINVOPTPARSTREAM, f"the last {size - at} octets are no whole optional parameter"
        )
    return tlvs


def write_tlvs(tlvs: Mapping[int, bytes]) -> bytes:
    """The octets of optional parameters, in the mapping's order. Raises EncodeError."""
    parts = []
    for tag, value in tlvs.items():
        if not 0 <= tag <= _MAX_TLV:
            raise EncodeError(f"the optional parameter {tag} has a tag that does not fit 16 bits")
        if len(value) > _MAX_TLV:
            raise EncodeError(f"the optional parameter 0x{tag:04X} has {len(value)} octets, more than {_MAX_TLV}")
        parts += [_TLV.pack(tag, len(value)), value]
    return b"".join(parts)


_Layout = tuple[tuple[str, Field], ...]

_OCTET = Number()

# The longest of the standard's limits of a string in messages stands for all (5 for service_type, 16 for times, 20 or
# 64 for addresses, 64 for ids): who reads a field judges it, and no receipt is lost for a field that nobody reads.
TEXT_LIMIT = 64

SERVICE_TYPE = Text(TEXT_LIMIT, CommandStatus.ESME_RINVSERTYP)
SOURCE = Text(TEXT_LIMIT, CommandStatus.ESME_RINVSRCADR)
DESTINATION = Text(TEXT_LIMIT, CommandStatus.ESME_RINVDSTADR)

_SME: _Layout = (("dest_addr_ton", _OCTET), ("dest_addr_npi", _OCTET), ("destination_addr", DESTINATION))
_LIST: _Layout = (("dl_name", Text(TEXT_LIMIT, CommandStatus.ESME_RINVDLNAME)),)
_UNSUCCESS: _Layout = (*_SME, ("error_status_code", Number(4)))


def _read(layout: _Layout, frame: bytes, at: int, number: int, strict: bool) -> tuple[list[Any], int]:
    values = []
    for name, field in layout:
        value, at = field.read(frame, at, f"{name} {number}", strict)
        values.append(value)
    return values, at


def _write(layout: _Layout, value: object, number: int) -> bytes:
    return b"".join(field.write(getattr(value, name), f"{name} {number}") for name, field in layout)
