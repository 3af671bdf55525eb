"""What a running gateway replies, at each operation's own path, is what the OpenAPI document says it is."""

import json
import re
from base64 import b64encode
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.frontends.reference.document import document, operation_path
from gateway.frontends.reference.doors import BASIC, DOORS, PLAIN, Door
from gateway.operations.catalogue import CATALOGUE, Operation
from gateway.settings import Settings
from tests.support import furniture
from tests.support.door import FORM, Customer, Login, form
from tests.support.door import Door as FrontDoor
from tests.support.gateway import Gateway
from tests.support.rawhttp import Response, ask
from tests.support.wait import until

each_operation = pytest.mark.parametrize("operation", CATALOGUE.values(), ids=lambda operation: operation.name)
each_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)


@pytest.fixture(scope="module")
def front(running_gateway: Gateway) -> FrontDoor:
    return FrontDoor(running_gateway)


@pytest.fixture(scope="module")
def customer(front: FrontDoor) -> Customer:
    return front.customer("--credits", "10000", "--country", "34")


@pytest.fixture(scope="module")
def poor(front: FrontDoor) -> Customer:
    return front.customer("--country", "34")


@cache
def described() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(document(Settings())))
    return found


def checked(response: Response, path: str, method: str = "post") -> Any:
    """The JSON of a response, which is as the document says: its status, its type, its headers, its schema."""
    one = described()["paths"][path][method]["responses"][str(response.status)]
    while "$ref" in one:
        one = described()["components"]["responses"][one["$ref"].rpartition("/")[2]]
    for name, header in one["headers"].items():
        known = described()["components"]["headers"][header["$ref"].rpartition("/")[2]]
        assert name.lower() in response.headers or not known.get("required"), name
    schema = one["content"][response.headers["content-type"]]["schema"]
    value = json.loads(response.body)
    Draft202012Validator({**schema, "components": described()["components"]}).validate(value)
    return value


def post(front: FrontDoor, path: str, values: dict[str, str], *fields: str) -> Response:
    content = form(values)
    lines = (f"POST {path} HTTP/1.1", "Host: x", "Connection: close", f"Content-Type: {FORM}", *fields)
    head = "\r\n".join((*lines, f"Content-Length: {len(content)}", "", ""))
    return ask(front.gateway.port, head.encode() + content)


def token(front: FrontDoor, who: Login) -> str:
    answer = post(front, "/api/jwt/token", {"user": who.user, "password": who.password})
    return str(checked(answer, "/api/jwt/token")["access_token"])


def call(front: FrontDoor, door: Door, who: Login, path: str, values: dict[str, str]) -> Response:
    """Call with the credentials that the door takes."""
    if door is PLAIN:
        return post(front, path, {"user": who.user, "password": who.password, **values})
    if door is BASIC:
        credentials = b64encode(f"{who.user}:{who.password}".encode()).decode()
        return post(front, path, values, f"Authorization: Basic {credentials}")
    return post(front, path, values, f"Authorization: Bearer {token(front, who)}")


@each_door
@each_operation
def test_success(front: FrontDoor, customer: Customer, door: Door, operation: Operation) -> None:
    path = operation_path(door, operation)
    values = furniture.parameters(front, customer, operation)
    reply = checked(call(front, door, customer.access, path, values), path)
    assert reply["status"] == "SUCCESS", reply


