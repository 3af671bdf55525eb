"""The published contract, as the dispatcher needs it: what a request may hold, and how a reply is written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Any

from gateway.frontends.render import xml_text
from gateway.frontends.soap import tree
from gateway.frontends.soap.tree import Node
from gateway.messaging.money import format_credits
from gateway.operations.catalogue import CATALOGUE, Operation
from gateway.operations.context import Credits, Moment, Rows
from gateway.pipeline.call import Reply

_XS = "http://www.w3.org/2001/XMLSchema"
_WSDL = "http://schemas.xmlsoap.org/wsdl/"
_SOAP = "http://schemas.xmlsoap.org/wsdl/soap/"
_ELEMENTS = 100_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def document(name: str) -> bytes:
    """A published document: "sms.wsdl" or "sms.xsd"."""
    return files(__package__).joinpath(name).read_bytes()


@dataclass(frozen=True, slots=True)
class Element:
    """How a member of a reply is written. `members` is None for text."""

    name: str
    start: str
    end: str
    members: "tuple[Element, ...] | None"
    many: bool

    def parts(self, value: Any) -> Iterator[str]:
        """The element of a value, all of them for a list, none for None."""
        if value is None:
            return
        if not self.many:
            yield from self._one(value)
            return
        for one in chain.from_iterable(value.pages()) if isinstance(value, Rows) else value:
            yield from self._one(one)

    def _one(self, value: Any) -> Iterator[str]:
        if self.members is None:
            yield f"{self.start}{_scalar(value)}{self.end}"
            return
        yield self.start
        for member in self.members:
            yield from member.parts(value.get(member.name))
        yield self.end


@dataclass(frozen=True, slots=True)
class Method:
    """An operation as SOAP has it. `names` are the elements that its request may hold."""

    operation: Operation
    action: str
    names: frozenset[str]
    result: Element
    start: str
    end: str

    def reply(self, reply: Reply) -> Iterator[str]:
        """The one element of the body that answers a call."""
        yield self.start
        if reply.error is None:
            yield "<status>SUCCESS</status>"
            if self.result.members != ():
                yield from self.result.parts(reply.result)
        else:
            yield f"<status>ERROR</status><error>{reply.error.value}</error>"
            if reply.detail is not None:
                yield f"<detail>{xml_text(reply.detail)}</detail>"
        yield self.end


@dataclass(frozen=True, slots=True)
class Contract:
    """The namespace of the contract, its operations by their elements' names, and by their actions."""

    namespace: str
    methods: Mapping[str, Method]
    actions: Mapping[str, str]


@cache
def contract() -> Contract:
    """Read the contract of this version, once."""
    root = tree.parse(document("sms.wsdl"), most=_ELEMENTS)
    (schema,) = _below(root, _WSDL, "types")[0].children
    kinds = {kind.attributes["name"]: kind for kind in _below(schema, _XS, "complexType")}
    actions = dict(_actions(root))
    namespace = root.attributes["targetNamespace"]
    methods = {
        operation.method: _method(operation, kinds, actions[operation.method], namespace)
        for operation in CATALOGUE.values()
    }
    # Stacks that only know method names send these.
    bare = {name: name for name in methods}
    return Contract(namespace, methods, {**bare, **{uri: name for name, uri in actions.items()}})


def _method(operation: Operation, kinds: Mapping[str, Node], action: str, namespace: str) -> Method:
    name = operation.method
    request = _members(kinds[name])
    (outer,) = _members(kinds[f"{name}Response"])
    reply = {member.attributes["name"]: member for member in _members(kinds[_local(outer)])}
    wrapper = outer.attributes["name"]
    return Method(
        operation,
        action,
        frozenset(member.attributes["name"] for member in request),
        _element(reply["result"], kinds),
        f'<{name}Response xmlns="{namespace}"><{wrapper}>',
        f"</{wrapper}></{name}Response>",
    )


def _actions(root: Node) -> Iterator[tuple[str, str]]:
    for binding in _below(root, _WSDL, "binding"):
        for operation in _below(binding, _WSDL, "operation"):
            for soap in _below(operation, _SOAP, "operation"):
                yield operation.attributes["name"], soap.attributes["soapAction"]


def _element(node: Node, kinds: Mapping[str, Node]) -> Element:
    name = node.attributes["name"]
    members = None
    if not node.attributes["type"].startswith("xs:"):
        members = tuple(_element(member, kinds) for member in _members(kinds[_local(node)]))
    return Element(name, f"<{name}>", f"</{name}>", members, node.attributes.get("maxOccurs") == "unbounded")


def _members(kind: Node) -> list[Node]:
    (sequence,) = _below(kind, _XS, "sequence")
    return _below(sequence, _XS, "element")


def _local(node: Node) -> str:
    return node.attributes["type"].partition(":")[2]


def _below(node: Node, uri: str, local: str) -> list[Node]:
    return [child for child in node.children if child.name == (uri, local)]


def _scalar(value: Any) -> str:
    match value:
        case str():
            return xml_text(value)
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Credits(micro=micro):
            return format_credits(micro)
        case Moment(micros=micros, zone=zone):
            return (_EPOCH + timedelta(seconds=micros // 1_000_000)).astimezone(zone).isoformat()
    raise TypeError(f"a result holds a {type(value).__name__}")
