"""The OpenAPI 3.1 document of the HTTP front ends, made from the catalogue."""

from collections.abc import Iterable, Iterator
from typing import Any

from gateway import __version__
from gateway.frontends.reference import replies, schemas, tokens
from gateway.frontends.reference.doors import DOORS, Door, Login
from gateway.frontends.reference.examples import samples
from gateway.frontends.reference.schemas import Schema
from gateway.operations.catalogue import CATALOGUE, Operation, class_names
from gateway.settings import Settings

Document = dict[str, Any]

FORM = "application/x-www-form-urlencoded"
BODIES = (FORM, "multipart/form-data", "application/json")

_TOO_LONG = "TooLong"

_DESCRIPTION = """\
Every operation can be called through each of three doors, which differ in their credentials and in how errors
are told:

| door | path | credentials | errors |
|---|---|---|---|
| plain HTTP | `/api/http/` | the parameters `user` and `password` | status 200, the code in the body |
| HTTP Basic | `/api/basic/` | `Authorization: Basic` | an HTTP status, and the same body |
| JWT | `/api/jwt/` | `Authorization: Bearer` | as HTTP Basic |

Class and method stand in the path, `/api/http/sms/sendsms`, or are the parameters `class` and `method` of
`/api/http/`. Parameters come in the query, urlencoded, as multipart/form-data or as a JSON object, whose numbers and
booleans stand for their text and whose null is not given. An empty value counts as not given; unknown parameters are
ignored; one that is given twice must have the same value.

Ids are strings of digits. Amounts are exact decimals. Dates are `yyyy-mm-dd hh:mm:ss` in the account's time zone.
"""


def document(settings: Settings, login: Login | None = None) -> Document:
    """Give the document; without a public URL its server is where it came from itself.

    `login` is what the examples have as credentials; left out, they have placeholders.
    """
    server = settings.public_url.rstrip("/")
    base = server or f"http://{settings.http}"
    login = login or Login()
    paths: dict[str, Any] = {}
    for door in DOORS:
        paths[door.path] = dict(_any_call(door, base, login))
        for operation in CATALOGUE.values():
            paths[operation_path(door, operation)] = dict(_methods(door, operation, base, login))
    paths.update(tokens.paths(base, login))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Trunkline",
            "version": __version__,
            "summary": "One SMS service behind every protocol its customers already speak.",
            "description": _DESCRIPTION,
        },
        "servers": [{"url": server or "/"}],
        "tags": [
            *({"name": name, "description": f"Operations of the class {name}."} for name in _classes()),
            tokens.TAG,
            {"name": "any", "description": "Any operation, named by the parameters class and method."},
        ],
        "paths": paths,
        "components": {
            "schemas": {**_schemas(), **tokens.SCHEMAS},
            "responses": {
                _TOO_LONG: replies.TOO_LONG,
                **{name: response for door in DOORS for name, response in _responses(door)},
            },
            "headers": replies.HEADERS,
            "securitySchemes": {name: scheme for door in DOORS for name, scheme in door.schemes.items()},
        },
    }


def _classes() -> list[str]:
    """The classes in the order they are shown: sending first."""
    return sorted(class_names(), key=lambda name: (name != "sms", name))


def operation_path(door: Door, operation: Operation) -> str:
    """The path of an operation at a door."""
    return f"{door.path}{operation.class_name}/{operation.method}"


def _schemas() -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    for operation in CATALOGUE.values():
        found.update(schemas.result(operation)[1])
        for credentials in (False, True):
            found[_body_name(operation, credentials)] = schemas.body(operation, credentials=credentials)
    return found


def _responses(door: Door) -> Iterator[tuple[str, dict[str, Any]]]:
    """The answers to all calls at a door, by their names among the components."""
    for status, response in replies.responses(door, {}, replies.any_codes(door)).items():
        yield f"{door.name}.{status}", response
    for operation in CATALOGUE.values():
        result, _ = schemas.result(operation)
        for status, response in replies.responses(door, result, replies.codes(door, operation)).items():
            yield f"{door.name}.{operation.name}.{status}", response


