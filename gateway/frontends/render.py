"""A reply as an HTTP response: JSON or XML bodies, and the headers that all of them carry."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

import orjson

from gateway.frontends import StartResponse
from gateway.messaging.money import format_credits
from gateway.operations.context import Credits, Moment, Rows
from gateway.operations.errors import Code
from gateway.pipeline.call import Reply
from gateway.storage.errors import Unavailable

TYPES = {"json": "application/json", "xml": "application/xml; charset=utf-8"}

# Pieces of about this many bytes are sent when a list is read page by page.
PIECE = 65_536

UNREAD = Reply(
    None,
    Code.UNAVAILABLE,
    "The send was accepted and its messages cannot be listed at present; the same call with its idempotencykey"
    " lists them in a moment, and sends nothing again.",
)
"""What is answered in place of a list whose first piece cannot be read."""

_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS
_XML_START = '<?xml version="1.0" encoding="UTF-8"?>\n'
# Everything but Char of XML 1.0, section 2.2.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A carriage return that is not escaped would be read as a line feed (section 2.11), in an attribute every kind
# of white space as a space (section 3.3.3).
_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_ATTRIBUTE = _IN_TEXT | str.maketrans({'"': "&quot;", "\t": "&#9;", "\n": "&#10;"})
_XML_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


class Head(NamedTuple):
    """A status line without its version, and what a front end adds to the headers."""

    status: str = "200 OK"
    headers: Iterable[tuple[str, str]] = ()


OK = Head()


def respond(
    start_response: StartResponse,
    reply: Reply,
    output: str,
    request_id: str,
    head: Head = OK,
    away: Head = OK,
) -> Iterable[bytes]:
    """Answer with a reply in the form `output` ("json" or "xml"); give the body.

    `away` is the head of UNAVAILABLE, which is answered where a list's first piece cannot be read; when a later
    one cannot, the connection ends.
    """
    pieces: Iterable[bytes] = ()
    if reply.error is None and paged(reply.result):
        pieces = json_pieces(reply.result) if output == "json" else xml_pieces(reply.result)
        try:
            pieces = opened(pieces)
        except Unavailable:
            reply, head = UNREAD, away
    lines = [
        ("Content-Type", TYPES[output]),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Request-Id", request_id),
        *head.headers,
    ]
    if reply.error is None and paged(reply.result):
        start_response(head.status, lines)
        return pieces
    body = json_body(reply) if output == "json" else xml_body(reply)
    lines.append(("Content-Length", str(len(body))))
    start_response(head.status, lines)
    return [body]


def page(
    start_response: StartResponse,
    status: str,
    body: bytes,
    content_type: str = "text/plain; charset=utf-8",
    headers: Iterable[tuple[str, str]] = (),
) -> list[bytes]:
    """Answer with a body that is no reply to a call; `headers` are added to those of every response."""
    start_response(
        status,
        [
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            *headers,
        ],
    )
    return [body]


def method_not_allowed(start_response: StartResponse, allowed: str) -> list[bytes]:
    """Answer 405; `allowed` is the list for Allow (RFC 9110, section 15.5.6)."""
    text = f"Use {allowed.replace(', ', ' or ')} here.\n".encode()
    return page(start_response, "405 Method Not Allowed", text, headers=[("Allow", allowed)])


def paged(result: Any) -> bool:
    """Whether a result is, or has as a member, a list that is read page by page."""
    if isinstance(result, Rows):
        return True
    return isinstance(result, Mapping) and any(isinstance(value, Rows) for value in result.values())


def json_body(reply: Reply) -> bytes:
    """A reply as JSON. Credits are exact JSON numbers; lists of pages are read whole."""
    if reply.error is None:
        return orjson.dumps({"status": "SUCCESS", "result": reply.result}, default=_json_value, option=_OPTIONS)
    error = {"status": "ERROR", "error": reply.error.value}
    if reply.detail is not None:
        error["detail"] = reply.detail
    return orjson.dumps(error)


def json_pieces(result: Any) -> Iterator[bytes]:
    """The JSON of a successful reply, its `Rows` read while it is sent."""
    return gathered(_json_parts(result))


def xml_body(reply: Reply) -> bytes:
    """A reply as XML: `<response>` with `<status>`, `<result>`, `<error>` and, for errors, `<detail>`."""
    if reply.error is None:
        return b"".join(_xml_parts(reply.result))
    detail = "" if reply.detail is None else f"<detail>{xml_text(reply.detail)}</detail>"
    return (
        f"{_XML_START}<response><status>ERROR</status><result/><error>{reply.error.value}</error>{detail}</response>"
    ).encode()


def xml_pieces(result: Any) -> Iterator[bytes]:
    """The XML of a successful reply, its `Rows` read while it is sent."""
    return gathered(_xml_parts(result))


def gathered(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Join small parts to pieces of about `PIECE` bytes."""
    waiting = bytearray()
    for part in parts:
        waiting += part
        if len(waiting) >= PIECE:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def opened(pieces: Iterator[bytes]) -> Iterable[bytes]:
    """Read the first piece, so that a list that cannot be read is known before anything is answered.

    Raises `Unavailable`.
    """
    return chain([next(pieces)], pieces)


