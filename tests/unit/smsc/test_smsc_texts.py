"""Messages to whoever is bound, as deliver_sm."""

import pytest

from gateway.messaging.text import decode_gsm
from gateway.smpp import udh
from gateway.smpp.codec import decode, encode
from gateway.smpp.constants import ESM_UDHI, Tag
from gateway.smpp.pdu import DeliverSm
from gateway.smsc.texts import Alphabet, address, message, pdus


@pytest.mark.parametrize(
    ("text", "alphabet", "octets", "coding"),
    [
        pytest.param("Ñandù @ 5€", "gsm", b"]and\x06 \x00 5\x1be", 0, id="GSM"),
        pytest.param("Ñé @", "latin1", "Ñé @".encode("latin-1"), 0, id="Latin-1"),
        pytest.param("5€", "latin1", b"5?", 0, id="what Latin-1 cannot say"),
        pytest.param("Ñé €", "utf8", "Ñé €".encode(), 0, id="UTF-8"),
        pytest.param("Привет", "gsm", "Привет".encode("utf-16-be"), 8, id="UCS-2"),
        pytest.param("🙂", "utf8", "🙂".encode("utf-16-be"), 8, id="emoji"),
    ],
)
def test_short_text(text: str, alphabet: Alphabet, octets: bytes, coding: int) -> None:
    [pdu] = pdus(message("34600111222", "5550", text), 1, alphabet)
    assert (pdu.short_message, pdu.data_coding, pdu.esm_class) == (octets, coding, 0)
    assert (pdu.source_addr, pdu.destination_addr) == ("34600111222", "5550")


@pytest.mark.parametrize("alphabet", ["gsm", "utf8"])
def test_long_text_comes_in_parts(alphabet: Alphabet) -> None:
    text = "é" * 400
    parts = pdus(message("a", "b", text), 77, alphabet)
    found = ""
    for number, pdu in enumerate(parts, 1):
        whole = decode(encode(pdu))
        assert isinstance(whole, DeliverSm) and whole.esm_class == ESM_UDHI
        octets = whole.short_message or whole.tlvs[Tag.MESSAGE_PAYLOAD]
        header, rest = udh.split_udh(octets)
        assert udh.concatenation(header) == udh.Concatenation(77, 3, number)
        found += decode_gsm(rest) if alphabet == "gsm" else rest.decode()
    assert found == text and len(parts) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("34600111222", (1, 1, "34600111222")),
        ("+34600111222", (1, 1, "34600111222")),
        ("5550", (0, 1, "5550")),
        ("Shop", (5, 0, "Shop")),
        ("+", (5, 0, "+")),
    ],
)
def test_address(text: str, expected: tuple[int, int, str]) -> None:
    assert address(text) == expected


@pytest.mark.parametrize(
    ("source", "destination", "text", "told"),
    [
        pytest.param("", "5550", "x", "from is a number or a name", id="no source"),
        pytest.param("1", "", "x", "to is a number or a name", id="no destination"),
        pytest.param("1" * 21, "5550", "x", "from is a number or a name", id="long source"),
        pytest.param("1", "55\n0", "x", "to is a number or a name", id="control character"),
        pytest.param("ñ", "5550", "x", "from is a number or a name", id="no ASCII"),
        pytest.param("1", "5550", "", "The text is missing.", id="no text"),
        pytest.param("1", "5550", "\ud800", "surrogate", id="half a character"),
        pytest.param("1", "5550", "x" * 40_000, "more than 255 parts", id="long text"),
    ],
)
def test_what_is_no_message(source: str, destination: str, text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        message(source, destination, text)
