"""SOAP requests as bytes, the front end with a gateway that only listens, and what a valid answer is."""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from lxml import etree
from pydantic import BaseModel

from gateway.frontends import Answers, Environ
from gateway.frontends.soap import routes
from gateway.operations.catalogue import CATALOGUE
from gateway.operations.context import Credits, Moment
from gateway.pipeline.call import Call, Reply
from gateway.settings import Settings

ROOT = Path(__file__).parents[2]
NS = "urn:trunkline:sms:1"
SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
PASSWORD_TEXT = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText"
PASSWORD_DIGEST = PASSWORD_TEXT.replace("Text", "Digest")
TYPES = {SOAP11: "text/xml; charset=utf-8", SOAP12: "application/soap+xml; charset=utf-8"}
CODES = {
    SOAP11: ("Client", "Server", "VersionMismatch", "MustUnderstand"),
    SOAP12: ("Sender", "Receiver", "VersionMismatch", "MustUnderstand"),
}
SCHEMA = etree.XMLSchema(etree.parse(ROOT / "wsdl" / "sms.xsd"))
SHORT = 1_500
"""A Fault is never longer than so many bytes."""


def xml(text: str) -> str:
    """Text escaped for an element."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def request(method: str, values: Mapping[str, str] | Sequence[tuple[str, str]] = (), ns: str = NS) -> str:
    """The element of an operation; values are escaped."""
    pairs = values.items() if isinstance(values, Mapping) else values
    inner = "".join(f"<{name}>{xml(value)}</{name}>" for name, value in pairs)
    return f'<{method} xmlns="{ns}">{inner}</{method}>'


def envelope(body: str, header: str = "", version: str = SOAP11) -> bytes:
    """A message; body and header as XML."""
    header = f"<s:Header>{header}</s:Header>" if header else ""
    return f'<s:Envelope xmlns:s="{version}">{header}<s:Body>{body}</s:Body></s:Envelope>'.encode()


def security(inner: str, attributes: str = "") -> str:
    """A WS-Security header with these tokens in it."""
    return f'<w:Security xmlns:w="{WSSE}" xmlns:u="{WSU}" {attributes}>{inner}</w:Security>'


def token(user: str, password: str, kind: str = PASSWORD_TEXT) -> str:
    """A UsernameToken."""
    return (
        f"<w:UsernameToken><w:Username>{xml(user)}</w:Username>"
        f'<w:Password Type="{kind}">{xml(password)}</w:Password></w:UsernameToken>'
    )


@dataclass(frozen=True)
class Answer:
    """An HTTP response; `body` is checked to be a valid message when it is asked for."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def version(self) -> str:
        """The namespace of its envelope."""
        return str(etree.QName(self.root).namespace)

    @property
    def root(self) -> Any:
        return etree.fromstring(self.content)

    @property
    def body(self) -> Any:
        """The one child of the Body."""
        check(self)
        return self.root.find(f"{{{self.version}}}Body")[0]

    @property
    def fault(self) -> str | None:
        """The Fault's code without its prefix, None for a response."""
        if etree.QName(self.body).localname != "Fault":
            return None
        path = "faultcode" if self.version == SOAP11 else f"{{{SOAP12}}}Code/{{{SOAP12}}}Value"
        return str(self.body.findtext(path)).partition(":")[2]

    @property
    def reason(self) -> str:
        path = "faultstring" if self.version == SOAP11 else f"{{{SOAP12}}}Reason/{{{SOAP12}}}Text"
        return str(self.body.findtext(path))

    @property
    def kind(self) -> str | None:
        """The subcode, or the word in the detail."""
        if self.version == SOAP11:
            return self.body.findtext(f"detail/{{{NS}}}problem")
        value = self.body.findtext(f"{{{SOAP12}}}Code/{{{SOAP12}}}Subcode/{{{SOAP12}}}Value")
        return None if value is None else str(value).partition(":")[2]

    @property
    def reply(self) -> dict[str, Any]:
        """status, result, error and detail of a response."""
        assert self.fault is None, self.content
        (outer,) = self.body
        return dict(_members(outer))


