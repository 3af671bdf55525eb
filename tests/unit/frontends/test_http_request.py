"""Reading an HTTP request as a call."""

import io
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.frontends import Environ, body, request
from gateway.operations.errors import Code
from gateway.pipeline.call import Call
from gateway.settings import Settings

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=XyZ"
SETTINGS = Settings(max_body=4096, trusted_proxies=("10.0.0.0/8",))
UNREADABLE = "\ufffd"


def environ(
    query: str | bytes = "", content: bytes | None = None, content_type: str | None = None, **more: Any
) -> Environ:
    """A WSGI environment; with `content` it is a POST."""
    found: Environ = {
        "REQUEST_METHOD": "GET" if content is None else "POST",
        "QUERY_STRING": query if isinstance(query, str) else query.decode("latin-1"),
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.input": io.BytesIO(content or b""),
    }
    if content is not None:
        found["CONTENT_LENGTH"] = str(len(content))
    if content_type is not None:
        found["CONTENT_TYPE"] = content_type
    return found | more


def read(*arguments: Any, **more: Any) -> Call:
    return request.read(environ(*arguments, **more), SETTINGS, "http")[0]


def multipart(*parts: tuple[str, bytes]) -> bytes:
    """A body of parts: (what follows form-data in the Content-Disposition, content)."""
    whole = b"".join(
        b"--XyZ\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    )
    return whole + b"--XyZ--\r\n"


def all_values(call: Call) -> dict[str, str]:
    reserved = {"user": call.login, "password": call.secret, "class": call.class_name, "method": call.method}
    return {name: value for name, value in reserved.items() if value is not None} | dict(call.parameters)


FOUND = [
    pytest.param("a=1&b=2", {"a": "1", "b": "2"}, id="two"),
    pytest.param("a=x+y%20z", {"a": "x y z"}, id="plus and %20 are spaces"),
    pytest.param("a=x y", {"a": "x y"}, id="an unescaped space"),
    pytest.param("a=%2B34&to=+34600", {"a": "+34", "to": " 34600"}, id="an unescaped + becomes a space"),
    pytest.param("a=&b=1", {"b": "1"}, id="empty is not given"),
    pytest.param("a&b=1", {"b": "1"}, id="no = is not given"),
    pytest.param("&&b=1&", {"b": "1"}, id="empty pairs"),
    pytest.param("b=1=2", {"b": "1=2"}, id="= in a value"),
    pytest.param("b=50%&c=%zz", {"b": "50%", "c": "%zz"}, id="% that escapes nothing"),
    pytest.param("a=%C3%B1%E2%82%AC", {"a": "ñ€"}, id="escaped UTF-8"),
    pytest.param("a=ñ€".encode(), {"a": "ñ€"}, id="raw UTF-8"),
    pytest.param("a=%F0%9F%98%80", {"a": "😀"}, id="beyond the BMP"),
    pytest.param("%61=1", {"a": "1"}, id="escaped name"),
    pytest.param("a=1&a=1", {"a": "1"}, id="twice the same"),
    pytest.param("a=&a=1", {"a": "1"}, id="empty and given"),
    pytest.param("a=1;b=2", {"a": "1;b=2"}, id="a semicolon separates nothing"),
    pytest.param(
        "class=SMS&method=SendSMS&user=u&password=p&from=f",
        {"class": "SMS", "method": "SendSMS", "user": "u", "password": "p", "from": "f"},
        id="reserved",
    ),
    pytest.param("Class=sms", {"Class": "sms"}, id="names keep their case"),
]


@pytest.mark.parametrize(("query", "values"), FOUND)
def test_query(query: str | bytes, values: dict[str, str]) -> None:
    call = read(query)
    assert (all_values(call), call.problem) == (values, None)


@pytest.mark.parametrize(("query", "values"), FOUND)
def test_urlencoded_body(query: str | bytes, values: dict[str, str]) -> None:
    content = query if isinstance(query, bytes) else query.encode()
    call = read("", content, FORM)
    assert (all_values(call), call.problem) == (values, None)


@pytest.mark.parametrize(
    ("content", "content_type", "values"),
    [
        pytest.param(b"a=1", f"{FORM}; charset=UTF-8", {"a": "1"}, id="with charset"),
        pytest.param(b"a=1", f"{FORM.upper()}", {"a": "1"}, id="type in capitals"),
        pytest.param(b"a=1\r\n", FORM, {"a": "1"}, id="line end after the form"),
        pytest.param(b"a=1", None, {"a": "1"}, id="no type"),
        pytest.param(b"", "text/plain", {}, id="another type and no body"),
        pytest.param(b'{"a":"x","b":""}', JSON, {"a": "x"}, id="JSON"),
        pytest.param(b'\xef\xbb\xbf{"a":"x"}', JSON, {"a": "x"}, id="JSON with a byte order mark"),
        pytest.param(b'{"a":34600000001,"b":1.50,"c":-2e3}', JSON, {"a": "34600000001", "b": "1.50", "c": "-2e3"},
                     id="numbers stand for their text"),
        pytest.param(b'{"a":%s}' % (b"9" * 3000), JSON, {"a": "9" * 3000}, id="a huge number"),
        pytest.param(b'{"a":true,"b":false,"c":null}', JSON, {"a": "true", "b": "false"}, id="constants"),
        pytest.param(b'{"a":"\\ud83d\\ude00"}', JSON, {"a": "😀"}, id="an escaped surrogate pair"),
        pytest.param('{"a":"ñ"}'.encode(), JSON, {"a": "ñ"}, id="JSON UTF-8"),
        pytest.param(b'{"a":1,"a":1}', JSON, {"a": "1"}, id="a member twice the same"),
        pytest.param(multipart(('name="a"', b"x\r\ny"), ('name="b"', b"")), MULTIPART, {"a": "x\r\ny"},
                     id="multipart"),
        pytest.param(multipart(('name="a"', "ñ".encode())), MULTIPART, {"a": "ñ"}, id="multipart UTF-8"),
        pytest.param(multipart(('name="a"', b"x+y%20")), MULTIPART, {"a": "x+y%20"}, id="multipart escapes nothing"),
    ],
)  # fmt: skip
def test_body(content: bytes, content_type: str | None, values: dict[str, str]) -> None:
    call = read("", content, content_type)
    assert (all_values(call), call.problem) == (values, None)


NOT_TEXT = "is not valid UTF-8 text without NUL."


@pytest.mark.parametrize(
    ("query", "content", "content_type", "detail"),
    [
        pytest.param("a=1&a=2", None, None, "a is given twice with different values.", id="query"),
        pytest.param("a=1", b"a=2", FORM, "a is given twice with different values.", id="query and body"),
        pytest.param("user=1", b'{"user":2}', JSON, "user is given twice with different values.", id="user"),
        pytest.param("", b'{"a":1,"a":2}', JSON, "a is given twice with different values.", id="JSON members"),
        pytest.param("a=%ff", None, None, f"a {NOT_TEXT}", id="no UTF-8"),
        pytest.param(b"a=\xff", None, None, f"a {NOT_TEXT}", id="raw, no UTF-8"),
        pytest.param("a=%ED%A0%80", None, None, f"a {NOT_TEXT}", id="an encoded surrogate"),
        pytest.param("a=%C0%80", None, None, f"a {NOT_TEXT}", id="an overlong NUL"),
        pytest.param("a=x%00y", None, None, f"a {NOT_TEXT}", id="NUL"),
        pytest.param("a%00=x", None, None, f"The name a{UNREADABLE} {NOT_TEXT}", id="NUL in a name"),
        pytest.param("", b"a=%ff", FORM, f"a {NOT_TEXT}", id="form, no UTF-8"),
        pytest.param("", b'{"a":"\\ud800"}', JSON, f"a {NOT_TEXT}", id="JSON, lone surrogate"),
        pytest.param("", b'{"a":"\\u0000"}', JSON, f"a {NOT_TEXT}", id="JSON, NUL"),
        pytest.param("", b'{"a":"\xff"}', JSON, f"a {NOT_TEXT}", id="JSON, no UTF-8"),
        pytest.param("", multipart(('name="a"', b"\xff")), MULTIPART, f"a {NOT_TEXT}", id="multipart, no UTF-8"),
        pytest.param("", multipart(('name="a"', b"\0")), MULTIPART, f"a {NOT_TEXT}", id="multipart, NUL"),
        pytest.param("", b'{"a":{}}', JSON, "a must be a text or a number, not an object or an array.", id="object"),
        pytest.param("", b'{"a":[1]}', JSON, "a must be a text or a number, not an object or an array.", id="array"),
        pytest.param("", multipart(('name="a"; filename="f"', b"x")), MULTIPART,
                     "a is a file: parameters are plain fields.", id="file"),
        pytest.param("output=yaml", None, None, "output must be json or xml, not yaml.", id="output"),
        pytest.param("output=XML", None, None, "output must be json or xml, not XML.", id="output in capitals"),
        pytest.param("a=%ff&output=x&b=1&b=2", None, None, f"a {NOT_TEXT}", id="the first one counts"),
    ],
)  # fmt: skip
def test_problem_with_a_parameter(
    query: str | bytes, content: bytes | None, content_type: str | None, detail: str
) -> None:
    call = read(query, content, content_type)
    assert call.problem is not None
    assert (call.problem.code, call.problem.detail, call.unreadable) == (Code.INCORRECT_PARAM, detail, False)


TYPES = "The body's Content-Type must be application/x-www-form-urlencoded, multipart/form-data or application/json."
MALFORMED = "The multipart body is malformed: its parts do not follow RFC 7578."


@pytest.mark.parametrize(
    ("content", "content_type", "detail"),
    [
        pytest.param(b"x", "text/plain", TYPES, id="plain text"),
        pytest.param(b"<x/>", "text/xml; charset=utf-8", TYPES, id="XML"),
        pytest.param(b'{"a":1}', None, TYPES, id="JSON without a type"),
        pytest.param(b"", "text/plain", None, id="no body"),
        pytest.param(b"a=" + b"x" * 4096, FORM, "The body is over 4096 bytes, the limit.", id="too large"),
        pytest.param(b"x" * 4097, "text/plain", TYPES, id="too large and of another type"),
        pytest.param(b"{", JSON, "The body is not JSON: expecting property name enclosed in double quotes"
                     " at line 1, column 2.", id="broken JSON"),
        pytest.param(b"[1]", JSON, "The JSON of the body must be an object whose members are the parameters.",
                     id="array"),
        pytest.param(b'{"a":NaN}', JSON, "The body is not JSON: it has no NaN.", id="NaN"),
        pytest.param(b'{"a":' + b"[" * 4000, JSON, "The JSON of the body is nested too deep.", id="deep JSON"),
        pytest.param(b'{"a":' + b"[" * 40 + b"]" * 40 + b"}", JSON, "The JSON of the body is nested too deep.",
                     id="deep JSON that ends"),
        pytest.param(multipart(('name="a"', b"x"))[:-9], MULTIPART, MALFORMED, id="multipart cut short"),
        pytest.param(b"junk", MULTIPART, MALFORMED, id="no multipart"),
        pytest.param(b"--XyZ\r\n\r\nx\r\n--XyZ--", MULTIPART, MALFORMED, id="a part without a name"),
        pytest.param(multipart(), "multipart/form-data", "The Content-Type multipart/form-data has no boundary.",
                     id="no boundary"),
        pytest.param(b"&".join(b"a%d=1" % n for n in range(201)), FORM, "A call has at most 200 parameters.",
                     id="too many"),
    ],
)  # fmt: skip
def test_unreadable_body(content: bytes, content_type: str | None, detail: str | None) -> None:
    call = read("user=u", content, content_type)
    assert call.login == "u"
    assert (call.problem.detail if call.problem else None, call.unreadable) == (detail, detail is not None)


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        pytest.param(b"user=u&password=p&sms=" + b"x" * 5000, FORM, id="form"),
        pytest.param(
            multipart(('name="user"', b"u"), ('name="password"', b"p"), ('name="sms"', b"x" * 5000)),
            MULTIPART,
            id="multipart",
        ),
    ],
)
def test_credentials_at_the_beginning_of_a_body_that_is_too_large_count(content: bytes, content_type: str) -> None:
    call = read("", content, content_type)
    assert (call.login, call.secret, call.unreadable) == ("u", "p", True)
    assert "sms" not in call.parameters


