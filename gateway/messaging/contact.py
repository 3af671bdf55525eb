"""Contacts of groups: their numbers as they are kept, and the fields that fill templates."""

import re
from collections.abc import Collection, Mapping, Sequence

from gateway.messaging.numbers import MAX_DIGITS, normalise
from gateway.messaging.quoting import quote

MAX_FIELDS = 50
"""Most fields of a group."""

MAIN_FIELD = "mobile"
"""The number: a placeholder in every group, and never a field of its own."""

_FOREIGN = re.compile(r"[^\w.-]")


class ContactError(ValueError):
    """A number or field that a contact or group cannot have; its text is one sentence for the customer."""


def contact_number(text: str) -> str:
    """Give a contact's number as it is kept: `+` and E.164 digits, or the bare digits as given.

    A number with an international mark (`+`, `00`, or the space that an unescaped `+` becomes) is checked
    and keeps a mark, since it means the same in every send. A bare one is only known once a send names its
    country, so its digits stay as they are; either is then read by `numbers.normalise` with that country.

    Raises `ValueError` for what is no number, or an international one that cannot exist.
    """
    digits = text.strip()
    if text.startswith(" ") or digits.startswith(("+", "00")):
        return "+" + normalise(text)
    if not (digits.isascii() and digits.isdigit()):
        raise ContactError(f"The number {quote(text)} holds characters other than the digits 0 to 9.")
    if len(digits) > MAX_DIGITS:
        raise ContactError(f"The number {quote(text)} has more than {MAX_DIGITS} digits.")
    return digits


def field_name(text: str) -> str:
    """Give the name of a group's field, white space around it dropped.

    It is what a placeholder can hold: 1 to 40 letters, digits, `_`, `-` and `.`, its case significant.
    Raises `ContactError` for anything else and for `mobile`, which every contact has.
    """
    name = text.strip()
    if name == MAIN_FIELD:
        raise ContactError(f"The name {MAIN_FIELD!r} is taken: it is every contact's number.")
    if not name:
        raise ContactError("A field's name is empty.")
    if len(name) > 40:
        raise ContactError(f"The field's name {quote(name)} has {len(name)} characters, and 40 is the most.")
    if foreign := _FOREIGN.search(name):
        raise ContactError(
            f"The field's name {quote(name)} holds {quote(foreign[0])}: letters, digits, _, - and . are possible."
        )
    return name


def field_names(text: str) -> list[str]:
    """Give the names in a comma list such as `name,city`, in their order.

    Raises `ContactError` for a name that cannot be (`field_name`), one given twice, or over `MAX_FIELDS`.
    """
    names = [field_name(name) for name in text.split(",", MAX_FIELDS + 1)[: MAX_FIELDS + 1]]
    for position, name in enumerate(names):
        if name in names[:position]:
            raise ContactError(f"The field {quote(name)} stands twice in the list.")
    check_field_count(names)
    return names


def check_field_count(names: Collection[str]) -> None:
    """Raise `ContactError` for more fields than a group can have."""
    if len(names) > MAX_FIELDS:
        raise ContactError(f"A group has at most {MAX_FIELDS} fields.")


def check_values(values: Mapping[str, str], fields: Sequence[str]) -> None:
    """Raise `ContactError` for the first value that belongs to none of a group's fields."""
    for name in values:
        if name not in fields:
            raise ContactError(f"The group has no field {quote(name)}; {_known(fields)}.")


def _known(fields: Sequence[str]) -> str:
    if not fields:
        return "it has none"
    more = f" and {len(fields) - 10} more" if len(fields) > 10 else ""
    return f"its fields are {', '.join(fields[:10])}{more}"
