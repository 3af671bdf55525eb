"""Destinations and countries, against the phonenumbers parser."""

import phonenumbers
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from phonenumbers import NumberParseException, ValidationResult

from gateway.messaging.numbers import NumberError, calling_code, normalise

CODES = [str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE]

digits = st.text("0123456789", min_size=1, max_size=17)
plausible = st.builds(str.__add__, st.sampled_from(CODES), st.text("0123456789", min_size=3, max_size=13))


def oracle(number: str) -> str | None:
    """What the parser makes of a number in international form."""
    try:
        parsed = phonenumbers.parse(f"+{number}")
    except NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(parsed) != ValidationResult.IS_POSSIBLE:
        return None
    text = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)[1:]
    return text if len(text) <= 15 else None


def answer(to: str, default_country: str = "") -> str | None:
    try:
        return normalise(to, default_country)
    except NumberError:
        return None


@pytest.mark.parametrize(
    ("to", "country", "number"),
    [
        pytest.param("34600000001", "", "34600000001", id="international"),
        pytest.param("+34600000001", "", "34600000001", id="plus"),
        pytest.param("0034600000001", "", "34600000001", id="zero-zero"),
        pytest.param(" 34600000001", "", "34600000001", id="space-for-plus"),
        pytest.param(" 0034600000001 ", "", "34600000001", id="space-and-zero-zero"),
        pytest.param("34600000001\r\n", "", "34600000001", id="line-end"),
        pytest.param("600000001", "34", "34600000001", id="national"),
        pytest.param("34600000001", "34", "34600000001", id="international-of-the-default-country"),
        pytest.param("4915112345678", "34", "4915112345678", id="international-of-another-country"),
        pytest.param("34600000001", "49", "34600000001", id="default-country-with-many-lengths"),
        pytest.param("07400123456", "44", "447400123456", id="trunk-prefix"),
        pytest.param("+4407400123456", "", "447400123456", id="trunk-prefix-after-the-code"),
        pytest.param("3123456789", "39", "393123456789", id="italian-mobile"),
        pytest.param("0612345678", "39", "390612345678", id="italian-zero-stays"),
        pytest.param("+390612345678", "", "390612345678", id="italian-zero-stays-after-plus"),
        pytest.param("2015550123", "1", "12015550123", id="north-american"),
        pytest.param("12015550123", "1", "12015550123", id="north-american-with-one"),
        pytest.param("89161234567", "7", "79161234567", id="russian-eight"),
        pytest.param("612345678", "34", "34612345678", id="mobile-here-no-mobile-in-australia"),
        pytest.param("687771234", "34", "687771234", id="mobile-here-and-in-new-caledonia"),
        pytest.param("865432109", "370", "37065432109", id="trunk-prefix-that-looks-like-china"),
        pytest.param("4901511234567", "", "491511234567", id="trunk-prefix-within-a-possible-length"),
        pytest.param("+612345678", "34", "612345678", id="plus-means-australia"),
        pytest.param("612345678", "", "612345678", id="no-default-country-means-australia"),
        pytest.param("80012345678", "34", "80012345678", id="freephone-of-no-country"),
        pytest.param("88213000000", "882", "88213000000", id="default-country-of-no-region"),
    ],
)
def test_normalise(to: str, country: str, number: str) -> None:
    assert normalise(to, country) == number
    assert normalise(to, country) == number, "the second time it comes from the warmed tables"


@pytest.mark.parametrize("last", range(1, 10), ids=str)
def test_the_simulators_numbers_pass(last: int) -> None:
    assert normalise(f"3460000000{last}", "34") == f"3460000000{last}"


@given(st.integers(0, 99_999_999))
def test_spanish_mobiles_pass(number: int) -> None:
    assert normalise(f"346{number:08d}", "34") == f"346{number:08d}"
    assert normalise(f"+346{number:08d}") == f"346{number:08d}"


