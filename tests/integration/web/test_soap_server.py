"""SOAP at the running server: calls, Faults and the contract, as bytes on a connection."""

import re

import pytest

from tests.integration.web.conftest import MAX_BODY
from tests.support.gateway import Gateway
from tests.support.rawhttp import Connection, Response, ask
from tests.support.soap import ROOT, SOAP11, SOAP12, TYPES, Answer, envelope, request

VERSIONS = [pytest.param(SOAP11, id="1.1"), pytest.param(SOAP12, id="1.2")]


def say(web: Gateway, content: bytes, content_type: str, *headers: str) -> Answer:
    """POST a message and check that the answer is one."""
    return answer(ask(web.port, head(content, content_type, *headers) + content))


def head(content: bytes, content_type: str, *headers: str) -> bytes:
    lines = [
        "POST /api/soap/ HTTP/1.1",
        "Host: h",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(content)}",
    ]
    return "\r\n".join([*lines, *headers, "", ""]).encode()


def answer(response: Response) -> Answer:
    return Answer(response.status, {"Content-Type": response.headers["content-type"]}, response.body)


def get(web: Gateway, path: str, method: str = "GET") -> Response:
    return ask(web.port, f"{method} {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n".encode(), head=method == "HEAD")


@pytest.mark.parametrize("version", VERSIONS)
def test_message_is_sent(web: Gateway, version: str) -> None:
    values = {"from": "Shop", "to": "34600000001", "sms": "Señal 😀"}
    body = request("sendsms", {"user": web.user, "password": web.secret, **values})
    reply = say(web, envelope(body, "", version), TYPES[version]).reply
    assert (reply["status"], reply["result"]["encoding"]) == ("SUCCESS", "UCS2")


@pytest.mark.parametrize("version", VERSIONS)
def test_connection_serves_on_after_a_fault(web: Gateway, version: str) -> None:
    bad = envelope("<nope/>", "", version)
    good = envelope(request("getbalance", {"user": web.user, "password": web.secret}), "", version)
    with Connection(web.port) as connection:
        connection.send(head(bad, TYPES[version]) + bad)
        assert answer(connection.response()).fault in ("Client", "Sender")
        connection.send(head(good, TYPES[version]) + good)
        assert answer(connection.response()).reply["status"] == "SUCCESS"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", [MAX_BODY + 1, 10 * MAX_BODY], ids=["a byte", "ten times"])
def test_body_over_the_limit_is_a_fault(web: Gateway, version: str, size: int) -> None:
    content = envelope(request("sendsms", {"sms": "x" * size}), "", version)
    refused = say(web, content, TYPES[version])
    assert (refused.status, refused.version) == (413, version)
    assert refused.reason == f"The body is over {MAX_BODY} bytes, the limit."


def test_body_over_the_limit_is_a_fault_before_it_is_sent(web: Gateway) -> None:
    message = head(b"x" * (MAX_BODY + 1), TYPES[SOAP11], "Expect: 100-continue")
    assert answer(ask(web.port, message)).reason == f"The body is over {MAX_BODY} bytes, the limit."


def test_chunked_body_is_read(web: Gateway) -> None:
    content = envelope(request("getbalance", {"user": web.user, "password": web.secret}))
    lines = (
        "POST /api/soap HTTP/1.1",
        "Host: h",
        f"Content-Type: {TYPES[SOAP11]}",
        "Transfer-Encoding: chunked",
        "",
        "",
    )
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
    assert answer(ask(web.port, "\r\n".join(lines).encode() + chunks)).reply["status"] == "SUCCESS"


def test_contract_is_served_with_the_configured_address(web: Gateway) -> None:
    response = get(web, "/api/soap/?wsdl")
    assert (response.status, response.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert response.body.count(f'location="{web.url}/api/soap/"'.encode()) == 2
    assert get(web, "/api/soap?xsd").status == 200


def test_page_and_head(web: Gateway) -> None:
    page = get(web, "/api/soap/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    top = get(web, "/api/soap/?wsdl", "HEAD")
    assert (top.status, top.body) == (200, b"")


def test_first_call_of_the_documentation_works_when_pasted(web: Gateway) -> None:
    page = (ROOT / "docs/soap.md").read_text("utf-8")
    (message,) = re.findall(r"<<'END'\n(.*?)END\n", page, re.DOTALL)
    content = message.replace("USER", web.user).replace("SECRET", web.secret).encode()
    assert say(web, content, "text/xml; charset=utf-8").reply["status"] == "SUCCESS"


def test_front_page_names_the_door(web: Gateway) -> None:
    assert b"/api/soap/" in get(web, "/").body
