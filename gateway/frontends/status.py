"""The HTTP status of each error code, for front ends that answer with more than 200."""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from math import ceil

from gateway.frontends import StartResponse, render
from gateway.frontends.render import Head
from gateway.operations.errors import Code
from gateway.pipeline.call import Call, Reply

_RARE: dict[Code, HTTPStatus] = {
    Code.MISSING_USER: HTTPStatus.UNAUTHORIZED,
    Code.MISSING_PASSWORD: HTTPStatus.UNAUTHORIZED,
    Code.INCORRECT_USER_PASSWORD: HTTPStatus.UNAUTHORIZED,
    Code.NO_CREDITS: HTTPStatus.PAYMENT_REQUIRED,
    Code.IP_NOT_ALLOWED: HTTPStatus.FORBIDDEN,
    Code.NOT_PERMITTED: HTTPStatus.FORBIDDEN,
    Code.INCORRECT_CLASS: HTTPStatus.NOT_FOUND,
    Code.INCORRECT_METHOD: HTTPStatus.NOT_FOUND,
    Code.TOO_MANY_REQUESTS: HTTPStatus.TOO_MANY_REQUESTS,
    Code.INTERNAL_ERROR: HTTPStatus.INTERNAL_SERVER_ERROR,
    Code.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}


def _status(code: Code) -> HTTPStatus:
    if code.startswith("NOT_ACCESS_TO_"):
        return HTTPStatus.FORBIDDEN
    return _RARE.get(code, HTTPStatus.BAD_REQUEST)


STATUSES: Mapping[Code, int] = {code: int(_status(code)) for code in Code}
"""Every code's status; what is listed nowhere is the caller's mistake, 400."""

# Seconds until a call may do better: a minute of failed logins is over, a database that was away has come back.
# Nobody is told to wait for more than an hour.
_NEXT_LOGIN = 60
_LONGEST = 3600
RECOVERED = ("Retry-After", "5")


def line(status: int) -> str:
    """A status line without its version: "401 Unauthorized"."""
    return f"{status} {HTTPStatus(status).phrase}"


def retry_after(call: Call, error: Code | None) -> list[tuple[str, str]]:
    """The header Retry-After (RFC 9110, section 10.2.3) where waiting helps."""
    if error is Code.UNAVAILABLE:
        return [RECOVERED]
    if error is Code.TOO_MANY_REQUESTS:
        rate = None if call.access is None else call.access.rate
        return [("Retry-After", str(min(_LONGEST, ceil(1 / rate)) if rate else _NEXT_LOGIN))]
    return []


_AWAY = Head(line(STATUSES[Code.UNAVAILABLE]), [RECOVERED])


def respond(
    start_response: StartResponse, call: Call, reply: Reply, output: str, challenge: Callable[[Reply], str]
) -> Iterable[bytes]:
    """Answer with the status that says what the reply does; give the body.

    `challenge` makes the WWW-Authenticate of a 401 (RFC 9110, section 11.6.1).
    """
    if reply.error is None:
        return render.respond(start_response, reply, output, call.request_id, away=_AWAY)
    status = STATUSES[reply.error]
    headers = retry_after(call, reply.error)
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append(("WWW-Authenticate", challenge(reply)))
    return render.respond(start_response, reply, output, call.request_id, Head(line(status), headers))
