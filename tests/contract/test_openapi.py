"""The OpenAPI document says of every operation at every door what the catalogue says, and replies are as it says."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.frontends import web_modules
from gateway.frontends.reference.document import BODIES, document, operation_path
from gateway.frontends.reference.doors import BASIC, DOORS, JWT, PLAIN, Door, Login
from gateway.operations.catalogue import CATALOGUE, Operation
from gateway.operations.errors import Code
from gateway.settings import Settings
from tests.contract.cases import calls

OPERATIONS = list(CATALOGUE.values())
METHODS = ("get", "post")
LANGUAGES = ["curl", "Python", "PHP", "JavaScript", "Java", "C#"]

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
each_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The document as JSON readers see it."""
    found: dict[str, Any] = json.loads(json.dumps(document(Settings(public_url="https://sms.example.com/"))))
    return found


def resolved(described: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """What a reference refers to."""
    while "$ref" in value:
        found: Any = described
        for step in value["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        value = found
    return value


def schema_of_body(described: dict[str, Any], door: Door, operation: Operation) -> dict[str, Any]:
    content = described["paths"][operation_path(door, operation)]["post"]["requestBody"]["content"]
    (schema,) = {json.dumps(one["schema"]) for one in content.values()}
    return resolved(described, json.loads(schema))


def answers(described: dict[str, Any], door: Door, operation: Operation, method: str) -> Iterator[tuple[int, Any]]:
    """Each status and the schema of its JSON."""
    responses = described["paths"][operation_path(door, operation)][method]["responses"]
    for status, response in responses.items():
        content = resolved(described, response)["content"]
        if "application/json" in content:
            yield int(status), content["application/json"]["schema"]


def codes(schema: dict[str, Any]) -> set[str]:
    """The error codes that a body may have."""
    found: set[str] = set()
    for one in schema.get("oneOf", [schema]):
        found |= set(one["properties"].get("error", {}).get("enum", ()))
    return found


def test_document_is_valid(described: dict[str, Any]) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(described).iter_errors()] == []


def test_schemas_are_valid(described: dict[str, Any]) -> None:
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_server_is_the_public_url(described: dict[str, Any]) -> None:
    assert described["servers"] == [{"url": "https://sms.example.com"}]


def test_server_is_where_the_document_came_from() -> None:
    assert document(Settings())["servers"] == [{"url": "/"}]


def test_every_http_front_end_is_described() -> None:
    paths = {module.PATH for module in web_modules() if module.__name__.rpartition(".")[2].startswith("http_")}
    assert {door.path for door in DOORS} == paths


@each_door
@each_operation
@pytest.mark.parametrize("method", METHODS)
def test_every_error_is_described(described: dict[str, Any], door: Door, operation: Operation, method: str) -> None:
    found = {status: codes(schema) for status, schema in answers(described, door, operation, method)}
    for code in (*operation.errors, Code.INCORRECT_USER_PASSWORD, Code.UNAVAILABLE, Code.INCORRECT_PARAM):
        assert code in found[door.statuses[code]]
    assert set().union(*found.values()) <= set(Code)
    if door is PLAIN:
        assert set(found) == {200}
    else:
        assert found[200] == set()


@each_door
def test_any_call_is_described(described: dict[str, Any], door: Door) -> None:
    found: set[str] = set()
    for response in described["paths"][door.path]["post"]["responses"].values():
        found |= codes(resolved(described, response)["content"]["application/json"]["schema"])
    assert found == {code.value for code in Code} - set(door.impossible)


@each_door
@each_operation
def test_parameters_are_described(described: dict[str, Any], door: Door, operation: Operation) -> None:
    compulsory = set(calls.names(operation, compulsory=True))
    every = compulsory | set(calls.names(operation, compulsory=False)) | {"output"}
    credentials = {"user", "password"} if door is PLAIN else set()
    schema = schema_of_body(described, door, operation)
    assert set(schema["properties"]) == every | credentials
    assert set(schema.get("required", ())) == compulsory | credentials
    query = described["paths"][operation_path(door, operation)]["get"]["parameters"]
    assert {one["name"] for one in query} == every
    assert {one["name"] for one in query if one["required"]} == compulsory
    assert all(one["description"] for one in query)


@each_door
@each_operation
def test_example_is_as_described(described: dict[str, Any], door: Door, operation: Operation) -> None:
    credentials = {"user": "u", "password": "p"} if door is PLAIN else {}
    Draft202012Validator(schema_of_body(described, door, operation)).validate({**credentials, **operation.example})


@each_door
@each_operation
def test_credentials_are_described(described: dict[str, Any], door: Door, operation: Operation) -> None:
    path = described["paths"][operation_path(door, operation)]
    schemes = described["components"]["securitySchemes"]
    asked = {method: [schemes[name] for one in path[method]["security"] for name in one] for method in METHODS}
    if door is PLAIN:
        assert [(one["in"], one["name"]) for one in asked["get"]] == [("query", "user"), ("query", "password")]
        assert asked["post"] == []
    else:
        assert {method: [one["scheme"] for one in found] for method, found in asked.items()} == {
            "get": ["basic" if door is BASIC else "bearer"],
            "post": ["basic" if door is BASIC else "bearer"],
        }


@each_door
@each_operation
def test_body_types(described: dict[str, Any], door: Door, operation: Operation) -> None:
    assert set(described["paths"][operation_path(door, operation)]["post"]["requestBody"]["content"]) == set(BODIES)


@each_door
@each_operation
def test_examples_in_every_language(described: dict[str, Any], door: Door, operation: Operation) -> None:
    samples = described["paths"][operation_path(door, operation)]["post"]["x-codeSamples"]
    assert [sample["label"] for sample in samples] == LANGUAGES
    login = Login()
    for sample in samples:
        assert f"https://sms.example.com{operation_path(door, operation)}" in sample["source"]
        assert (login.token if door is JWT else login.secret) in sample["source"]
        for name in operation.example:
            assert name in sample["source"]


@pytest.mark.parametrize("path", ["/api/jwt/token", "/api/jwt/revoke"])
def test_tokens_are_described(described: dict[str, Any], path: str) -> None:
    post = described["paths"][path]["post"]
    assert post["security"] == []
    assert {"200", "400", "429", "503"} <= set(post["responses"])
    assert [sample["label"] for sample in post["x-codeSamples"]] == LANGUAGES


def test_operation_ids_are_unique(described: dict[str, Any]) -> None:
    found = [operation["operationId"] for path in described["paths"].values() for operation in path.values()]
    assert len(found) == len(set(found))
    assert all(re.fullmatch(r"[a-z.-]+", name) for name in found)


def test_operations_are_explained_by_the_pages(described: dict[str, Any]) -> None:
    """What docs/http.md says of paths is so."""
    text = (Path(__file__).parents[2] / "docs" / "http.md").read_text("utf-8")
    named = set(re.findall(r"`(/api/http/[a-z]+/[a-z]+)`", text))
    assert named
    assert named <= set(described["paths"])
