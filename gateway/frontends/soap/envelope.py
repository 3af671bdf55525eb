"""A SOAP envelope: its version, the header blocks that are meant for us, and the one element of its body."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.frontends.body import shown
from gateway.frontends.soap import tree
from gateway.frontends.soap.faults import VERSIONS, WSSE, Fault, Version
from gateway.frontends.soap.tree import Name, Node, Unreadable

SECURITY: Name = (WSSE, "Security")
"""The only header block that is understood."""

# Header blocks that were not understood are named in the answer: no more of them and none longer than this.
_NAMED = 5
_NAME_LENGTH = 200
_TRUE = ("1", "true")
_FALSE = ("0", "false")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is left of a message: its version, its security headers and the child of its body."""

    version: Version
    security: Sequence[Node]
    operation: Node


def read(data: bytes, charset: str | None, asked: Version) -> Envelope:
    """Read a message.

    `charset` is the transport's, `asked` the version that its media type says: the one of the answer where the
    message does not tell. Raises `Fault`, with the version that the message is in.
    """
    try:
        root = tree.parse(data, charset)
    except Unreadable as error:
        version = VERSIONS.get(error.root[0], asked) if error.root is not None else asked
        raise Fault(error.kind, error.reason, version=version) from None
    version = _version(root, asked)
    try:
        return _opened(root, version)
    except Unreadable as error:
        raise Fault(error.kind, error.reason, version=version) from None
    except Fault as fault:
        fault.version = version
        raise


def _version(root: Node, asked: Version) -> Version:
    uri, local = root.name
    if local != "Envelope":
        raise Fault("BadEnvelope", f"The document's root is {shown(local)}, not a SOAP Envelope.", version=asked)
    version = VERSIONS.get(uri)
    if version is None:
        reason = "The Envelope is in the namespace of neither SOAP 1.1 nor SOAP 1.2."
        raise Fault("VersionMismatch", reason, code="VersionMismatch", version=asked)
    return version


def _opened(root: Node, version: Version) -> Envelope:
    uri = version.namespace
    children = list(root.children)
    header = children.pop(0) if children and children[0].name == (uri, "Header") else None
    if len(children) != 1 or children[0].name != (uri, "Body") or root.text.strip():
        raise Fault("BadEnvelope", "The Envelope must hold a Header, which may be left out, and one Body.")
    body = children[0]
    if len(body.children) != 1 or body.text.strip():
        raise Fault("BadEnvelope", "The Body must hold one element, that of an operation, and nothing else.")
    operation = body.children[0]
    if operation.name[1] == "Fault" and operation.name[0] in VERSIONS:
        raise Fault("BadEnvelope", "A Fault is an answer, not a request.")
    return Envelope(version, [] if header is None else _understood(header, version), operation)


def _understood(header: Node, version: Version) -> list[Node]:
    """The security headers; `Fault` where another block that is meant for us must be understood."""
    security: list[Node] = []
    strange: list[Name] = []
    for block in header.children:
        role = block.attribute(version.namespace, version.actor)
        if role is not None and role.strip() not in version.ours:
            continue
        if block.name == SECURITY:
            security.append(block)
        elif _must_understand(block, version):
            strange.append(block.name)
    if strange:
        names = ", ".join(f"{{{shown(uri)}}}{shown(local)}" for uri, local in strange[:_NAMED])
        short = [name for name in strange if sum(map(len, name)) <= _NAME_LENGTH]
        raise Fault("MustUnderstand", f"Not understood: {names}.", code="MustUnderstand", headers=short[:_NAMED])
    return security


def _must_understand(block: Node, version: Version) -> bool:
    value = (block.attribute(version.namespace, "mustUnderstand") or "0").strip()
    if value not in _TRUE and value not in _FALSE:
        raise Fault("BadEnvelope", f"mustUnderstand must be 1 or 0, not {shown(value)}.")
    return value in _TRUE
