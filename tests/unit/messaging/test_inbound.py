"""What a message that comes in says: for whom, by whom, and its parts put together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messaging.inbound import (
    GAP,
    Inbound,
    Part,
    address,
    clean,
    folded,
    is_part,
    joined,
    sender,
    split_keyword,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Pizza", "pizza", id="case"),
        pytest.param("  PIZZA\t four  ", "pizza four", id="white space"),
        pytest.param("«Pizza!»", "pizza", id="signs at the ends"),
        pytest.param("pizza, four.", "pizza four", id="signs at the ends of each word"),
        pytest.param("opt-out", "opt-out", id="a sign within"),
        pytest.param("Désabonner", "desabonner", id="accents"),
        pytest.param("De\u0301sabonner", "desabonner", id="accents written apart"),
        pytest.param("STRASSE", "strasse", id="double s"),
        pytest.param("straße", "strasse", id="sharp s"),
        pytest.param("İPTAL", "iptal", id="dotted capital i"),
        pytest.param("ｓｔｏｐ", "stop", id="full width"),
        pytest.param("𝕊𝕋𝕆ℙ", "stop", id="mathematical capitals"),
        pytest.param("СТОП", "стоп", id="Cyrillic"),
        pytest.param("إيقاف", folded("ايقاف"), id="hamza"),
        pytest.param("🛑 stop 🛑", "stop", id="emoji"),
        pytest.param("#4", "4", id="a digit"),
        pytest.param("?!", "", id="signs alone"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_folded(text: str, expected: str) -> None:
    assert folded(text) == expected


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Pizza, four please", ("pizza", "four please"), id="words"),
        pytest.param("PIZZA", ("pizza", ""), id="one word"),
        pytest.param("... Pizza", ("pizza", ""), id="signs before it"),
        pytest.param("\n", ("", ""), id="none"),
    ],
)
def test_keyword(text: str, expected: tuple[str, str]) -> None:
    assert split_keyword(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("34600000001", "34600000001"),
        ("+34600000001", "34600000001"),
        ("0034 600 000 001", "34600000001"),
        ("7373", "7373"),
        (" Bank ", "Bank"),
        ("+", "+"),
        ("", ""),
        ("٣٤٦", "٣٤٦"),
    ],
)
def test_address(text: str, expected: str) -> None:
    assert address(text) == expected


@pytest.mark.parametrize(
    ("source", "ton", "country", "expected"),
    [
        pytest.param("34600000001", 1, "", "34600000001", id="international"),
        pytest.param("34600000001", 1, "44", "34600000001", id="international, from abroad"),
        pytest.param("+34600000001", 0, "", "34600000001", id="international by its mark"),
        pytest.param("0034600000001", None, "34", "34600000001", id="international by two zeros"),
        pytest.param("34600000001", None, "34", "34600000001", id="international, not said"),
        pytest.param("600000001", 2, "34", "34600000001", id="national"),
        pytest.param("07911123456", 2, "44", "447911123456", id="national with its prefix"),
        pytest.param("600000001", 2, "", "600000001", id="national of nowhere"),
        pytest.param("7373", 3, "34", "7373", id="short code"),
        pytest.param("BANK", 5, "34", "BANK", id="alphanumeric"),
        pytest.param("", None, "34", "", id="nobody"),
    ],
)
def test_sender(source: str, ton: int | None, country: str, expected: str) -> None:
    assert sender(source, ton, country) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Señal 😀", "Señal 😀", id="good"),
        pytest.param("\ud83d\ude00", "😀", id="two halves"),
        pytest.param("a\ud83d", "a\ufffd", id="half"),
        pytest.param("\ude00\ud83d", "\ufffd\ufffd", id="halves the wrong way round"),
        pytest.param("a\0b", "ab", id="NUL"),
    ],
)
def test_clean(text: str, expected: str) -> None:
    assert clean(text) == expected


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_clean_text_can_be_stored(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert "\0" not in cleaned


@pytest.mark.parametrize(
    ("parts", "total", "expected"),
    [
        pytest.param({1: "a", 2: "b", 3: "c"}, 3, "abc", id="whole"),
        pytest.param({1: "a", 3: "c"}, 3, f"a{GAP}c", id="one missing"),
        pytest.param({4: "d"}, 6, f"{GAP}d{GAP}", id="ends missing"),
        pytest.param({1: "a", 2: GAP, 5: "e"}, 5, f"a{GAP}{GAP}e", id="a part that looks like a gap"),
        pytest.param({1: "a\ud83d", 2: "\ude00b"}, 2, "a😀b", id="a character cut in two"),
    ],
)
def test_joined(parts: dict[int, str], total: int, expected: str) -> None:
    assert joined(parts, total) == expected


@given(st.text(max_size=300), st.integers(1, 20))
def test_what_is_cut_is_joined(text: str, total: int) -> None:
    """Cut by UTF-16 units, as UCS-2 segments are: also within a character."""
    units = text.encode("utf-16-be")
    size = max(1, -(-len(units) // 2 // total)) * 2
    cut = {n: units[(n - 1) * size : n * size].decode("utf-16-be", "surrogatepass") for n in range(1, total + 1)}
    assert joined(cut, total) == text.replace("\0", "")


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (None, False),
        (Part(1, 2, 1), True),
        (Part(0, 255, 255), True),
        (Part(1, 1, 1), False),
        (Part(1, 0, 0), False),
        (Part(1, 2, 3), False),
        (Part(1, 2, 0), False),
        (Part(1, 256, 1), False),
    ],
    ids=str,
)
def test_counts_that_make_no_sense_make_no_part(part: Part | None, expected: bool) -> None:
    message = Inbound("34600000001", "7373", "a", 0, 0, b"a", 0, part=part)
    assert is_part(message) is expected
