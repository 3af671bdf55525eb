"""The service as spyne knows it: every operation of the catalogue, its parameters, and the model of its reply."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

import gateway.operations  # noqa: F401 - fills the catalogue
from gateway.frontends.soap.generator import spyne_import
from gateway.operations.catalogue import CATALOGUE, Operation

spyne_import.prepare()

from spyne import Application, Boolean, ComplexModel, DateTime, Integer32, Service, Unicode, rpc  # noqa: E402
from spyne import Decimal as XmlDecimal  # noqa: E402
from spyne.protocol.soap import Soap11, Soap12  # noqa: E402

VERSION = 1
"""Of the contract. Raised only for a change that breaks deployed clients; the namespace ends in it."""

NAMESPACE = f"urn:trunkline:sms:{VERSION}"
CREDENTIALS = ("user", "password")

Answers = Callable[[str, Mapping[str, str]], Any]
"""Takes an operation's method and its parameters; gives its reply as a mapping of plain values."""

_SCALARS: Mapping[Any, tuple[str, Any]] = {
    str: ("Text", Unicode),
    int: ("Number", Integer32),
    bool: ("Truth", Boolean),
    Decimal: ("Decimal", XmlDecimal),
    datetime: ("Date", DateTime),
}

Members = list[tuple[str, Any]]
Order = Callable[[str, Sequence[str]], Sequence[str]]
"""Takes a type's name and its members as the catalogue has them; gives them in the published order."""


def application(answer: Answers, order: Order = lambda _, names: names, soap: str = "1.1") -> Any:
    """spyne's application: for the contract's document, and as the reference that our server is held against."""
    models = _Models(order)
    methods = {operation.method: _method(operation, models, answer) for operation in CATALOGUE.values()}
    service = type("Sms", (Service,), methods)
    protocol = Soap11 if soap == "1.1" else Soap12
    return Application(
        [service], NAMESPACE, name="Sms", in_protocol=protocol(validator="lxml"), out_protocol=protocol()
    )


def _method(operation: Operation, models: "_Models", answer: Answers) -> Any:
    def call(_: Any, *values: str | None) -> Any:
        given = {name: value for name, value in zip(names, values, strict=True) if value is not None}
        return models.filled(reply, answer(operation.method, given))

    call.__name__ = operation.method
    call.__doc__ = operation.summary
    parameters = dict(models.parameters(operation))
    names = list(parameters)
    reply = models.reply(operation)
    return rpc(*parameters.values(), _args=names, _returns=_one(reply))(call)


def _one(kind: Any, least: int = 1, doc: str | None = None) -> Any:
    """An element that occurs once, or not at all where `least` is 0; never nil."""
    more = {} if doc is None else {"doc": doc}
    return kind.customize(min_occurs=least, max_occurs=1, nillable=False, **more)


def _many(kind: Any, doc: str | None = None) -> Any:
    more = {} if doc is None else {"doc": doc}
    return kind.customize(min_occurs=0, max_occurs="unbounded", nillable=False, **more)


class _Models:
    """The models of spyne that the types of the catalogue become, each made once."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._made: dict[str, Any] = {}

    def parameters(self, operation: Operation) -> Members:
        """The members of a request: the credentials, then the compulsory parameters, then the others."""
        fields = operation.parameters.model_fields.items()
        members: dict[str, Any] = {name: _one(Unicode, 0) for name in CREDENTIALS}
        for name, field in sorted(fields, key=lambda item: not item[1].is_required()):
            members[field.alias or name] = _one(Unicode, int(field.is_required()), field.description)
        return [(name, members[name]) for name in self._order(operation.method, list(members))]

    def reply(self, operation: Operation) -> Any:
        """The one element of a response."""
        shape = operation.result
        many = get_origin(shape) is list
        inner = get_args(shape)[0] if many else shape
        name, kind = self._named(inner)
        members = [
            ("status", _one(Unicode, 1, "SUCCESS or ERROR.")),
            ("result", _many(kind) if many else _one(kind, 0)),
            ("error", _one(Unicode, 0, "The code of what was wrong.")),
            ("detail", _one(Unicode, 0, "One sentence on what was wrong.")),
        ]
        return self._model(f"{name}{'List' if many else ''}Reply", members)

    def _named(self, shape: Any) -> tuple[str, Any]:
        """The name that a type has within the name of a reply, and its model."""
        if shape in (None, NoneType):
            return "Nothing", self._model("Nothing", [])
        if shape in _SCALARS:
            return _SCALARS[shape]
        if get_origin(shape) is Literal:
            # Not an enumeration: clients made from the contract would fail at a value that is added.
            return _SCALARS[str]
        if isinstance(shape, type) and issubclass(shape, BaseModel):
            members = [(field.alias or name, self._member(field)) for name, field in shape.model_fields.items()]
            return shape.__name__, self._model(shape.__name__, members)
        raise ValueError(f"the contract has no type for {shape}")

    def _member(self, field: Any) -> Any:
        shape, doc = field.annotation, field.description
        if get_origin(shape) in (Union, UnionType):
            inner = [one for one in get_args(shape) if one is not NoneType]
            if len(inner) != 1:
                raise ValueError(f"the contract has no type for {shape}")
            return _one(self._named(inner[0])[1], 0, doc)
        if get_origin(shape) is list:
            return _many(self._named(get_args(shape)[0])[1], doc)
        return _one(self._named(shape)[1], 1, doc)

    def _model(self, name: str, members: Members) -> Any:
        if name not in self._made:
            kinds = dict(members)
            ordered = [(member, kinds[member]) for member in self._order(name, list(kinds))]
            namespace = {"__namespace__": NAMESPACE, "__type_name__": name, "_type_info": ordered}
            self._made[name] = type(name, (ComplexModel,), namespace)
        return self._made[name]

    def filled(self, kind: Any, value: Any) -> Any:
        """A model's instance out of plain values."""
        if isinstance(value, list):
            return [self.filled(kind, one) for one in value]
        if not isinstance(value, Mapping):
            return value
        made = kind()
        for name, member in kind._type_info.items():
            if value.get(name) is not None:
                setattr(made, name, self.filled(member, value[name]))
        return made