def _refer(name: str, statuses: Iterable[int]) -> dict[str, Any]:
    return {str(status): _response(f"{name}.{status}") for status in statuses}


def _response(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{name}"}


def _methods(door: Door, operation: Operation, base: str, login: Login) -> Iterator[tuple[str, dict[str, Any]]]:
    compulsory = schemas.compulsory(operation)
    described: dict[str, Any] = {
        "tags": [operation.class_name],
        "summary": operation.summary,
        "responses": _refer(f"{door.name}.{operation.name}", replies.statuses(door, replies.codes(door, operation))),
    }
    given = {**schemas.parameters(operation), "output": schemas.OUTPUT}
    yield (
        "get",
        {
            **described,
            "responses": {**described["responses"], "414": _response(_TOO_LONG)},
            "operationId": f"{door.name}-{operation.name}-get",
            "description": f"{door.title}, the parameters in the query.",
            "security": door.in_query,
            "parameters": [_in_query(name, schema, name in compulsory) for name, schema in given.items()],
        },
    )
    schema = {"$ref": schemas.REF.format(model=_body_name(operation, door.credentials))}
    call = door.call(base + operation_path(door, operation), operation.example, login)
    yield (
        "post",
        {
            **described,
            "operationId": f"{door.name}-{operation.name}",
            "description": f"{door.title}, the parameters in the body.",
            "security": door.in_body,
            "requestBody": {
                "required": bool(compulsory) or door.credentials,
                "content": {kind: {"schema": schema} for kind in BODIES},
            },
            "x-codeSamples": list(samples(call)),
        },
    )


def _any_call(door: Door, base: str, login: Login) -> Iterator[tuple[str, dict[str, Any]]]:
    """The door's own path, where class and method are parameters like the others."""
    named = {
        "class": {"type": "string", "description": "The class, for example `sms`.", "examples": ["user"]},
        "method": {"type": "string", "description": "The method, for example `sendsms`.", "examples": ["getbalance"]},
    }
    described: dict[str, Any] = {
        "tags": ["any"],
        "summary": "Call the operation that class and method name.",
        "responses": _refer(door.name, replies.statuses(door, replies.any_codes(door))),
    }
    before = {"user": schemas.USER, "password": schemas.PASSWORD} if door.credentials else {}
    body = {
        "type": "object",
        "required": [*before, *named],
        "properties": {**before, **named, "output": schemas.OUTPUT},
        "additionalProperties": {"type": "string", "description": "The operation's own parameters."},
    }
    call = door.call(base + door.path, {"class": "user", "method": "getbalance"}, login)
    own = {
        "name": "parameters",
        "in": "query",
        "style": "form",
        "explode": True,
        "description": "The operation's own parameters.",
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    yield (
        "get",
        {
            **described,
            "responses": {**described["responses"], "414": _response(_TOO_LONG)},
            "operationId": f"{door.name}-get",
            "description": f"{door.title}, the parameters in the query.",
            "security": door.in_query,
            "parameters": [
                *(_in_query(name, schema, True) for name, schema in named.items()),
                _in_query("output", schemas.OUTPUT, False),
                own,
            ],
        },
    )
    yield (
        "post",
        {
            **described,
            "operationId": door.name,
            "description": f"{door.title}, the parameters in the body.",
            "security": door.in_body,
            "requestBody": {"required": True, "content": {kind: {"schema": body} for kind in BODIES}},
            "x-codeSamples": list(samples(call)),
        },
    )


def _in_query(name: str, schema: Schema, required: bool) -> dict[str, Any]:
    own = {key: value for key, value in schema.items() if key != "description"}
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": schema.get("description", ""),
        "schema": own,
    }


def _body_name(operation: Operation, credentials: bool) -> str:
    return f"{operation.name}.credentials" if credentials else operation.name
