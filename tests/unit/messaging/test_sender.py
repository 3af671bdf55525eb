"""Senders: names, numbers and short codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messaging.sender import SenderError, SenderKind, check_sender, kind
from gateway.messaging.text import encode_gsm


@pytest.mark.parametrize(
    ("text", "sender", "expected"),
    [
        pytest.param("Trunkline", "Trunkline", SenderKind.ALPHANUMERIC, id="name"),
        pytest.param("A1234567890", "A1234567890", SenderKind.ALPHANUMERIC, id="eleven-characters"),
        pytest.param("My Shop", "My Shop", SenderKind.ALPHANUMERIC, id="inner-space"),
        pytest.param("  Shop ", "Shop", SenderKind.ALPHANUMERIC, id="trimmed"),
        pytest.param("Ñandú_à", None, None, id="u-acute-is-not-gsm"),
        pytest.param("Ñandù", "Ñandù", SenderKind.ALPHANUMERIC, id="gsm-accents"),
        pytest.param("12345-67890", "12345-67890", SenderKind.ALPHANUMERIC, id="one-non-digit"),
        pytest.param("€€€€€", "€€€€€", SenderKind.ALPHANUMERIC, id="ten-septets"),
        pytest.param("€€€€€€", None, None, id="twelve-septets"),
        pytest.param("34600000001", "34600000001", SenderKind.INTERNATIONAL, id="number"),
        pytest.param("+34600000001", "34600000001", SenderKind.INTERNATIONAL, id="plus"),
        pytest.param("0034600000001", "34600000001", SenderKind.INTERNATIONAL, id="zero-zero"),
        pytest.param("123456789012345", "123456789012345", SenderKind.INTERNATIONAL, id="fifteen-digits"),
        pytest.param("1234567890123456", None, None, id="sixteen-digits"),
        pytest.param("1234", "1234", SenderKind.SHORT, id="short-code"),
        pytest.param("123456", "123456", SenderKind.SHORT, id="longest-short-code"),
        pytest.param("001234", "001234", SenderKind.SHORT, id="short-code-with-zeros"),
        pytest.param("1234567", "1234567", SenderKind.INTERNATIONAL, id="seven-digits"),
        pytest.param("", None, None, id="empty"),
        pytest.param("   ", None, None, id="blank"),
        pytest.param("TwelveLetter", None, None, id="twelve-characters"),
        pytest.param("a\nb", None, None, id="line-feed"),
        pytest.param("ab\n", None, None, id="line-feed-at-the-end"),
        pytest.param("a\fb", None, None, id="form-feed"),
        pytest.param("a\x00b", None, None, id="nul"),
        pytest.param("a\x1bb", None, None, id="escape"),
        pytest.param("٣٤٦", None, None, id="arabic-digits"),
        pytest.param("\ud800", None, None, id="lone-surrogate"),
    ],
)
def test_check_sender(text: str, sender: str | None, expected: SenderKind | None) -> None:
    if sender is None:
        with pytest.raises(SenderError) as caught:
            check_sender(text)
        assert str(caught.value).isprintable()
        return
    assert check_sender(text) == sender
    assert kind(sender) is expected


@given(st.one_of(st.text(max_size=20), st.text("0123456789+ aA€@", max_size=18)))
def test_what_passes_fits_an_address_and_passes_again(text: str) -> None:
    try:
        sender = check_sender(text)
    except SenderError:
        return
    if kind(sender) is SenderKind.ALPHANUMERIC:
        assert 1 <= len(encode_gsm(sender)) <= 11
        assert sender.isprintable()
    else:
        assert sender.isascii()
        assert len(sender) <= 15
    assert kind(check_sender(sender)) is kind(sender)
