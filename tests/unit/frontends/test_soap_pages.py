"""What a GET of the SOAP front end gives, and which methods it answers."""

import re
from html import unescape
from typing import Any

import pytest
from lxml import etree

from gateway.frontends.soap.schema import contract
from gateway.operations.catalogue import CATALOGUE
from gateway.settings import Settings
from tests.support.soap import NS, ROOT, Answer, Listener, post, send


def get(query: str = "", method: str = "GET", **settings: Any) -> Answer:
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": "/api/soap/",
        "QUERY_STRING": query,
        "HTTP_HOST": "evil.example",
        "HTTP_X_FORWARDED_HOST": "evil.example",
        "SERVER_NAME": "evil.example",
        "REMOTE_ADDR": "192.0.2.7",
    }
    return send(Listener(settings=Settings(**settings)), environ)


@pytest.mark.parametrize("query", ["wsdl", "WSDL", "wsdl=1", "wsdl=", "Wsdl&x=y"])
def test_wsdl_is_served(query: str) -> None:
    answer = get(query)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/xml; charset=utf-8")
    assert answer.content == (ROOT / "wsdl/sms.wsdl").read_bytes()


@pytest.mark.parametrize("query", ["xsd", "XSD", "xsd=1"])
def test_schema_is_served(query: str) -> None:
    answer = get(query)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/xml; charset=utf-8")
    assert answer.content == (ROOT / "wsdl/sms.xsd").read_bytes()


def test_address_is_the_configured_one_and_never_the_requests() -> None:
    content = get("wsdl", public_url="https://sms.example.com").content
    found = re.findall(rb'location="([^"]*)"', content)
    assert found == [b"https://sms.example.com/api/soap/"] * 2
    assert b"evil" not in content
    assert b"evil" not in get(public_url="https://sms.example.com").content


def test_page_shows_a_request_of_each_operation_that_works() -> None:
    answer = get()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    text = answer.content.decode()
    assert 'href="/api/soap/?wsdl"' in text
    samples = re.findall(r"<pre>(.*?)</pre>", text, re.DOTALL)
    assert len(samples) == len(CATALOGUE)
    for sample in samples:
        head, _, message = unescape(sample).partition("\n\n")
        fields = dict(line.split(": ", 1) for line in head.splitlines()[1:])
        gateway = Listener()
        answered = post(gateway, message.encode(), fields["Content-Type"], HTTP_SOAPACTION=fields["SOAPAction"])
        assert answered.fault is None
        call = gateway.call
        operation = CATALOGUE[str(call.class_name), str(call.method)]
        assert (call.login, call.secret, call.parameters) == ("USER", "SECRET", operation.example)
        assert fields["SOAPAction"] == f'"{contract().methods[operation.method].action}"'


def test_page_runs_no_script_and_loads_nothing() -> None:
    answer = get()
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "script" not in answer.headers["Content-Security-Policy"]
    assert b"<script" not in answer.content
    assert not re.findall(rb'(?:src|href)="(?!/api/soap/)', answer.content)


def test_page_is_shown_for_any_other_query() -> None:
    assert get("<script>").content == get().content


def test_head_is_answered() -> None:
    assert get("wsdl", "HEAD").status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_other_methods_are_refused(method: str) -> None:
    answer = get("", method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, POST")


def test_documents_name_the_same_contract() -> None:
    for query in ("wsdl", "xsd"):
        assert etree.fromstring(get(query).content).get("targetNamespace") == NS == contract().namespace
