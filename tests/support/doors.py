"""The front ends as their clients see them: one call, asked at each of them, and its reply in one form."""

import json
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from lxml import etree

from gateway.operations.catalogue import CATALOGUE, Operation
from tests.support import soap
from tests.support.door import FORM, HOME, JSON, form
from tests.support.neutral import from_json, from_xml
from tests.support.rawhttp import Response, ask

ZONE = ZoneInfo("Europe/Madrid")
"""The time zone of the accounts that call."""


@dataclass(frozen=True)
class Caller:
    """Who calls. `home` is an address that it may call from; one that is not `genuine` has no token either."""

    user: str | None
    password: str | None
    home: str = HOME
    genuine: bool = True


@dataclass(frozen=True)
class Asked:
    """A call. One that is `spoilt` is also wrong in its form, in a way that its front end has."""

    caller: Caller
    class_name: str | None
    method: str | None
    values: Mapping[str, str] = field(default_factory=dict)
    source: str = HOME
    spoilt: bool = False

    @property
    def shape(self) -> Any:
        """The type of its result."""
        operation = CATALOGUE.get((self.class_name or "", self.method or ""))
        return None if operation is None else operation.result

    @property
    def named(self) -> dict[str, str]:
        """Its parameters with the operation's name."""
        name = {"class": self.class_name, "method": self.method}
        return {**{key: value for key, value in name.items() if value is not None}, **self.values}


def call_of(operation: Operation, caller: Caller, values: Mapping[str, str], **more: Any) -> Asked:
    """A call of an operation."""
    return Asked(caller, operation.class_name, operation.method, values, **more)


@dataclass(frozen=True)
class Answer:
    """What a call was answered: the HTTP status, SUCCESS or the error's code, the result in the neutral form."""

    status: int
    outcome: str
    result: Any
    detail: str | None
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """An HTTP request; with content it is a POST."""

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    source: str = HOME


Send = Callable[[Request], Response]


def over_tcp(port: int) -> Send:
    """Sends requests to a server."""

    def send(request: Request) -> Response:
        lines = [f"{name}: {value}" for name, value in request.headers.items()]
        if request.content is not None:
            lines.append(f"Content-Length: {len(request.content)}")
        method = "GET" if request.content is None else "POST"
        head = (f"{method} {request.path} HTTP/1.1", "Host: gateway.example", "Connection: close", *lines, "", "")
        return ask(port, "\r\n".join(head).encode() + (request.content or b""), request.source)

    return send


class Entry(ABC):
    """A way to call operations. `module` is the front end's, in `gateway.frontends`, `protocol` its name in the log.

    With `statuses` errors have HTTP statuses of their own, else all are answered 200.
    """

    name: ClassVar[str]
    module: ClassVar[str]
    protocol: ClassVar[str]
    statuses: ClassVar[bool] = False

    def __init__(self, send: Send) -> None:
        self.send = send

    def ask(self, asked: Asked) -> Answer:
        """Make a call."""
        return self.read(asked, self.send(self.request(asked)))

    @abstractmethod
    def request(self, asked: Asked) -> Request:
        """The request of a call."""

    def read(self, asked: Asked, response: Response) -> Answer:
        """The reply of a response; JSON, unless a front end has another."""
        assert response.headers["content-type"] == JSON
        found = json.loads(response.body, parse_float=Decimal)
        if found["status"] == "ERROR":
            assert set(found) == {"status", "error", "detail"}, found
            return Answer(response.status, found["error"], None, found["detail"], response.headers)
        assert (found["status"], set(found)) == ("SUCCESS", {"status", "result"}), found
        result = from_json(asked.shape, found["result"], ZONE)
        return Answer(response.status, "SUCCESS", result, None, response.headers)


def _plain(asked: Asked, output: str = "") -> bytes:
    given = {"user": asked.caller.user, "password": asked.caller.password}
    values = {name: value for name, value in given.items() if value is not None} | asked.named
    if output:
        values["output"] = output
    return form(values) + (b"&output=yaml" if asked.spoilt else b"")


class PlainGet(Entry):
    """Plain HTTP, by GET."""

    name, module, protocol = "HTTP GET", "http_query", "http"

    def request(self, asked: Asked) -> Request:
        return Request(f"/api/http/?{_plain(asked).decode()}", source=asked.source)


class PlainPost(Entry):
    """Plain HTTP, by POST."""

    name, module, protocol = "HTTP POST", "http_query", "http"

    def request(self, asked: Asked) -> Request:
        return Request("/api/http/", {"Content-Type": FORM}, _plain(asked), asked.source)


