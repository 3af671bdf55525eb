"""Parameters left out or sent empty: of every operation that the catalogue has."""

import json
from collections.abc import Callable

import pytest

from gateway.operations.catalogue import CATALOGUE
from tests.contract.cases.calls import OPERATIONS, good, names
from tests.contract.conftest import World
from tests.support.door import FORM, JSON, MULTIPART, Values, error, form, given, multipart, reply

COMPULSORY = [(o.name, name) for o in CATALOGUE.values() for name in names(o, compulsory=True)]
OPTIONAL = [(o.name, name) for o in CATALOGUE.values() for name in names(o, compulsory=False)]

Sent = tuple[bytes, bytes | None, str | None]

# How a client may leave a parameter out: its query, its body and the body's type.
WAYS: dict[str, Callable[[dict[str, str], str], Sent]] = {
    "left out": lambda values, name: (form(_without(values, name)), None, None),
    "empty": lambda values, name: (form({**values, name: ""}), None, None),
    "no =": lambda values, name: (form(_without(values, name)) + b"&" + name.encode(), None, None),
    "empty in a form": lambda values, name: (b"", form({**values, name: ""}), FORM),
    "empty in multipart": lambda values, name: (b"", multipart({**values, name: ""}), MULTIPART),
    "empty in JSON": lambda values, name: (b"", json.dumps({**values, name: ""}).encode(), JSON),
    "null": lambda values, name: (b"", json.dumps({**values, name: None}).encode(), JSON),
    "empty in query and body": lambda values, name: (f"{name}=".encode(), form({**values, name: ""}), FORM),
}

GENERAL = {
    "user": error("MISSING_USER", "Give the access's login as user."),
    "password": error("MISSING_PASSWORD", "Give the access's secret as password."),
    "class": error("MISSING_CLASS", "Give the class of the operation as class, for example sms."),
    "method": error("MISSING_METHOD", "Give the operation as method, for example sendsms."),
}


def _without(values: Values, name: str) -> dict[str, str]:
    return {other: value for other, value in values.items() if other != name}


def _values(world: World, operation: str) -> dict[str, str]:
    filled = {name: world.fill(value) for name, value in good(operation).items()}
    return given(world.owner.access, operation, filled)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", GENERAL)
def test_credentials_and_operation(world: World, name: str, way: str) -> None:
    for operation in OPERATIONS:
        sent = WAYS[way](_values(world, operation), name)
        assert reply(world.door.send(*sent)) == GENERAL[name], operation


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("operation", "name"), COMPULSORY, ids=[".".join(pair) for pair in COMPULSORY])
def test_compulsory(world: World, operation: str, name: str, way: str) -> None:
    sent = WAYS[way](_values(world, operation), name)
    assert reply(world.door.send(*sent)) == error(
        "MISSING_COMPULSORY_PARAM", f"{name}: compulsory for {operation} and not given."
    )


@pytest.mark.parametrize("operation", [o.name for o in CATALOGUE.values() if len(names(o, compulsory=True)) > 1])
def test_all_that_is_missing_is_named(world: World, operation: str) -> None:
    missing = ", ".join(names(OPERATIONS[operation], compulsory=True))
    assert world.door.call(world.owner.access, operation) == error(
        "MISSING_COMPULSORY_PARAM", f"{missing}: compulsory for {operation} and not given."
    )


@pytest.mark.parametrize(("operation", "name"), OPTIONAL, ids=[".".join(pair) for pair in OPTIONAL])
def test_optional_and_empty_is_not_given(world: World, operation: str, name: str) -> None:
    """Ids that are nobody's let nothing happen, and the two be compared word for word."""
    values = _values(world, operation)
    values |= {id_: "999999999" for id_ in ("idgroup", "idtemplate", "idcontact") if id_ in values}
    left_out = reply(world.door.send(form(_without(values, name))))
    for way in ("empty", "empty in JSON", "null"):
        again = reply(world.door.send(*WAYS[way](values, name)))
        assert _comparable(again) == _comparable(left_out), way


def _comparable(found: dict) -> dict:
    """A reply without the ids that are new in each."""
    result = found.get("result")
    if isinstance(result, dict):
        return {**found, "result": {name: value for name, value in result.items() if name not in ("id", "messageid")}}
    return found