def test_body_that_ends_early() -> None:
    call = read("", b"a=1&b=2", FORM, CONTENT_LENGTH="20")
    assert call.problem is not None
    assert (call.problem.detail, call.parameters) == ("The body ended after 7 of 20 bytes.", {"a": "1"})


@pytest.mark.parametrize("length", ["x", "-1", "²", "1" * 5000])
def test_content_length_that_is_none(length: str) -> None:
    assert read("", b"a=1", FORM, CONTENT_LENGTH=length).problem is not None


def test_chunked_body() -> None:
    call = read("", b"a=1", FORM, CONTENT_LENGTH="", **{"wsgi.input_terminated": True})
    assert call.parameters == {"a": "1"}


def test_value_that_is_no_text_counts_as_given() -> None:
    call = read("user=%ff&sms=a%00b")
    assert (call.login, call.parameters) == (UNREADABLE, {"sms": f"a{UNREADABLE}b"})


@pytest.mark.parametrize(
    ("query", "output"), [("", "json"), ("output=", "json"), ("output=json", "json"), ("output=xml", "xml")]
)
def test_output(query: str, output: str) -> None:
    call, found = request.read(environ(query), SETTINGS, "http")
    assert (found, call.problem) == (output, None)


@pytest.mark.parametrize(
    ("peer", "header", "source"),
    [
        pytest.param("192.0.2.7", None, "192.0.2.7", id="the socket's"),
        pytest.param("192.0.2.7", "198.51.100.1", "192.0.2.7", id="no proxy of ours"),
        pytest.param("10.0.0.1", "198.51.100.1", "198.51.100.1", id="a proxy of ours"),
        pytest.param("10.0.0.1", "203.0.113.9, 198.51.100.1, 10.0.0.2", "198.51.100.1", id="through two"),
    ],
)
def test_source_address(peer: str, header: str | None, source: str) -> None:
    more = {"REMOTE_ADDR": peer} | ({"HTTP_X_FORWARDED_FOR": header} if header else {})
    assert read("a=1", **more).source_ip == source


