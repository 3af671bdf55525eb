"""An XML document as a small tree, read with bounds that hold before memory is spent.

Refused while the document's type declaration has not begun: whatever is in it is never looked at. Names are
expanded here (Namespaces in XML 1.0), not in expat: there, every attribute would get a copy of its namespace's
URI, and a megabyte could become gigabytes.
"""

import codecs
import re
from collections.abc import Mapping
from xml.parsers import expat

from gateway.frontends.body import shown

Name = tuple[str, str]
"""A namespace's URI, empty for none, and a local name."""

MAX_DEPTH = 16
MAX_ELEMENTS = 1_000
MAX_PREFIXES = 100

# What may be named as an encoding, and Python's codec for it. No other is read: UTF-7 and EBCDIC hide markup.
_CODECS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "cp1252",
}
# UTF-32's begin like UTF-16's, and are not taken.
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_BARE = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
_DECLARED = re.compile(rb"""<\?xml[^>]{1,100}?\sencoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_XML = "http://www.w3.org/XML/1998/namespace"


class Unreadable(Exception):
    """The document is not read: `kind` is a word for that, `reason` one sentence, `root` the root's name if known."""

    def __init__(self, kind: str, reason: str, root: Name | None = None) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.root = root


class _Scope:
    """The prefixes that are declared at a place; the empty one is the default namespace."""

    __slots__ = ("elements", "prefixes")

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self.prefixes = prefixes
        self.elements: dict[str, Name] = {}

    def element(self, raw: str) -> Name:
        name = self.elements.get(raw)
        if name is None:
            prefix, colon, local = raw.rpartition(":")
            if colon and not (prefix and local):
                raise _ill_formed(f"The name {shown(raw)} is none.")
            name = self.elements[raw] = (self.uri(prefix) if colon else self.prefixes.get("", ""), local)
        return name

    def uri(self, prefix: str) -> str:
        try:
            return self.prefixes[prefix]
        except KeyError:
            raise _ill_formed(f"The prefix {shown(prefix)} is not declared.") from None

    def below(self, attributes: Mapping[str, str]) -> "_Scope":
        """The scope of an element with these attributes: this one where they declare nothing."""
        found: dict[str, str] = {}
        prefixed: list[tuple[str, str]] = []
        for name, value in attributes.items():
            prefix, colon, local = name.partition(":")
            if prefix == "xmlns":
                if colon and (not (local and value) or local == "xmlns" or (local == "xml" and value != _XML)):
                    raise _ill_formed(f"The prefix {shown(local)} cannot be declared so.")
                found[local] = value
            elif colon:
                prefixed.append((prefix, local))
        if len(self.prefixes) + len(found) > MAX_PREFIXES:
            raise Unreadable("TooLarge", f"The document declares more than {MAX_PREFIXES} namespaces at one place.")
        scope = _Scope({**self.prefixes, **found}) if found else self
        if prefixed and len({(scope.uri(prefix), local) for prefix, local in prefixed}) < len(prefixed):
            raise _ill_formed("An attribute is given twice.")
        return scope


class Node:
    """An element."""

    __slots__ = ("attributes", "children", "name", "parts", "scope")

    def __init__(self, name: Name, attributes: Mapping[str, str], scope: _Scope) -> None:
        self.name = name
        self.attributes = attributes
        self.scope = scope
        self.children: list[Node] = []
        self.parts: list[str] = []

    @property
    def text(self) -> str:
        """All text that is directly in it, CDATA sections and what stands around comments too."""
        parts = self.parts
        return parts[0] if len(parts) == 1 else "".join(parts)

    def attribute(self, uri: str, local: str) -> str | None:
        """The value of an attribute; `uri` is empty for one without a prefix."""
        if not uri:
            return self.attributes.get(local)
        for raw, value in self.attributes.items():
            prefix, colon, name = raw.rpartition(":")
            if colon and name == local and prefix != "xmlns" and self.scope.uri(prefix) == uri:
                return value
        return None


def parse(data: bytes, charset: str | None = None, most: int = MAX_ELEMENTS) -> Node:
    """The root of a document of at most `most` elements.

    `charset` is the transport's word on the encoding. A byte order mark wins over it, and it over the XML
    declaration (RFC 7303, section 3). Raises `Unreadable`.
    """
    reader = _Reader(most)
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.ProcessingInstructionHandler = reader.instruction
    text = _utf8(data, charset)
    doctype = text.find(b"<!DOCTYPE")
    try:
        if doctype >= 0:
            # A handler's exception would not keep expat from reading the declaration: it is never shown it.
            parser.Parse(text[:doctype], False)
            if reader.root is None:
                raise Unreadable("NotAllowed", "A document type declaration (DTD) is not allowed.")
            parser.Parse(text[doctype:], True)
        else:
            parser.Parse(text, True)
    except expat.ExpatError as error:
        place = f"line {error.lineno}, column {error.offset + 1}"
        reason = f"The document is not well-formed XML: {expat.ErrorString(error.code)} at {place}."
        raise Unreadable("NotWellFormed", reason, reader.name) from None
    except Unreadable as error:
        error.root = reader.name
        raise
    if reader.root is None:
        raise AssertionError("a well-formed document has no root")
    return reader.root


class _Reader:
    """Builds the tree; its methods are expat's handlers."""

    __slots__ = ("left", "root", "stack", "top")

    def __init__(self, most: int) -> None:
        self.left = most
        self.root: Node | None = None
        self.top = _Scope({"xml": _XML})
        self.stack: list[Node] = []

    @property
    def name(self) -> Name | None:
        return None if self.root is None else self.root.name

    def start(self, raw: str, attributes: dict[str, str]) -> None:
        stack = self.stack
        self.left -= 1
        if self.left < 0:
            raise Unreadable("TooLarge", "The document has too many elements.")
        if len(stack) >= MAX_DEPTH:
            raise Unreadable("TooLarge", f"The document is nested deeper than {MAX_DEPTH} elements.")
        scope = stack[-1].scope if stack else self.top
        if attributes:
            scope = scope.below(attributes)
        node = Node(scope.element(raw), attributes, scope)
        if stack:
            stack[-1].children.append(node)
        else:
            self.root = node
        stack.append(node)

    def end(self, _: str) -> None:
        self.stack.pop()

    def text(self, text: str) -> None:
        self.stack[-1].parts.append(text)

    def instruction(self, *_: str) -> None:
        raise Unreadable("NotAllowed", "A processing instruction is not allowed.")


def _ill_formed(reason: str) -> Unreadable:
    return Unreadable("NotWellFormed", reason)


def _utf8(data: bytes, charset: str | None) -> bytes:
    """The document in UTF-8 without a byte order mark."""
    codec = next((codec for bom, codec in _BOMS if data.startswith(bom)), None)
    if codec is None:
        codec = _BARE.get(data[:2])
    if codec is None:
        declared = _DECLARED.match(data[:200]) if charset is None else None
        name = declared[1].decode("ascii") if declared else charset or "utf-8"
        codec = _CODECS.get(name.lower())
        if codec is None:
            raise Unreadable("Charset", f"The encoding {shown(name)} is not served: use UTF-8.")
    if codec == "utf-8":
        return data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode(codec).encode()
    except UnicodeError:
        raise Unreadable(
            "Charset", f"The document is not in the encoding {codec} that it is said to be in."
        ) from None
