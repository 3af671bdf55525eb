"""HTTP Basic: as plain HTTP, but credentials come in the header alone and errors have HTTP statuses."""

from collections.abc import Iterable

from gateway.frontends import Answers, Environ, Route, StartResponse, credentials, render, request, status
from gateway.operations.errors import Code, Refusal
from gateway.pipeline.call import Call, Reply

PATH = "/api/basic/"
CHALLENGE = 'Basic realm="Trunkline", charset="UTF-8"'

_MISSING = "Give the access's login and secret as Authorization: Basic (RFC 7617)."
_MALFORMED = "Authorization: Basic must hold user:password in UTF-8, as base64 (RFC 7617)."
_FOREIGN_PAGE = "A page of another site made the browser call with the credentials that it keeps; it is not heard."
_ELSEWHERE = "Credentials are refused among the parameters here; give them as Authorization: Basic alone."


def routes(gateway: Answers) -> Iterable[Route]:
    """HTTP Basic answers at `/api/basic/` and, for each operation, at `/api/basic/CLASS/METHOD`."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "POST"):
            return render.method_not_allowed(start_response, "GET, POST")
        call, output = request.read(environ, gateway.settings, "basic")
        credentials.forbid(call, ("user", "password"), _ELSEWHERE)
        _take_credentials(environ, call)
        call.http_status, call.statuses = 200, status.STATUSES
        return status.respond(start_response, call, gateway.handle(call), output, _challenge)

    return request.paths(PATH, application)


def _take_credentials(environ: Environ, call: Call) -> None:
    if credentials.sent_by_another_site(environ):
        call.unproven = Refusal(Code.NOT_PERMITTED, _FOREIGN_PAGE)
        return
    try:
        given = credentials.basic(environ)
    except ValueError:
        call.unproven = Refusal(Code.MISSING_USER, _MALFORMED)
        return
    if given is None:
        call.unproven = Refusal(Code.MISSING_USER, _MISSING)
    else:
        call.login, call.secret = given


def _challenge(_: Reply) -> str:
    return CHALLENGE
