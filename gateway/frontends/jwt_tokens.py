"""Giving out, renewing and revoking tokens for the JWT front end: OAuth 2.0's names and errors (RFC 6749, RFC 7009).

The password and refresh grants alone; there are no clients beside the accesses, so none is authenticated.
"""

from collections.abc import Callable, Iterable, Mapping

import orjson

from gateway.frontends import Answers, Environ, Route, StartResponse, render, request
from gateway.frontends.status import STATUSES, line, retry_after
from gateway.operations.catalogue import Operation
from gateway.operations.errors import Code, Refusal
from gateway.pipeline.call import Call, Reply
from gateway.pipeline.grants import CLASS, is_refresh_token

TOKEN_PATH = "/api/jwt/token"  # noqa: S105 - a path
REVOKE_PATH = "/api/jwt/revoke"

_BODY_ONLY = "Give the parameters in the body, not in the URL, which proxies and histories remember (RFC 6749)."
_GRANTS = "grant_type: Give password or refresh_token."
_NO_REFRESH = "refresh_token: compulsory for the grant refresh_token and not given."
_NO_TOKEN = "token: compulsory and not given."  # noqa: S105 - a sentence

# RFC 6749, section 5.2; of RFC 6749, section 4.1.2.1, what that one has no name for.
_ERRORS: Mapping[Code, str] = {
    Code.INCORRECT_USER_PASSWORD: "invalid_grant",
    Code.IP_NOT_ALLOWED: "unauthorized_client",
    Code.NOT_PERMITTED: "unauthorized_client",
    Code.TOO_MANY_REQUESTS: "temporarily_unavailable",
    Code.UNAVAILABLE: "temporarily_unavailable",
    Code.INTERNAL_ERROR: "server_error",
}
_UNSUPPORTED = "unsupported_grant_type"
_OWN_STATUS = (Code.TOO_MANY_REQUESTS, Code.UNAVAILABLE, Code.INTERNAL_ERROR)
_STATUSES: Mapping[Code, int] = {code: STATUSES[code] if code in _OWN_STATUS else 400 for code in Code}
# RFC 7009, section 2.2: a token that is worth nothing is as good as revoked.
_REVOKE_STATUSES: Mapping[Code, int] = {**_STATUSES, Code.INCORRECT_USER_PASSWORD: 200}

Take = Callable[[Answers, Call, dict[str, str]], Operation]


def routes(gateway: Answers) -> Iterable[Route]:
    """Tokens are given out at `/api/jwt/token` and revoked at `/api/jwt/revoke`."""

    def application(take: Take, method: str, statuses: Mapping[Code, int]) -> Callable[..., Iterable[bytes]]:
        def answer(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            if environ["REQUEST_METHOD"] != "POST":
                return render.method_not_allowed(start_response, "POST")
            call, _ = request.read(environ, gateway.settings, "jwt")
            call.class_name, call.method = CLASS, method
            call.http_status, call.statuses = 200, statuses
            call.operation = take(gateway, call, dict(call.parameters))
            if environ.get("QUERY_STRING"):
                call.unproven, call.proof = Refusal(Code.INCORRECT_PARAM, _BODY_ONLY), None
            return _respond(start_response, call, gateway.handle(call))

        return answer

    return [
        Route(TOKEN_PATH, application(_take_grant, "token", _STATUSES)),
        Route(REVOKE_PATH, application(_take_revocation, "revoke", _REVOKE_STATUSES)),
    ]


def _take_grant(gateway: Answers, call: Call, values: dict[str, str]) -> Operation:
    refresh, username = values.get("refresh_token"), values.get("username")
    default = "refresh_token" if refresh and not (call.login or username) else "password"
    match values.get("grant_type", default):
        case "password":
            call.login = call.login or username
        case "refresh_token":
            if refresh is None:
                call.unproven = Refusal(Code.MISSING_COMPULSORY_PARAM, _NO_REFRESH)
            else:
                call.login, call.secret, call.proof = None, refresh, gateway.tokens.refresh(refresh)
            return gateway.grants.refresh
        case _:
            call.unproven = Refusal(Code.INCORRECT_PARAM, _GRANTS)
    return gateway.grants.password


def _take_revocation(gateway: Answers, call: Call, values: dict[str, str]) -> Operation:
    token = values.get("token")
    call.login = None
    if token is None:
        call.unproven = Refusal(Code.MISSING_COMPULSORY_PARAM, _NO_TOKEN)
        return gateway.grants.revoke
    call.secret = token
    if is_refresh_token(token):
        call.proof = gateway.tokens.refresh(token)
    else:
        bearer = gateway.tokens.bearer(token)
        call.proof, call.login = bearer, bearer.login
    return gateway.grants.revoke


def _respond(start_response: StartResponse, call: Call, reply: Reply) -> list[bytes]:
    headers = [("Pragma", "no-cache"), ("X-Request-Id", call.request_id)]
    status = 200 if reply.error is None or call.statuses is None else call.statuses[reply.error]
    if status == 200:
        body = {} if reply.error is not None or reply.result is None else reply.result
    else:
        headers += retry_after(call, reply.error)
        body = _error(reply)
    return render.page(start_response, line(status), orjson.dumps(body), render.TYPES["json"], headers)


def _error(reply: Reply) -> dict[str, str | None]:
    """RFC 6749, section 5.2; `code` is ours, as every front end has it."""
    name = (
        _UNSUPPORTED
        if reply.detail == _GRANTS
        else _ERRORS.get(reply.error or Code.INTERNAL_ERROR, "invalid_request")
    )
    return {"error": name, "error_description": reply.detail, "code": reply.error}
