"""Requests that no honest client sends, and the limits of what one may send."""

import json
import threading
from urllib.parse import quote

import pytest

from tests.integration.web.conftest import MAX_BODY
from tests.support.gateway import Gateway
from tests.support.rawhttp import Connection, ask

HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 200, id="plain"),
        pytest.param(b"\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 200, id="an empty line before it"),
        pytest.param(b"GET /healthz HTTP/1.1\nHost: x\n\n", 200, id="bare line feeds"),
        pytest.param(b"GET /healthz?a b c HTTP/1.1\r\nHost: x\r\n\r\n", 200, id="spaces in the query"),
        pytest.param(b"GET /healthz?a=\xc3\xb1 HTTP/1.1\r\nHost: x\r\n\r\n", 200, id="raw UTF-8 in the query"),
        pytest.param(b"GET /healthz HTTP/1.0\r\n\r\n", 200, id="HTTP/1.0"),
        pytest.param(b"GET /healthz\r\n\r\n", 400, id="HTTP/0.9"),
        pytest.param(b"GET /healthz HTTP/2.0\r\n\r\n", 505, id="HTTP/2.0"),
        pytest.param(b"GET /healthz HTTP/1.10\r\n\r\n", 400, id="no version"),
        pytest.param(b"junk\r\n\r\n", 400, id="junk"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, id="TLS"),
        pytest.param(b"GET /healthz?a=\x00 HTTP/1.1\r\n\r\n", 400, id="NUL in the query"),
        pytest.param(b"GET /healthz?" + b"a" * 65_536 + b" HTTP/1.1\r\n\r\n", 200, id="a query of 64 kB"),
        pytest.param(b"GET /healthz?" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414, id="a query too long"),
        pytest.param(HEAD + b"X-A: " + b"a" * 8_000 + b"\r\n\r\n", 200, id="a long field"),
        pytest.param(HEAD + b"X-A: " + b"a" * 9_000 + b"\r\n\r\n", 431, id="a field too long"),
        pytest.param(HEAD + b"X-A: 1\r\n" * 63 + b"\r\n", 200, id="many fields"),
        pytest.param(HEAD + b"X-A: 1\r\n" * 100 + b"\r\n", 431, id="too many fields"),
        pytest.param(HEAD + (b"X-A: " + b"a" * 4_000 + b"\r\n") * 20 + b"\r\n", 431, id="fields too long together"),
        pytest.param(HEAD + b"X-A : 1\r\n\r\n", 400, id="a space before the colon"),
        pytest.param(HEAD + b" folded\r\n\r\n", 400, id="a folded line"),
        pytest.param(HEAD + b"no colon\r\n\r\n", 400, id="no colon"),
        pytest.param(HEAD + b"X-A: a\x00b\r\n\r\n", 400, id="NUL in a field"),
        pytest.param(HEAD + b"X-A: a\rb\r\n\r\n", 400, id="a carriage return in a field"),
        pytest.param(HEAD + b"Host: y\r\n\r\n", 400, id="two hosts"),
        pytest.param(HEAD + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400, id="two lengths"),
        pytest.param(HEAD + b"Content-Length: +1\r\n\r\nx", 400, id="a length with a sign"),
        pytest.param(HEAD + b"Content-Length: 1_0\r\n\r\nx", 400, id="a length with an underscore"),
        pytest.param(HEAD + b"Content-Length: -1\r\n\r\nx", 400, id="a negative length"),
        pytest.param(HEAD + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", 400, id="an endless length"),
        pytest.param(HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, id="smuggling"),
        pytest.param(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, id="another coding"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, id="chunked and empty"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, id="no chunk"),
    ],
)
def test_head(web: Gateway, request_: bytes, status: int) -> None:
    assert ask(web.port, request_).status == status


def post(web: Gateway, body: bytes, *fields: bytes) -> bytes:
    query = f"user={quote(web.user)}&password={quote(web.secret)}&class=user&method=getbalance"
    lines = [f"POST /api/http/?{query} HTTP/1.1".encode(), b"Host: x", *fields, b"", body]
    return b"\r\n".join(lines)


