"""Credits: written as decimal numbers, kept as whole micro-credits (1 credit = 1,000,000)."""

import re

MICRO = 1_000_000
"""Micro-credits in a credit."""

LIMIT = 2**53
"""Amounts stay below this many micro-credits, which every JSON reader keeps exactly (RFC 8259, section 6)."""

_DECIMAL = re.compile(r"([+-]?)([0-9]{1,16})(?:\.([0-9]{1,6}))?")


def parse_credits(text: str) -> int:
    """Read a decimal amount of credits such as ``1.5`` or ``-3`` and give it in micro-credits.

    ASCII digits with an optional sign and at most six decimals. Raises ValueError, its text one sentence, for
    anything else and for amounts of 2**53 micro-credits and more.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text[:20]!r} is not an amount: write plain digits with at most six decimals, such as 12.5."
        )
    sign, whole, fraction = match.groups()
    micro = int(whole) * MICRO + int((fraction or "").ljust(6, "0"))
    if micro >= LIMIT:
        raise ValueError(f"{text[:20]!r} is too large: amounts stay below {LIMIT // MICRO} credits.")
    return -micro if sign == "-" else micro


def format_credits(micro: int) -> str:
    """Write micro-credits as an exact decimal of credits: no exponent and no trailing zeros."""
    whole, fraction = divmod(abs(micro), MICRO)
    sign = "-" if micro < 0 else ""
    if not fraction:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{fraction:06d}".rstrip("0")