class PlainXml(Entry):
    """Plain HTTP, by GET, answered in XML."""

    name, module, protocol = "HTTP XML", "http_query", "http"

    def request(self, asked: Asked) -> Request:
        return Request(f"/api/http/?{_plain(asked, 'xml').decode()}", source=asked.source)

    def read(self, asked: Asked, response: Response) -> Answer:
        assert response.headers["content-type"] == "application/xml; charset=utf-8"
        root = etree.fromstring(response.body)
        assert root.tag == "response"
        if root.findtext("status") == "ERROR":
            assert [child.tag for child in root] == ["status", "result", "error", "detail"]
            detail = root.findtext("detail")
            return Answer(response.status, str(root.findtext("error")), None, detail, response.headers)
        assert [(child.tag, child.text) for child in root if child.tag != "result"] == [
            ("status", "SUCCESS"),
            ("error", None),
        ]
        result = from_xml(asked.shape, root.findall("result"), ZONE, items=True)
        return Answer(response.status, "SUCCESS", result, None, response.headers)


class Basic(Entry):
    """HTTP Basic, by POST."""

    name, module, protocol, statuses = "Basic", "http_basic", "basic", True

    def request(self, asked: Asked) -> Request:
        headers = {"Content-Type": FORM}
        if asked.caller.user is not None:
            pair = f"{asked.caller.user}:{asked.caller.password or ''}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        content = form(asked.named) + (b"&output=yaml" if asked.spoilt else b"")
        return Request("/api/basic/", headers, content, asked.source)


class Jwt(Entry):
    """A token of the gateway's own, and JSON."""

    name, module, protocol, statuses = "JWT", "http_jwt", "jwt", True

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self._tokens: dict[Caller, str] = {}

    def request(self, asked: Asked) -> Request:
        headers = {"Content-Type": JSON}
        if asked.caller.user is not None:
            headers["Authorization"] = f"Bearer {self.token(asked.caller)}"
        more = {"output": "yaml"} if asked.spoilt else {}
        return Request("/api/jwt/", headers, json.dumps({**asked.named, **more}).encode(), asked.source)

    def token(self, caller: Caller) -> str:
        """The access token of a caller, asked for once."""
        if not caller.genuine:
            return "not.a.token"
        if caller not in self._tokens:
            content = form({"user": caller.user, "password": caller.password})
            response = self.send(Request("/api/jwt/token", {"Content-Type": FORM}, content, caller.home))
            assert response.status == 200, response.body
            self._tokens[caller] = json.loads(response.body)["access_token"]
        return self._tokens[caller]


class Soap(Entry):
    """A version of SOAP."""

    module, protocol = "soap", "soap"
    version: ClassVar[str]

    def request(self, asked: Asked) -> Request:
        header, values = self.credentials(asked.caller, asked.values)
        element = soap.request(asked.method or "", values)
        if asked.spoilt:
            start, end, name = element.rpartition("</")
            element = f"{start}text of no parameter{end}{name}"
        content = soap.envelope(element, header, self.version)
        return Request("/api/soap/", {"Content-Type": soap.TYPES[self.version]}, content, asked.source)

    def credentials(self, caller: Caller, values: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
        """The header, and the elements of the request."""
        given = {"user": caller.user, "password": caller.password}
        return "", {**{name: value for name, value in given.items() if value is not None}, **values}

    def read(self, asked: Asked, response: Response) -> Answer:
        answer = soap.Answer(response.status, {"Content-Type": response.headers["content-type"]}, response.body)
        if answer.fault is not None:
            return Answer(response.status, f"Fault {answer.kind}", None, answer.reason, response.headers)
        assert answer.version == self.version
        (outer,) = answer.body
        members: dict[str, list[Any]] = {"status": [], "result": [], "error": [], "detail": []}
        for child in outer:
            members[etree.QName(child).localname].append(child)
        (status,) = members["status"]
        if status.text == "ERROR":
            (error,), (detail,) = members["error"], members["detail"]
            assert not members["result"]
            return Answer(response.status, error.text, None, detail.text, response.headers)
        assert (status.text, members["error"], members["detail"]) == ("SUCCESS", [], [])
        result = from_xml(asked.shape, members["result"], ZONE, items=False)
        return Answer(response.status, "SUCCESS", result, None, response.headers)


class Soap11(Soap):
    """SOAP 1.1, with credentials as elements."""

    name, version = "SOAP 1.1", soap.SOAP11


class Soap12(Soap):
    """SOAP 1.2, with credentials as a UsernameToken."""

    name, version = "SOAP 1.2", soap.SOAP12

    def credentials(self, caller: Caller, values: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
        parts = {"Username": caller.user, "Password": caller.password}
        inner = "".join(
            f"<w:{name}>{soap.xml(value)}</w:{name}>" for name, value in parts.items() if value is not None
        )
        return soap.security(f"<w:UsernameToken>{inner}</w:UsernameToken>"), values


ENTRIES: tuple[type[Entry], ...] = (PlainGet, PlainPost, PlainXml, Basic, Jwt, Soap11, Soap12)
