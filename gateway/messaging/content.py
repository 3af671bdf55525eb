"""The contents of a message as an SMPP client gives them: octets, and a data_coding that says what they are.

Sources: SMPP 3.4, 5.2.19 (data_coding); 3GPP TS 23.038 (formerly GSM 03.38), 4 (data coding scheme: its general
group with a class, its group 1111); 3GPP TS 23.040, 9.2.3.16 and 9.2.3.24 (140 octets for a header and the text).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.messaging.text import ESCAPE, Encoding, analyse, decode_gsm, encode_gsm, is_gsm, split

OCTETS: Final = 140
"""Octets of one segment, its user data header among them."""

PART_OCTETS: Final = 134
"""Octets that a segment holds below the header of a concatenation (8 bit reference)."""

DATA: Final = "DATA"
"""The encoding of what is no text: octets that go out as they are."""

# Octets that are in no text of ASCII, whose only controls are tab, line feed and carriage return.
_NO_ASCII_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

_GSM7, _UCS2 = Encoding.GSM7.value, Encoding.UCS2.value
_SINGLE, _PART = 160, 153  # septets


class ContentError(ValueError):
    """Contents that cannot be sent; the text is one sentence."""


class UnknownCoding(ContentError):
    """The data_coding is none that is served."""


class Malformed(ContentError):
    """The octets are not what their data_coding says."""


class TooLong(ContentError):
    """A part is longer than a segment holds."""


class Alphabet(StrEnum):
    """What data_coding 0, "the SMSC's default alphabet", means: GSM 03.38, an octet each; ISO 8859-1; UTF-8."""

    GSM = "gsm"
    LATIN1 = "latin1"
    UTF8 = "utf8"


class _Kind(StrEnum):
    DEFAULT = "default"
    ASCII = "ascii"
    LATIN1 = "latin1"
    OCTETS = "octets"
    UCS2 = "ucs2"


_BY_CLASS = (_Kind.DEFAULT, _Kind.OCTETS, _Kind.UCS2)
_KINDS: Final = {
    0x00: _Kind.DEFAULT,
    0x01: _Kind.ASCII,
    0x02: _Kind.OCTETS,
    0x03: _Kind.LATIN1,
    0x04: _Kind.OCTETS,
    0x08: _Kind.UCS2,
    # With a class, of which 0 is a flash: 0x10 and so on, and the same in the group 1111.
    **{0x10 + 4 * place + number: kind for place, kind in enumerate(_BY_CLASS) for number in range(4)},
    **{0xF0 + 4 * place + number: kind for place, kind in enumerate(_BY_CLASS[:2]) for number in range(4)},
}

CODINGS: Final = frozenset(_KINDS)
"""The values of data_coding that are served."""


@dataclass(slots=True)
class Content:
    """What is stored of a message's contents.

    `encoding` is GSM7, UCS2 or `DATA`. `payload` holds unpacked septets, UTF-16BE or plain octets; it is None of
    text that is a message of its own, which its carrier's segments are cut from. `text` is what it says, for
    people: of `DATA` its octets in hexadecimal. `data_coding` fits the encoding and keeps the message's class.
    """

    text: str
    encoding: str
    data_coding: int
    payload: bytes | None
    segments: int


def read(octets: bytes, data_coding: int = 0, header: int = 0, alphabet: Alphabet = Alphabet.GSM) -> Content:
    """Read the octets of a message that has a user data header of `header` octets (0: none).

    With a header it is one segment, as the client cut it; without one it takes as many as it needs. `alphabet` is
    what data_coding 0 means. Raises `UnknownCoding`, `Malformed` and `TooLong`.
    """
    kind = _KINDS.get(data_coding)
    if kind is None:
        raise UnknownCoding(f"data_coding {data_coding:#04x} is not served here: use 0, 1, 3, 4, 8, 0x10 or 0x18.")
    if header > OCTETS:
        raise TooLong(f"The user data header has {header} octets and {OCTETS} is the most.")
    if kind is _Kind.ASCII and octets.isascii() and _NO_ASCII_TEXT.search(octets) is not None:
        # npm's smpp calls the GSM alphabet so: what it means by 0x00 is an @.
        return _gsm(octets, 0x00, header)
    if kind is _Kind.DEFAULT and alphabet is Alphabet.GSM:
        return _gsm(octets, data_coding, header)
    if kind is _Kind.UCS2:
        return _ucs2(octets, data_coding, header)
    if kind is _Kind.OCTETS:
        return _data(octets, data_coding, header)
    decode, most = _DECODERS[alphabet.value if kind is _Kind.DEFAULT else kind.value]
    if most is not None and max(octets, default=0) > most:
        raise Malformed(f"The octet {max(octets):#04x} is no character of data_coding {data_coding:#04x}.")
    return _text(decode(octets), data_coding, header)


def cut(payload: bytes) -> list[bytes]:
    """Cut octets into what segments hold: 140, or 134 in each of several."""
    if len(payload) <= OCTETS:
        return [payload]
    return [payload[start : start + PART_OCTETS] for start in range(0, len(payload), PART_OCTETS)]


def _utf8(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"The octet {octets[error.start]:#04x} at position {error.start + 1} is no UTF-8.") from None


_DECODERS: Final[dict[str, tuple[Callable[[bytes], str], int | None]]] = {
    "ascii": (lambda octets: octets.decode("ascii"), 0x7F),
    "latin1": (lambda octets: octets.decode("latin-1"), None),
    "utf8": (_utf8, None),
}


def _gsm(octets: bytes, data_coding: int, header: int) -> Content:
    if not octets.isascii():
        raise Malformed(f"The octet {max(octets):#04x} is none of the GSM alphabet, whose characters end at 0x7f.")
    text = decode_gsm(octets)
    if header:
        _check_septets(len(octets), header)
        return Content(text, _GSM7, data_coding, octets, 1)
    return Content(text, _GSM7, data_coding, None, _gsm_segments(text, octets))


def _gsm_segments(text: str, octets: bytes) -> int:
    if len(octets) <= _SINGLE:
        return 1
    return analyse(text).segments if ESCAPE in octets else -(-len(octets) // _PART)


def _ucs2(octets: bytes, data_coding: int, header: int) -> Content:
    if len(octets) % 2:
        raise Malformed(f"UCS-2 has two octets to a character; there are {len(octets)}.")
    if header:
        _check_octets(len(octets), header)
        # Clients cut where they like, in the middle of a surrogate pair too.
        text = octets.decode("utf-16-be", "replace").replace("\0", "\ufffd")
        return Content(text, _UCS2, data_coding, octets, 1)
    try:
        text = octets.decode("utf-16-be")
    except UnicodeDecodeError as error:
        raise Malformed(f"The character at position {error.start // 2 + 1} is half a surrogate pair.") from None
    return Content(_writable(text), _UCS2, data_coding, None, _ucs2_segments(text, len(octets)))


def _ucs2_segments(text: str, size: int) -> int:
    if size <= OCTETS:
        return 1
    return -(-size // PART_OCTETS) if 2 * len(text) == size else len(split(text, Encoding.UCS2))


def _data(octets: bytes, data_coding: int, header: int) -> Content:
    if header:
        _check_octets(len(octets), header)
    segments = 1 if len(octets) <= OCTETS else -(-len(octets) // PART_OCTETS)
    return Content(octets.hex(), DATA, 0x04 if data_coding == 0x02 else data_coding, octets, segments)


def _text(text: str, data_coding: int, header: int) -> Content:
    """Text of an alphabet that phones have not: the GSM alphabet holds it, or UCS-2 must."""
    _writable(text)
    flash = data_coding & 0x03 if data_coding >= 0x10 else None
    if is_gsm(text):
        coding, encoding, data = 0x00 if flash is None else 0x10 | flash, Encoding.GSM7, encode_gsm(text)
        if header:
            _check_septets(len(data), header)
    else:
        coding, encoding, data = 0x08 if flash is None else 0x18 | flash, Encoding.UCS2, text.encode("utf-16-be")
        if header:
            _check_octets(len(data), header)
    if header:
        return Content(text, encoding.value, coding, data, 1)
    return Content(text, encoding.value, coding, None, analyse(text).segments)


def _writable(text: str) -> str:
    if "\0" in text:
        raise Malformed(f"The character at position {text.index(chr(0)) + 1} is U+0000, which is no text.")
    return text


def _check_septets(size: int, header: int) -> None:
    most = (OCTETS - header) * 8 // 7
    if size > most:
        raise TooLong(f"A part with a header of {header} octets holds {most} characters; this has {size}.")


def _check_octets(size: int, header: int) -> None:
    most = OCTETS - header
    if size > most:
        raise TooLong(f"A part with a header of {header} octets holds {most} octets; this has {size}.")
