"""Text as it travels in an SMS: the GSM 7 bit default alphabet or UCS-2, cut into segments.

Sources: 3GPP TS 23.038 (formerly GSM 03.38), 6.2.1 (default alphabet), 6.2.1.1 (extension table), 6.1.2.1
(packing); 3GPP TS 23.040, 9.2.3.24.1 (concatenation with an 8 bit reference: a header of 6 octets, which
leaves 153 septets or 134 octets of a segment's 140 octets).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

ESCAPE = 0x1B

# Position is the septet's value; U+001B stands at the escape's place and is no character of the alphabet.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå\u0394_\u03a6\u0393\u039b\u03a9\u03a0\u03a8\u03a3\u0398\u039e\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

_SEPTETS = {ord(char): chr(septet) for septet, char in enumerate(_BASIC) if septet != ESCAPE} | {
    ord(char): chr(ESCAPE) + chr(septet) for septet, char in _EXTENSION.items()
}
_CHARACTERS = dict(enumerate(_BASIC)) | dict.fromkeys(range(0x80, 0x100), "\ufffd")
_ALPHABET = re.compile(f"[{re.escape(''.join(map(chr, _SEPTETS)))}]*")
_EXTENDED = re.compile(f"[{re.escape(''.join(_EXTENSION.values()))}]")
_FOREIGN = re.compile(f"[^{re.escape(''.join(map(chr, _SEPTETS)))}]")
_RUNS = re.compile("\x1b.?|[^\x1b]+", re.DOTALL)

_GSM_SINGLE, _GSM_PART = 160, 153
_UCS2_SINGLE, _UCS2_PART = 70, 67


class Encoding(StrEnum):
    """How a message's text is coded."""

    GSM7 = "GSM7"
    UCS2 = "UCS2"


class TextError(ValueError):
    """Text that cannot be sent: a lone surrogate, or a character outside an alphabet asked for by name."""


@dataclass(frozen=True, slots=True)
class TextInfo:
    """What a text takes: `units` are septets in GSM7 and 16 bit units in UCS2."""

    encoding: Encoding
    units: int
    segments: int


def is_gsm(text: str) -> bool:
    """Whether every character of the text is in the default alphabet or its extension table."""
    return _ALPHABET.fullmatch(text) is not None


def encode_gsm(text: str) -> bytes:
    """Code text as unpacked septets, one in each byte, extension characters as pairs that begin with 0x1B.

    Raises TextError for a character that is not in the alphabet.
    """
    if _ALPHABET.fullmatch(text) is None:
        foreign = _FOREIGN.search(text)
        where = foreign.start() if foreign else 0
        raise TextError(f"The character U+{ord(text[where]):04X} at position {where + 1} is not in the GSM alphabet.")
    return text.translate(_SEPTETS).encode("ascii")


def decode_gsm(data: bytes) -> str:
    """Read unpacked septets; never fails.

    An escape before a septet that the extension table leaves free gives that septet's basic character, an
    escape before another or at the end a space (3GPP TS 23.038, 6.2.1.1); bytes over 0x7F give U+FFFD.
    """
    text = data.decode("latin-1")
    if ESCAPE not in data:
        return text.translate(_CHARACTERS)
    return _RUNS.sub(_decode_run, text)


def analyse(text: str) -> TextInfo:
    """Choose the encoding and count units and segments, the latter exactly as `split` cuts them.

    Empty text takes one segment. Raises TextError for a lone surrogate.
    """
    length = len(text)
    if _ALPHABET.fullmatch(text) is not None:
        units = length + len(_EXTENDED.findall(text))
        if units <= _GSM_SINGLE:
            return TextInfo(Encoding.GSM7, units, 1)
        if units == length:
            return TextInfo(Encoding.GSM7, units, -(-units // _GSM_PART))
        return TextInfo(Encoding.GSM7, units, sum(1 for _ in _cut_gsm(encode_gsm(text))))
    data = _encode_ucs2(text)
    units = len(data) // 2
    if units <= _UCS2_SINGLE:
        return TextInfo(Encoding.UCS2, units, 1)
    if units == length:
        return TextInfo(Encoding.UCS2, units, -(-units // _UCS2_PART))
    return TextInfo(Encoding.UCS2, units, sum(1 for _ in _cut_ucs2(data)))


def split(text: str, encoding: Encoding | None = None) -> list[bytes]:
    """Cut text into the payloads of its segments, without user data headers.

    GSM7 gives unpacked septets (160, or 153 in each of several), UCS2 gives UTF-16BE (140 or 134 octets).
    No cut falls within an escape pair or a surrogate pair. The encoding is the shortest that holds the text
    unless given. Raises TextError for a lone surrogate and for text that the given encoding cannot hold.
    """
    if encoding is None:
        encoding = Encoding.GSM7 if is_gsm(text) else Encoding.UCS2
    if encoding is Encoding.GSM7:
        data = encode_gsm(text)
        return [data] if len(data) <= _GSM_SINGLE else list(_cut_gsm(data))
    data = _encode_ucs2(text)
    return [data] if len(data) <= 2 * _UCS2_SINGLE else list(_cut_ucs2(data))


def pack_septets(septets: bytes, fill: int = 0) -> bytes:
    """Pack septets into octets (3GPP TS 23.038, 6.1.2.1) after `fill` zero bits, which follow a header."""
    bits = "".join([_BITS[septet] for septet in reversed(septets)])
    return (int(bits or "0", 2) << fill).to_bytes((7 * len(septets) + fill + 7) // 8, "little")


def unpack_septets(octets: bytes, count: int, fill: int = 0) -> bytes:
    """Take `count` septets out of packed octets, skipping `fill` bits; the inverse of `pack_septets`."""
    bits = int.from_bytes(octets, "little") >> fill
    return bytes([bits >> shift & 0x7F for shift in range(0, 7 * count, 7)])


_BITS = [format(septet & 0x7F, "07b") for septet in range(256)]


def _decode_run(match: re.Match[str]) -> str:
    run = match[0]
    if run[0] != "\x1b":
        return run.translate(_CHARACTERS)
    if len(run) == 1 or run[1] == "\x1b":
        return " "
    septet = ord(run[1])
    return _EXTENSION.get(septet) or _CHARACTERS[septet]


def _encode_ucs2(text: str) -> bytes:
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError as error:
        where = error.start
        raise TextError(
            f"The character U+{ord(text[where]):04X} at position {where + 1} is half a surrogate pair."
        ) from None


def _cut_gsm(data: bytes) -> Iterator[bytes]:
    start, size = 0, len(data)
    while start < size:
        end = start + _GSM_PART
        # 0x1B is never the second of a pair, so one at the end begins a pair that the cut would split.
        if end < size and data[end - 1] == ESCAPE:
            end -= 1
        yield data[start:end]
        start = end


def _cut_ucs2(data: bytes) -> Iterator[bytes]:
    start, size = 0, len(data)
    while start < size:
        end = start + 2 * _UCS2_PART
        # The upper octets 0xD8 to 0xDB are those of a pair's first half (RFC 2781, 2.1).
        if end < size and data[end - 2] & 0xFC == 0xD8:
            end -= 2
        yield data[start:end]
        start = end
