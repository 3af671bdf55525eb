"""The answers that a call may get, by front end and by HTTP status."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from gateway.frontends.reference import schemas
from gateway.frontends.reference.doors import Door
from gateway.frontends.reference.schemas import Schema
from gateway.operations.catalogue import CATALOGUE, Operation
from gateway.operations.errors import MEANING, Code

# What can be wrong only where class and method are parameters.
_NAMING = frozenset((Code.MISSING_CLASS, Code.MISSING_METHOD, Code.INCORRECT_CLASS, Code.INCORRECT_METHOD))
# What only those operations answer that declare it.
_OWN = frozenset(code for operation in CATALOGUE.values() for code in operation.errors)

REQUEST_ID = {"$ref": "#/components/headers/RequestId"}

HEADERS: dict[str, Any] = {
    "RequestId": {
        "description": "The call's id in the log: the request's own X-Request-Id where it is 8 to 64 letters, "
        "digits, `.`, `_` and `-`, else a new one.",
        "required": True,
        "schema": {"type": "string"},
    },
    "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
    "Challenge": {
        "description": "The scheme of the credentials.",
        "required": True,
        "schema": {"type": "string"},
    },
}


TOO_LONG: dict[str, Any] = {
    "description": "The request line is longer than 64 kB: use POST.",
    "content": {"text/plain": {"schema": {"type": "string"}}},
}
"""What the server answers to a GET before any front end sees it."""


def codes(door: Door, operation: Operation) -> list[Code]:
    """The errors that a call at an operation's own path may be answered with, in the order in which they win."""
    impossible = {*_NAMING, *door.impossible}
    if not schemas.compulsory(operation):
        impossible.add(Code.MISSING_COMPULSORY_PARAM)
    return [code for code in MEANING if code not in impossible and (code not in _OWN or code in operation.errors)]


def any_codes(door: Door) -> list[Code]:
    """The errors that a call at the door's own path may be answered with."""
    return [code for code in MEANING if code not in door.impossible]


def statuses(door: Door, errors: Iterable[Code]) -> list[int]:
    """The HTTP statuses of an answer that is a success or one of the codes `errors`."""
    return sorted({int(HTTPStatus.OK), *(door.statuses[code] for code in errors)})


def responses(door: Door, result: Schema, errors: Iterable[Code]) -> dict[int, Any]:
    """The responses of a call at a door by status: `result` where it succeeds, else one of the codes `errors`."""
    by_status: dict[int, list[Code]] = {200: []}
    for code in errors:
        by_status.setdefault(door.statuses[code], []).append(code)
    return {number: _response(number, result, by_status[number]) for number in sorted(by_status)}


def error(codes: list[Code]) -> Schema:
    """The body of a refused call."""
    meanings = "\n".join(f"- `{code}`: {MEANING[code]}" for code in codes)
    return {
        "type": "object",
        "title": "Error",
        "required": ["status", "error", "detail"],
        "properties": {
            "status": {"type": "string", "const": "ERROR"},
            "error": {"type": "string", "enum": [code.value for code in codes], "description": meanings},
            "detail": {"type": "string", "description": "One sentence that names what was wrong."},
        },
    }


def success(result: Schema) -> Schema:
    """The body of a call that succeeded."""
    return {
        "type": "object",
        "title": "Success",
        "required": ["status", "result"],
        "properties": {"status": {"type": "string", "const": "SUCCESS"}, "result": result},
    }


def _response(number: int, result: Schema, errors: list[Code]) -> dict[str, Any]:
    headers = {"X-Request-Id": REQUEST_ID}
    if number == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = {"$ref": "#/components/headers/Challenge"}
    if number in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    schema = error(errors) if errors else success(result)
    if number == HTTPStatus.OK:
        schema = {"oneOf": [success(result), schema]} if errors else schema
        said = "The result, or an error: look at `status`." if errors else "The result."
    else:
        said = ", ".join(errors) + "."
    xml = {"type": "object", "xml": {"name": "response"}}
    return {
        "description": said,
        "headers": headers,
        "content": {"application/json": {"schema": schema}, "application/xml": {"schema": xml}},
    }
