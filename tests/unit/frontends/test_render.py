"""Replies as JSON and XML."""

import json
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.frontends import render
from gateway.messaging.money import MICRO
from gateway.operations.context import Credits, Rows
from gateway.operations.errors import Code
from gateway.pipeline.call import Reply

START = '<?xml version="1.0" encoding="UTF-8"?>\n'
PAGES: list[list[dict[str, Any]]] = [[{"id": "1"}], [], [{"id": "2"}, {"id": "3"}]]


def rows(pages: list[list[dict[str, Any]]]) -> Rows:
    return Rows(lambda: iter(pages), 1)


@pytest.mark.parametrize(
    ("reply", "json_text", "xml_text"),
    [
        pytest.param(
            Reply(None),
            '{"status":"SUCCESS","result":null}',
            "<status>SUCCESS</status><result/><error/>",
            id="nothing",
        ),
        pytest.param(
            Reply(Credits(12_500_000)),
            '{"status":"SUCCESS","result":12.5}',
            "<status>SUCCESS</status><result>12.5</result><error/>",
            id="credits",
        ),
        pytest.param(
            Reply({"messageid": "123", "credits": Credits(0)}),
            '{"status":"SUCCESS","result":{"messageid":"123","credits":0}}',
            "<status>SUCCESS</status><result><messageid>123</messageid><credits>0</credits></result><error/>",
            id="object",
        ),
        pytest.param(
            Reply([{"sms": "a<b&c", "deliverydate": None}]),
            '{"status":"SUCCESS","result":[{"sms":"a<b&c","deliverydate":null}]}',
            "<status>SUCCESS</status><result><item><sms>a&lt;b&amp;c</sms><deliverydate/></item></result><error/>",
            id="list",
        ),
        pytest.param(
            Reply({"first name": "x", "on": True}),
            '{"status":"SUCCESS","result":{"first name":"x","on":true}}',
            '<status>SUCCESS</status><result><item name="first name">x</item><on>true</on></result><error/>',
            id="a name that is none in XML",
        ),
        pytest.param(
            Reply(error=Code.NO_CREDITS, detail="The balance is 0."),
            '{"status":"ERROR","error":"NO_CREDITS","detail":"The balance is 0."}',
            "<status>ERROR</status><result/><error>NO_CREDITS</error><detail>The balance is 0.</detail>",
            id="error",
        ),
    ],
)
def test_reply(reply: Reply, json_text: str, xml_text: str) -> None:
    assert render.json_body(reply).decode() == json_text
    assert render.xml_body(reply).decode() == f"{START}<response>{xml_text}</response>"


@pytest.mark.parametrize(
    "result",
    [
        pytest.param(rows(PAGES), id="itself"),
        pytest.param({"id": "9", "credits": Credits(1), "destinations": rows(PAGES), "more": 1}, id="a member"),
        pytest.param({"destinations": rows([])}, id="empty"),
        pytest.param({"destinations": rows([[], []])}, id="empty pages"),
        pytest.param({"destinations": rows([[{"id": str(n)} for n in range(1000)] for _ in range(30)])}, id="long"),
    ],
)
def test_pages_read_like_a_whole(result: Any) -> None:
    assert render.paged(result)
    assert b"".join(render.json_pieces(result)) == render.json_body(Reply(result))
    assert b"".join(render.xml_pieces(result)) == render.xml_body(Reply(result))


def test_pages_are_read_while_they_are_sent() -> None:
    given_pages = 0

    def pages() -> Any:
        nonlocal given_pages
        for _ in range(1000):
            given_pages += 1
            yield [{"messageid": "1" * 15, "destination": "34600000001"}] * 100

    pieces = render.json_pieces({"destinations": Rows(pages, 1)})
    first = next(pieces)
    assert given_pages < 50
    assert max(map(len, [first, *pieces])) < 2 * render.PIECE


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_credits_are_exact_json_numbers(micro: int) -> None:
    text = render.json_body(Reply(Credits(micro)))
    found = json.loads(text, parse_float=Decimal, parse_int=Decimal)["result"]
    assert found * MICRO == micro
    assert b"e" not in text.split(b":")[-1].lower()


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.integers(0, 2**53).map(Credits),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_xml_is_well_formed(result: Any) -> None:
    root = ElementTree.fromstring(render.xml_body(Reply(result)))
    assert [child.tag for child in root] == ["status", "result", "error"]


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_xml_keeps_the_text(text: str) -> None:
    root = ElementTree.fromstring(render.xml_body(Reply({text: text})))
    element = root[1][0]
    allowed = "".join(
        c if c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff") else "\ufffd"
        for c in text
    )
    assert element.text == allowed
    assert element.tag == text or element.get("name") == allowed


@given(st.text())
def test_xml_of_an_error_is_well_formed(detail: str) -> None:
    root = ElementTree.fromstring(render.xml_body(Reply(error=Code.INCORRECT_PARAM, detail=detail)))
    assert root.findtext("error") == "INCORRECT_PARAM"