@each_door
def test_success_with_a_date(front: FrontDoor, customer: Customer, door: Door) -> None:
    """A delivered message's deliverydate, and an unknown one's null, are both as described."""
    sent = front.call(customer.access, "sms.sendsms", {"from": "Shop", "to": "34600000001", "sms": "Hi"})["result"]
    ids = f"{sent['messageid']},1"
    path = f"{door.path}sms/getdeliverystatus"
    until(lambda: front.status(customer.access, sent["messageid"]) == ["DELIVERED"], 20, "DELIVERED")
    first, second = checked(call(front, door, customer.access, path, {"messages": ids}), path)["result"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", first["deliverydate"])
    assert second["deliverydate"] is None


@each_door
def test_success_with_messages_that_came_in(front: FrontDoor, customer: Customer, door: Door) -> None:
    front.receive(customer, "Hi")
    path = f"{door.path}sms/getinbound"
    (message, *_) = checked(call(front, door, customer.access, path, {}), path)["result"]["messages"]
    assert list(message) == ["id", "from", "to", "text", "receiveddate"]


@each_door
@pytest.mark.parametrize(
    ("name", "values", "code"),
    [
        pytest.param("sms/sendsms", {"to": "34600000001"}, "MISSING_COMPULSORY_PARAM", id="missing"),
        pytest.param("template/deletetemplate", {"idtemplate": "x"}, "INCORRECT_PARAM", id="impossible"),
        pytest.param("template/deletetemplate", {"idtemplate": "1"}, "NOT_ACCESS_TO_TEMPLATE", id="of another"),
        pytest.param("sms/sendsms", {"from": "S", "to": "34600000001", "sms": "Hi"}, "NO_CREDITS", id="too dear"),
        pytest.param("user/getbalance", {"class": "sms"}, "INCORRECT_PARAM", id="class twice"),
        pytest.param("user/getbalance", {"method": "sendsms"}, "INCORRECT_PARAM", id="method twice"),
        pytest.param("group/addcontact", {"idgroup": "1"}, "MISSING_MAIN_FIELD", id="no number"),
    ],
)
def test_refused(front: FrontDoor, poor: Customer, door: Door, name: str, values: dict[str, str], code: str) -> None:
    reply = checked(call(front, door, poor.access, door.path + name, values), door.path + name)
    assert reply["error"] == code


@each_door
def test_class_and_method_may_stand_in_both_places(front: FrontDoor, poor: Customer, door: Door) -> None:
    values = {"class": "user", "method": "getbalance"}
    for path in (door.path, f"{door.path}user/getbalance", f"{door.path}user/getbalance/"):
        assert json.loads(call(front, door, poor.access, path, values).body) == {"status": "SUCCESS", "result": 0}


@each_door
@pytest.mark.parametrize(
    "path", ["sms", "sms/", "sms/nothing", "nothing/sendsms", "sms/sendsms/more", "SMS/sendsms", "user/sendsms"]
)
def test_other_paths_are_none(front: FrontDoor, poor: Customer, door: Door, path: str) -> None:
    assert call(front, door, poor.access, door.path + path, {}).status == 404


@pytest.mark.parametrize("door", [door for door in DOORS if door is not PLAIN], ids=lambda door: door.name)
def test_without_credentials(front: FrontDoor, door: Door) -> None:
    path = f"{door.path}user/getbalance"
    response = post(front, path, {})
    assert response.status == 401
    assert checked(response, path)["error"] == "MISSING_USER"


@pytest.mark.parametrize(
    ("path", "values", "error"),
    [
        pytest.param("token", {"user": "nobody", "password": "x"}, "invalid_grant", id="wrong password"),
        pytest.param("token", {"grant_type": "magic"}, "unsupported_grant_type", id="unknown grant"),
        pytest.param("token", {"grant_type": "refresh_token"}, "invalid_request", id="no refresh token"),
        pytest.param("revoke", {}, "invalid_request", id="nothing to revoke"),
    ],
)
def test_tokens_refused(front: FrontDoor, path: str, values: dict[str, str], error: str) -> None:
    response = post(front, f"/api/jwt/{path}", values)
    assert (response.status, checked(response, f"/api/jwt/{path}")["error"]) == (400, error)


def test_token_revoked(front: FrontDoor, poor: Customer) -> None:
    path = "/api/jwt/revoke"
    response = post(front, path, {"token": token(front, poor.access)})
    assert (response.status, checked(response, path)) == (200, {})
