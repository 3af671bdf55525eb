"""Reading an HTTP request as a call: what all HTTP front ends share.

Nothing here raises for what a client sent. What is wrong becomes the call's `problem`, which the pipeline
answers at its place in the precedence of errors. A value that cannot be read stands as text with U+FFFD in it,
so that it counts as given and matches nothing.
"""

import os
import re
from collections.abc import Iterable

from gateway import clock
from gateway.frontends import Application, Environ, Route, body
from gateway.frontends.body import Pair, Problem
from gateway.operations.catalogue import CATALOGUE
from gateway.operations.errors import Code, Refusal
from gateway.pipeline.call import Call
from gateway.pipeline.ipfilter import client_address
from gateway.settings import Settings

OUTPUTS = ("json", "xml")
MAX_PARAMETERS = 200
USER_AGENT_LENGTH = 200

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def paths(door: str, application: Application) -> list[Route]:
    """Give the routes of an HTTP front end: `door`, a path of two parts, and CLASS/METHOD below it per operation."""
    below = (f"{door}{class_name}/{method}" for class_name, method in CATALOGUE)
    return [Route(door, application), *(Route(path, application, listed=False) for path in below)]


def read(environ: Environ, settings: Settings, protocol: str) -> tuple[Call, str]:
    """Read a request, its path, query and body; give the call and the form of the reply ("json" or "xml").

    Class and method may stand in the path (`paths`). The parameters `user` and `password` become the call's
    credentials; a front end whose credentials are elsewhere replaces them. The body is read up to
    `settings.max_body` bytes.
    """
    reader = _Reader()
    # "/api/http/sms/sendsms" and "/api/http/"
    parts = environ.get("PATH_INFO", "").split("/", 5)
    if len(parts) > 4 and parts[4]:
        reader.take((("class", parts[3], None), ("method", parts[4], None)))
    query = environ.get("QUERY_STRING", "")
    if query:
        reader.take(body.query_pairs(query))
    if environ["REQUEST_METHOD"] == "POST":
        reader.take(body.pairs(environ, settings.max_body))
    values = reader.values
    take = values.pop
    login, secret = take("user", None), take("password", None)
    class_name, method = take("class", None), take("method", None)
    output = values.get("output", "json")
    if output not in OUTPUTS:
        reader.wrong(f"output must be json or xml, not {body.shown(output)}.")
        output = "json"
    get = environ.get
    return Call(
        protocol,
        client_address(get("REMOTE_ADDR", ""), get("HTTP_X_FORWARDED_FOR", ""), settings.trusted_proxies),
        login,
        secret,
        class_name,
        method,
        values,
        request_id(environ),
        clock.now(),
        get("HTTP_USER_AGENT", "")[:USER_AGENT_LENGTH],
        reader.problem,
        unreadable=reader.unreadable,
    ), output


def request_id(environ: Environ) -> str:
    """The request's own X-Request-Id where it is 8 to 64 letters, digits, `.`, `_` and `-`; else a new one."""
    given: str | None = environ.get("HTTP_X_REQUEST_ID")
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given
    return os.urandom(8).hex()


class _Reader:
    """Collects the parameters of query and body, and the first thing that is wrong with them."""

    __slots__ = ("count", "problem", "unreadable", "values")

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.count = 0
        self.problem: Refusal | None = None
        self.unreadable = False

    def wrong(self, detail: str) -> None:
        if self.problem is None:
            self.problem = Refusal(Code.INCORRECT_PARAM, detail)

    def take(self, pairs: Iterable[Pair]) -> None:
        values = self.values
        try:
            for name, value, problem in pairs:
                self.count += 1
                if self.count > MAX_PARAMETERS:
                    raise Problem(f"A call has at most {MAX_PARAMETERS} parameters.")
                if problem is not None:
                    self.wrong(problem)
                if not value:
                    continue
                if values.setdefault(name, value) != value:
                    self.wrong(f"{body.shown(name)} is given twice with different values.")
        except Problem as problem:
            self.wrong(problem.detail)
            self.unreadable = True
