"""Telephone numbers: what customers write, made E.164 digits (ITU-T E.164: at most 15, calling code first).

Calling codes and possible lengths are those of the `phonenumbers` metadata. Numbers that are already
international are settled by two dictionary probes; only those in national form, or with a trunk prefix after
the calling code, pass the whole parser.
"""

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberType, ValidationResult

from gateway.messaging.quoting import quote

MAX_DIGITS = 15

_NON_GEOGRAPHIC = "001"
_MOBILE = frozenset((PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE))


class NumberError(ValueError):
    """A number or country that cannot be used; its text is one sentence, fit to be shown to the customer."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a country calling code's numbers look like; lengths count the calling code."""

    code: str
    region: str
    lengths: frozenset[int]
    trunk: re.Pattern[str] | None
    dialled: frozenset[int]
    """Lengths of numbers in national form, with and without the trunk prefix."""


def _codes_by_lead() -> dict[str, str]:
    """Map the first three digits of international numbers to the calling code; no code begins another."""
    leads = {}
    for number in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        code = str(number)
        missing = 3 - len(code)
        for rest in range(10**missing):
            leads[code + (f"{rest:0{missing}d}" if missing else "")] = code
    return leads


_CODES = _codes_by_lead()
_plans: dict[str, _Plan] = {}
_countries: dict[str, _Plan] = {}


def normalise(to: str, default_country: str = "") -> str:
    """Give a destination's E.164 digits, without a ``+``.

    `to` is ASCII digits, and nothing between them. After ``+``, ``00`` or a leading space (what an
    unescaped ``+`` becomes in a query string) they are international; white space around them is dropped.
    Otherwise they are international if their calling code exists and has numbers of their length, else
    national to `default_country`, a calling code such as ``34``. Digits that can be read both ways are
    national only where that reading is a mobile number and the international one is not.

    Raises NumberError for anything else.
    """
    if to.isdigit() and to.isascii():
        plan = _plans.get(to[:3])
        if (
            plan is not None
            and len(to) in plan.lengths
            and (not default_country or len(to) not in _country(default_country).dialled)
            and not _has_trunk_prefix(to, plan)
        ):
            return to
        digits, explicit = to, False
    else:
        digits, explicit = _bare(to)
    if digits.startswith("00"):
        digits, explicit = digits[2:], True
    if len(digits) > MAX_DIGITS:
        raise NumberError(f"The number {quote(to)} has more than {MAX_DIGITS} digits.")
    number = _international(digits)
    if not explicit and default_country:
        number = _choose(number, _national(digits, _country(default_country)))
    if number is None:
        raise NumberError(_why_not(to, digits, explicit, default_country))
    return number


def calling_code(value: str) -> str:
    """Give the calling code that a country parameter names: ``34``, ``+34``, ``0034`` or ``ES`` give ``34``.

    Raises NumberError for what is neither a calling code nor an ISO 3166-1 alpha-2 code.
    """
    text = value.strip()
    if len(text) == 2 and text.isascii() and text.isalpha():
        code = str(phonenumbers.country_code_for_region(text.upper()))
    else:
        code = text.removeprefix("+") if text.startswith("+") else text.removeprefix("00")
    if not _is_code(code):
        raise NumberError(
            f"{quote(value)} is no country: give a calling code such as 34 or a two-letter code such as ES."
        )
    return code


def _is_code(text: str) -> bool:
    return _CODES.get(text.ljust(3, "0")) == text


def _bare(to: str) -> tuple[str, bool]:
    """Take away white space and an international mark; tell whether there was one."""
    text = to.strip()
    explicit = to.startswith(" ")
    if text.startswith("+"):
        text, explicit = text[1:], True
    if not text:
        raise NumberError("The number is empty.")
    if not (text.isascii() and text.isdigit()):
        raise NumberError(f"The number {quote(to)} holds characters other than the digits 0 to 9.")
    return text, explicit


def _plan(lead: str) -> _Plan:
    """The plan of the numbers that begin with these three digits, a key of `_CODES`."""
    plan = _plans.get(lead)
    if plan is None:
        plan = _plans[lead] = _country(_CODES[lead])
    return plan


def _country(code: str) -> _Plan:
    plan = _countries.get(code)
    if plan is None:
        plan = _countries[code] = _load(code)
    return plan


def _load(code: str) -> _Plan:
    if not _is_code(code):
        raise NumberError(f"The default country {quote(code)} is no calling code.")
    # The first region is the calling code's main one; its lengths stand for all (as in the parser itself):
    # a number that is possible only in another region cannot be dialled from abroad.
    region = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)][0]
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(int(code), region)
    if metadata is None or metadata.general_desc is None:
        raise NumberError(f"Nothing is known of calling code {code}.")
    national = [length for length in metadata.general_desc.possible_length if length > 0]
    trunk = metadata.national_prefix_for_parsing
    trunk_length = len(metadata.national_prefix or "")
    return _Plan(
        code=code,
        region=region,
        lengths=frozenset(len(code) + length for length in national if len(code) + length <= MAX_DIGITS),
        trunk=re.compile(trunk) if trunk else None,
        dialled=frozenset(national) | frozenset(length + trunk_length for length in national),
    )


def _has_trunk_prefix(digits: str, plan: _Plan) -> bool:
    if plan.trunk is None:
        return False
    match = plan.trunk.match(digits, len(plan.code))
    return match is not None and match.end() > match.start()


def _international(digits: str) -> str | None:
    lead = digits[:3]
    if lead not in _CODES:
        return None
    plan = _plan(lead)
    if _has_trunk_prefix(digits, plan):
        return _parse(f"+{digits}", None)
    return digits if len(digits) in plan.lengths else None


def _national(digits: str, plan: _Plan) -> str | None:
    if plan.region == _NON_GEOGRAPHIC:
        return _international(plan.code + digits)
    return _parse(digits, plan.region)


def _choose(international: str | None, national: str | None) -> str | None:
    if international is None or national is None:
        return international or national
    # An SMS goes to a mobile: 612345678 in Spain is not the seven digits of an Australian fixed line.
    if international != national and not _is_mobile(international) and _is_mobile(national):
        return national
    return international


def _parse(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    digits = f"{number.country_code}{phonenumbers.national_significant_number(number)}"
    return digits if len(digits) <= MAX_DIGITS else None


def _is_mobile(digits: str) -> bool:
    return phonenumbers.number_type(phonenumbers.parse(f"+{digits}")) in _MOBILE


def _why_not(to: str, digits: str, explicit: bool, default_country: str) -> str:
    code = _CODES.get(digits[:3])
    if default_country and not explicit:
        return f"The number {quote(to)} is possible neither internationally nor in country {default_country}."
    if code is None:
        return f"The number {quote(to)} does not begin with a country calling code."
    return f"The number {quote(to)} has a length that calling code {code} does not have."
