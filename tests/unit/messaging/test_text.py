"""The GSM alphabet, encodings and segments, against two independent packages and the standard's own examples."""

import pytest
import smsutil
from gsm0338 import Codec
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.messaging.text import (
    Encoding,
    TextError,
    TextInfo,
    analyse,
    decode_gsm,
    encode_gsm,
    is_gsm,
    pack_septets,
    split,
    unpack_septets,
)

ORACLE = Codec()
BASIC = "".join(ORACLE.decode(bytes([septet]))[0] for septet in range(0x80) if septet != 0x1B)
EXTENSION = "\f^{}\\[~]|€"
ALPHABET = BASIC + EXTENSION

gsm_texts = st.text(st.sampled_from(ALPHABET), max_size=700)
extension_heavy_texts = st.text(st.sampled_from("ab" + EXTENSION), min_size=150, max_size=500)
any_texts = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(ALPHABET)), max_size=400)
astral_texts = st.text(st.sampled_from("aж😀🇪"), min_size=60, max_size=300)


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        pytest.param("", "GSM7", 0, 1, id="empty"),
        pytest.param("a" * 160, "GSM7", 160, 1, id="gsm-one-full"),
        pytest.param("a" * 161, "GSM7", 161, 2, id="gsm-one-over"),
        pytest.param("a" * 306, "GSM7", 306, 2, id="gsm-two-full"),
        pytest.param("a" * 307, "GSM7", 307, 3, id="gsm-two-over"),
        pytest.param("€" * 80, "GSM7", 160, 1, id="extension-one-full"),
        pytest.param("€" * 81, "GSM7", 162, 2, id="extension-one-over"),
        pytest.param("a" * 152 + "€" + "a" * 152, "GSM7", 306, 3, id="pair-at-the-cut-costs-a-segment"),
        pytest.param("€" * 153, "GSM7", 306, 3, id="every-pair-leaves-an-odd-septet"),
        pytest.param("a" * 151 + "€" + "a" * 153, "GSM7", 306, 2, id="pair-ends-at-the-cut"),
        pytest.param("ж" * 70, "UCS2", 70, 1, id="ucs2-one-full"),
        pytest.param("ж" * 71, "UCS2", 71, 2, id="ucs2-one-over"),
        pytest.param("ж" * 134, "UCS2", 134, 2, id="ucs2-two-full"),
        pytest.param("ж" * 135, "UCS2", 135, 3, id="ucs2-two-over"),
        pytest.param("😀" * 35, "UCS2", 70, 1, id="surrogates-one-full"),
        pytest.param("ж" * 66 + "😀" + "ж" * 66, "UCS2", 134, 3, id="surrogates-at-the-cut-cost-a-segment"),
        pytest.param("\x1b", "UCS2", 1, 1, id="escape-is-no-character"),
        pytest.param("`", "UCS2", 1, 1, id="backtick-is-not-gsm"),
        pytest.param("ç", "UCS2", 1, 1, id="small-c-cedilla-is-not-gsm"),
        pytest.param("Ç", "GSM7", 1, 1, id="capital-c-cedilla-is-gsm"),
        pytest.param("line\n", "GSM7", 5, 1, id="line-feed-at-the-end"),
        pytest.param("\x00", "UCS2", 1, 1, id="nul"),
        pytest.param("\uffff", "UCS2", 1, 1, id="noncharacter"),
    ],
)
def test_analyse(text: str, encoding: str, units: int, segments: int) -> None:
    assert analyse(text) == TextInfo(Encoding(encoding), units, segments)
    assert len(split(text)) == segments


@pytest.mark.parametrize("text", ["\ud83d", "a\udc00", "\ude00\ud83d", "x" * 500 + "\ud800"], ids=ascii)
def test_half_a_surrogate_pair_is_refused(text: str) -> None:
    for function in (analyse, split, encode_gsm):
        with pytest.raises(TextError, match=r"U\+D[8-F]|U\+DE00"):
            function(text)


def test_the_alphabet_is_the_oracles() -> None:
    for code in range(0x11000):
        char = chr(code)
        assert is_gsm(char) == (char in ALPHABET), ascii(char)