FORM = b"Content-Type: application/x-www-form-urlencoded"
OVER = {
    "status": "ERROR",
    "error": "INCORRECT_PARAM",
    "detail": f"The body is over {MAX_BODY} bytes, the limit.",
}


@pytest.mark.parametrize("size", [0, 1, MAX_BODY - 2])
def test_body_within_the_limit(web: Gateway, size: int) -> None:
    body = b"a=" + b"x" * size
    answer = ask(web.port, post(web, body, FORM, b"Content-Length: %d" % len(body)))
    assert (answer.status, json.loads(answer.body)["status"]) == (200, "SUCCESS")


@pytest.mark.parametrize("size", [MAX_BODY + 1, 20 * MAX_BODY])
def test_body_over_the_limit(web: Gateway, size: int) -> None:
    answer = ask(web.port, post(web, b"x" * size, FORM, b"Content-Length: %d" % size))
    assert (answer.status, json.loads(answer.body), answer.headers["connection"]) == (200, OVER, "close")


def test_body_over_the_limit_that_waits_to_be_asked_for(web: Gateway) -> None:
    answer = ask(web.port, post(web, b"", FORM, b"Content-Length: 999999", b"Expect: 100-continue"))
    assert (answer.status, json.loads(answer.body)) == (200, OVER)


def test_body_that_waits_to_be_asked_for(web: Gateway) -> None:
    with Connection(web.port) as connection:
        connection.send(post(web, b"", FORM, b"Content-Length: 3", b"Expect: 100-continue"))
        assert connection.response(head=True).status == 100
        connection.send(b"a=1")
        assert json.loads(connection.response().body)["status"] == "SUCCESS"


def chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def test_chunked_body(web: Gateway) -> None:
    answer = ask(web.port, post(web, chunks(b"outp", b"ut=xml"), FORM, b"Transfer-Encoding: chunked"))
    assert answer.body.startswith(b"<?xml")


def test_chunked_body_over_the_limit(web: Gateway) -> None:
    body = chunks(*[b"x" * 50_000] * 5)
    assert json.loads(ask(web.port, post(web, body, FORM, b"Transfer-Encoding: chunked")).body) == OVER


def test_body_that_never_comes(web: Gateway) -> None:
    with Connection(web.port) as connection:
        connection.send(post(web, b"a=", FORM, b"Content-Length: 100"))
        connection.socket.shutdown(1)
        assert connection.ended()


def test_keep_alive_and_pipelining(web: Gateway) -> None:
    with Connection(web.port) as connection:
        connection.send((HEAD + b"\r\n") * 3)
        assert [connection.response().status for _ in range(3)] == [200, 200, 200]
        connection.send(post(web, b"a=1", FORM, b"Content-Length: 3") + HEAD + b"Connection: close\r\n\r\n")
        assert [connection.response().status for _ in range(2)] == [200, 200]
        assert connection.ended()


def test_http_1_0_keeps_the_connection_where_it_is_asked_to(web: Gateway) -> None:
    with Connection(web.port) as connection:
        connection.send(b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert connection.response().headers["connection"] == "keep-alive"
        connection.send(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert connection.response().status == 200
        assert connection.ended()


def test_clients_that_send_a_byte_now_and_then_are_cut_and_stop_nobody(web: Gateway) -> None:
    slow = [Connection(web.port, timeout=30) for _ in range(50)]
    done = threading.Event()

    def drip() -> None:
        for letter in b"X-Slow: " + b"a" * 1000:
            for connection in slow:
                try:
                    connection.send(bytes([letter]))
                except OSError:
                    continue
            if done.wait(0.5):
                return

    for connection in slow:
        connection.send(HEAD)
    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        assert ask(web.port, HEAD + b"\r\n").status == 200
        assert all(connection.ended() for connection in slow)
    finally:
        done.set()
        dripping.join()
        for connection in slow:
            connection.socket.close()
