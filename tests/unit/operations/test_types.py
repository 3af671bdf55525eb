"""The types of parameters: what they read, and the sentence they fail with."""

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from gateway.operations.types import (
    UNKNOWN_ID,
    CallingCode,
    Identifier,
    Limit,
    Line,
    MessageText,
    Pairs,
    TemplateId,
    Wire,
)

ADAPTERS: dict[str, TypeAdapter[Any]] = {
    "Identifier": TypeAdapter(Identifier),
    "TemplateId": TypeAdapter(TemplateId),
    "Limit": TypeAdapter(Limit),
    "Line": TypeAdapter(Line),
    "MessageText": TypeAdapter(MessageText),
    "Pairs": TypeAdapter(Pairs),
    "CallingCode": TypeAdapter(CallingCode),
}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        pytest.param("Identifier", "12", 12, id="id"),
        pytest.param("Identifier", "0", 0, id="id-zero"),
        pytest.param("Identifier", "0012", 12, id="id-leading-zeros"),
        pytest.param("Identifier", "0" * 9_000 + "7", 7, id="id-thousands-of-zeros"),
        pytest.param("Identifier", str(2**53 + 1), 2**53 + 1, id="id-beyond-javascript"),
        pytest.param("Identifier", "9" * 16, 10**16 - 1, id="id-sixteen-digits"),
        pytest.param("Identifier", "1" + "0" * 16, UNKNOWN_ID, id="id-seventeen-digits"),
        pytest.param("Identifier", "9" * 9_000, UNKNOWN_ID, id="id-thousands-of-digits"),
        pytest.param("Limit", "1", 1, id="limit-least"),
        pytest.param("Limit", "1000", 1_000, id="limit-most"),
        pytest.param("Limit", "007", 7, id="limit-leading-zeros"),
        pytest.param("Line", " a b ", "a b", id="line-trimmed"),
        pytest.param("Line", "é😀" * 50, "é😀" * 50, id="line-longest"),
        pytest.param("Line", " " * 200 + "x", "x", id="line-counted-after-trimming"),
        pytest.param("MessageText", " a\r\n\tb ", " a\r\n\tb ", id="text-kept-as-it-stands"),
        pytest.param("MessageText", "😀" * 4_000, "😀" * 4_000, id="text-longest"),
        pytest.param("Pairs", r"name:A\, B,url:http://x", {"name": "A, B", "url": "http://x"}, id="pairs"),
        pytest.param("Pairs", " ", {}, id="pairs-blank"),
        pytest.param("CallingCode", "ES", "34", id="country-by-letters"),
        pytest.param("CallingCode", "+34", "34", id="country-with-plus"),
    ],
)
def test_what_is_read(kind: str, text: str, value: object) -> None:
    assert ADAPTERS[kind].validate_python(text) == value


