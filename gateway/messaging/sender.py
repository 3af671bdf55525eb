"""Senders: who an SMS says it is from."""

import re
from enum import StrEnum

from gateway.messaging.quoting import quote
from gateway.messaging.text import encode_gsm, is_gsm

MAX_SEPTETS = 11
"""An alphanumeric address holds 11 septets (3GPP TS 23.040, 9.1.2.5: ten octets of seven bit characters)."""

MAX_DIGITS = 15
"""Digits of an international number (ITU-T E.164)."""

SHORT_DIGITS = 6
"""Senders of up to this many digits are short codes: no international number is as short."""

_NUMBER = re.compile(r"\+?([0-9]+)")
_CONTROL = re.compile(r"[\n\r\f]")


class SenderError(ValueError):
    """A sender that cannot be used; its text is one sentence."""


class SenderKind(StrEnum):
    """What a sender is: SMPP's type of number and numbering plan follow (SMPP 3.4, 5.2.5, 5.2.6)."""

    ALPHANUMERIC = "ALPHANUMERIC"
    INTERNATIONAL = "INTERNATIONAL"
    SHORT = "SHORT"


def check_sender(text: str) -> str:
    """Give the sender as it is stored and sent: trimmed, a number without ``+`` or ``00``.

    A sender is a number of up to 15 digits, or up to 11 septets of GSM characters (one of the extension table
    counts twice) with one at least that is no digit, and no line breaks. Raises SenderError otherwise.
    """
    sender = text.strip(" ")
    if not sender:
        raise SenderError("The sender is empty.")
    number = _NUMBER.fullmatch(sender)
    if number is not None:
        return _check_number(number[1])
    if not is_gsm(sender) or _CONTROL.search(sender):
        raise SenderError(f"The sender {quote(text)} holds characters that a sender cannot have.")
    if len(encode_gsm(sender)) > MAX_SEPTETS:
        raise SenderError(
            f"The sender {quote(text)} is too long: up to {MAX_SEPTETS} characters, or {MAX_DIGITS} digits."
        )
    return sender


def kind(sender: str) -> SenderKind:
    """Tell what a sender is that `check_sender` gave."""
    if not (sender.isascii() and sender.isdigit()):
        return SenderKind.ALPHANUMERIC
    return SenderKind.SHORT if len(sender) <= SHORT_DIGITS else SenderKind.INTERNATIONAL


def _check_number(digits: str) -> str:
    if digits.startswith("00") and len(digits) > SHORT_DIGITS + 2:
        digits = digits[2:]
    if len(digits) > MAX_DIGITS:
        raise SenderError(f"The sender {quote(digits)} has more than {MAX_DIGITS} digits.")
    return digits
