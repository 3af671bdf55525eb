"""What clients in use rely on, fact by fact."""

import json
import re
from typing import Any

import pytest

from tests.contract.conftest import World
from tests.support.door import FORM, JSON, MULTIPART, form, given, multipart, reply
from tests.support.wait import until

SMS = {"from": "Shop", "to": "34600000001", "sms": "Hi there"}


def shown(world: World, found: Any) -> tuple[str, str, str]:
    """Sender, destination and text of the message that a call sent."""
    assert found["status"] == "SUCCESS", found
    message = world.door.cli("message", "show", found["result"]["messageid"])
    return message["source"], message["destination"], message["text"]


@pytest.mark.parametrize("way", ["GET", "urlencoded", "multipart", "JSON", "query of a POST", "query and body"])
def test_ways_of_a_call(world: World, way: str) -> None:
    values = given(world.owner.access, "sms.sendsms", SMS)
    first = {name: values.pop(name) for name in ("class", "user", "to")} if way == "query and body" else {}
    sent = {
        "GET": (form(values), None, None),
        "urlencoded": (b"", form(values), FORM),
        "multipart": (b"", multipart(values), MULTIPART),
        "JSON": (b"", json.dumps(values).encode(), JSON),
        "query of a POST": (form(values), b"", FORM),
        "query and body": (form(first), form(values), FORM),
    }[way]
    assert shown(world, reply(world.door.send(*sent))) == ("Shop", "34600000001", "Hi there")


@pytest.mark.parametrize("path", ["/api/http/", "/api/http"])
def test_url(world: World, path: str) -> None:
    query = form(given(world.owner.access, "user.getbalance"))
    found = world.door.send(query) if path.endswith("/") else _at(world, path, query)
    assert reply(found)["status"] == "SUCCESS"


def _at(world: World, path: str, query: bytes) -> Any:
    from tests.support.rawhttp import ask  # noqa: PLC0415

    return ask(world.door.gateway.port, f"GET {path}?{query.decode()} HTTP/1.0\r\n\r\n".encode())


def test_optional_parameters_sent_empty(world: World) -> None:
    query = form(given(world.owner.access, "sms.sendsms", SMS)) + b"&scheduledatetime=&output=&idempotencykey="
    found = reply(world.door.send(query))
    assert shown(world, found) == ("Shop", "34600000001", "Hi there")
    assert world.door.cli("message", "show", found["result"]["messageid"])["state"] != "SCHEDULED"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"sms=one two  three", "one two  three"),
        (b"sms=one+two", "one two"),
        (b"sms=one%20two%2Bthree", "one two+three"),
        (b"sms=50% off", "50% off"),
        ("sms=ñandú €".encode(), "ñandú €"),
        (b"sms=a=b", "a=b"),
        (b"sms=a?b/c#d", "a?b/c#d"),
    ],
    ids=["space", "plus", "escaped", "percent", "raw UTF-8", "equals", "question mark"],
)
def test_query_built_by_hand(world: World, raw: bytes, text: str) -> None:
    query = form(given(world.owner.access, "sms.sendsms", {"from": "Shop", "to": "34600000001"})) + b"&" + raw
    assert shown(world, reply(world.door.send(query)))[2] == text


@pytest.mark.parametrize(
    "raw", [b"34600000001", b"+34600000001", b"%2B34600000001", b" 34600000001", b"0034600000001"]
)
def test_plus_before_a_number(world: World, raw: bytes) -> None:
    query = form(given(world.owner.access, "sms.sendsms", {"from": "Shop", "sms": "Hi"})) + b"&to=" + raw
    assert shown(world, reply(world.door.send(query)))[1] == "34600000001"


def test_balance_is_the_number_itself(world: World) -> None:
    customer = world.door.customer("--credits", "12.345678")
    query = form(given(customer.access, "user.getbalance"))
    assert world.door.send(query).body == b'{"status":"SUCCESS","result":12.345678}'
    assert world.door.call(world.poor.access, "user.getbalance") == {"status": "SUCCESS", "result": 0}


def test_reply_of_a_send(world: World) -> None:
    body = world.door.send(form(given(world.owner.access, "sms.sendsms", SMS))).body
    assert re.fullmatch(
        rb'\{"status":"SUCCESS","result":\{"messageid":"[0-9]{10,16}","credits":1,"encoding":"GSM7","segments":1\}\}',
        body,
    )
    assert int(json.loads(body)["result"]["messageid"]) < 2**53


def test_reply_of_an_error(world: World) -> None:
    found = world.door.send(form(given(world.poor.access, "sms.sendsms", SMS)))
    assert (found.status, found.body) == (
        200,
        b'{"status":"ERROR","error":"NO_CREDITS","detail":"The balance does not cover this send; nothing was sent."}',
    )


def test_reply_of_a_bulk_send(world: World) -> None:
    values = {"from": "Shop", "countrycode": "34", "idgroup": world.names["group"], "sms": "Hi"}
    result = world.door.call(world.owner.access, "sms.sendsmstogroup", values)["result"]
    assert list(result) == ["id", "count", "credits", "destinations"]
    assert [row["destination"] for row in result["destinations"]] == ["34600000001", "34600000002"]
    assert all(row["messageid"].isdigit() for row in result["destinations"])
    assert (result["id"].isdigit(), result["count"], result["credits"]) == (True, 2, 2)


def test_statuses_of_ids_joined_by_commas(world: World) -> None:
    sent = [world.door.call(world.owner.access, "sms.sendsms", SMS)["result"]["messageid"] for _ in range(2)]
    until(lambda: world.door.status(world.owner.access, *sent) == ["DELIVERED"] * 2, what="DELIVERED of both")
    asked = {"messages": f"{sent[1]},{sent[0]},{sent[1]}"}
    rows = world.door.call(world.owner.access, "sms.getdeliverystatus", asked)["result"]
    assert [row["messageid"] for row in rows] == [sent[1], sent[0], sent[1]]
    assert [list(row) for row in rows] == [["messageid", "sms", "deliverydate", "deliverystatus"]] * 3
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row["deliverydate"]) for row in rows)
    assert rows[0]["sms"] == "Hi there"


def test_template_from_pairs(world: World) -> None:
    made = {"title": "t", "message": "<mobile> is <name>'s: <note>"}
    template = world.door.call(world.owner.access, "template.addtemplate", made)["result"]["id"]
    raw = b"&params=mobile:123456789,name:test+name,note:10:30\\,%20sharp"
    query = form(given(world.owner.access, "sms.sendsmsfromtemplate", {"to": "34600000001", "idtemplate": template}))
    text = shown(world, reply(world.door.send(query + raw)))[2]
    assert text == "123456789 is test name's: 10:30, sharp"


def test_account_may_log_in_by_its_email_and_password(world: World) -> None:
    assert world.door.outcome(world.owner.own, "user.getbalance") == "SUCCESS"


def test_idempotency_key(world: World) -> None:
    customer = world.door.customer("--credits", "3")
    values = {**SMS, "idempotencykey": "order 1"}
    first = world.door.call(customer.access, "sms.sendsms", values)
    assert world.door.call(customer.own, "sms.sendsms", values) == first
    assert world.door.call(customer.access, "sms.sendsms", {**values, "sms": "Other"}) == {
        "status": "ERROR",
        "error": "INCORRECT_PARAM",
        "detail": "idempotencykey: This key was used within 24 hours with other parameters; use a new one.",
    }
    assert world.door.call(customer.access, "user.getbalance")["result"] == 2
