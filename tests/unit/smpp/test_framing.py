"""A stream cut into PDUs, however it arrives, and lengths that no PDU has."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp.codec import encode
from gateway.smpp.constants import CommandStatus
from gateway.smpp.framing import DEFAULT_LIMIT, Framer, FramingError
from gateway.smpp.pdu import DistributionList, EnquireLink, SubmitMulti, SubmitSm, SubmitSmResp
from tests.support.smpp_pdus import any_pdus

ONE = encode(SubmitSm(source_addr="a", short_message=b"x", sequence_number=1))
TWO = encode(EnquireLink(sequence_number=2))
THREE = encode(SubmitSmResp("3", sequence_number=3))
HEADER = b"\0\0\0\x15\0\0\0\0\0\0\0\x63"


def in_pieces(octets: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(octets) + 1) for cut in cuts), len(octets)]
    return [octets[start:end] for start, end in pairwise(edges)]


def fed(framer: Framer, pieces: list[bytes]) -> list[bytes]:
    return [frame for piece in pieces for frame in framer.feed(piece)]


@pytest.mark.parametrize(
    ("pieces", "frames"),
    [
        pytest.param([b""], [], id="nothing"),
        pytest.param([ONE], [ONE], id="one"),
        pytest.param([ONE + TWO + THREE], [ONE, TWO, THREE], id="three-at-once"),
        pytest.param([ONE[:-1], ONE[-1:]], [ONE], id="last-octet-later"),
        pytest.param([ONE[:1], ONE[1:]], [ONE], id="within-the-length"),
        pytest.param([ONE[:4], ONE[4:]], [ONE], id="after-the-length"),
        pytest.param([ONE + TWO[:5], TWO[5:] + THREE[:2], THREE[2:]], [ONE, TWO, THREE], id="across"),
        pytest.param([bytes([octet]) for octet in ONE + TWO], [ONE, TWO], id="octet-by-octet"),
        pytest.param([ONE + TWO[:-1]], [ONE], id="rest-is-missing"),
    ],
)
def test_stream_is_cut_into_pdus(pieces: list[bytes], frames: list[bytes]) -> None:
    assert fed(Framer(), pieces) == frames


@given(st.lists(any_pdus, max_size=5), st.lists(st.integers(0, 5000), max_size=8))
def test_cuts_of_the_stream_do_not_matter(pdus: list, cuts: list[int]) -> None:
    frames = [encode(pdu) for pdu in pdus]
    assert fed(Framer(), in_pieces(b"".join(frames), cuts)) == frames


@pytest.mark.parametrize(
    ("octets", "sequence_number", "named"),
    [
        pytest.param(b"\0\0\0\0", 0, "is 0, less than 16", id="zero-and-no-more"),
        pytest.param(b"\0\0\0\x0f" + HEADER, 0x63, "is 15, less than 16", id="fifteen"),
        pytest.param(b"\0\0\0\x08\0\0\0\x15", 0, "is 8, less than 16", id="eight-and-no-more"),
        pytest.param(b"\0\0\0\x65" + HEADER, 0x63, "is 101, more than 100", id="over-the-limit"),
        pytest.param(b"\xff\xff\xff\xff" + HEADER + b"more", 0x63, "more than 100", id="longest"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\n", 0x2E310D0A, "more than 100", id="http"),
    ],
)
@pytest.mark.parametrize("before", [b"", TWO, ONE + TWO], ids=["first", "after-one", "after-two"])
def test_length_that_no_pdu_has(octets: bytes, sequence_number: int, named: str, before: bytes) -> None:
    framer = Framer(limit=100)
    with pytest.raises(FramingError) as caught:
        framer.feed(before + octets)
    error = caught.value
    assert error.sequence_number == sequence_number
    assert error.command_status == CommandStatus.ESME_RINVCMDLEN
    assert named in error.reason
    assert named in str(error)
    assert b"".join(error.frames) == before
    assert framer.feed(ONE) == []


def test_of_a_pdu_over_the_limit_the_sequence_number_is_awaited() -> None:
    framer = Framer(limit=100)
    octets = b"\0\0\0\x65" + HEADER
    for octet in octets[:-1]:
        assert framer.feed(bytes([octet])) == []
    with pytest.raises(FramingError) as caught:
        framer.feed(octets[-1:])
    assert caught.value.sequence_number == 0x63


def test_limit_is_inclusive() -> None:
    frame = (100).to_bytes(4, "big") + bytes(96)
    assert Framer(limit=100).feed(frame) == [frame]


def test_longest_pdu_is_within_the_limit() -> None:
    pdu = SubmitMulti(
        "x" * 64,
        0,
        0,
        "x" * 64,
        [DistributionList("friends")],
        schedule_delivery_time="x" * 64,
        validity_period="x" * 64,
        short_message=b"x" * 254,
        tlvs={0x424: bytes(0xFFFF)},
    )
    frame = encode(pdu)
    assert len(frame) < DEFAULT_LIMIT
    assert fed(Framer(), in_pieces(frame, list(range(0, len(frame), 500)))) == [frame]


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_whatever_comes_is_frames_or_a_framing_error(pieces: list[bytes]) -> None:
    framer = Framer(limit=100)
    taken = b""
    try:
        for piece in pieces:
            taken += b"".join(framer.feed(piece))
    except FramingError as error:
        taken += b"".join(error.frames)
    assert b"".join(pieces).startswith(taken)
