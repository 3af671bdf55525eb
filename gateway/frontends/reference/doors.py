"""The HTTP front ends as the document describes them: where, with which credentials, with which statuses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.frontends import http_basic, http_jwt, http_query, status
from gateway.frontends.reference.examples.call import Call
from gateway.operations.errors import Code

USER = "USER"
SECRET = "SECRET"  # noqa: S105 - what an example has in its place
TOKEN = "TOKEN"  # noqa: S105

Security = list[dict[str, list[str]]]


@dataclass(frozen=True, slots=True)
class Login:
    """What the examples put in: an access's login and secret, and a token of it."""

    user: str = USER
    secret: str = SECRET
    token: str = TOKEN


@dataclass(frozen=True, slots=True)
class Door:
    """A front end over HTTP that takes parameters.

    `statuses` are those of the error codes. `in_query` and `in_body` are the security requirements of GET and
    POST; with `credentials` the body takes `user` and `password`. `impossible` are the codes that no call at this
    door is answered with.
    """

    name: str
    path: str
    title: str
    statuses: Mapping[Code, int]
    in_query: Security
    in_body: Security
    credentials: bool = False
    impossible: frozenset[Code] = frozenset()
    schemes: Mapping[str, Any] = field(default_factory=dict)

    def call(self, url: str, parameters: Mapping[str, str], login: Login) -> Call:
        """Give the call that an example makes at `url` with this door's credentials."""
        if self.credentials:
            return Call(url, {"user": login.user, "password": login.secret, **parameters})
        if "basic" in self.schemes:
            return Call(url, parameters, basic=(login.user, login.secret))
        return Call(url, parameters, bearer=login.token)


PLAIN = Door(
    "http",
    http_query.PATH,
    "Plain HTTP",
    dict.fromkeys(Code, 200),
    in_query=[{"user": [], "password": []}],
    in_body=[],
    credentials=True,
    schemes={
        "user": {
            "type": "apiKey",
            "in": "query",
            "name": "user",
            "description": "Plain HTTP: an access's login, or an account's e-mail.",
        },
        "password": {
            "type": "apiKey",
            "in": "query",
            "name": "password",
            "description": "Plain HTTP: the access's secret, or the account's password. Prefer the body of a POST: "
            "what stands in a URL is remembered by proxies and logs.",
        },
    },
)

BASIC = Door(
    "basic",
    http_basic.PATH,
    "HTTP Basic",
    status.STATUSES,
    in_query=[{"basic": []}],
    in_body=[{"basic": []}],
    schemes={
        "basic": {
            "type": "http",
            "scheme": "basic",
            "description": "HTTP Basic: an access's login and secret, or an account's e-mail and password, in UTF-8.",
        }
    },
)

JWT = Door(
    "jwt",
    http_jwt.PATH,
    "JWT",
    status.STATUSES,
    in_query=[{"bearer": []}],
    in_body=[{"bearer": []}],
    impossible=frozenset((Code.MISSING_PASSWORD,)),
    schemes={
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "JWT: an access token of `POST /api/jwt/token`, or one signed by the caller's own key "
            "that the access has registered.",
        }
    },
)

DOORS = (PLAIN, BASIC, JWT)
