"""From segments to submit_sm: every alphabet, every way of long messages, what customers made themselves."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import clock
from gateway.carriers.base import Outgoing
from gateway.carriers.smpp.addressing import AddressError
from gateway.carriers.smpp.encode import Encoder, Request, relative
from gateway.carriers.smpp.options import SmppOptions
from gateway.messaging.text import Encoding, analyse, encode_gsm, split
from gateway.smpp import times, udh
from gateway.smpp.codec import decode, encode
from gateway.smpp.constants import Tag
from gateway.smpp.pdu import SubmitSm

NOW = 1_800_000_000 * clock.SECOND
LONG = "Olé! " * 80  # 400 characters: three segments
LONG_UCS2 = "слово " * 30  # 180 characters: three segments


def encoder(**options: Any) -> Encoder:
    return Encoder(SmppOptions.model_validate({"host": "smsc", "system_id": "me", **options}))


def outgoing(payload: bytes, encoding: str = "GSM7", seq: int = 1, total: int = 1, **values: Any) -> Outgoing:
    given: dict[str, Any] = {
        "message_id": 0x1234_ABCD,
        "attempt": 1,
        "source": "Shop",
        "source_ton": None,
        "source_npi": None,
        "destination": "34600111222",
        "destination_ton": None,
        "destination_npi": None,
        "udh": None,
        "reference": 0xABCD,
        "data_coding": None,
        "esm_class": None,
        "registered_delivery": None,
        "expires_at": NOW + 2 * clock.DAY,
        "possible_duplicate": False,
        **values,
    }
    return Outgoing(seq=seq, total=total, encoding=encoding, payload=payload, **given)


def segments(text: str, **values: Any) -> list[Outgoing]:
    payloads = split(text)
    encoding = analyse(text).encoding.value
    return [
        outgoing(payload, encoding, seq, len(payloads), **values) for seq, payload in enumerate(payloads, start=1)
    ]


def submits(requests: list[Request]) -> list[SubmitSm]:
    """As the carrier reads them."""
    found = [decode(encode(request.pdu)) for request in requests]
    assert all(isinstance(pdu, SubmitSm) for pdu in found)
    return found  # type: ignore[return-value]


def test_a_short_message() -> None:
    [pdu] = submits(encoder(service_type="CMT").requests(segments("Hello"), NOW))
    assert pdu == SubmitSm(
        service_type="CMT",
        source_addr_ton=5,
        source_addr_npi=0,
        source_addr="Shop",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="34600111222",
        validity_period=times.format(NOW + 2 * clock.DAY),
        registered_delivery=1,
        short_message=b"Hello",
    )


ALPHABETS = [
    pytest.param("gsm", "Olé €5 {Δ}", b"Ol\x05 \x1be5 \x1b(\x10\x1b)", 0, id="gsm: unpacked septets"),
    pytest.param("latin1", "Olé {5}", b"Ol\xe9 {5}", 0, id="latin1"),
    pytest.param("latin1", "Olé €5", "Olé €5".encode("utf-16-be"), 8, id="latin1: euro as UCS-2"),
    pytest.param("latin1", "Δ" * 70, ("Δ" * 70).encode("utf-16-be"), 8, id="latin1: Greek as UCS-2, just fits"),
    pytest.param("latin1", "Δ" + "a" * 70, b"?" + b"a" * 70, 0, id="latin1: too long for UCS-2"),
    pytest.param("utf8", "Olé €5", "Olé €5".encode(), 0, id="utf8"),
    pytest.param("gsm", "слово", "слово".encode("utf-16-be"), 8, id="gsm: UCS-2"),
    pytest.param("latin1", "слово", "слово".encode("utf-16-be"), 8, id="latin1: UCS-2"),
    pytest.param("utf8", "😀", "😀".encode("utf-16-be"), 8, id="utf8: UCS-2"),
]


@pytest.mark.parametrize(("alphabet", "text", "octets", "data_coding"), ALPHABETS)
def test_alphabets(alphabet: str, text: str, octets: bytes, data_coding: int) -> None:
    [pdu] = submits(encoder(alphabet=alphabet).requests(segments(text), NOW))
    assert (pdu.short_message, pdu.data_coding, pdu.esm_class, pdu.tlvs) == (octets, data_coding, 0, {})


def test_more_octets_than_short_message_holds() -> None:
    text = "Ç" * 160
    [pdu] = submits(encoder(alphabet="utf8").requests(segments(text), NOW))
    assert (pdu.short_message, pdu.tlvs) == (b"", {Tag.MESSAGE_PAYLOAD: text.encode()})


@pytest.mark.parametrize(
    ("data_coding", "encoding", "payload", "alphabet", "sent"),
    [
        pytest.param(0x10, "GSM7", b"Ol\x05", "gsm", (b"Ol\x05", 0x10), id="flash"),
        pytest.param(0x10, "GSM7", b"Ol\x05", "latin1", (b"Ol\xe9", 0x10), id="flash in Latin-1"),
        pytest.param(0x10, "GSM7", b"\x1be", "latin1", (b"\x20\xac", 0x18), id="flash that is no Latin-1"),
        pytest.param(0xF1, "GSM7", b"\x1be", "latin1", (b"\x20\xac", 0x19), id="class 1 of the group 1111"),
        pytest.param(0x18, "UCS2", b"\x04\x41", "gsm", (b"\x04\x41", 0x18), id="flash in UCS-2"),
        pytest.param(0x08, "UCS2", b"\xd8\x3d", "latin1", (b"\xd8\x3d", 0x08), id="half a pair"),
        pytest.param(0x04, "DATA", b"\x00\xff", "utf8", (b"\x00\xff", 0x04), id="octets"),
        pytest.param(0xF5, "DATA", b"\x00\xff", "latin1", (b"\x00\xff", 0xF5), id="octets with a class"),
        pytest.param(0x00, "GSM7", b"Ol\x05", "utf8", ("Olé".encode(), 0x00), id="the default alphabet"),
    ],
)
def test_what_customers_made(
    data_coding: int, encoding: str, payload: bytes, alphabet: str, sent: tuple[bytes, int]
) -> None:
    item = outgoing(payload, encoding, data_coding=data_coding, esm_class=0x80, registered_delivery=0)
    [pdu] = submits(encoder(alphabet=alphabet).requests([item], NOW))
    assert (pdu.short_message, pdu.data_coding) == sent
    # The reply path stays; a receipt is asked for, since a message's end is not known without.
    assert (pdu.esm_class, pdu.registered_delivery) == (0x80, 1)


def test_long_by_udh() -> None:
    sent = segments(LONG)
    pdus = submits(encoder(long="udh").requests(sent, NOW))
    assert [pdu.esm_class for pdu in pdus] == [0x40] * 3
    for seq, (pdu, item) in enumerate(zip(pdus, sent, strict=True), start=1):
        header, rest = udh.split_udh(pdu.short_message)
        assert udh.concatenation(header) == udh.Concatenation(0xCD, 3, seq)
        assert rest == item.payload
        assert pdu.tlvs == {}


def test_long_by_sar() -> None:
    sent = segments(LONG)
    pdus = submits(encoder(long="sar").requests(sent, NOW))
    assert [pdu.short_message for pdu in pdus] == [item.payload for item in sent]
    assert {pdu.esm_class for pdu in pdus} == {0}
    assert [pdu.tlvs for pdu in pdus] == [
        {Tag.SAR_MSG_REF_NUM: b"\xab\xcd", Tag.SAR_TOTAL_SEGMENTS: b"\3", Tag.SAR_SEGMENT_SEQNUM: bytes((seq,))}
        for seq in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("text", "alphabet", "payload", "data_coding"),
    [
        pytest.param(LONG, "gsm", encode_gsm(LONG), 0, id="gsm"),
        pytest.param(LONG, "latin1", LONG.encode("latin-1"), 0, id="latin1"),
        pytest.param(LONG + "€", "latin1", (LONG + "€").encode("utf-16-be"), 8, id="latin1 cannot"),
        pytest.param(LONG + "€", "utf8", (LONG + "€").encode(), 0, id="utf8"),
        pytest.param(LONG_UCS2, "gsm", LONG_UCS2.encode("utf-16-be"), 8, id="UCS-2"),
    ],
)
def test_long_by_payload(text: str, alphabet: str, payload: bytes, data_coding: int) -> None:
    sent = segments(text)
    requests = encoder(long="payload", alphabet=alphabet).requests(sent, NOW)
    [pdu] = submits(requests)
    assert (pdu.short_message, pdu.esm_class, pdu.data_coding) == (b"", 0, data_coding)
    assert pdu.tlvs == {Tag.MESSAGE_PAYLOAD: payload}
    # One answer for all of them.
    assert list(requests[0].segments) == sent


def test_the_rest_of_a_long_message_does_not_go_whole() -> None:
    rest = segments(LONG)[1:]
    requests = encoder(long="payload").requests(rest, NOW)
    assert [request.segments for request in requests] == [(item,) for item in rest]
    assert [udh.concatenation(udh.split_udh(pdu.short_message)[0]) for pdu in submits(requests)] == [
        udh.Concatenation(0xCD, 3, 2),
        udh.Concatenation(0xCD, 3, 3),
    ]


@pytest.mark.parametrize("long", ["udh", "sar"])
def test_a_part_in_latin1_that_has_to_be_ucs2(long: str) -> None:
    [*_, last] = segments("a" * 160 + "€uro")
    [pdu] = submits(encoder(alphabet="latin1", long=long).requests([last], NOW))
    assert pdu.data_coding == 8
    assert pdu.short_message.endswith("€uro".encode("utf-16-be"))
    [first, _] = segments("€" + "a" * 160)
    [pdu] = submits(encoder(alphabet="latin1", long=long).requests([first], NOW))
    assert pdu.data_coding == 0
    assert b"?aaa" in pdu.short_message


NARROW = bytes((5, 0, 3, 9, 2, 1))
WIDE = bytes((6, 8, 4, 1, 9, 2, 1))
PORT = bytes((6, 5, 4, 0x0B, 0x84, 0x23, 0xF0))
SAR_9 = {Tag.SAR_MSG_REF_NUM: b"\0\x09", Tag.SAR_TOTAL_SEGMENTS: b"\2", Tag.SAR_SEGMENT_SEQNUM: b"\1"}
SAR_265 = {**SAR_9, Tag.SAR_MSG_REF_NUM: b"\1\x09"}


@pytest.mark.parametrize(
    ("long", "header", "esm_class", "sent"),
    [
        pytest.param("udh", NARROW, 0x40, (0x40, NARROW, {}), id="header"),
        pytest.param("sar", NARROW, 0x40, (0x40, NARROW, {}), id="header stays a header"),
        pytest.param("payload", WIDE, 0x43, (0x43, WIDE, {}), id="header with a mode"),
        pytest.param("udh", WIDE, 0, (0x40, WIDE, {}), id="sar_* as a header"),
        pytest.param("sar", WIDE, 0, (0, b"", SAR_265), id="sar_* as TLVs"),
        pytest.param("sar", NARROW, 0x03, (0x03, b"", SAR_9), id="sar_* as TLVs with a mode"),
        pytest.param("sar", NARROW, None, (0, b"", SAR_9), id="sar_* as TLVs without esm_class"),
        pytest.param("sar", PORT, 0, (0x40, PORT, {}), id="another header"),
    ],
)
def test_parts_that_customers_made(
    long: str, header: bytes, esm_class: int | None, sent: tuple[int, bytes, dict[int, bytes]]
) -> None:
    item = outgoing(b"part", udh=header, esm_class=esm_class, data_coding=0)
    [pdu] = submits(encoder(long=long).requests([item], NOW))
    assert (pdu.esm_class, pdu.short_message, pdu.tlvs) == (sent[0], sent[1] + b"part", sent[2])


@pytest.mark.parametrize(
    ("validity", "expires", "written"),
    [
        ("absolute", 2 * clock.DAY, times.format(NOW + 2 * clock.DAY)),
        ("relative", 2 * clock.DAY, "000002000000000R"),
        ("relative", -clock.DAY, "000000000001000R"),
        ("none", 2 * clock.DAY, ""),
    ],
)
def test_validity(validity: str, expires: int, written: str) -> None:
    item = outgoing(b"Hello", expires_at=NOW + expires)
    [pdu] = submits(encoder(validity=validity).requests([item], NOW))
    assert pdu.validity_period == written


@given(st.integers(1, 28 * 86_400))
def test_relative_times_are_read_as_they_are_meant(seconds: int) -> None:
    assert times.parse(relative(seconds), NOW) == NOW + seconds * clock.SECOND


def test_relative_times_of_over_a_month() -> None:
    assert relative(45 * 86_400 + 3_661) == "000115010101000R"
    assert relative(10**12) == "99" + relative(10**12)[2:]


def test_registered_delivery() -> None:
    [pdu] = submits(encoder(registered_delivery=0).requests(segments("Hello"), NOW))
    assert pdu.registered_delivery == 0


def test_addresses() -> None:
    made = encoder(source_rewrite="Shop=1234", destination_ton=0, destination_npi=8, source_npi=3)
    [pdu] = submits(made.requests(segments("Hello"), NOW))
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (3, 3, "1234")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi) == (0, 8)
    with pytest.raises(AddressError):
        made.requests(segments("Hello", source="Δ"), NOW)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=500), st.sampled_from(["udh", "sar"]))
def test_every_part_fits_the_air(text: str, long: str) -> None:
    requests = encoder(long=long).requests(segments(text), NOW)
    gsm = analyse(text).encoding is Encoding.GSM7
    for pdu in submits(requests):
        header = 6 if len(requests) > 1 else 0
        body = pdu.short_message[6:] if header and long == "udh" else pdu.short_message
        assert (len(body) * 7 + 7) // 8 + header <= 140 if gsm else len(body) + header <= 140
