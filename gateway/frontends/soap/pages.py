"""What a GET at `/api/soap/` gives: the contract, and a page for people. All of it is made once, at the start."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from gateway.frontends import Environ, StartResponse, render
from gateway.frontends.soap import schema
from gateway.frontends.soap.faults import SOAP11
from gateway.frontends.soap.schema import Method
from gateway.settings import Settings

PATH = "/api/soap/"
_PUBLISHED = "http://127.0.0.1:8080/api/soap/"
_XML = "text/xml; charset=utf-8"
_HTML = "text/html; charset=utf-8"
_POLICY = (
    "Content-Security-Policy",
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)
_STYLE = (
    "body{font:1rem/1.6 system-ui,sans-serif;max-width:52rem;margin:3rem auto;padding:0 1rem}"
    "pre{background:#f4f4f4;padding:.75rem;overflow:auto;font-size:.85rem}summary{cursor:pointer}"
)


@dataclass(frozen=True, slots=True)
class Documents:
    """The WSDL with this installation's address in it, the schema and the page."""

    wsdl: bytes
    xsd: bytes
    page: bytes

    def answer(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        """Answer a GET: `?wsdl` and `?xsd`, in any case and with or without a value, or the page."""
        asked = environ.get("QUERY_STRING", "").partition("&")[0].partition("=")[0].lower()
        if asked == "wsdl":
            return render.page(start_response, "200 OK", self.wsdl, _XML)
        if asked == "xsd":
            return render.page(start_response, "200 OK", self.xsd, _XML)
        return render.page(start_response, "200 OK", self.page, _HTML, [_POLICY])


def documents(settings: Settings) -> Documents:
    """Everything that is told of the service, for an installation."""
    place = address(settings)
    return Documents(wsdl(place), schema.document("sms.xsd"), _page(place))


def address(settings: Settings) -> str:
    """Where customers reach the service: told by the settings, never by a request."""
    base = settings.public_url.strip().rstrip("/")
    if not base:
        host, _, port = settings.http.rpartition(":")
        # What listens everywhere is reached at the loopback from here; elsewhere the public URL has to be told.
        base = f"http://{ {'0.0.0.0': '127.0.0.1', '[::]': '[::1]'}.get(host, host) }:{port}"  # noqa: S104
    return base + PATH


def wsdl(place: str) -> bytes:
    """The published WSDL, with the address of an installation."""
    return schema.document("sms.wsdl").replace(
        f'location="{_PUBLISHED}"'.encode(), f'location="{escape(place)}"'.encode()
    )


def sample(method: Method, namespace: str) -> str:
    """A request of SOAP 1.1 with the example of the catalogue."""
    values: Mapping[str, str] = {"user": "USER", "password": "SECRET", **method.operation.example}
    lines = "\n".join(f"      <{name}>{escape(value, quote=False)}</{name}>" for name, value in values.items())
    return (
        f'<soap:Envelope xmlns:soap="{SOAP11.namespace}">\n  <soap:Body>\n'
        f'    <{method.operation.method} xmlns="{namespace}">\n{lines}\n    </{method.operation.method}>\n'
        "  </soap:Body>\n</soap:Envelope>"
    )


def _page(place: str) -> bytes:
    contract = schema.contract()
    entries = "\n".join(
        f'<details id="{name}"><summary><code>{name}</code>: {escape(method.operation.summary)}</summary>\n'
        f"<pre>POST {escape(place)}\nContent-Type: text/xml; charset=utf-8\n"
        f"SOAPAction: &quot;{method.action}&quot;\n\n{escape(sample(method, contract.namespace))}</pre></details>"
        for name, method in sorted(contract.methods.items())
    )
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Trunkline: SOAP</title>
<style>{_STYLE}</style>
<h1>SOAP</h1>
<p>SOAP 1.1 and 1.2 at <code>{escape(place)}</code>, document/literal wrapped, in the namespace
<code>{contract.namespace}</code>. Give its description to your client: <a href="{PATH}?wsdl">WSDL</a>,
<a href="{PATH}?xsd">schema</a>.</p>
<p>Credentials: the elements <code>user</code> and <code>password</code>, or a WS-Security UsernameToken with a
PasswordText, or HTTP Basic. The answer's <code>status</code> is SUCCESS or ERROR; then <code>error</code> is a code
and <code>detail</code> says in a sentence what was wrong. A Fault means that the request was no valid call.</p>
<h2>Operations</h2>
{entries}
""".encode()
