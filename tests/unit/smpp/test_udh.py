"""User data headers and what they say of concatenation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp.udh import Concatenation, concatenation, make, parse, split_udh

references = st.one_of(
    st.tuples(st.just(False), st.integers(0, 0xFF)),
    st.tuples(st.just(True), st.integers(0, 0xFFFF)),
)
parts = st.builds(
    lambda reference, numbers: Concatenation(reference[1], max(numbers), min(numbers), reference[0]),
    references,
    st.tuples(st.integers(1, 255), st.integers(1, 255)),
)


@pytest.mark.parametrize(
    ("part", "octets"),
    [
        pytest.param(Concatenation(0x42, 3, 1), "050003420301", id="8-bit"),
        pytest.param(Concatenation(0x1234, 255, 255, wide=True), "0608041234ffff", id="16-bit"),
        pytest.param(Concatenation(0, 1, 1), "050003000101", id="one-part"),
    ],
)
def test_concatenation_in_octets(part: Concatenation, octets: str) -> None:
    assert make(part).hex() == octets
    assert concatenation(bytes.fromhex(octets)) == part


@given(parts, st.binary(max_size=140))
def test_round_trip(part: Concatenation, text: bytes) -> None:
    udh, rest = split_udh(make(part) + text)
    assert rest == text
    assert concatenation(udh) == part
    assert len(udh) == (7 if part.wide else 6)


@pytest.mark.parametrize(
    ("udh", "elements", "part"),
    [
        pytest.param("00", [], None, id="empty"),
        pytest.param("0401020304", [(1, b"\x03\x04")], None, id="other-element"),
        pytest.param(
            "0a240101" + "0003420302" + "0600",
            [(0x24, b"\1"), (0, b"\x42\3\2"), (6, b"")],
            Concatenation(0x42, 3, 2),
            id="among-others",
        ),
        pytest.param(
            "0b" + "0003420302" + "080400090105",
            [(0, b"\x42\3\2"), (8, b"\0\x09\1\5")],
            Concatenation(0x42, 3, 2),
            id="part-over-the-total-is-ignored",
        ),
        pytest.param(
            "0b" + "0003420302" + "080400090501",
            [(0, b"\x42\3\2"), (8, b"\0\x09\5\1")],
            Concatenation(9, 5, 1, wide=True),
            id="last-counts",
        ),
        pytest.param("050003420300", [(0, b"\x42\3\0")], None, id="part-0"),
        pytest.param("050003420001", [(0, b"\x42\0\1")], None, id="total-0"),
        pytest.param("0400024203", [(0, b"\x42\3")], None, id="8-bit-of-another-length"),
        pytest.param("0508034203" + "01", [(8, b"\x42\3\1")], None, id="16-bit-of-another-length"),
    ],
)
def test_elements(udh: str, elements: list[tuple[int, bytes]], part: Concatenation | None) -> None:
    assert parse(bytes.fromhex(udh)) == elements
    assert concatenation(bytes.fromhex(udh)) == part


@pytest.mark.parametrize(
    "udh",
    [
        pytest.param("", id="nothing"),
        pytest.param("05000342", id="longer-than-there-is"),
        pytest.param("01000342", id="shorter-than-there-is"),
        pytest.param("0100", id="element-without-length"),
        pytest.param("0300034203"[:8], id="element-beyond-the-end"),
    ],
)
def test_garbage_lengths(udh: str) -> None:
    with pytest.raises(ValueError, match="user data header"):
        parse(bytes.fromhex(udh))
    with pytest.raises(ValueError, match="user data header"):
        concatenation(bytes.fromhex(udh))


@pytest.mark.parametrize("message", [b"", b"\x05\x00\x03", b"\xff" * 140], ids=["empty", "short", "all-ones"])
def test_message_that_its_header_exceeds(message: bytes) -> None:
    with pytest.raises(ValueError, match="user data header"):
        split_udh(message)


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(Concatenation(256, 2, 1), id="8-bit-reference"),
        pytest.param(Concatenation(0x10000, 2, 1, wide=True), id="16-bit-reference"),
        pytest.param(Concatenation(-1, 2, 1), id="negative-reference"),
        pytest.param(Concatenation(1, 256, 1), id="total"),
        pytest.param(Concatenation(1, 2, 3), id="part-over-total"),
        pytest.param(Concatenation(1, 2, 0), id="part-0"),
    ],
)
def test_part_that_cannot_be_written(part: Concatenation) -> None:
    with pytest.raises(ValueError, match=r"Part|Reference"):
        make(part)


@given(st.binary(max_size=40))
def test_any_octets_are_a_header_or_a_value_error(message: bytes) -> None:
    try:
        udh, rest = split_udh(message)
        assert udh + rest == message
        found = concatenation(udh)
    except ValueError as error:
        assert str(error)
    else:
        assert found is None or 1 <= found.part <= found.total
