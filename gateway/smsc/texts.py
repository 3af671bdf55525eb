"""Messages of the network to whoever is bound, as deliver_sm."""

from dataclasses import dataclass
from typing import Literal

from gateway.messaging.text import Encoding, TextError, analyse, decode_gsm, split
from gateway.smpp import udh
from gateway.smpp.constants import DATA_CODING_DEFAULT, DATA_CODING_UCS2, ESM_UDHI, MAX_SHORT_MESSAGE, Npi, Tag, Ton
from gateway.smpp.pdu import DeliverSm

Alphabet = Literal["gsm", "latin1", "utf8"]

_ADDRESS = 20  # characters of an address (SMPP 3.4, 5.2.8, without the final zero)
_SHORTEST_INTERNATIONAL = 7  # digits; a shorter number is a short code
_LONGEST = 255  # parts


@dataclass(frozen=True, slots=True)
class Message:
    """A text from somebody to a number of ours."""

    source: str
    destination: str
    text: str


def message(source: str, destination: str, text: str) -> Message:
    """Check what somebody typed. Raises ValueError, its text one sentence."""
    for name, address in (("from", source), ("to", destination)):
        if not (0 < len(address) <= _ADDRESS and address.isascii() and address.isprintable()):
            raise ValueError(f"{name} is a number or a name of 1 to {_ADDRESS} characters, not {address[:40]!r}.")
    if not text:
        raise ValueError("The text is missing.")
    try:
        if analyse(text).segments > _LONGEST:
            raise ValueError(f"The text takes more than {_LONGEST} parts.")
    except TextError as error:
        raise ValueError(str(error)) from None
    return Message(source, destination, text)


def pdus(message: Message, reference: int, alphabet: Alphabet) -> list[DeliverSm]:
    """The parts of a message, in order, with a header of this reference (0 to 255) where there are several.

    `alphabet` is that of data_coding 0; what the GSM alphabet cannot say goes in UCS-2.
    """
    gsm = analyse(message.text).encoding is Encoding.GSM7
    pieces = split(message.text)
    found = []
    for part, septets in enumerate(pieces, 1):
        octets = septets
        if gsm and alphabet != "gsm":
            octets = decode_gsm(septets).encode("latin-1" if alphabet == "latin1" else "utf-8", "replace")
        header = udh.make(udh.Concatenation(reference, len(pieces), part)) if len(pieces) > 1 else b""
        octets = header + octets
        long = len(octets) > MAX_SHORT_MESSAGE
        found.append(
            DeliverSm(
                "",
                *address(message.source),
                *address(message.destination),
                esm_class=ESM_UDHI if header else 0,
                data_coding=DATA_CODING_DEFAULT if gsm else DATA_CODING_UCS2,
                short_message=b"" if long else octets,
                tlvs={Tag.MESSAGE_PAYLOAD: octets} if long else {},
            )
        )
    return found


def address(text: str) -> tuple[int, int, str]:
    """TON, NPI and address of a number or name."""
    digits = text.removeprefix("+")
    if not digits.isdigit():
        return Ton.ALPHANUMERIC, Npi.UNKNOWN, text
    if len(digits) < _SHORTEST_INTERNATIONAL:
        return Ton.UNKNOWN, Npi.ISDN, digits
    return Ton.INTERNATIONAL, Npi.ISDN, digits
