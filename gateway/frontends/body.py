"""Parameters out of a query string or a body: urlencoded, multipart/form-data, JSON. All text is strict UTF-8."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from gateway.frontends import Environ

Pair = tuple[str, str, str | None]
"""A parameter's name and value, and what is wrong with it, if anything, as one sentence."""

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
JSON = "application/json"

_DEEPEST = 32
_BRACKETS = re.compile(rb"[\[\]{}]")
# An unfinished string takes the rest: what is in it is no structure.
_JSON_STRING = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|$)', re.DOTALL)

# Of a body that is too large only so much is looked at, for the credentials of who sent it.
LOOKED_AT = 65_536
_MAX_PARTS = 1_000
_UNREADABLE = "\ufffd"
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
_NAME_SHOWN = 40


class Problem(Exception):
    """A body cannot be read, or only its beginning. `detail` is one sentence for the caller."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


def shown(name: str) -> str:
    """A name or value that a client sent, as a sentence may repeat it: short and printable."""
    clean = "".join(character if character.isprintable() else _UNREADABLE for character in name[:_NAME_SHOWN])
    return clean if len(name) <= _NAME_SHOWN else f"{clean}…"


def query_pairs(query: str) -> Iterator[Pair]:
    """Split a query string as WSGI hands it over, its bytes as Latin-1 (PEP 3333).

    Clients build it by hand, so unescaped spaces, raw UTF-8 and a `%` that escapes nothing stand for themselves.
    """
    plain = query.isascii() and "\0" not in query
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if plain and "%" not in part:
            if "+" in part:
                yield name.replace("+", " "), value.replace("+", " "), None
            else:
                yield name, value, None
        elif part:
            yield _checked(_unquoted(name), _unquoted(value))


def pairs(environ: Environ, limit: int) -> Iterator[Pair]:
    """Give the parameters of a request's body.

    Raises `Problem` when the body is over `limit` bytes, ends early, is malformed or of a type that is not
    taken; what was found before that has been given by then.
    """
    data, trouble = read(environ, limit)
    content_type = environ.get("CONTENT_TYPE", "")
    kind = content_type.partition(";")[0].strip().lower()
    if data or trouble:
        if kind == FORM or (not kind and data[:1] not in (b"{", b"[", b"<", b"-")):
            yield from _form_pairs(data, cut=trouble is not None)
        elif kind == MULTIPART:
            yield from _multipart_pairs(content_type, data, trouble)
        elif kind != JSON:
            raise Problem(f"The body's Content-Type must be {FORM}, {MULTIPART} or {JSON}.")
        elif trouble is None:
            yield from _json_pairs(data)
    if trouble is not None:
        raise Problem(trouble)


def read(environ: Environ, limit: int) -> tuple[bytes, str | None]:
    """Give a request's body; or, where it is over `limit` bytes or ends early, its beginning and why."""
    stated = environ.get("CONTENT_LENGTH") or ""
    if not stated and not environ.get("wsgi.input_terminated"):
        return b"", None
    if stated and not (stated.isascii() and stated.isdigit()):
        return b"", "The Content-Length is no number."
    expected = int(stated) if stated and len(stated) < 20 else None
    try:
        data: bytes = environ["wsgi.input"].read(limit + 1 if expected is None else min(expected, limit + 1))
    except OSError:
        return b"", "The body ended early."
    if len(stated) >= 20 or len(data) > limit or (expected is not None and expected > limit):
        return data[:LOOKED_AT], f"The body is over {limit} bytes, the limit."
    if expected is not None and len(data) < expected:
        return data, f"The body ended after {len(data)} of {expected} bytes."
    return data, None


def _form_pairs(data: bytes, cut: bool) -> Iterator[Pair]:
    query = data.decode("latin-1").strip("\r\n")
    if cut:
        query = query.rpartition("&")[0]
    return query_pairs(query)


def _too_deep(data: bytes) -> bool:
    """Whether arrays and objects nest deeper than any call needs; Python's own bound differs by version."""
    if data.count(b"[") + data.count(b"{") <= _DEEPEST:
        return False
    depth = 0
    for bracket in _BRACKETS.findall(_JSON_STRING.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        if depth > _DEEPEST:
            return True
    return False


def _json_pairs(data: bytes) -> Iterator[Pair]:
    if _too_deep(data):
        raise Problem("The JSON of the body is nested too deep.")
    try:
        # Bytes that are no UTF-8 become lone surrogates, so that the parameter they are in can be named.
        members = json.loads(
            data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape"),
            object_pairs_hook=_Members,
            parse_int=str,
            parse_float=str,
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as error:
        raise Problem(
            f"The body is not JSON: {error.msg.lower()} at line {error.lineno}, column {error.colno}."
        ) from None
    except ValueError as error:
        raise Problem(str(error)) from None
    if not isinstance(members, _Members):
        raise Problem("The JSON of the body must be an object whose members are the parameters.")
    for name, value in members:
        if value is None:
            continue
        if value is True or value is False:
            yield _checked(name, "true" if value else "false")
        elif type(value) is str:
            yield _checked(name, value)
        else:
            clean = _checked(name, "")[0]
            yield clean, _UNREADABLE, f"{shown(clean)} must be a text or a number, not an object or an array."


class _Members(list[tuple[str, Any]]):
    """A JSON object's members in their order, repeated ones too."""


def _no_constant(text: str) -> Any:
    raise ValueError(f"The body is not JSON: it has no {text}.")


def _multipart_pairs(content_type: str, data: bytes, trouble: str | None) -> Iterator[Pair]:
    boundary = parse_options_header(content_type)[1].get("boundary", "")
    if not 0 < len(boundary) <= 200:
        raise Problem("The Content-Type multipart/form-data has no boundary.")
    decoder = MultipartDecoder(boundary.encode("utf-8", "replace"), max_parts=_MAX_PARTS)
    try:
        decoder.receive_data(data)
        if trouble is None:
            decoder.receive_data(None)
        yield from _fields(decoder)
    except Exception as error:  # what werkzeug raises for malformed input is no one family of exceptions
        raise Problem("The multipart body is malformed: its parts do not follow RFC 7578.") from error


def _fields(decoder: MultipartDecoder) -> Iterator[Pair]:
    part: Field | File | None = None
    value = bytearray()
    while True:
        event = decoder.next_event()
        if isinstance(event, Epilogue | NeedData):
            return
        if isinstance(event, Field | File):
            part = event
            value.clear()
        elif isinstance(event, Data) and part is not None:
            value += event.data
            if not event.more_data:
                yield _field(part, bytes(value))


def _field(part: Field | File, value: bytes) -> Pair:
    name = _checked(part.name or "", "")[0]
    if isinstance(part, File):
        return name, _UNREADABLE, f"{shown(name)} is a file: parameters are plain fields."
    return _checked(name, value.decode("utf-8", "surrogateescape"))


def _unquoted(text: str) -> str:
    """Undo percent-encoding; bytes that are no UTF-8 become lone surrogates."""
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode("utf-8", "surrogateescape")


def _checked(name: str, value: str) -> Pair:
    """Find what no text may hold: NUL, and lone surrogates (of the sender's, or for bytes that are no UTF-8)."""
    if _NOT_TEXT.search(name):
        name = _NOT_TEXT.sub(_UNREADABLE, name)
        return name, _NOT_TEXT.sub(_UNREADABLE, value), f"The name {shown(name)} is not valid UTF-8 text without NUL."
    if _NOT_TEXT.search(value):
        return name, _NOT_TEXT.sub(_UNREADABLE, value), f"{shown(name)} is not valid UTF-8 text without NUL."
    return name, value, None
