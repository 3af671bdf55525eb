"""Placeholders and the pairs that fill them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messaging.template import (
    MissingValue,
    PairError,
    fill,
    format_pairs,
    parse_pairs,
    placeholders,
)

names = st.from_regex(r"[\w.-]{1,40}", fullmatch=True)
pair_names = st.text(st.characters(exclude_characters=":"), min_size=1).filter(lambda name: name == name.strip())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", (), id="empty"),
        pytest.param("Hello <name>!", ("name",), id="one"),
        pytest.param("<b> <a> <b>", ("b", "a"), id="once-and-in-order"),
        pytest.param("<año> <имя>", ("año", "имя"), id="other-scripts"),
        pytest.param("<first-name><v1.2><a_b>", ("first-name", "v1.2", "a_b"), id="marks"),
        pytest.param("<Name><name>", ("Name", "name"), id="case-counts"),
        pytest.param("1 < 2 > 1, <>, < a>, <a b>, <a", (), id="literal-brackets"),
        pytest.param("<<a>>", ("a",), id="inner"),
        pytest.param(f"<{'n' * 40}>", ("n" * 40,), id="forty-characters"),
        pytest.param(f"<{'n' * 41}>", (), id="forty-one-characters"),
        pytest.param("<a\n>", (), id="line-feed"),
    ],
)
def test_placeholders(text: str, expected: tuple[str, ...]) -> None:
    assert placeholders(text) == expected


@pytest.mark.parametrize(
    ("text", "values", "filled"),
    [
        pytest.param("Hello <name>", {"name": "Ana"}, "Hello Ana", id="one"),
        pytest.param("<a><b>", {"a": "<b>", "b": "<a>"}, "<b><a>", id="values-are-not-expanded"),
        pytest.param("<<a>>", {"a": "a"}, "<a>", id="nor-is-what-they-form"),
        pytest.param("<a>", {"a": r"\1 \g<0>"}, r"\1 \g<0>", id="values-are-no-patterns"),
        pytest.param("<a>", {"a": "", "b": "x"}, "", id="empty-value-and-a-spare-one"),
        pytest.param("1 < 2", {}, "1 < 2", id="nothing-to-fill"),
    ],
)
def test_fill(text: str, values: dict[str, str], filled: str) -> None:
    assert fill(text, values) == filled


def test_the_first_missing_value_is_named() -> None:
    with pytest.raises(MissingValue, match=r"^The placeholder <city> has no value\.$") as caught:
        fill("<name> <city> <zip>", {"name": "Ana"})
    assert caught.value.name == "city"
    assert caught.value.__cause__ is None


@given(st.lists(st.tuples(st.text(st.characters(exclude_characters="<>")), names, st.text())))
def test_filling_joins_texts_and_values(parts: list[tuple[str, str, str]]) -> None:
    values = {name: value for _, name, value in parts}
    template = "".join(f"{literal}<{name}>" for literal, name, _ in parts)
    assert placeholders(template) == tuple(dict.fromkeys(name for _, name, _ in parts))
    assert fill(template, values) == "".join(literal + values[name] for literal, name, _ in parts)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        pytest.param("", {}, id="empty"),
        pytest.param("  ", {}, id="blank"),
        pytest.param("mobile:123456789,name:test name", {"mobile": "123456789", "name": "test name"}, id="two"),
        pytest.param("at:10:30", {"at": "10:30"}, id="colon-in-the-value"),
        pytest.param(r"a:x\,y,b:z", {"a": "x,y", "b": "z"}, id="comma-in-a-value"),
        pytest.param(r"a:x\\,b:z", {"a": "x\\", "b": "z"}, id="backslash-before-a-comma"),
        pytest.param(r"a:x\\\,b:z", {"a": "x\\,b:z"}, id="backslash-and-comma-in-a-value"),
        pytest.param(r"a:C:\temp", {"a": r"C:\temp"}, id="other-backslashes-are-themselves"),
        pytest.param("a:x\\", {"a": "x\\"}, id="backslash-at-the-end"),
        pytest.param("a:", {"a": ""}, id="empty-value"),
        pytest.param("a: x , b :y", {"a": " x ", "b": "y"}, id="names-are-trimmed-values-kept"),
        pytest.param("a:1,a:1", {"a": "1"}, id="repeated-with-the-same-value"),
    ],
)
def test_parse_pairs(text: str, pairs: dict[str, str]) -> None:
    assert parse_pairs(text) == pairs


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        pytest.param("name", 1, "no colon", id="no-colon"),
        pytest.param("a:1,b", 2, "no colon", id="no-colon-in-the-second"),
        pytest.param("a:1,", 2, "no colon", id="comma-at-the-end"),
        pytest.param("a:1,,b:2", 2, "no colon", id="two-commas"),
        pytest.param("a:1, b:2, :3", 3, "no name", id="no-name"),
        pytest.param("a:1,b:2,a:3", 3, "second value", id="repeated-with-another-value"),
        pytest.param("x" * 500, 1, "no colon", id="long"),
    ],
)
def test_pairs_refused(text: str, position: int, reason: str) -> None:
    with pytest.raises(PairError, match=rf"^Pair {position} .*{reason}.*\.$") as caught:
        parse_pairs(text)
    assert caught.value.position == position
    assert len(str(caught.value)) < 100


@given(st.dictionaries(pair_names, st.text()))
def test_pairs_read_back(pairs: dict[str, str]) -> None:
    assert parse_pairs(format_pairs(pairs)) == pairs


@given(st.dictionaries(st.sampled_from(["a", "b,", "\\c"]), st.text(r"\,:x"), max_size=3))
def test_pairs_of_marks_read_back(pairs: dict[str, str]) -> None:
    assert parse_pairs(format_pairs(pairs)) == pairs


@given(st.text(r"ab:,\ "))
def test_any_text_is_pairs_or_refused(text: str) -> None:
    try:
        pairs = parse_pairs(text)
    except PairError:
        return
    assert parse_pairs(format_pairs(pairs)) == pairs


@pytest.mark.parametrize("name", ["", "a:b", " a", "a\n"], ids=ascii)
def test_names_that_would_not_read_back_are_not_written(name: str) -> None:
    with pytest.raises(PairError, match=r"^Pair 2 "):
        format_pairs({"ok": "1", name: "2"})
