"""Addresses as a carrier wants them: type of number and numbering plan (SMPP 3.4, 5.2.5 and 5.2.6), and the sender.

Unless an option says otherwise: an alphanumeric sender is 5/0, an international number 1/1, a short code 3/0.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from gateway.messaging.sender import SenderKind, kind

LONGEST = 20
"""Most characters of an address (SMPP 3.4, 4.4.1: 21 octets with the final zero)."""

_ALPHANUMERIC = 5

_AUTOMATIC = {
    SenderKind.ALPHANUMERIC: (_ALPHANUMERIC, 0),
    SenderKind.INTERNATIONAL: (1, 1),
    SenderKind.SHORT: (3, 0),
}


class Address(NamedTuple):
    """An address with its type of number and numbering plan."""

    text: str
    ton: int
    npi: int


class AddressError(ValueError):
    """An address that no PDU can hold; its text is short enough to be stored as a message's error."""


class Rewriting:
    """Rules ``pattern=replacement`` for senders, divided by semicolons; the first whose pattern fits applies.

    A pattern is a regular expression that fits the whole sender, the replacement may name its groups (``\\1``).
    The last ``=`` of a rule divides them.
    """

    def __init__(self, rules: str = "") -> None:
        """Read the rules. Raises ValueError, its text naming the rule that is wrong."""
        self._rules: list[tuple[re.Pattern[str], str]] = []
        for rule in filter(None, (part.strip() for part in rules.split(";"))):
            pattern, equals, replacement = rule.rpartition("=")
            if not equals or not pattern:
                raise ValueError(f"{rule!r} is no rule: it is written PATTERN=REPLACEMENT")
            try:
                compiled = re.compile(pattern)
                _check_groups(compiled, replacement)
            except (re.error, IndexError) as error:
                raise ValueError(f"the rule {rule!r} is wrong: {error}") from None
            self._rules.append((compiled, replacement))

    def __call__(self, sender: str) -> str:
        """The sender that the carrier is given."""
        for pattern, replacement in self._rules:
            found = pattern.fullmatch(sender)
            if found is not None:
                return found.expand(replacement)
        return sender


class Addressing:
    """A carrier's way with addresses; each of the numbers overrides what is found automatically."""

    def __init__(
        self,
        source_ton: int | None = None,
        source_npi: int | None = None,
        destination_ton: int | None = None,
        destination_npi: int | None = None,
        rewriting: Callable[[str], str] = Rewriting(),  # noqa: B008 - it holds nothing
    ) -> None:
        self._source = source_ton, source_npi
        self._destination = destination_ton, destination_npi
        self._rewriting = rewriting
        # Customers send many messages from few senders.
        self.source = lru_cache(maxsize=4096)(self._make_source)

    def _make_source(self, sender: str, ton: int | None = None, npi: int | None = None) -> Address:
        """The source of a segment; `ton` and `npi` are what an SMPP customer gave with it.

        They hold where nothing overrides them, the sender was not rewritten, and they can be true of it.
        Raises AddressError.
        """
        text = self._rewriting(sender)
        found = kind(text)
        automatic = _AUTOMATIC[found]
        if ton and text == sender and (found is not SenderKind.ALPHANUMERIC or ton == _ALPHANUMERIC):
            automatic = ton, npi or 0
        return _address("sender", text, self._source, automatic)

    def destination(self, number: str) -> Address:
        """The destination of a segment, whose digits are international already. Raises AddressError."""
        return _address("destination", number, self._destination, _AUTOMATIC[kind(number)])


def _address(what: str, text: str, wanted: tuple[int | None, int | None], automatic: tuple[int, int]) -> Address:
    if len(text) > LONGEST:
        raise AddressError(f"the {what} has over {LONGEST} characters")
    if not text.isascii():
        _check_latin(what, text)
    ton, npi = wanted
    return Address(text, automatic[0] if ton is None else ton, automatic[1] if npi is None else npi)


def _check_latin(what: str, text: str) -> None:
    """The codec's strings are Latin-1; the GSM alphabet's Greek capitals and the euro sign are not in it."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        raise AddressError(f"the {what} has characters that SMPP cannot carry") from None


def _check_groups(pattern: re.Pattern[str], replacement: str) -> None:
    """Raises re.error or IndexError for a replacement that the pattern's match could not fill."""
    # Whether a template is right shows only with a match: one of the same groups, none of which need take part.
    alike = re.compile("".join(f"(?P<{name}>)" for name in _group_names(pattern)))
    found = alike.fullmatch("")
    if found is not None:
        found.expand(replacement)


def _group_names(pattern: re.Pattern[str]) -> list[str]:
    names = {number: name for name, number in pattern.groupindex.items()}
    return [names.get(number, f"group_{number}") for number in range(1, pattern.groups + 1)]
