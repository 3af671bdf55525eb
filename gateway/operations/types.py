"""What parameters may hold: the types that the operations' models share.

Each turns the text of the wire into a value or fails with one short sentence, which the pipeline puts after
the parameter's name in an INCORRECT_PARAM; at most 20 characters of the value are in it (`quote`).
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from gateway.messaging import numbers, template
from gateway.messaging.quoting import quote
from gateway.operations.errors import Code, Refusal

MAX_TEXT = 4_000
"""Most characters of a message's text: more than `max_segments` segments hold at its default."""

UNKNOWN_ID = 2**63 - 1
"""What ids too long for the database are read as: an id that is never handed out."""

_DIGITS = re.compile(r"[0-9]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Other than white space proper, what ends a line or shows nothing: Unicode's Cc, Zl and Zp.
_CONTROL = frozenset(("Cc", "Zl", "Zp"))


@dataclass(frozen=True, slots=True)
class Wire:
    """Annotation of a type that is read from the wire's text by `read`, which raises `ValueError`.

    `schema` is what the parameter is in JSON schema.
    """

    read: Callable[[str], Any]
    schema: tuple[tuple[str, Any], ...] = ()

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validate)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", **dict(self.schema)}

    def _validate(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise PydanticCustomError("wire", "must be text")
        try:
            return self.read(value)
        except ValueError as error:
            # The sentence goes in as a value: braces in it are no placeholders of pydantic's.
            raise PydanticCustomError("wire", "{sentence}", {"sentence": str(error)}) from None


@dataclass(frozen=True, slots=True)
class Digits:
    """Reads an id: ASCII digits and nothing else, leading zeros ignored.

    One that is longer than any id (over 16 digits) reads as `UNKNOWN_ID`. `source` is the operation that
    gives such ids, for the error's sentence.
    """

    source: str = ""

    def __call__(self, text: str) -> int:
        if not _DIGITS.fullmatch(text):
            where = f", as {self.source} gives it" if self.source else ""
            raise ValueError(f"must be an id in digits{where}, not {quote(text)}")
        digits = text.lstrip("0")
        return int(digits or "0") if len(digits) <= 16 else UNKNOWN_ID


@dataclass(frozen=True, slots=True)
class Whole:
    """Reads a whole number from `least` to `most`, in ASCII digits."""

    least: int
    most: int

    def __call__(self, text: str) -> int:
        digits = text.lstrip("0") or text[:1]
        if not _DIGITS.fullmatch(text) or len(digits) > 16 or not self.least <= int(digits) <= self.most:
            raise ValueError(f"must be a whole number from {self.least} to {self.most}, not {quote(text)}")
        return int(digits)


@dataclass(frozen=True, slots=True)
class OneLine:
    """Reads a line of 1 to `most` characters without control characters; white space around it is dropped."""

    most: int

    def __call__(self, text: str) -> str:
        line = storable(text.strip(), self.most)
        if not line:
            raise ValueError("must not be blank")
        for position, character in enumerate(line, 1):
            if unicodedata.category(character) in _CONTROL:
                raise ValueError(f"holds the control character U+{ord(character):04X} at position {position}")
        return line


def storable(text: str, most: int = MAX_TEXT) -> str:
    """Give text back that every database and every alphabet can hold.

    Raises `ValueError` for more than `most` characters, for U+0000 and for a lone surrogate.
    """
    if len(text) > most:
        raise ValueError(f"has {len(text)} characters, and {most} is the most")
    if "\0" in text:
        raise ValueError(f"holds the character U+0000 at position {text.index(chr(0)) + 1}")
    if surrogate := _SURROGATE.search(text):
        raise ValueError(
            f"holds half a surrogate pair (U+{ord(surrogate[0]):04X}) at position {surrogate.start() + 1}"
        )
    return text


def pairs(text: str) -> dict[str, str]:
    """Read `name:value` pairs (`template.parse_pairs`) from storable text."""
    return template.parse_pairs(storable(text))


_ID_SCHEMA = (("pattern", "^[0-9]+$"),)

Identifier = Annotated[int, Wire(Digits(), _ID_SCHEMA)]
TemplateId = Annotated[int, Wire(Digits("gettemplates"), _ID_SCHEMA)]
GroupId = Annotated[int, Wire(Digits("getgroups"), _ID_SCHEMA)]
ContactId = Annotated[int, Wire(Digits("getcontacts"), _ID_SCHEMA)]

Line = Annotated[str, Wire(OneLine(100), (("maxLength", 100),))]
"""A title or a name."""

MessageText = Annotated[str, Wire(storable, (("maxLength", MAX_TEXT),))]
"""The text of a message or template, kept as it stands, line ends included."""

Text = Annotated[str, Wire(storable, (("maxLength", MAX_TEXT),))]
"""Any other text, which the operation reads further: a number, a list, a date."""

Pairs = Annotated[dict[str, str], Wire(pairs, (("maxLength", MAX_TEXT),))]
"""`name:value` pairs joined by commas; a comma in a value is written `\\,`."""

CallingCode = Annotated[str, Wire(numbers.calling_code)]
"""A country, as its calling code in digits: `34`, `+34`, `0034` and `ES` all give `34`."""

Limit = Annotated[int, Wire(Whole(1, 1_000), _ID_SCHEMA)]
"""How many rows of a list to give."""


class Created(BaseModel):
    """What was made."""

    id: str = Field(description="Its id, in digits.")


def check_type(type_: str) -> None:
    """Refuse a template's or group's type other than `mobile` (INCORRECT_TYPE)."""
    if type_ != "mobile":
        raise Refusal(Code.INCORRECT_TYPE, f"type: {quote(type_)} is not served; mobile is the only type")
