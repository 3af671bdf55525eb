"""JWT: as HTTP Basic, but with a token in `Authorization: Bearer` (RFC 6750)."""

import re
from collections.abc import Iterable

from gateway.frontends import Answers, Environ, Route, StartResponse, credentials, render, request, status
from gateway.operations.errors import Code, Refusal
from gateway.pipeline.call import Call, Reply

PATH = "/api/jwt/"
CHALLENGE = 'Bearer realm="Trunkline"'

_MISSING = "Give a token of /api/jwt/token, or one that you signed, as Authorization: Bearer (RFC 6750)."
_MALFORMED = "Authorization: Bearer must hold one token (RFC 6750, section 2.1)."
_ELSEWHERE = "Credentials are refused among the parameters here; give a token as Authorization: Bearer alone."
# What RFC 6750, section 3, lets stand in an error_description.
_UNQUOTABLE = re.compile(r"[^ !#-\[\]-~]")


def routes(gateway: Answers) -> Iterable[Route]:
    """JWT answers at `/api/jwt/`, and at `/api/jwt/CLASS/METHOD`; what gives out tokens is in `jwt_tokens`."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "POST"):
            return render.method_not_allowed(start_response, "GET, POST")
        call, output = request.read(environ, gateway.settings, "jwt")
        credentials.forbid(call, ("user", "password", "access_token"), _ELSEWHERE)
        _take_token(gateway, environ, call)
        call.http_status, call.statuses = 200, status.STATUSES
        return status.respond(start_response, call, gateway.handle(call), output, _challenge)

    return request.paths(PATH, application)


def _take_token(gateway: Answers, environ: Environ, call: Call) -> None:
    try:
        text = credentials.bearer(environ)
    except ValueError:
        call.unproven = Refusal(Code.MISSING_USER, _MALFORMED)
        return
    if text is None:
        call.unproven = Refusal(Code.MISSING_USER, _MISSING)
        return
    proof = gateway.tokens.bearer(text)
    call.proof, call.login, call.secret = proof, proof.login, text


def _challenge(reply: Reply) -> str:
    """RFC 6750, section 3: the error is named only where a token was given."""
    if reply.error is not Code.INCORRECT_USER_PASSWORD:
        return CHALLENGE
    return f'{CHALLENGE}, error="invalid_token", error_description="{_UNQUOTABLE.sub("?", reply.detail or "")}"'
