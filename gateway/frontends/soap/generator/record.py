"""What was ever published: `wsdl/elements.txt`, to which a line is only ever added.

A line is a member of a type (`SentReply result tns:Sent 0 1`: type, member, its type, how often) or an element
that is a message's (`. sendsms tns:sendsms 1 1`). Clients are made from these, so within one version of the
contract none may go or change. The order is part of it: clients that pass parameters by position keep theirs.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from gateway.frontends.soap.generator.declaration import NAMESPACE

FILE = "elements.txt"
_XS = "{http://www.w3.org/2001/XMLSchema}"
_TOP = "."


@dataclass(frozen=True, slots=True)
class Line:
    """One element of the contract. `most` is "unbounded" or a number."""

    owner: str
    name: str
    kind: str
    least: str
    most: str

    def __str__(self) -> str:
        return f"{self.owner} {self.name} {self.kind} {self.least} {self.most}"


@dataclass(frozen=True, slots=True)
class Record:
    """The elements of one version of the contract, in the order they were published."""

    namespace: str
    lines: tuple[Line, ...]

    @classmethod
    def of(cls, schema: bytes) -> "Record":
        """The elements of a schema."""
        return cls(NAMESPACE, tuple(_lines(schema)))

    @classmethod
    def read(cls, folder: Path) -> "Record":
        """The record in the folder; an empty one where there is none or it is of another version."""
        path = folder / FILE
        namespace, *rest = path.read_text("utf-8").splitlines() if path.exists() else [""]
        return cls(NAMESPACE, tuple(Line(*line.split()) for line in rest) if namespace == NAMESPACE else ())

    def write(self, folder: Path) -> None:
        """Keep the record in the folder."""
        (folder / FILE).write_text("\n".join([self.namespace, *map(str, self.lines)]) + "\n", "utf-8")

    def order(self, owner: str, names: Sequence[str]) -> Sequence[str]:
        """Members of a type: the published ones first, as they were published, then new ones as given."""
        published = [line.name for line in self.lines if line.owner == owner and line.name in names]
        return published + [name for name in names if name not in published]

    def extended(self, now: "Record") -> "Record":
        """This record with the lines that only `now` has after its own."""
        known = {(line.owner, line.name) for line in self.lines}
        return Record(self.namespace, (*self.lines, *(x for x in now.lines if (x.owner, x.name) not in known)))


def breaks(published: Record, now: Record, requests: Iterable[str]) -> list[str]:
    """What in `now` would break a client made from `published`, a sentence each; nothing in another version.

    `requests` are the types that clients send: what is new in them must be optional, and what was compulsory
    may become optional.
    """
    if published.namespace != now.namespace:
        return []
    sent = frozenset(requests)
    current = {(line.owner, line.name): line for line in now.lines}
    known = {(line.owner, line.name) for line in published.lines}
    types = {line.owner for line in published.lines}
    found = []
    for line in published.lines:
        new = current.get((line.owner, line.name))
        if new is None:
            found.append(f"{_where(line)} is gone")
        elif (new.kind, new.most) != (line.kind, line.most):
            found.append(f"{_where(line)} was {line.kind} (at most {line.most}), is {new.kind} (at most {new.most})")
        elif new.least != line.least and not (line.owner in sent and new.least == "0"):
            found.append(f"{_where(line)} occurred at least {line.least}, now {new.least} times")
    added = (line for line in now.lines if (line.owner, line.name) not in known and line.owner in sent & types)
    return found + [f"{_where(line)} is new and compulsory" for line in added if line.least != "0"]


def _where(line: Line) -> str:
    return f"the element {line.name}" if line.owner == _TOP else f"{line.name} of {line.owner}"


def _lines(schema: bytes) -> Iterator[Line]:
    root = etree.fromstring(schema, etree.XMLParser(resolve_entities=False))
    for element in root.iterfind(f"{_XS}element"):
        yield _line(_TOP, element)
    for kind in root.iterfind(f"{_XS}complexType"):
        for element in kind.iterfind(f"{_XS}sequence/{_XS}element"):
            yield _line(str(kind.get("name")), element)


def _line(owner: str, element: "etree._Element") -> Line:
    get = element.get
    return Line(owner, str(get("name")), str(get("type")), get("minOccurs", "1"), get("maxOccurs", "1"))