def _not_an_id(shown: str) -> str:
    return f"must be an id in digits, not {shown}"


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        pytest.param("Identifier", "", _not_an_id("''"), id="id-empty"),
        pytest.param("Identifier", "-1", _not_an_id("'-1'"), id="id-negative"),
        pytest.param("Identifier", "+1", _not_an_id("'+1'"), id="id-plus"),
        pytest.param("Identifier", "1.0", _not_an_id("'1.0'"), id="id-decimal"),
        pytest.param("Identifier", "1e3", _not_an_id("'1e3'"), id="id-exponent"),
        pytest.param("Identifier", "1_000", _not_an_id("'1_000'"), id="id-underscore"),
        pytest.param("Identifier", " 1", _not_an_id("' 1'"), id="id-space"),
        pytest.param("Identifier", "1\n", _not_an_id(r"'1\n'"), id="id-line-end"),
        pytest.param("Identifier", "٣", _not_an_id("'٣'"), id="id-arabic"),
        pytest.param("Identifier", "²", _not_an_id("'²'"), id="id-superscript"),
        pytest.param("Identifier", "1\0", _not_an_id(r"'1\x00'"), id="id-nul"),
        pytest.param("Identifier", "{0}" * 99, _not_an_id("'{0}{0}{0}{0}{0}{0}{0…'"), id="id-braces-and-long"),
        pytest.param("Identifier", 7, "must be text", id="id-no-text"),
        pytest.param(
            "TemplateId", "x", "must be an id in digits, as gettemplates gives it, not 'x'", id="id-with-source"
        ),
        pytest.param("Limit", "0", "must be a whole number from 1 to 1000, not '0'", id="limit-zero"),
        pytest.param("Limit", "1001", "must be a whole number from 1 to 1000, not '1001'", id="limit-over"),
        pytest.param("Limit", "-5", "must be a whole number from 1 to 1000, not '-5'", id="limit-negative"),
        pytest.param("Limit", "", "must be a whole number from 1 to 1000, not ''", id="limit-empty"),
        pytest.param(
            "Limit", "9" * 9_000, f"must be a whole number from 1 to 1000, not '{'9' * 20}…'", id="limit-huge"
        ),
        pytest.param("Line", "", "must not be blank", id="line-empty"),
        pytest.param("Line", " \n", "must not be blank", id="line-blank"),
        pytest.param("Line", "x" * 101, "has 101 characters, and 100 is the most", id="line-long"),
        pytest.param("Line", "a\tb", "holds the control character U+0009 at position 2", id="line-tab"),
        pytest.param("Line", "a\u2028b", "holds the control character U+2028 at position 2", id="line-separator"),
        pytest.param("Line", "a\x9f", "holds the control character U+009F at position 2", id="line-c1"),
        pytest.param("Line", "a\0b", "holds the character U+0000 at position 2", id="line-nul"),
        pytest.param("MessageText", "x" * 4_001, "has 4001 characters, and 4000 is the most", id="text-long"),
        pytest.param("MessageText", "ab\0", "holds the character U+0000 at position 3", id="text-nul"),
        pytest.param(
            "MessageText", "a\udc00", "holds half a surrogate pair (U+DC00) at position 2", id="text-surrogate"
        ),
        pytest.param("Pairs", "a:1,b", "Pair 2 ('b') has no colon between name and value.", id="pairs-no-colon"),
        pytest.param("Pairs", ":1", "Pair 1 (':1') has no name before its colon.", id="pairs-no-name"),
        pytest.param("Pairs", "a:\0", "holds the character U+0000 at position 3", id="pairs-nul"),
        pytest.param("Pairs", "a:" + "x" * 3_999, "has 4001 characters, and 4000 is the most", id="pairs-long"),
        pytest.param(
            "CallingCode",
            "999",
            "'999' is no country: give a calling code such as 34 or a two-letter code such as ES.",
            id="country-unknown",
        ),
    ],
)
def test_what_is_not_read(kind: str, value: object, sentence: str) -> None:
    with pytest.raises(ValidationError) as raised:
        ADAPTERS[kind].validate_python(value)
    assert [error["msg"] for error in raised.value.errors()] == [sentence]


@pytest.mark.parametrize("kind", ADAPTERS)
@given(text=st.text(st.characters(exclude_categories=()), max_size=200))
def test_any_text_is_read_or_refused_in_one_short_sentence(kind: str, text: str) -> None:
    try:
        ADAPTERS[kind].validate_python(text)
    except ValidationError as error:
        (only,) = error.errors()
        assert only["msg"].isprintable()
        assert len(only["msg"]) < 400


@given(st.integers(min_value=0, max_value=10**16 - 1))
def test_every_id_is_read_as_written(number: int) -> None:
    assert ADAPTERS["Identifier"].validate_python(str(number)) == number


def test_schemas_say_what_is_on_the_wire() -> None:
    class Model(BaseModel):
        id: Identifier
        line: Line | None = None
        other: Annotated[str, Wire(str.upper)] = ""

    properties = Model.model_json_schema()["properties"]
    assert properties["id"] == {"type": "string", "pattern": "^[0-9]+$", "title": "Id"}
    assert properties["line"]["anyOf"] == [{"type": "string", "maxLength": 100}, {"type": "null"}]
    assert properties["other"] == {"type": "string", "default": "", "title": "Other"}