def _members(element: Any) -> Any:
    found: dict[str, Any] = {}
    for child in element:
        name = etree.QName(child).localname
        value = dict(_members(child)) if len(child) else child.text or ""
        found[name] = value if name not in found else [*_listed(found[name]), value]
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def check(answer: Answer) -> None:
    """Fail where an answer is neither a valid response nor a valid, short Fault of SOAP 1.1 or 1.2."""
    root = etree.fromstring(answer.content)
    uri = etree.QName(root).namespace
    assert etree.QName(root).localname == "Envelope"
    assert uri in CODES, uri
    assert answer.headers["Content-Type"] == TYPES[uri]
    body = root[-1]
    assert body.tag == f"{{{uri}}}Body"
    assert len(body) == 1
    if body[0].tag != f"{{{uri}}}Fault":
        assert answer.status == 200
        SCHEMA.assertValid(body[0])
        return
    assert answer.status in ((500, 415, 413) if uri == SOAP11 else (400, 500, 415, 413))
    assert len(answer.content) < SHORT
    (_check11 if uri == SOAP11 else _check12)(body[0], answer)


def _check11(fault: Any, answer: Answer) -> None:
    names = [child.tag for child in fault]
    assert names in (["faultcode", "faultstring"], ["faultcode", "faultstring", "detail"])
    prefix, _, code = fault[0].text.partition(":")
    assert fault.nsmap[prefix] == SOAP11
    assert code in CODES[SOAP11]
    assert fault[1].text.strip()


def _check12(fault: Any, answer: Answer) -> None:
    code, reason = fault
    assert (code.tag, reason.tag) == (f"{{{SOAP12}}}Code", f"{{{SOAP12}}}Reason")
    prefix, _, name = code[0].text.partition(":")
    assert (fault.nsmap[prefix], name in CODES[SOAP12]) == (SOAP12, True)
    assert answer.status == (400 if name == "Sender" and answer.status not in (413, 415) else answer.status)
    if name in ("Sender", "Receiver"):
        (value,) = code[1]
        prefix, colon, _ = value.text.partition(":")
        assert colon
        assert value.nsmap[prefix]
    assert reason[0].get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
    assert reason[0].text.strip()


def post(gateway: Answers, content: bytes, content_type: str | None = TYPES[SOAP11], **more: Any) -> Answer:
    """POST a message to the front end of a gateway; `more` goes into the WSGI environment."""
    return send(gateway, _posted(content, content_type) | more)


def pieces_of(gateway: Answers, content: bytes) -> Iterable[bytes]:
    """The body that a message is answered with, as it is made."""
    (route,) = routes(gateway)
    return route.application(_posted(content, TYPES[SOAP11]), lambda *_: None)


def _posted(content: bytes, content_type: str | None) -> Environ:
    environ: Environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/api/soap/",
        "QUERY_STRING": "",
        "REMOTE_ADDR": "192.0.2.7",
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.input": io.BytesIO(content),
    }
    if content_type is not None:
        environ["CONTENT_TYPE"] = content_type
    return environ


def send(gateway: Answers, environ: Environ) -> Answer:
    """Any request to the front end of a gateway."""
    (route,) = routes(gateway)
    seen: list[tuple[str, list[tuple[str, str]]]] = []
    pieces = route.application(environ, lambda status, headers: seen.append((status, headers)))
    content = b"".join(pieces)
    ((status, headers),) = seen
    return Answer(int(status.split()[0]), dict(headers), content)


def result_of(shape: Any) -> Any:
    """A result of the shape that an operation declares, every optional member given and lists of two."""
    if shape is None:
        return None
    if get_origin(shape) is list:
        return [result_of(get_args(shape)[0])] * 2
    if get_origin(shape) in (Union, UnionType):
        return result_of(get_args(shape)[0])
    if get_origin(shape) is Literal:
        return get_args(shape)[0]
    if issubclass(shape, BaseModel):
        return {field.alias or name: result_of(field.annotation) for name, field in shape.model_fields.items()}
    scalars = {
        str: " Señal <&> \"'\n\r 😀",
        int: 3,
        bool: True,
        Decimal: Credits(1_500_000),
        datetime: Moment(1_767_225_600_000_000, ZoneInfo("Europe/Madrid")),
    }
    return scalars[shape]


def sent(call: Call) -> Reply:
    """What an operation is answered here, unless a test says otherwise."""
    return Reply(result_of(CATALOGUE[str(call.class_name), str(call.method)].result))


@dataclass
class Listener:
    """A gateway that remembers its calls and answers them with `answer`."""

    answer: Callable[[Call], Reply] = sent
    settings: Settings = field(default_factory=lambda: Settings(max_body=65_536, trusted_proxies=("10.0.0.0/8",)))
    calls: list[Call] = field(default_factory=list)

    def handle(self, call: Call) -> Reply:
        self.calls.append(call)
        return self.answer(call)

    @property
    def call(self) -> Call:
        """The one call there was."""
        (one,) = self.calls
        return one