@pytest.mark.parametrize(
    ("to", "country", "reason"),
    [
        pytest.param("", "34", "is empty", id="empty"),
        pytest.param("  ", "34", "is empty", id="blank"),
        pytest.param("+", "34", "is empty", id="plus-alone"),
        pytest.param("00", "34", "does not begin with", id="zero-zero-alone"),
        pytest.param("٣٤٦٠٠٠٠٠٠٠٠١", "34", "other than the digits", id="arabic-digits"),
        pytest.param("３４６００００００００１", "34", "other than the digits", id="full-width-digits"),
        pytest.param("3460000000²", "34", "other than the digits", id="superscript"),
        pytest.param("34600abc001", "34", "other than the digits", id="letters"),
        pytest.param("34 600 000 001", "34", "other than the digits", id="spaces"),
        pytest.param("34-600-000-001", "34", "other than the digits", id="hyphens"),
        pytest.param("++34600000001", "34", "other than the digits", id="two-pluses"),
        pytest.param("-34600000001", "34", "other than the digits", id="minus"),
        pytest.param("34600000001\x00", "34", "other than the digits", id="nul"),
        pytest.param("346000000\ud800", "34", "other than the digits", id="lone-surrogate"),
        pytest.param("3460000000012345", "34", "more than 15 digits", id="sixteen-digits"),
        pytest.param("9" * 10_000, "34", "more than 15 digits", id="ten-thousand-digits"),
        pytest.param("+99912345678", "34", "does not begin with", id="unknown-calling-code"),
        pytest.param("+3460000000", "34", "has a length", id="one-digit-short"),
        pytest.param("+346000000011", "34", "has a length", id="one-digit-long"),
        pytest.param(" 600000001", "34", "has a length", id="space-means-international"),
        pytest.param("60000001", "34", "neither", id="neither-here-nor-abroad"),
        pytest.param("600000001", "", "has a length", id="national-without-a-default-country"),
        pytest.param("112", "34", "neither", id="emergency"),
        pytest.param("600000001", "999", "default country '999'", id="unknown-default-country"),
    ],
)
def test_refused(to: str, country: str, reason: str) -> None:
    with pytest.raises(NumberError, match=reason) as caught:
        normalise(to, country)
    text = str(caught.value)
    assert text.isprintable()
    assert text.endswith(".")
    assert len(text) < 140


@settings(max_examples=500)
@given(st.one_of(digits, plausible))
@example("541115123456789")
@example("5491112345678")
@example("78005553535")
@example("18002345678")
@example("5201551234567890")
@example("3752912345678")
def test_international_numbers_are_the_parsers(number: str) -> None:
    assume(not number.startswith("00"))
    assert answer(f"+{number}") == (oracle(number) if len(number) <= 15 else None)
    assert answer(number) == answer(number) == answer(f"+{number}")
    assert answer(f"00{number}") == answer(f" {number}") == answer(f"+{number}")


@settings(max_examples=500)
@given(plausible, st.sampled_from(["", "34", "1", "49", "7", "39"]))
def test_warm_and_cold_tables_agree(number: str, country: str) -> None:
    first = answer(number, country)
    assert answer(number, country) == first
    if first is not None:
        assert first.isdigit()
        assert len(first) <= 15
        assert oracle(first) is not None


@given(st.text(max_size=20), st.sampled_from(["", "34"]))
def test_anything_is_digits_or_refused(to: str, country: str) -> None:
    number = answer(to, country)
    assert number is None or (number.isascii() and number.isdigit())


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param("34", "34", id="digits"),
        pytest.param("+34", "34", id="plus"),
        pytest.param("0034", "34", id="zero-zero"),
        pytest.param(" 34", "34", id="space-for-plus"),
        pytest.param("ES", "34", id="iso"),
        pytest.param("es", "34", id="iso-lower-case"),
        pytest.param("US", "1", id="iso-shared-code"),
        pytest.param("JM", "1", id="iso-of-a-region-that-shares"),
        pytest.param("1", "1", id="one-digit"),
        pytest.param("376", "376", id="three-digits"),
        pytest.param("882", "882", id="no-region"),
    ],
)
def test_calling_code(value: str, code: str) -> None:
    assert calling_code(value) == code


@pytest.mark.parametrize(
    "value",
    ["", "+", "00", "3", "346", "0", "000", "999", "ZZ", "E", "ESP", "Spain", "٣٤", "3 4", "-34", "É1", "éß"],
    ids=ascii,
)
def test_what_is_no_country_is_refused(value: str) -> None:
    with pytest.raises(NumberError, match="is no country"):
        calling_code(value)


@pytest.mark.parametrize("code", CODES)
def test_every_calling_code_is_known(code: str) -> None:
    assert calling_code(code) == code
    region = phonenumbers.region_code_for_country_code(int(code))
    if region != "001":
        assert calling_code(region) == code
        example_number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if example_number is not None:
            national = phonenumbers.national_significant_number(example_number)
            assert normalise(f"{code}{national}", code) == f"{code}{national}"
