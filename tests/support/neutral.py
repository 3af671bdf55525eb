"""Results in one form, whichever front end they came through: read by the type that the operation declares."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from lxml import etree
from pydantic import BaseModel

IDS = frozenset(("id", "messageid", "next"))
"""Members that hold an id."""


def from_json(shape: Any, value: Any, zone: ZoneInfo) -> Any:
    """A result of a JSON reply, its fractions read as Decimal; dates without an offset are of `zone`."""
    inner, optional = _optional(shape)
    if value is None:
        assert optional, f"null for a {shape}"
        return None
    if get_origin(inner) is list:
        assert isinstance(value, list), value
        return [from_json(get_args(inner)[0], one, zone) for one in value]
    if _is_model(inner):
        assert isinstance(value, dict), value
        members = _members(inner)
        assert set(value) == set(members), value
        return {name: from_json(shape, value[name], zone) for name, shape in members.items()}
    # A bool is an int to Python, and none on the wire.
    assert type(value) in ((int, Decimal) if inner is Decimal else (int,) if inner is int else (str,)), value
    return _scalar(inner, str(value), zone)


def from_xml(shape: Any, elements: Sequence[Any], zone: ZoneInfo, *, items: bool) -> Any:
    """A result of an XML reply, given as the elements that hold it.

    With `items` a list is one element with an `<item>` for each member (plain XML), else its element repeated (SOAP).
    """
    inner, optional = _optional(shape)
    if get_origin(inner) is list:
        if items:
            (elements,) = elements
            assert all(child.tag == "item" for child in elements)
        return [from_xml(get_args(inner)[0], [one], zone, items=items) for one in elements]
    if not elements or (items and optional and not len(elements[0]) and not elements[0].text):
        assert optional, f"nothing for a {shape}"
        return None
    (element,) = elements
    if not _is_model(inner):
        assert not len(element), element.tag
        return _scalar(inner, element.text or "", zone)
    members = _members(inner)
    children: dict[str, list[Any]] = {name: [] for name in members}
    for child in element:
        children[etree.QName(child).localname].append(child)
    return {name: from_xml(shape, children[name], zone, items=items) for name, shape in members.items()}


def named(value: Any, asked: str = "", member: str = "") -> Any:
    """A result with every id replaced by "new", but those that the call `asked` for, joined by commas."""
    if isinstance(value, dict):
        return {name: named(one, asked, name) for name, one in value.items()}
    if isinstance(value, list):
        return [named(one, asked, member) for one in value]
    if member not in IDS or value is None:
        return value
    assert value.isdigit(), value
    return value if value in asked.split(",") else "new"


def _optional(shape: Any) -> tuple[Any, bool]:
    if shape is None:
        return None, True
    if get_origin(shape) in (Union, UnionType):
        (inner,) = (one for one in get_args(shape) if one is not type(None))
        return inner, True
    return shape, False


def _is_model(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, BaseModel)


def _members(model: type[BaseModel]) -> dict[str, Any]:
    """The shapes of a model's members by their names on the wire."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _scalar(shape: Any, text: str, zone: ZoneInfo) -> Any:
    if get_origin(shape) is Literal:
        assert text in get_args(shape), text
        return text
    if shape is datetime:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    assert shape in (str, int, Decimal), shape
    return shape(text)
