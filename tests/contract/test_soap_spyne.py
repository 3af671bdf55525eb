"""Our dispatcher against spyne's own server, on valid calls: both read the same and write the same."""

import io
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.frontends.soap.generator.declaration import application
from gateway.frontends.soap.generator.record import Record
from gateway.messaging.money import format_credits
from gateway.operations.catalogue import CATALOGUE, Operation
from gateway.operations.context import Credits, Moment
from gateway.operations.errors import Code
from gateway.pipeline.call import Call, Reply
from tests.support.soap import ROOT, SOAP11, SOAP12, TYPES, XSI, Listener, envelope, post, request, sent, xml

XS = "http://www.w3.org/2001/XMLSchema"
VERSIONS = {"1.1": SOAP11, "1.2": SOAP12}


class Reference:
    """spyne's server for the contract; it remembers what it was called with, and answers what ours does."""

    def __init__(self, soap: str) -> None:
        from spyne.server.wsgi import WsgiApplication  # noqa: PLC0415 (declaration has prepared the import)

        self.reply = Reply()
        self.seen: list[tuple[str, dict[str, str]]] = []
        order = Record.read(ROOT / "wsdl").order
        self._server = WsgiApplication(application(self._answer, order, soap))

    def post(self, content: bytes, content_type: str) -> bytes:
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(content),
            "CONTENT_LENGTH": str(len(content)),
            "CONTENT_TYPE": content_type,
        }
        return b"".join(self._server(environ, lambda *_: None))

    def _answer(self, method: str, values: Mapping[str, str]) -> Any:
        self.seen.append((method, {name: value for name, value in values.items() if value}))
        if self.reply.error is not None:
            return {"status": "ERROR", "error": self.reply.error.value, "detail": self.reply.detail}
        return {"status": "SUCCESS", "result": _spyne_value(self.reply.result)}


def _spyne_value(value: Any) -> Any:
    if isinstance(value, Credits):
        return Decimal(format_credits(value.micro))
    if isinstance(value, Moment):
        return datetime.fromtimestamp(value.micros // 1_000_000, value.zone)
    if isinstance(value, dict):
        return {name: _spyne_value(one) for name, one in value.items()}
    return [_spyne_value(one) for one in value] if isinstance(value, list) else value


@pytest.fixture(scope="module", params=list(VERSIONS))
def soap(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def reference(soap: str) -> Reference:
    return Reference(soap)


def compare(reference: Reference, soap: str, body: str, reply: Reply) -> Call:
    """Both servers take the message for the same call and answer it with the same body; ours is given."""
    reference.reply = reply
    reference.seen.clear()
    message = envelope(body, "", VERSIONS[soap])
    gateway = Listener(lambda _: reply)
    ours = post(gateway, message, TYPES[VERSIONS[soap]])
    theirs = reference.post(message, TYPES[VERSIONS[soap]])
    call = gateway.call
    credentials = {"user": call.login, "password": call.secret}
    given_ = {name: value for name, value in credentials.items() if value} | dict(call.parameters)
    assert reference.seen == [(call.method, given_)], theirs
    assert _body(ours.content) == _body(theirs)
    return call


def _body(content: bytes) -> bytes:
    """The child of the Body in its canonical form, whatever its prefixes are."""
    root = etree.fromstring(content)
    (child,) = root.find(f"{{{etree.QName(root).namespace}}}Body")
    return _plain(child)


def _plain(element: Any) -> bytes:
    inner = b"".join(_plain(child) for child in element) if len(element) else xml(element.text or "").encode()
    name = element.tag.encode()
    return b"<" + name + b">" + inner + b"</" + name + b">"


@pytest.mark.parametrize("operation", CATALOGUE.values(), ids=lambda one: one.name)
def test_example_of_each_operation(operation: Operation, reference: Reference, soap: str) -> None:
    body = request(operation.method, {"user": "ana", "password": "pw", **operation.example})
    answer = sent(Call("soap", "", None, None, operation.class_name, operation.method, {}, "", 0))
    call = compare(reference, soap, body, answer)
    assert call.parameters == operation.example


@pytest.mark.parametrize("operation", CATALOGUE.values(), ids=lambda one: one.name)
def test_error_of_each_operation(operation: Operation, reference: Reference, soap: str) -> None:
    body = request(operation.method, {"user": "ana", "password": "pw", **operation.example})
    compare(reference, soap, body, Reply(None, Code.NO_CREDITS, "Not <enough> & \r\n 😀"))


@pytest.mark.parametrize(
    "element",
    [
        pytest.param("<sms>  white\tspace\n </sms>", id="white space"),
        pytest.param("<sms><![CDATA[<b>&amp;]]></sms>", id="CDATA"),
        pytest.param("<sms>&lt;&amp;&#x20AC;&quot;</sms>", id="entities"),
        pytest.param("<sms/>", id="empty"),
        pytest.param("<sms>😀</sms>", id="not ASCII"),
        pytest.param(
            f'<sms xmlns:i="{XSI}" xmlns:x="http://www.w3.org/2001/XMLSchema" i:type="x:string">a</sms>', id="type"
        ),
    ],
)
def test_values(element: str, reference: Reference, soap: str) -> None:
    body = request("sendsms", {"user": "u", "password": "p", "from": "F", "to": "1"}).replace("</sendsms>", "")
    compare(reference, soap, f"{body}{element}</sendsms>", _sent())


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries({"from": TEXTS, "to": TEXTS, "sms": TEXTS}, optional={"idempotencykey": TEXTS}))
def test_every_text(reference: Reference, soap: str, values: dict[str, str]) -> None:
    ordered = [(name, values[name]) for name in ("from", "to", "sms", "idempotencykey") if name in values]
    compare(reference, soap, request("sendsms", [("user", "u"), ("password", "p"), *ordered]), _sent())


def test_empty_lists_and_missing_members(reference: Reference, soap: str) -> None:
    status = {"messageid": "1", "sms": None, "deliverydate": None, "deliverystatus": "UNKNOWN"}
    values = {"user": "u", "password": "p"}
    compare(reference, soap, request("getdeliverystatus", {**values, "messages": "1"}), Reply([status]))
    compare(reference, soap, request("gettemplates", values), Reply([]))
    page = {"contacts": [], "next": None}
    compare(reference, soap, request("getcontacts", {**values, "idgroup": "1"}), Reply(page))


def _sent() -> Reply:
    return Reply({"messageid": "1", "credits": Credits(12_345_678_900_001), "encoding": "GSM7", "segments": 1})
