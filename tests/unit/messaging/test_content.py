"""What octets and a data_coding are read as: text, encoding, segments; and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messaging.content import (
    CODINGS,
    DATA,
    OCTETS,
    Alphabet,
    Content,
    ContentError,
    Malformed,
    TooLong,
    UnknownCoding,
    cut,
    read,
)
from gateway.messaging.text import Encoding, decode_gsm, encode_gsm, split

EMOJI = "😀"

WHOLE = {
    "GSM": (b"Hello \x00 \x1b\x65", 0, Content("Hello @ €", "GSM7", 0, None, 1)),
    "GSM, empty": (b"", 0, Content("", "GSM7", 0, None, 1)),
    "GSM, 160": (b"x" * 160, 0, Content("x" * 160, "GSM7", 0, None, 1)),
    "GSM, 161": (b"x" * 161, 0, Content("x" * 161, "GSM7", 0, None, 2)),
    "GSM, 307": (b"x" * 307, 0, Content("x" * 307, "GSM7", 0, None, 3)),
    "GSM, a pair would be split": (
        b"x" * 152 + b"\x1b\x65" * 4 + b"xx",
        0,
        Content("x" * 152 + "€€€€xx", "GSM7", 0, None, 2),
    ),
    "GSM, pairs that make three of two": (
        b"x" * 152 + b"\x1b\x65" + b"x" * 152,
        0,
        Content("x" * 152 + "€" + "x" * 152, "GSM7", 0, None, 3),
    ),
    "GSM, an escape of nothing": (b"a\x1bAb", 0, Content("aAb", "GSM7", 0, None, 1)),
    "GSM, flash": (b"now", 0x10, Content("now", "GSM7", 0x10, None, 1)),
    "GSM, class 1": (b"now", 0x11, Content("now", "GSM7", 0x11, None, 1)),
    "GSM, flash in group 1111": (b"now", 0xF0, Content("now", "GSM7", 0xF0, None, 1)),
    "ASCII that is GSM": (b"a_b", 1, Content("a_b", "GSM7", 0, None, 1)),
    "ASCII with a backquote": (b"a`b", 1, Content("a`b", "UCS2", 8, None, 1)),
    "ASCII with a tab": (b"a\t_", 1, Content("a\t_", "UCS2", 8, None, 1)),
    "ASCII that npm's smpp wrote": (
        bytes.fromhex("6d6500782e636f6d201b283130201b651b292011027d"),
        1,
        Content("me@x.com {10 €} _$ñ", "GSM7", 0, None, 1),
    ),
    "Latin-1 that is GSM": (b"\xa1Ma\xf1ana!", 3, Content("¡Mañana!", "GSM7", 0, None, 1)),
    "Latin-1 that is not": (b"\xe7a va", 3, Content("ça va", "UCS2", 8, None, 1)),
    "Latin-1, 161 octets": (b"\xf1" * 161, 3, Content("ñ" * 161, "GSM7", 0, None, 2)),
    "UCS-2": ("я€".encode("utf-16-be"), 8, Content("я€", "UCS2", 8, None, 1)),
    "UCS-2 that the client chose for GSM text": (
        ("x" * 71).encode("utf-16-be"),
        8,
        Content("x" * 71, "UCS2", 8, None, 2),
    ),
    "UCS-2, surrogates": ((EMOJI * 35).encode("utf-16-be"), 8, Content(EMOJI * 35, "UCS2", 8, None, 1)),
    "UCS-2, a surrogate pair would be split": (
        (EMOJI * 67).encode("utf-16-be"),
        8,
        Content(EMOJI * 67, "UCS2", 8, None, 3),
    ),
    "UCS-2, flash": ("я".encode("utf-16-be"), 0x18, Content("я", "UCS2", 0x18, None, 1)),
    "octets": (b"\x00\xff", 4, Content("00ff", DATA, 4, b"\x00\xff", 1)),
    "octets, unspecified": (b"\x01", 2, Content("01", DATA, 4, b"\x01", 1)),
    "octets, 140": (b"\x80" * 140, 4, Content("80" * 140, DATA, 4, b"\x80" * 140, 1)),
    "octets, 141": (b"\x80" * 141, 4, Content("80" * 141, DATA, 4, b"\x80" * 141, 2)),
    "octets, 269": (b"\x80" * 269, 4, Content("80" * 269, DATA, 4, b"\x80" * 269, 3)),
    "octets with a class": (b"\x80", 0x14, Content("80", DATA, 0x14, b"\x80", 1)),
    "octets with a class in group 1111": (b"\x80", 0xF6, Content("80", DATA, 0xF6, b"\x80", 1)),
}


@pytest.mark.parametrize(("octets", "coding", "expected"), WHOLE.values(), ids=WHOLE.keys())
def test_a_message_of_its_own(octets: bytes, coding: int, expected: Content) -> None:
    assert read(octets, coding) == expected


PARTS = {
    "GSM, all of its room": (b"x" * 153, 0, 6, Content("x" * 153, "GSM7", 0, b"x" * 153, 1)),
    "GSM, a wide reference's": (b"x" * 152, 0, 7, Content("x" * 152, "GSM7", 0, b"x" * 152, 1)),
    "GSM, which ends within a pair": (b"x\x1b", 0, 6, Content("x ", "GSM7", 0, b"x\x1b", 1)),
    "UCS-2": ("я".encode("utf-16-be"), 8, 6, Content("я", "UCS2", 8, b"\x04\x4f", 1)),
    "UCS-2, which ends within a pair": (b"\x00x\xd8\x3d", 8, 6, Content("x\ufffd", "UCS2", 8, b"\x00x\xd8\x3d", 1)),
    "UCS-2 with U+0000": (b"\x00\x00", 8, 6, Content("\ufffd", "UCS2", 8, b"\x00\x00", 1)),
    "Latin-1 that is GSM": (b"\xf1", 3, 6, Content("ñ", "GSM7", 0, b"\x7d", 1)),
    "Latin-1 that is not": (b"\xe7", 3, 6, Content("ç", "UCS2", 8, b"\x00\xe7", 1)),
    "octets": (b"\x80" * 134, 4, 6, Content("80" * 134, DATA, 4, b"\x80" * 134, 1)),
    "a header and nothing else": (b"", 4, 140, Content("", DATA, 4, b"", 1)),
}


@pytest.mark.parametrize(("octets", "coding", "header", "expected"), PARTS.values(), ids=PARTS.keys())
def test_a_part_is_one_segment_with_its_octets(octets: bytes, coding: int, header: int, expected: Content) -> None:
    assert read(octets, coding, header) == expected


ALPHABETS = {
    "Latin-1": (Alphabet.LATIN1, b"\xf1\x40", 0, Content("ñ@", "GSM7", 0, None, 1)),
    "Latin-1, not GSM": (Alphabet.LATIN1, b"\xe7", 0, Content("ç", "UCS2", 8, None, 1)),
    "UTF-8": (Alphabet.UTF8, "ñ€".encode(), 0, Content("ñ€", "GSM7", 0, None, 1)),
    "UTF-8, not GSM": (Alphabet.UTF8, EMOJI.encode(), 0, Content(EMOJI, "UCS2", 8, None, 1)),
    "UTF-8, flash": (Alphabet.UTF8, b"now", 0x10, Content("now", "GSM7", 0x10, None, 1)),
    "UTF-8, flash, not GSM": (Alphabet.UTF8, "я".encode(), 0x10, Content("я", "UCS2", 0x18, None, 1)),
    "of UCS-2 it says nothing": (Alphabet.UTF8, b"\x04\x4f", 8, Content("я", "UCS2", 8, None, 1)),
}


@pytest.mark.parametrize(("alphabet", "octets", "coding", "expected"), ALPHABETS.values(), ids=ALPHABETS.keys())
def test_what_data_coding_0_means_can_be_set(
    alphabet: Alphabet, octets: bytes, coding: int, expected: Content
) -> None:
    assert read(octets, coding, alphabet=alphabet) == expected


REFUSED = {
    "a coding that is not served": (b"x", 5, 0, Alphabet.GSM, UnknownCoding, "data_coding 0x05"),
    "a message waiting indication": (b"x", 0xC8, 0, Alphabet.GSM, UnknownCoding, "0xc8"),
    "GSM, an octet over 0x7f": (b"a\xf1", 0, 0, Alphabet.GSM, Malformed, "0xf1"),
    "GSM, a part of 154": (b"x" * 154, 0, 6, Alphabet.GSM, TooLong, "holds 153 characters; this has 154"),
    "ASCII, an octet over 0x7f": (b"\x80", 1, 0, Alphabet.GSM, Malformed, "0x80"),
    "Latin-1 with NUL": (b"a\0", 3, 0, Alphabet.GSM, Malformed, "position 2 is U.0000"),
    "ASCII that npm's smpp cut too long": (b"\x02" * 154, 1, 6, Alphabet.GSM, TooLong, "153"),
    "UCS-2, an odd octet": (b"\0x\0", 8, 0, Alphabet.GSM, Malformed, "there are 3"),
    "UCS-2, half a pair": (b"\0x\xd8\x3d", 8, 0, Alphabet.GSM, Malformed, "position 2 is half"),
    "UCS-2 with U+0000": (b"\0\0", 8, 0, Alphabet.GSM, Malformed, "U.0000"),
    "UCS-2, a part of 136": (b"\0x" * 68, 8, 6, Alphabet.GSM, TooLong, "holds 134 octets; this has 136"),
    "Latin-1, a part that must be UCS-2 and is too long": (b"\xe7" * 68, 3, 6, Alphabet.GSM, TooLong, "has 136"),
    "UTF-8, broken": (b"a\xff", 0, 0, Alphabet.UTF8, Malformed, "0xff at position 2"),
    "octets, a part of 135": (b"x" * 135, 4, 6, Alphabet.GSM, TooLong, "holds 134 octets"),
    "a header over a segment": (b"", 4, 141, Alphabet.GSM, TooLong, "header has 141 octets"),
}


@pytest.mark.parametrize(
    ("octets", "coding", "header", "alphabet", "error", "says"), REFUSED.values(), ids=REFUSED.keys()
)
def test_refused(
    octets: bytes, coding: int, header: int, alphabet: Alphabet, error: type[ContentError], says: str
) -> None:
    with pytest.raises(error, match=says):
        read(octets, coding, header, alphabet)


@given(st.binary(max_size=400), st.sampled_from(sorted(CODINGS)), st.sampled_from(sorted(Alphabet)))
def test_whatever_is_taken_makes_the_segments_that_are_charged(octets: bytes, coding: int, alphabet: str) -> None:
    try:
        content = read(octets, coding, alphabet=Alphabet(alphabet))
    except Malformed:
        return
    if content.payload is None:
        assert len(split(content.text, Encoding(content.encoding))) == content.segments
    else:
        assert len(cut(content.payload)) == content.segments
    assert "\0" not in content.text


@given(st.binary(max_size=200), st.sampled_from(sorted(CODINGS)), st.integers(1, OCTETS))
def test_a_part_that_is_taken_fits_a_segment(octets: bytes, coding: int, header: int) -> None:
    try:
        content = read(octets, coding, header)
    except (Malformed, TooLong):
        return
    assert content.payload is not None
    bits = 7 if content.encoding == "GSM7" else 8
    assert (len(content.payload) * bits + 7) // 8 + header <= OCTETS
    content.text.encode()
    assert "\0" not in content.text


@given(st.binary(max_size=160).map(lambda data: bytes(octet & 0x7F for octet in data)))
def test_gsm_text_goes_out_as_it_came_but_for_escapes_of_nothing(octets: bytes) -> None:
    text = read(octets).text
    assert text == decode_gsm(octets)
    assert decode_gsm(encode_gsm(text)) == text


@given(st.binary(max_size=1000))
def test_cut_octets_make_the_whole(octets: bytes) -> None:
    pieces = cut(octets)
    assert b"".join(pieces) == octets
    assert all(len(piece) <= (OCTETS if len(pieces) == 1 else 134) for piece in pieces)
