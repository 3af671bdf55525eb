"""The head of an HTTP/1.1 request (RFC 9112), read strictly where leniency is dangerous.

Lenient are only the query's spaces and raw bytes, since clients build it by hand. Two lengths, a length that is
no number, folded lines, a space before the colon: such requests read differently from proxy to proxy (RFC 9112,
section 11.2), so they are refused.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

# A query may be 64 kB long; method, path and version come on top.
MAX_LINE = 65_536 + 1_024
MAX_FIELD = 8_192
MAX_FIELDS = 64
MAX_HEAD = 32_768

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_ABSOLUTE = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)
_KNOWN: dict[bytes, str | None] = {}
_KNOWN_LIMIT = 512
_ONCE = frozenset(("CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_HOST", "HTTP_TRANSFER_ENCODING", "HTTP_AUTHORIZATION"))


class Malformed(Exception):
    """A request that is answered with an error and whose connection is closed. `status` is a status line."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status

    def response(self) -> bytes:
        """The whole response."""
        body = f"{self.status[4:]}\n".encode()
        return (
            f"HTTP/1.1 {self.status}\r\nConnection: close\r\nContent-Type: text/plain\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body


BAD = "400 Bad Request"
TOO_LONG = "414 URI Too Long"
TOO_LARGE = "431 Request Header Fields Too Large"
NOT_IMPLEMENTED = "501 Not Implemented"
VERSION = "505 HTTP Version Not Supported"


def request_line(line: bytes) -> tuple[str, str, str, str]:
    """Give method, path (unescaped), query and version of a request line. Raises `Malformed`."""
    if len(line) > MAX_LINE:
        raise Malformed(TOO_LONG)
    method, _, rest = line.rstrip(b"\r\n").partition(b" ")
    target, _, version = rest.rpartition(b" ")
    if not _TOKEN.fullmatch(method) or not target or _CONTROL.search(target):
        raise Malformed(BAD)
    if version not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise Malformed(VERSION if re.fullmatch(rb"HTTP/[0-9]\.[0-9]", version) else BAD)
    if not target.startswith(b"/"):
        target = _ABSOLUTE.sub(b"", target, count=1)
        if not target.startswith(b"/"):
            target = b"/" + target
    path, _, query = target.partition(b"?")
    if b"%" in path:
        path = unquote_to_bytes(path)
    return method.decode("ascii"), path.decode("latin-1"), query.decode("latin-1"), version.decode("ascii")


def fields(readline: Callable[[int], bytes], environ: dict[str, Any]) -> None:
    """Read the header fields up to the empty line into a WSGI environment. Raises `Malformed`.

    Values are Latin-1 as WSGI has them. A field whose name holds an underscore is dropped: it would read like
    the one with a hyphen.
    """
    size = 0
    for _ in range(MAX_FIELDS + 1):
        line = readline(MAX_FIELD + 1)
        if line in (b"\r\n", b"\n"):
            return
        size += len(line)
        if len(line) > MAX_FIELD or size > MAX_HEAD:
            raise Malformed(TOO_LARGE)
        if not line.endswith(b"\n"):
            raise EOFError
        name, colon, value = line.partition(b":")
        try:
            key = _KNOWN[name]
        except KeyError:
            if not colon:
                raise Malformed(BAD) from None
            key = _key(name)
        value = value.strip(b" \t\r\n")
        if _CONTROL.search(value):
            raise Malformed(BAD)
        if key is not None:
            _put(environ, key, value.decode("latin-1"))
    raise Malformed(TOO_LARGE)


def body_length(environ: dict[str, Any]) -> int | None:
    """The length of the body that follows the head, in bytes; None where it is chunked. Raises `Malformed`."""
    coding = environ.get("HTTP_TRANSFER_ENCODING")
    length: str | None = environ.get("CONTENT_LENGTH")
    if coding is not None:
        if length is not None or environ["SERVER_PROTOCOL"] == "HTTP/1.0":
            raise Malformed(BAD)
        if coding.lower() != "chunked":
            raise Malformed(NOT_IMPLEMENTED)
        return None
    if length is None:
        return 0
    if not (length.isascii() and length.isdigit() and len(length) < 19):
        raise Malformed(BAD)
    return int(length)


def _put(environ: dict[str, Any], key: str, value: str) -> None:
    before = environ.get(key)
    if before is None:
        environ[key] = value
    elif key in _ONCE:
        raise Malformed(BAD)
    else:
        environ[key] = f"{before}; {value}" if key == "HTTP_COOKIE" else f"{before},{value}"


def _key(name: bytes) -> str | None:
    if not _TOKEN.fullmatch(name):
        raise Malformed(BAD)
    key: str | None = None
    if b"_" not in name:
        key = name.decode("ascii").upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
    if len(_KNOWN) < _KNOWN_LIMIT:
        _KNOWN[name] = key
    return key