def _json_parts(result: Any) -> Iterator[bytes]:
    yield b'{"status":"SUCCESS","result":'
    if isinstance(result, Mapping):
        before = b"{"
        for name, value in result.items():
            yield before + orjson.dumps(name) + b":"
            yield from _json_member(value)
            before = b","
        yield b"}"
    else:
        yield from _json_member(result)
    yield b"}"


def _json_member(value: Any) -> Iterator[bytes]:
    if not isinstance(value, Rows):
        yield orjson.dumps(value, default=_json_value, option=_OPTIONS)
        return
    before = b"["
    for rows in value.pages():
        if rows:
            yield before + orjson.dumps(list(rows), default=_json_value, option=_OPTIONS)[1:-1]
            before = b","
    yield b"[]" if before == b"[" else b"]"


def _json_value(value: Any) -> Any:
    if isinstance(value, Credits):
        return orjson.Fragment(format_credits(value.micro))
    if isinstance(value, Moment):
        return value.text
    if isinstance(value, Rows):
        return list(chain.from_iterable(value.pages()))
    raise TypeError(f"a result holds a {type(value).__name__}")


def _xml_parts(result: Any) -> Iterator[bytes]:
    yield f"{_XML_START}<response><status>SUCCESS</status>".encode()
    for part in _element("result", result):
        yield part.encode()
    yield b"<error/></response>"


def _element(name: str, value: Any) -> Iterator[str]:
    """Give the element of a value; a name that XML does not allow becomes the attribute of an `<item>`."""
    if _XML_NAME.fullmatch(name):
        start = end = name
    else:
        end = "item"
        start = f'item name="{xml_text(name, _IN_ATTRIBUTE)}"'
    if value is None or value == "":
        yield f"<{start}/>"
    elif isinstance(value, Mapping):
        yield f"<{start}>"
        for key, member in value.items():
            yield from _element(key, member)
        yield f"</{end}>"
    elif isinstance(value, Rows | list | tuple):
        yield f"<{start}>"
        for member in chain.from_iterable(value.pages()) if isinstance(value, Rows) else value:
            yield from _element("item", member)
        yield f"</{end}>"
    else:
        yield f"<{start}>{_scalar(value)}</{end}>"


def _scalar(value: Any) -> str:
    if isinstance(value, Credits):
        return format_credits(value.micro)
    if isinstance(value, Moment):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return xml_text(str(value))
    raise TypeError(f"a result holds a {type(value).__name__}")


def xml_text(text: str, escapes: Mapping[int, str] = _IN_TEXT) -> str:
    """Text as it stands in an XML element; characters that XML forbids become U+FFFD."""
    return _NOT_XML.sub("\ufffd", text).translate(escapes)
