"""A SOAP request, through the pipeline, to a SOAP response."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from werkzeug.http import parse_options_header

from gateway import clock, logs
from gateway.frontends import Answers, Environ, StartResponse, body, render, request
from gateway.frontends.soap import envelope, faults, security
from gateway.frontends.soap.envelope import Envelope
from gateway.frontends.soap.faults import SOAP11, SOAP12, Fault, Version
from gateway.frontends.soap.schema import Contract, Method
from gateway.frontends.soap.tree import Node
from gateway.operations.errors import Code, Refusal
from gateway.pipeline.call import Call, Reply
from gateway.pipeline.ipfilter import client_address
from gateway.storage.errors import Unavailable

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_TYPES = {"text/xml": SOAP11, "application/xml": SOAP11, "application/soap+xml": SOAP12}
_LONG_HEADER = 400


def answer(environ: Environ, start_response: StartResponse, gateway: Answers, contract: Contract) -> Iterable[bytes]:
    """Answer a POST: a response, or a Fault for what is not a valid call; never anything else."""
    request_id = request.request_id(environ)
    asked = SOAP11
    try:
        asked, charset, action = _media(environ)
        message = envelope.read(_body(environ, gateway.settings.max_body), charset, asked)
        asked = message.version
        method = _method(message.operation, contract, action)
        call = _call(environ, gateway, message, method, request_id)
        reply = gateway.handle(call)
        return _respond(start_response, asked, method, reply, call.request_id)
    except Fault as fault:
        refused = fault
    except Exception as error:  # noqa: BLE001 - whatever arrives is answered
        logs.failure("soap call failed", error, request_id=request_id)
        refused = Fault("Failed", f"Something failed here; quote {request_id} when you report it.", code="Server")
    version = refused.version or asked
    logs.debug("soap fault", kind=refused.kind, version=version.name, request_id=request_id)
    content = faults.render(refused, version, contract.namespace)
    start_response(faults.status(refused, version), [*_headers(version, request_id), _length(content)])
    return [content]


def _media(environ: Environ) -> tuple[Version, str | None, str]:
    """The version that the media type says, the charset, and the action."""
    kind, charset, action = _content_type(environ.get("CONTENT_TYPE") or "")
    version = _TYPES.get(kind)
    if version is None:
        reason = "The Content-Type must be text/xml (SOAP 1.1) or application/soap+xml (SOAP 1.2)"
        more = ", without attachments." if kind.startswith("multipart/") else "."
        raise Fault("MediaType", reason + more, status=415)
    coding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding not in ("", "identity"):
        reason = f"The Content-Encoding {body.shown(coding)} is not served: send the message as it is."
        raise Fault("ContentEncoding", reason, status=415, version=version)
    given: str = environ.get("HTTP_SOAPACTION", "") if version is SOAP11 else action
    return version, charset, given.strip().strip('"')


def _content_type(header: str) -> tuple[str, str | None, str]:
    return _parsed(header) if len(header) <= _LONG_HEADER else ("", None, "")


@lru_cache(maxsize=256)
def _parsed(header: str) -> tuple[str, str | None, str]:
    kind, options = parse_options_header(header)
    return kind.lower(), options.get("charset"), options.get("action", "")


def _body(environ: Environ, limit: int) -> bytes:
    data, trouble = body.read(environ, limit)
    if trouble is not None:
        raise Fault("Unreadable", trouble, status=413 if trouble.endswith("the limit.") else None)
    if not data:
        raise Fault("NotWellFormed", "The request has no body: POST a SOAP Envelope, or GET this for a description.")
    return data


def _method(operation: Node, contract: Contract, action: str) -> Method:
    uri, local = operation.name
    method = contract.methods.get(local)
    if method is None or uri != contract.namespace:
        name = body.shown(local)
        reason = (
            f"There is no operation {name}; the WSDL lists them all."
            if method is None
            else f"The operation {name} is in the namespace {contract.namespace}, not in {body.shown(uri) or 'none'}."
        )
        raise Fault("NoSuchOperation", reason)
    named = contract.actions.get(action, local)
    if named != local:
        raise Fault("ActionMismatch", f"The SOAPAction is that of {named}, and the Body asks for {local}.")
    return method


def _call(environ: Environ, gateway: Answers, message: Envelope, method: Method, request_id: str) -> Call:
    get = environ.get
    values, problem = _values(message.operation, method, message.version)
    login, secret = security.credentials(
        message.security, environ, (values.pop("user", None), values.pop("password", None))
    )
    operation = method.operation
    return Call(
        "soap",
        client_address(get("REMOTE_ADDR", ""), get("HTTP_X_FORWARDED_FOR", ""), gateway.settings.trusted_proxies),
        login,
        secret,
        operation.class_name,
        operation.method,
        values,
        request_id,
        clock.now(),
        get("HTTP_USER_AGENT", "")[: request.USER_AGENT_LENGTH],
        problem,
        http_status=200,
    )


def _values(operation: Node, method: Method, version: Version) -> tuple[dict[str, str], Refusal | None]:
    """The values of a request, and the first thing that is wrong with them.

    In any order; unknown elements are ignored as unknown parameters are. Children without a namespace are
    taken too, as rpc clients send them: in ours they can mean nothing else.
    """
    values: dict[str, str] = {}
    wrong: str | None = None
    for child in operation.children:
        uri, name = child.name
        if name not in method.names or uri not in ("", operation.name[0]):
            continue
        value, trouble = _value(child, name)
        if value and values.setdefault(name, value) != value:
            trouble = f"{name} is given twice with different values."
        wrong = wrong or trouble
    if operation.text.strip():
        wrong = wrong or f"{method.operation.method} holds text outside its parameters."
    return values, None if wrong is None else Refusal(Code.INCORRECT_PARAM, wrong)


def _value(child: Node, name: str) -> tuple[str, str | None]:
    """A parameter's text, empty for one that is not given, and what is wrong with it."""
    if child.children:
        return child.text, f"{name} must be a text, without elements in it."
    if child.attributes:
        if child.attribute("", "href") is not None:
            return child.text, f"{name} must hold its value: references (href) are not followed."
        nil = (child.attribute(_XSI, "nil") or "false").strip()
        if nil not in ("true", "1", "false", "0"):
            return child.text, f"{name}: xsi:nil must be true or false, not {body.shown(nil)}."
        if nil in ("true", "1"):
            return "", f"{name} is nil and has a value." if child.text.strip() else None
    return child.text, None


def _respond(
    start_response: StartResponse, version: Version, method: Method, reply: Reply, request_id: str
) -> Iterable[bytes]:
    headers = _headers(version, request_id)
    if reply.error is None and render.paged(reply.result):
        parts = _envelope(version, method.reply(reply))
        try:
            pieces = render.opened(render.gathered(part.encode() for part in parts))
        except Unavailable:
            reply = render.UNREAD
        else:
            start_response("200 OK", headers)
            return pieces
    content = "".join(_envelope(version, method.reply(reply))).encode()
    start_response("200 OK", [*headers, _length(content)])
    return [content]


def _envelope(version: Version, inner: Iterator[str]) -> Iterator[str]:
    yield (f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="{version.namespace}"><soap:Body>')
    yield from inner
    yield "</soap:Body></soap:Envelope>"


def _headers(version: Version, request_id: str) -> list[tuple[str, str]]:
    return [
        ("Content-Type", f"{version.content_type}; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Request-Id", request_id),
    ]


def _length(content: bytes) -> tuple[str, str]:
    return "Content-Length", str(len(content))
