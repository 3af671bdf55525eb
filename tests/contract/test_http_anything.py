"""Whatever bytes arrive: a well-formed reply with a code that the operation can give, and no failure of ours."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.operations.errors import Code
from tests.contract.cases.calls import OPERATIONS, names
from tests.contract.conftest import World
from tests.support import door
from tests.support.door import FORM, JSON, MULTIPART, Customer
from tests.support.rawhttp import Response

MANY = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
# The codes that a caller whose credentials and operation are right can be answered with, beside the operation's own.
BINDING = {Code.MISSING_COMPULSORY_PARAM, Code.INCORRECT_PARAM}
STRANGERS = {
    Code.MISSING_USER,
    Code.MISSING_PASSWORD,
    Code.MISSING_CLASS,
    Code.MISSING_METHOD,
}


@pytest.fixture(scope="session")
def caller(world: World) -> Customer:
    """An account that these calls may leave in any state."""
    return world.door.customer("--credits", "1000000", "--country", "34")


def outcome(response: Response) -> str:
    """SUCCESS or the code of a well-formed reply, whatever its form."""
    assert response.status == 200, (response.status, response.body[:200])
    if response.headers["content-type"] == "application/xml; charset=utf-8":
        tree = ElementTree.fromstring(response.body)
        return tree.findtext("error") or tree.findtext("status") or ""
    found = door.reply(response)
    return str(found.get("error") or found["status"])


texts = st.text(max_size=30) | st.text(st.sampled_from("0123456789+-:, <>\\\0\ud800٣é€😀"), max_size=30)
scalars = texts | st.integers() | st.floats() | st.booleans() | st.none()
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
operations = st.sampled_from(sorted(OPERATIONS))


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An operation with some of its parameters: those of its example, or anything."""
    name = draw(operations)
    declared = OPERATIONS[name]
    known = [*names(declared, compulsory=True), *names(declared, compulsory=False), "output"]
    anything = draw(st.dictionaries(st.sampled_from(known) | texts, values, max_size=4))
    return name, {**declared.example, **anything}


def may_be(operation: str) -> set[str]:
    return {"SUCCESS", *BINDING, *OPERATIONS[operation].errors}


@MANY
@given(call=calls())
def test_any_json_value(world: World, caller: Customer, call: tuple[str, dict[str, Any]]) -> None:
    operation, parameters = call
    query = door.form(door.given(caller.access, operation))
    assert outcome(world.door.send(query, json.dumps(parameters).encode(), JSON)) in may_be(operation)


@MANY
@given(operation=operations, query=st.binary(max_size=200), content=st.none() | st.binary(max_size=200),
       kind=st.sampled_from([None, FORM, JSON, MULTIPART, "text/plain"]))  # fmt: skip
def test_any_bytes(
    world: World, caller: Customer, operation: str, query: bytes, content: bytes | None, kind: str | None
) -> None:
    # A query ends at the line's end, and controls in it are refused by the server (tests/integration/web).
    clean = bytes(byte for byte in query if byte > 0x1F and byte != 0x7F)
    before = door.form(door.given(caller.access, operation))
    assert outcome(world.door.send(before + b"&" + clean, content, kind)) in may_be(operation)


@MANY
@given(operation=operations, data=st.data())
def test_any_bytes_as_parameters(world: World, caller: Customer, operation: str, data: st.DataObject) -> None:
    declared = OPERATIONS[operation]
    parameters = dict(declared.example)
    raw = {
        name: data.draw(st.binary(max_size=40) | st.sampled_from([b"", b"-1", b"%00", b"9" * 400]))
        for name in [*names(declared, compulsory=True), *names(declared, compulsory=False)]
        if data.draw(st.booleans())
    }
    kept = {name: value for name, value in parameters.items() if name not in raw}
    parts = [door.part(name, value) for name, value in raw.items()]
    content = b"".join(parts) + f"--{door.BOUNDARY}--\r\n".encode() if parts else None
    before = door.form({**kept, **door.given(caller.access, operation)})
    assert outcome(world.door.send(before, content, MULTIPART if parts else None)) in may_be(operation)


@MANY
@given(query=st.binary(max_size=200), content=st.none() | st.binary(max_size=200),
       kind=st.sampled_from([None, "", FORM, JSON, MULTIPART, ";", "\xff"]))  # fmt: skip
def test_any_bytes_of_a_stranger(world: World, query: bytes, content: bytes | None, kind: str | None) -> None:
    clean = bytes(byte for byte in query if byte > 0x1F and byte != 0x7F)
    assert outcome(world.door.send(clean, content, kind)) in STRANGERS
