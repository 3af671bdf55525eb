"""Messages that come in: what carriers deliver, its parts, and the words that say for whom it is."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.messaging import numbers

MAX_KEYWORD = 40
MAX_PARTS = 255

GAP = "…"
"""Stands for parts of a long message that never came."""

_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Part:
    """Which piece of a long message something is: `seq` (from 1) of `total` that share a `reference`."""

    reference: int
    total: int
    seq: int


@dataclass(slots=True)
class Inbound:
    """A message that somebody sent to one of our numbers, or one `part` of it, arrived `at` (UTC microseconds).

    `source` and `destination` are as the carrier writes them, with their TON and NPI where it gives them.
    `payload` is short_message or message_payload without its user data header, `text` what it says. The text of
    a part may begin or end with half a surrogate pair, which the other half is put to when the parts are joined.
    """

    source: str
    destination: str
    text: str
    data_coding: int
    esm_class: int
    payload: bytes
    at: int
    source_ton: int | None = None
    source_npi: int | None = None
    part: Part | None = None


def is_part(message: Inbound) -> bool:
    """Whether it is a piece of something longer; counts that make no sense are as good as none."""
    part = message.part
    return part is not None and 1 <= part.seq <= part.total <= MAX_PARTS and part.total > 1


def clean(text: str) -> str:
    """Text that every database can hold: halves of surrogate pairs put together or replaced, no U+0000."""
    if _SURROGATES.search(text):
        text = text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")
    return text.replace("\0", "")


def joined(parts: Mapping[int, str], total: int) -> str:
    """The text of a long message from its parts by number (from 1), `GAP` for each run of missing ones."""
    pieces: list[str] = []
    for seq in range(1, total + 1):
        if seq in parts:
            pieces.append(parts[seq])
        elif seq == 1 or seq - 1 in parts:
            pieces.append(GAP)
    return clean("".join(pieces))


def address(text: str) -> str:
    """A number as routes are looked up by: without white space, `+` or `00`; other text as it stands."""
    said = clean(text)
    bare = "".join(said.split())
    digits = bare[1:] if bare.startswith("+") else bare.removeprefix("00")
    return digits if digits.isascii() and digits.isdigit() else said.strip()


def sender(source: str, ton: int | None, country: str = "") -> str:
    """Who sent it, as E.164 digits where that can be told; else its digits, or the text as it stands.

    A number of type international (TON 1, SMPP 3.4 section 5.2.5) is one; any other is read as `numbers.normalise`
    reads it in the country of this calling code.
    """
    bare = address(source)
    if not (bare.isascii() and bare.isdigit()):
        return bare
    try:
        return numbers.normalise(f"+{bare}" if ton == 1 else "".join(source.split()), country)
    except numbers.NumberError:
        return bare


def folded(text: str) -> str:
    """Words as they are compared: without case, accents, signs at their ends, one space between them.

    Case by the compatibility caseless match of the Unicode Standard (3.13, D146), in which it is folded twice:
    what decomposes may be a capital again.
    """
    plain = unicodedata.normalize("NFD", text)
    for _ in range(2):
        plain = unicodedata.normalize("NFKD", plain.casefold())
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return " ".join(filter(None, map(_bare, plain.split())))


def split_keyword(text: str) -> tuple[str, str]:
    """The first word and the rest, both as `folded` gives them."""
    first, _, rest = folded(text).partition(" ")
    return first, rest


def _bare(word: str) -> str:
    """A word without what is neither letter, digit nor mark at its ends."""
    start, end = 0, len(word)
    while start < end and not word[start].isalnum():
        start += 1
    while end > start and not word[end - 1].isalnum():
        end -= 1
    return word[start:end]