def test_every_septet_is_the_oracles() -> None:
    for septet in range(0x80):
        if septet != 0x1B:
            assert decode_gsm(bytes([septet])) == ORACLE.decode(bytes([septet]))[0]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(b"\x1b\x65", "€", id="extension"),
        pytest.param(b"\x1ba", "a", id="free-place-shows-the-basic-character"),
        pytest.param(b"\x1b\x00", "@", id="free-place-zero"),
        pytest.param(b"a\x1b", "a ", id="escape-at-the-end"),
        pytest.param(b"\x1b\x1ba", " a", id="escape-twice"),
        pytest.param(b"\x1b\x1b\x1b\x65", " €", id="escape-twice-then-a-pair"),
        pytest.param(b"\x1b\x0a", "\f", id="form-feed"),
        pytest.param(b"a\xe9b", "a\ufffdb", id="eighth-bit"),
        pytest.param(b"\x1b\xe9", "\ufffd", id="eighth-bit-after-escape"),
    ],
)
def test_decode(data: bytes, text: str) -> None:
    assert decode_gsm(data) == text


@given(st.binary())
def test_decoding_never_fails(data: bytes) -> None:
    assert len(decode_gsm(data)) <= len(data)


@given(gsm_texts)
def test_encoding_is_the_oracles_and_reads_back(text: str) -> None:
    data = encode_gsm(text)
    assert data == ORACLE.encode(text)[0]
    assert decode_gsm(data) == text


@given(st.one_of(gsm_texts, extension_heavy_texts, any_texts, astral_texts))
@example("a" * 153 + "€")
@example("^" * 160)
def test_segments_are_the_oracles(text: str) -> None:
    parts = smsutil.split(text) if is_gsm(text) and text else smsutil.unicode_split(text)
    expected = [
        ORACLE.encode(part.content)[0] if is_gsm(text) else part.content.encode("utf-16-be") for part in parts.parts
    ]
    assert split(text) == expected


@given(st.one_of(gsm_texts, extension_heavy_texts, any_texts, astral_texts))
def test_analysis_agrees_with_the_cuts(text: str) -> None:
    info = analyse(text)
    parts = split(text, info.encoding)
    assert info.segments == len(parts)
    assert info.units == sum(map(len, parts)) // (1 if info.encoding is Encoding.GSM7 else 2)


@given(st.one_of(extension_heavy_texts, astral_texts), st.sampled_from(list(Encoding)))
def test_each_segment_reads_alone(text: str, encoding: Encoding) -> None:
    if encoding is Encoding.GSM7 and not is_gsm(text):
        with pytest.raises(TextError):
            split(text, encoding)
        return
    parts = split(text, encoding)
    gsm = encoding is Encoding.GSM7
    assert "".join(decode_gsm(part) if gsm else part.decode("utf-16-be") for part in parts) == text
    assert max(map(len, parts)) <= ((160 if gsm else 140) if len(parts) == 1 else (153 if gsm else 134))


def test_gsm_text_may_be_sent_as_ucs2() -> None:
    assert split("ab", Encoding.UCS2) == [b"\0a\0b"]
    assert [len(part) for part in split("a" * 71, Encoding.UCS2)] == [134, 8]


def test_the_foreign_character_is_named() -> None:
    with pytest.raises(TextError, match=r"^The character U\+0436 at position 3 is not in the GSM alphabet\.$"):
        encode_gsm("abжd")


@pytest.mark.parametrize(
    ("septets", "octets"),
    [
        pytest.param(b"", "", id="empty"),
        pytest.param(b"1", "31", id="one"),
        pytest.param(b"12", "3119", id="two"),
        pytest.param(b"hellohello", "e8329bfd4697d9ec37", id="ten"),
        pytest.param(b"How are you?", "c8f71d14969741f977fd07", id="twelve"),
    ],
)
def test_packing(septets: bytes, octets: str) -> None:
    assert pack_septets(septets).hex() == octets
    assert unpack_septets(bytes.fromhex(octets), len(septets)) == septets


@given(st.binary(max_size=160).map(lambda data: bytes(byte & 0x7F for byte in data)), st.integers(0, 6))
def test_packing_reads_back(septets: bytes, fill: int) -> None:
    octets = pack_septets(septets, fill)
    assert len(octets) == -(-(7 * len(septets) + fill) // 8)
    assert unpack_septets(octets, len(septets), fill) == septets