@pytest.mark.parametrize(
    ("given_id", "kept"),
    [("abcdef-1234", True), ("short", False), ("a" * 65, False), ("with space", False), ("line\nfeed", False)],
)
def test_request_id(given_id: str, kept: bool) -> None:
    assert (read("a=1", HTTP_X_REQUEST_ID=given_id).request_id == given_id) is kept


def test_request_ids_differ() -> None:
    assert read("a=1").request_id != read("a=1").request_id


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1),
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1),
        max_size=20,
    )
)
def test_every_encoding_says_the_same(parameters: dict[str, str]) -> None:  # fmt: skip
    reserved = {"user", "password", "class", "method", "output"}
    parameters = {name: value for name, value in parameters.items() if name not in reserved}
    form = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters.items())
    whole = Settings(max_body=1_048_576)
    for asked in (
        environ(form),
        environ("", form.encode(), FORM),
        environ("", json.dumps(parameters).encode(), JSON),
    ):
        call, _ = request.read(asked, whole, "http")
        assert (call.parameters, call.problem) == (parameters, None)


@given(st.binary())
def test_any_query_is_read(query: bytes) -> None:
    call = read(query)
    for value in all_values(call).values():
        assert value.encode()
        assert "\0" not in value


@given(
    st.binary() | st.text(alphabet='{}[]":,\\u0dn1e-+NaI \t').map(str.encode)
    | st.lists(st.sampled_from([b"--XyZ", b"--", b"\r\n", b"\n", b"Content-Disposition: form-data", b'; name="a"',
                                b"; filename=x", b": ", b"x", b"\xff"])).map(b"".join),
    st.sampled_from([None, "", FORM, JSON, MULTIPART, "multipart/form-data; boundary=\xff", "text/plain", ";"]),
)  # fmt: skip
def test_any_body_is_read(content: bytes, content_type: str | None) -> None:
    call = read("", content, content_type)
    for value in all_values(call).values():
        assert value.encode()
        assert "\0" not in value


def test_names_are_shown_short_and_printable() -> None:
    assert body.shown("a\n\x1b" + "x" * 100) == f"a{UNREADABLE}{UNREADABLE}" + "x" * 37 + "…"
