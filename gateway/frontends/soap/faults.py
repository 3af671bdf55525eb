"""SOAP Faults: the answer to what is not a valid call, in the version it was asked in.

SOAP 1.1, section 4.4 and 6.2: `Client`, `Server`, `VersionMismatch`, `MustUnderstand`, status 500. SOAP 1.2
part 1, section 5.4 and part 2, section 7.5: the same by other names, with a subcode; a sender's fault is 400.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.frontends.render import xml_text
from gateway.frontends.soap.tree import Name

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of SOAP: its envelope's namespace, the type of its messages, and what it calls things."""

    name: str
    namespace: str
    content_type: str
    actor: str
    ours: frozenset[str]
    none: str | None


SOAP11 = Version(
    "1.1",
    "http://schemas.xmlsoap.org/soap/envelope/",
    "text/xml",
    "actor",
    frozenset(("", "http://schemas.xmlsoap.org/soap/actor/next")),
    None,
)
SOAP12 = Version(
    "1.2",
    "http://www.w3.org/2003/05/soap-envelope",
    "application/soap+xml",
    "role",
    frozenset(
        (
            "",
            "http://www.w3.org/2003/05/soap-envelope/role/next",
            "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
        )
    ),
    "http://www.w3.org/2003/05/soap-envelope/role/none",
)
VERSIONS = {version.namespace: version for version in (SOAP11, SOAP12)}

_CODES12 = {"Client": "Sender", "Server": "Receiver"}
_STATUS = {
    400: "400 Bad Request",
    413: "413 Content Too Large",
    415: "415 Unsupported Media Type",
    500: "500 Internal Server Error",
}


class Fault(Exception):
    """What arrived is not a valid call.

    `kind` is a word for programs, the subcode in SOAP 1.2, and `namespace` its namespace, None for the contract's
    own. `reason` is one sentence for people, `code` a fault code of SOAP 1.1, `status` the HTTP status where it is
    not what the version says. `headers` are the names of header blocks that were not understood, `version` is the
    one that the request turned out to be in.
    """

    def __init__(
        self,
        kind: str,
        reason: str,
        *,
        code: str = "Client",
        status: int | None = None,
        headers: Sequence[Name] = (),
        namespace: str | None = None,
        version: Version | None = None,
    ) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.code = code
        self.status = status
        self.headers = headers
        self.namespace = namespace
        self.version = version


def status(fault: Fault, version: Version) -> str:
    """The HTTP status line of a fault, without its protocol."""
    given = fault.status or (400 if version is SOAP12 and fault.code == "Client" else 500)
    return _STATUS[given]


def render(fault: Fault, version: Version, namespace: str) -> bytes:
    """A fault as an envelope; `namespace` is the contract's."""
    subcode = fault.namespace or namespace
    reason = xml_text(fault.reason)
    if version is SOAP12:
        header, body = _header12(fault), _body12(fault, reason, subcode)
    else:
        header, body = "", _body11(fault, reason, subcode)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="{version.namespace}">{header}'
        f"<soap:Body><soap:Fault>{body}</soap:Fault></soap:Body></soap:Envelope>"
    ).encode()


def _body11(fault: Fault, reason: str, subcode: str) -> str:
    # The detail is for errors of the body, and of nothing else (SOAP 1.1, section 4.4).
    detail = ""
    if fault.code in ("Client", "Server") and fault.namespace is None:
        detail = f'<detail><t:problem xmlns:t="{subcode}">{fault.kind}</t:problem></detail>'
    return f"<faultcode>soap:{fault.code}</faultcode><faultstring>{reason}</faultstring>{detail}"


def _body12(fault: Fault, reason: str, subcode: str) -> str:
    code = _CODES12.get(fault.code, fault.code)
    below = ""
    if code in ("Sender", "Receiver"):
        below = f'<soap:Subcode><soap:Value xmlns:t="{subcode}">t:{fault.kind}</soap:Value></soap:Subcode>'
    return (
        f"<soap:Code><soap:Value>soap:{code}</soap:Value>{below}</soap:Code>"
        f'<soap:Reason><soap:Text xml:lang="en">{reason}</soap:Text></soap:Reason>'
    )


def _header12(fault: Fault) -> str:
    """What SOAP 1.2 part 1 wants beside a fault: sections 5.4.7 (Upgrade) and 5.4.8 (NotUnderstood)."""
    if fault.code == "VersionMismatch":
        supported = "".join(
            f'<soap:SupportedEnvelope xmlns:v="{version.namespace}" qname="v:Envelope"/>'
            for version in (SOAP12, SOAP11)
        )
        return f"<soap:Header><soap:Upgrade>{supported}</soap:Upgrade></soap:Header>"
    if fault.code == "MustUnderstand":
        blocks = "".join(
            f'<soap:NotUnderstood xmlns:h="{xml_text(uri).replace(chr(34), "&quot;")}" qname="h:{local}"/>'
            for uri, local in fault.headers
        )
        return f"<soap:Header>{blocks}</soap:Header>"
    return ""
