"""The head of an HTTP/1.1 request."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.hosting import http1


def fields(text: bytes, version: str = "HTTP/1.1") -> dict[str, Any]:
    environ: dict[str, Any] = {"SERVER_PROTOCOL": version}
    http1.fields(io.BytesIO(text).readline, environ)
    return {key: value for key, value in environ.items() if key != "SERVER_PROTOCOL"}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param(b"GET /a?b HTTP/1.1\r\n", ("GET", "/a", "b", "HTTP/1.1"), id="plain"),
        pytest.param(b"GET /a?b c  d HTTP/1.0\n", ("GET", "/a", "b c  d", "HTTP/1.0"), id="spaces"),
        pytest.param(b"GET /a?x=\xc3\xb1 HTTP/1.1\r\n", ("GET", "/a", "x=\u00c3\u00b1", "HTTP/1.1"), id="raw UTF-8"),
        pytest.param(b"GET /a%20b%3F?c%20d HTTP/1.1\r\n", ("GET", "/a b?", "c%20d", "HTTP/1.1"), id="path unescaped"),
        pytest.param(b"GET http://h:1/a?b HTTP/1.1\r\n", ("GET", "/a", "b", "HTTP/1.1"), id="absolute"),
        pytest.param(b"GET http://h HTTP/1.1\r\n", ("GET", "/", "", "HTTP/1.1"), id="absolute without a path"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\n", ("OPTIONS", "/*", "", "HTTP/1.1"), id="asterisk"),
        pytest.param(b"GET /?a HTTP/1.1 HTTP/1.1\r\n", ("GET", "/", "a HTTP/1.1", "HTTP/1.1"), id="version in query"),
    ],
)
def test_request_line(line: bytes, found: tuple[str, str, str, str]) -> None:
    assert http1.request_line(line) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(b"\r\n", {}, id="none"),
        pytest.param(b"Host: a\r\nX-Two: b c \r\n\r\n", {"HTTP_HOST": "a", "HTTP_X_TWO": "b c"}, id="two"),
        pytest.param(b"content-type:a\r\nContent-Length: 1\r\n\r\n", {"CONTENT_TYPE": "a", "CONTENT_LENGTH": "1"},
                     id="content"),
        pytest.param(b"X-A: 1\r\nx-a: 2\r\n\r\n", {"HTTP_X_A": "1,2"}, id="a list in two lines"),
        pytest.param(b"Cookie: a=1\r\nCookie: b=2\r\n\r\n", {"HTTP_COOKIE": "a=1; b=2"}, id="cookies"),
        pytest.param(b"X_Forwarded_For: 1\r\nX-A: 2\r\n\r\n", {"HTTP_X_A": "2"}, id="an underscore"),
    ],
)  # fmt: skip
def test_fields(text: bytes, found: dict[str, str]) -> None:
    assert fields(text) == found


@pytest.mark.parametrize(
    ("found", "length"),
    [
        pytest.param({}, 0, id="none"),
        pytest.param({"CONTENT_LENGTH": "12"}, 12, id="length"),
        pytest.param({"HTTP_TRANSFER_ENCODING": "Chunked"}, None, id="chunked"),
    ],
)
def test_body_length(found: dict[str, str], length: int | None) -> None:
    assert http1.body_length({"SERVER_PROTOCOL": "HTTP/1.1", **found}) == length


def test_chunked_in_http_1_0() -> None:
    with pytest.raises(http1.Malformed):
        http1.body_length({"SERVER_PROTOCOL": "HTTP/1.0", "HTTP_TRANSFER_ENCODING": "chunked"})


@given(st.binary() | st.lists(st.sampled_from([b"GET", b" ", b"/", b"?", b"%", b"HTTP/1.1", b"\0"])).map(b"".join))
def test_any_request_line(line: bytes) -> None:
    try:
        _, path, _, version = http1.request_line(line)
    except http1.Malformed as malformed:
        assert malformed.response().startswith(b"HTTP/1.1 ")
    else:
        assert path.startswith("/")
        assert version in ("HTTP/1.0", "HTTP/1.1")


@given(st.binary() | st.lists(st.sampled_from([b"Host", b":", b" ", b"x", b"\r\n", b"\n", b"_"])).map(b"".join))
def test_any_fields(text: bytes) -> None:
    try:
        found = fields(text)
    except (http1.Malformed, EOFError):
        return
    assert all("\n" not in value and "\r" not in value for value in found.values())
