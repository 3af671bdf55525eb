"""Whatever a carrier delivers is a receipt, a message or nothing, and never an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.carriers.smpp.ids import Auto
from gateway.carriers.smpp.incoming import Read, Reader, text
from gateway.smpp.constants import Tag
from gateway.smpp.pdu import DataSm, DeliverSm

TAGS = [
    Tag.RECEIPTED_MESSAGE_ID,
    Tag.MESSAGE_STATE,
    Tag.MESSAGE_PAYLOAD,
    Tag.NETWORK_ERROR_CODE,
    Tag.SAR_MSG_REF_NUM,
    Tag.SAR_TOTAL_SEGMENTS,
    Tag.SAR_SEGMENT_SEQNUM,
]
TLVS = st.dictionaries(st.sampled_from(TAGS), st.binary(max_size=40))
ADDRESS = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=20)
OCTET = st.integers(0, 255)
PIECES = st.sampled_from(
    [
        b"id:",
        b"12ab",
        b" stat:",
        b"DELIVRD",
        b"err:",
        b"done date:",
        b"2607",
        b" text:",
        b"\0",
        b"\xff",
        b"id:1 stat:",
    ]
)
MESSAGE = st.one_of(st.binary(max_size=254), st.lists(PIECES, max_size=12).map(b"".join))


@given(MESSAGE, TLVS, ADDRESS, ADDRESS, OCTET, OCTET, st.sampled_from(["gsm", "latin1", "utf8"]), st.booleans())
def test_anything_can_be_read(
    octets: bytes,
    tlvs: dict[int, bytes],
    source: str,
    destination: str,
    esm_class: int,
    data_coding: int,
    alphabet: str,
    data_sm: bool,
) -> None:
    given = {"esm_class": esm_class, "data_coding": data_coding, "tlvs": tlvs}
    pdu: DeliverSm | DataSm
    if data_sm:
        pdu = DataSm(source_addr=source, destination_addr=destination, **given)
    else:
        pdu = DeliverSm(source_addr=source, destination_addr=destination, short_message=octets, **given)
    read = Read()
    Reader("up", Auto(), alphabet).read(pdu, 1, read)
    assert [item for item, _ in (*read.receipts, *read.inbound)] + read.idle == [pdu]
    for _, receipt in read.receipts:
        assert receipt.carrier_ref
        assert "\0" not in receipt.carrier_ref
        assert len(receipt.carrier_ref) <= 65


@pytest.mark.parametrize(
    ("octets", "data_coding", "alphabet", "said"),
    [
        (b"\x1be", 0, "gsm", "€"),
        (b"\xe9", 0, "latin1", "é"),
        ("é".encode(), 0, "utf8", "é"),
        (b"\xff", 0, "utf8", "\ufffd"),
        (b"a", 1, "gsm", "a"),
        (b"\xe9", 3, "gsm", "é"),
        (b"\x20\xac", 8, "gsm", "€"),
        (b"\x20\xac\x00", 8, "gsm", "€"),
        (b"\x1be", 0x11, "gsm", "€"),
        (b"\x20\xac", 0x19, "gsm", "€"),
        (b"ab", 0x15, "gsm", ""),
        (b"\x1be", 0xF2, "gsm", "€"),
        (b"ab", 0xF6, "gsm", ""),
        (b"ab", 2, "gsm", ""),
        (b"ab", 4, "gsm", ""),
        (b"ab", 0x2A, "gsm", ""),
        (b"ab", 0xC0, "gsm", ""),
    ],
)
def test_text(octets: bytes, data_coding: int, alphabet: str, said: str) -> None:
    assert text(octets, data_coding, alphabet) == said
