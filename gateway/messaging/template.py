"""Templates: placeholders such as ``<name>`` in a text, and the ``name:value`` pairs that fill them.

A placeholder's name is 1 to 40 letters, digits, ``_``, ``-`` and ``.``, in any script, its case
significant. A ``<`` that begins no placeholder is text like any other.
"""

import re
from collections.abc import Iterator, Mapping

from gateway.messaging.quoting import quote

_PLACEHOLDER = re.compile(r"<([\w.-]{1,40})>")
_MARK = re.compile(r"\\([\\,])|,")
_SPECIAL = re.compile(r"[\\,]")


class MissingValue(ValueError):
    """A placeholder that no value was given for; its name is in `name`."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The placeholder <{name}> has no value.")
        self.name = name


class PairError(ValueError):
    """A pair that cannot be read or written; its text is one sentence, `position` counts pairs from 1."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"Pair {position} {reason}.")
        self.position = position


def placeholders(text: str) -> tuple[str, ...]:
    """Give the names of a template's placeholders, each once, in the order they first stand in the text."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(text)))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values in the place of placeholders, verbatim: a placeholder within a value stays as it is.

    Takes linear time. Raises MissingValue for the first placeholder that has no value.
    """

    def value(match: re.Match[str]) -> str:
        try:
            return values[match[1]]
        except KeyError:
            raise MissingValue(match[1]) from None

    return _PLACEHOLDER.sub(value, text)


def parse_pairs(text: str) -> dict[str, str]:
    r"""Read pairs such as ``mobile:123456789,name:test name``.

    Commas join pairs; the first colon ends a pair's name, which is trimmed; the value is kept as it stands.
    A comma within a pair is written ``\,`` and a backslash ``\\``; a backslash before anything else is
    itself. Empty text holds no pairs. Raises PairError for a pair without a colon or name, and for a name
    repeated with another value.
    """
    pairs: dict[str, str] = {}
    if not text.strip():
        return pairs
    for position, pair in enumerate(_pieces(text), 1):
        name, colon, value = pair.partition(":")
        name = name.strip()
        if not colon:
            raise PairError(position, f"({quote(pair)}) has no colon between name and value")
        if not name:
            raise PairError(position, f"({quote(pair)}) has no name before its colon")
        if pairs.setdefault(name, value) != value:
            raise PairError(position, f"gives {quote(name)} a second value")
    return pairs


def format_pairs(pairs: Mapping[str, str]) -> str:
    """Write pairs so that `parse_pairs` reads the same ones.

    Raises PairError for a name that could not be read back: empty, with a colon, or with white space around
    it.
    """
    written = []
    for position, (name, value) in enumerate(pairs.items(), 1):
        if not name or ":" in name or name != name.strip():
            raise PairError(position, f"has a name that cannot be written ({quote(name)})")
        written.append(_SPECIAL.sub(r"\\\g<0>", f"{name}:{value}"))
    return ",".join(written)


def _pieces(text: str) -> Iterator[str]:
    """Cut at the commas that no backslash stands before, and resolve the escapes."""
    if "\\" not in text:
        yield from text.split(",")
        return
    piece: list[str] = []
    start = 0
    for mark in _MARK.finditer(text):
        piece.append(text[start : mark.start()])
        start = mark.end()
        if mark[1] is None:
            yield "".join(piece)
            piece.clear()
        else:
            piece.append(mark[1])
    piece.append(text[start:])
    yield "".join(piece)
