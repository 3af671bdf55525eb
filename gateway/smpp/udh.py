"""User data headers: what begins a short_message whose esm_class has ESM_UDHI (SMPP 3.4, 5.2.12).

Source: 3GPP TS 23.040, 9.2.3.24 (the header), 9.2.3.24.1 and 9.2.3.24.8 (concatenation). A header is its length
octet UDHL and so many octets of information elements: identifier, length, data.
"""

import struct
from dataclasses import dataclass

CONCATENATED_8BIT = 0x00
CONCATENATED_16BIT = 0x08

_NARROW = struct.Struct(">BBB")
_WIDE = struct.Struct(">HBB")


@dataclass(frozen=True, slots=True)
class Concatenation:
    """That a message is part `part`, from 1, of `total`; parts of one message share their reference.

    The reference has 16 bits if `wide`, otherwise 8.
    """

    reference: int
    total: int
    part: int
    wide: bool = False


def split_udh(short_message: bytes) -> tuple[bytes, bytes]:
    """Cut a message with a header into the header, UDHL included, and the rest.

    Raises ValueError where the header is longer than the message, or the message empty.
    """
    if not short_message:
        raise ValueError("The message is empty, so it has no user data header.")
    end = 1 + short_message[0]
    if end > len(short_message):
        raise ValueError(f"The user data header has {end} octets, the whole message {len(short_message)}.")
    return short_message[:end], short_message[end:]


def parse(udh: bytes) -> list[tuple[int, bytes]]:
    """Read a header, UDHL included, into its information elements: identifier and data, in order.

    Raises ValueError where UDHL is not the length of what follows it, or an element goes beyond the end.
    """
    if not udh or udh[0] != len(udh) - 1:
        raise ValueError(f"The user data header has {len(udh)} octets, which its first does not say.")
    elements: list[tuple[int, bytes]] = []
    at, size = 1, len(udh)
    while at < size:
        end = at + 2 + udh[at + 1] if at + 1 < size else size + 1
        if end > size:
            raise ValueError(f"The user data header ends within its element {len(elements) + 1}.")
        elements.append((udh[at], udh[at + 2 : end]))
        at = end
    return elements


def concatenation(udh: bytes) -> Concatenation | None:
    """What a header, UDHL included, says of concatenation; None if nothing.

    An element of the wrong length, or a part that is 0 or over the total, is to be ignored, and of several
    elements the last counts (9.2.3.24, 9.2.3.24.1). Raises ValueError as `parse` does.
    """
    found = None
    for identifier, data in parse(udh):
        if identifier == CONCATENATED_8BIT and len(data) == _NARROW.size:
            reference, total, part = _NARROW.unpack(data)
        elif identifier == CONCATENATED_16BIT and len(data) == _WIDE.size:
            reference, total, part = _WIDE.unpack(data)
        else:
            continue
        if 1 <= part <= total:
            found = Concatenation(reference, total, part, wide=identifier == CONCATENATED_16BIT)
    return found


def make(part: Concatenation) -> bytes:
    """The header, UDHL included, of one part: 6 octets, or 7 with a wide reference.

    Raises ValueError for a reference that does not fit, and a part that is not between 1 and a total of at most 255.
    """
    if not 1 <= part.part <= part.total:
        raise ValueError(f"Part {part.part} of {part.total} is none.")
    try:
        if part.wide:
            data = bytes([CONCATENATED_16BIT, _WIDE.size]) + _WIDE.pack(part.reference, part.total, part.part)
        else:
            data = bytes([CONCATENATED_8BIT, _NARROW.size]) + _NARROW.pack(part.reference, part.total, part.part)
    except struct.error:
        width = 16 if part.wide else 8
        raise ValueError(
            f"Reference {part.reference} has more than {width} bits, or {part.total} parts are too many."
        ) from None
    return bytes([len(data)]) + data
