"""Credits as decimals and as micro-credits."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messaging.money import LIMIT, MICRO, format_credits, parse_credits


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        pytest.param("0", 0, id="zero"),
        pytest.param("-0", 0, id="minus-zero"),
        pytest.param("1", MICRO, id="one"),
        pytest.param("+1.5", 1_500_000, id="plus"),
        pytest.param("-0.000001", -1, id="the-smallest"),
        pytest.param("0.10", 100_000, id="trailing-zero"),
        pytest.param("007.25", 7_250_000, id="leading-zeros"),
        pytest.param("9007199254.740991", LIMIT - 1, id="the-largest"),
    ],
)
def test_parse(text: str, micro: int) -> None:
    assert parse_credits(text) == micro


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1 ",
        "1.",
        ".5",
        "1,5",
        "1e3",
        "0x1",
        "1.0000001",
        "--1",
        "+",
        "NaN",
        "1_000",
        "٣",
        "²",
        "1\n",
        "9" * 400,
        "9007199254.740992",
        "9999999999999999",
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^'.*' is (not an amount: .*|too large: .*)\.$"):
        parse_credits(text)


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        pytest.param(0, "0", id="zero"),
        pytest.param(3 * MICRO, "3", id="whole"),
        pytest.param(1_500_000, "1.5", id="half"),
        pytest.param(-1, "-0.000001", id="the-smallest"),
        pytest.param(-2_050_000, "-2.05", id="inner-zero"),
        pytest.param(100 * MICRO, "100", id="zeros-of-the-whole-stay"),
    ],
)
def test_format(micro: int, text: str) -> None:
    assert format_credits(micro) == text


@given(st.integers(1 - LIMIT, LIMIT - 1))
def test_amounts_read_back_exactly(micro: int) -> None:
    text = format_credits(micro)
    assert parse_credits(text) == micro
    assert Decimal(text) * MICRO == micro


@given(st.text(max_size=30))
def test_any_other_text_is_refused_as_a_value(text: str) -> None:
    try:
        micro = parse_credits(text)
    except ValueError:
        return
    assert Decimal(text) * MICRO == micro
